"""T38: manual adds and deducts by staff that take no idempotency key are made twice by every double click."""

import uuid
from typing import Any

import pytest

from services.points.service import service
from tests.care import Desk
from tests.earning import at_once
from tests.points import refused, sql
from tests.support import app_of

ID = uuid.UUID(int=38)
ADJUSTMENT = {"member_id": 7, "asset": "points", "amount": 5, "reason_code": "goodwill"}
CHANGESET = {"kind": "adjustment", "name": "May", "csv": "member_id,asset,amount,reason\n7,points,5,goodwill\n"}
FREEZE = {"member_id": 7, "reason": "check"}
POSTS: list[tuple[str, Any]] = [
    ("/v1/adjustments", ADJUSTMENT),
    *((f"/v1/adjustments/{ID}/{what}", {}) for what in ("approval", "rejection", "undo")),
    ("/v1/changesets", CHANGESET),
    (f"/v1/changesets/{ID}/sheets", {"csv": "x"}),
    *((f"/v1/changesets/{ID}/{what}", {}) for what in ("check", "approval", "rejection", "undo")),
    *((f"/v1/changesets/{ID}/undo/{what}", {}) for what in ("approval", "rejection")),
    *((f"/v1/accounts/points/{what}", FREEZE) for what in ("freeze", "unfreeze")),
    *((f"/v1/{what}", FREEZE) for what in ("freezes", "unfreezes")),
]


@pytest.mark.parametrize(("path", "body"), POSTS, ids=[path for path, _ in POSTS])
def test_every_post_of_staff_that_moves_value_needs_a_key(desk: Desk, path: str, body: Any) -> None:
    assert refused(desk.ada.post(path, body)) == (400, "idempotency_key_missing")
    assert sql("SELECT count(*) FROM points_postings")[0][0] == 0


def test_every_one_of_them_documents_its_key() -> None:
    document = app_of(service).test_client().get("/openapi.json").json
    assert document is not None
    for path, _ in POSTS:
        named = path.replace(f"adjustments/{ID}", "adjustments/{adjustment_id}")
        named = named.replace(f"changesets/{ID}", "changesets/{changeset_id}").replace(
            "accounts/points", "accounts/{asset}"
        )
        names = {it["name"]: it["required"] for it in document["paths"][named]["post"]["parameters"]}
        assert names["Idempotency-Key"] is True, path


def test_a_double_click_of_ten_posts_once(desk: Desk) -> None:
    answers = at_once([lambda: desk.ask(100, key="click") for _ in range(10)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_data() for answer in answers}) == 1
    assert desk.brand.kinds() == [("earn", 100)]
