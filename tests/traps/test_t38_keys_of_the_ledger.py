"""T38: manual adds, deducts and payments with points that take no idempotency key are made twice by every retry."""

import uuid

import pytest

from services.points.service import service
from tests.points import Brand, refused, sql
from tests.support import app_of

HOLD = str(uuid.UUID(int=38))
POSTS = [
    ("/v1/postings", {"member_id": 7, "asset": "points", "kind": "earn", "amount": 5}),
    ("/v1/postings", {"member_id": 7, "asset": "points", "kind": "spend", "amount": 5}),
    ("/v1/holds", {"member_id": 7, "asset": "points", "amount": 5}),
    (f"/v1/holds/{HOLD}/capture", {"member_id": 7}),
    (f"/v1/holds/{HOLD}/void", {"member_id": 7}),
    ("/v1/reversals", {"member_id": 7, "asset": "points", "posting_id": HOLD}),
]


@pytest.mark.parametrize(("path", "body"), POSTS)
def test_every_post_that_moves_value_needs_a_key(brand: Brand, path: str, body: dict[str, object]) -> None:
    answer = brand.shop.post(path, body)
    assert refused(answer) == (400, "idempotency_key_missing")
    assert sql("SELECT count(*) FROM points_postings")[0][0] == 0


def test_every_line_of_a_batch_needs_a_key(brand: Brand) -> None:
    line = {"member_id": 7, "asset": "points", "kind": "earn", "amount": 5}
    for bad in ({}, {"key": ""}, {"key": None}, {"key": 5}, {"key": "x" * 256}):
        answer = brand.shop.post("/v1/postings/batch", {"lines": [{**line, **bad}]})
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/lines/0/key")


def test_every_post_of_the_ledger_documents_its_key() -> None:
    document = app_of(service).test_client().get("/openapi.json").json
    for path in ("postings", "holds", "holds/{hold_id}/capture", "holds/{hold_id}/void", "reversals"):
        post = document["paths"][f"/v1/{path}"]["post"]
        names = {it["name"]: it["required"] for it in post["parameters"]}
        assert names["Idempotency-Key"] is True
