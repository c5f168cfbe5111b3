"""The audit log over HTTP: what is sealed, who may see it, and proofs that anybody can check."""

import json
from hashlib import sha256
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.settings import settings
from services.points.audit.domain import head_bytes, leaf_bytes
from services.points.audit.jobs import seal_posted
from services.points.audit.signing import is_signed, signer
from services.points.audit.tree import leaf_hash
from tests.points import Brand, built_once, done, pointers, refused, sql
from tests.support import AUDIT_KEY, Caller, Callers
from tools.verify_receipt import merkle
from tools.verify_receipt.form import Invalid
from tools.verify_receipt.receipt import check_receipt


@built_once
def twenty_leaves(brand: Brand) -> None:
    """Members 1 to 5 with four entries each, sealed after each round: four heads of 5, 10, 15 and 20 leaves."""
    for round_ in range(4):
        for member in range(1, 6):
            brand.earn(10 + round_, member_id=member)
        seal_posted()


@pytest.fixture
def sealed(brand: Brand) -> Brand:
    """A log of twenty leaves."""
    twenty_leaves(brand)
    return brand


def path_leads(answer: dict[str, Any], chain_hash: bytes) -> bool:
    """Whether the path of an inclusion leads from the entry with that hash to the root, by the RFC's own words."""
    told, head = answer["leaf"], answer["head"]
    key = (head["program_id"], told["member_id"], told["asset_id"], told["seq"])
    path = [bytes.fromhex(step) for step in answer["path"]]
    root = bytes.fromhex(head["root"])
    return bool(merkle.is_included(leaf_bytes(key, chain_hash), told["index"], path, head["size"], root))


def test_before_anything_is_sealed_there_is_no_head(brand: Brand) -> None:
    assert refused(brand.shop.get("/v1/audit/head")) == (404, "nothing_sealed")
    assert done(brand.shop.get("/v1/audit/heads")) == {"heads": [], "next": None}
    assert done(brand.shop.get("/v1/audit/keys")) == {"keys": []}
    brand.earn(5)
    assert refused(brand.shop.get("/v1/audit/head")) == (404, "nothing_sealed")
    assert refused(brand.shop.get("/v1/audit/inclusion", member_id=7, asset="points", seq=1)) == (
        409,
        "not_sealed_yet",
    )
    assert refused(brand.shop.get("/v1/audit/receipts/points/1", member_id=7)) == (409, "not_sealed_yet")


def test_a_head_says_how_many_entries_there_are_and_is_signed(sealed: Brand) -> None:
    head = done(sealed.shop.get("/v1/audit/head"))
    assert (head["program_id"], head["number"], head["size"]) == (1, 4, 20)
    [key] = done(sealed.shop.get("/v1/audit/keys"))["keys"]
    assert key["key_id"] == head["key_id"] == sha256(bytes.fromhex(key["public_key"])).hexdigest()
    assert key["public_key"] == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    row = sql("SELECT * FROM points_audit_heads WHERE number = 4")[0]
    message = head_bytes(program_id=1, number=4, size=20, root=bytes(row.root), at=row.at)
    assert is_signed(message, signature=bytes.fromhex(head["signature"]), public_key=bytes.fromhex(key["public_key"]))
    assert (
        head["at_us"]
        == sql("SELECT (extract(epoch FROM at) * 1000000)::bigint FROM points_audit_heads WHERE number = 4")[0][0]
    )


def test_heads_are_listed_newest_first_page_by_page(sealed: Brand) -> None:
    first = done(sealed.shop.get("/v1/audit/heads", limit=3))
    assert [head["number"] for head in first["heads"]] == [4, 3, 2]
    assert [head["size"] for head in first["heads"]] == [20, 15, 10]
    last = done(sealed.shop.get("/v1/audit/heads", limit=3, before=first["next"]))
    assert [head["number"] for head in last["heads"]] == [1]
    assert last["next"] is None


def test_every_entry_is_proven_under_every_head_that_covers_it(sealed: Brand) -> None:
    hashes = {(row.member_id, row.seq): bytes(row.hash) for row in sql("SELECT * FROM points_entries")}
    assert len(hashes) == 20
    for (member, seq), entry_hash in hashes.items():
        for size in range(5 * seq, 21, 5):
            asked = {"member_id": member, "asset": "points", "seq": seq, "size": size}
            answer = done(sealed.shop.get("/v1/audit/inclusion", **asked))
            assert answer["head"]["size"] == size
            assert answer["leaf"]["hash"] == entry_hash.hex()
            assert path_leads(answer, entry_hash)
            assert not path_leads(answer, sha256(b"another").digest())


def test_without_a_size_the_newest_head_is_taken(sealed: Brand) -> None:
    answer = done(sealed.shop.get("/v1/audit/inclusion", member_id=1, asset="points", seq=1))
    assert answer["head"] == done(sealed.shop.get("/v1/audit/head"))
    assert answer["leaf"]["index"] == 0


def test_a_leaf_is_54_bytes_as_documented(sealed: Brand) -> None:
    row = sql("SELECT * FROM points_entries WHERE member_id = 3 AND seq = 2")[0]
    leaf = leaf_bytes((1, 3, row.asset_id, 2), bytes(row.hash))
    wide = [(1).to_bytes(4), (3).to_bytes(8), row.asset_id.to_bytes(2), (2).to_bytes(8), bytes(row.hash)]
    assert leaf == b"".join(wide)
    assert len(leaf) == 54
    assert leaf_hash(leaf) == sha256(b"\x00" + leaf).digest()


@pytest.mark.parametrize(("first", "second"), [(5, 5), (5, 10), (5, 20), (10, 15), (15, 20), (20, 20)])
def test_any_two_heads_are_proven_to_be_one_log(sealed: Brand, first: int, second: int) -> None:
    answer = done(sealed.shop.get("/v1/audit/consistency", first=first, second=second))
    path = [bytes.fromhex(step) for step in answer["path"]]
    assert (answer["first"]["size"], answer["second"]["size"]) == (first, second)
    if first == second:
        assert path == []
        return
    old, new = (bytes.fromhex(answer[which]["root"]) for which in ("first", "second"))
    another = sha256(b"another").digest()
    assert merkle.is_consistent(first, old, second, new, path)
    assert not merkle.is_consistent(first, another, second, new, path)
    assert not merkle.is_consistent(first, old, second, another, path)


@pytest.mark.parametrize(
    ("path", "query", "expected", "pointer"),
    [
        ("inclusion", {"asset": "points", "seq": 1}, (422, "invalid_request"), "/query/member_id"),
        ("inclusion", {"member_id": 1, "seq": 1}, (422, "invalid_request"), "/query/asset"),
        ("inclusion", {"member_id": 1, "asset": "points"}, (422, "invalid_request"), "/query/seq"),
        ("inclusion", {"member_id": 1, "asset": "points", "seq": 0}, (422, "invalid_request"), "/query/seq"),
        ("inclusion", {"member_id": 1, "asset": "P!", "seq": 1}, (422, "invalid_request"), "/query/asset"),
        ("inclusion", {"member_id": 1, "asset": "points", "seq": 1, "size": 6}, (422, "unknown_head"), "/query/size"),
        ("inclusion", {"member_id": 1, "asset": "points", "seq": 2, "size": 5}, (422, "not_under_head"), "/query/size"),
        ("inclusion", {"member_id": 1, "asset": "points", "seq": 5}, (404, "not_found"), None),
        ("inclusion", {"member_id": 9, "asset": "points", "seq": 1}, (404, "not_found"), None),
        ("consistency", {"first": 10, "second": 5}, (422, "heads_reversed"), "/query/first"),
        ("consistency", {"first": 4, "second": 5}, (422, "unknown_head"), "/query/first"),
        ("consistency", {"first": 5, "second": 21}, (422, "unknown_head"), "/query/second"),
        ("consistency", {"first": 5}, (422, "invalid_request"), "/query/second"),
        ("heads", {"limit": 201}, (422, "invalid_request"), "/query/limit"),
        ("heads", {"before": 0}, (422, "invalid_request"), "/query/before"),
        ("receipts/points/1", {}, (422, "invalid_request"), "/query/member_id"),
        ("receipts/points/9", {"member_id": 1}, (404, "not_found"), None),
        ("receipts/points/0", {"member_id": 1}, (404, "not_found"), None),
        ("receipts/nothing/1", {"member_id": 1}, (404, "asset_not_found"), None),
    ],
)
def test_a_wrong_question_is_answered_by_what_is_wrong(
    sealed: Brand, path: str, query: dict[str, Any], expected: tuple[int, str], pointer: str | None
) -> None:
    answer = sealed.shop.get(f"/v1/audit/{path}", **query)
    assert refused(answer) == expected
    if pointer:
        assert pointers(answer) == [pointer]
    chinese = Caller(sealed.shop.client, sealed.shop.identity, **{"Accept-Language": "zh"})
    assert not (chinese.get(f"/v1/audit/{path}", **query).json or {})["detail"].isascii()


PUBLIC: dict[str, dict[str, Any]] = {"head": {}, "heads": {}, "keys": {}, "consistency": {"first": 5, "second": 10}}
OWN: dict[str, dict[str, Any]] = {"inclusion": {"asset": "points", "seq": 1}, "receipts/points/1": {}}


def test_everybody_signed_in_sees_heads_and_keys(sealed: Brand, points: Callers) -> None:
    everybody = [points.member(99), points.staff("marketer"), points.system("events"), points.service("levels")]
    for path, query in PUBLIC.items():
        for caller in everybody:
            assert caller.get(f"/v1/audit/{path}", **query).status_code == 200, path
        assert refused(points.anybody().get(f"/v1/audit/{path}", **query))[0] == 401


def test_members_get_proofs_of_their_own_entries_only(sealed: Brand, points: Callers) -> None:
    for path, query in OWN.items():
        path, named = f"/v1/audit/{path}", {**query, "member_id": 3}
        assert points.member(3).get(path, **query).status_code == 200
        for caller in (points.member(3), points.staff("customer_service"), points.system("read"), points.service("x")):
            assert caller.get(path, **named).status_code == 200
        assert refused(points.member(4).get(path, **named)) == (404, "not_found")
        assert refused(points.member(99).get(path, **query)) == (404, "not_found")
        assert refused(points.system("events").get(path, **named))[0] == 403


def test_another_program_has_a_log_of_its_own(sealed: Brand, points: Callers) -> None:
    other = Brand(points, program_id=2).found()
    other.earn(3, member_id=1)
    assert refused(other.shop.get("/v1/audit/head")) == (404, "nothing_sealed")
    seal_posted()
    assert done(other.shop.get("/v1/audit/head"))["size"] == 1
    assert done(sealed.shop.get("/v1/audit/head"))["size"] == 20
    assert refused(other.shop.get("/v1/audit/inclusion", member_id=2, asset="points", seq=1)) == (404, "not_found")
    receipt = done(other.shop.get("/v1/audit/receipts/points/1", member_id=1))
    assert (receipt["head"]["program_id"], receipt["entry"]["amount"]) == (2, 3)


def test_a_damaged_tree_is_said_to_be_damaged_not_proven(sealed: Brand) -> None:
    for edit in (
        "DELETE FROM points_audit_keys",
        "DELETE FROM points_audit_nodes WHERE position = 0",
    ):
        sql(edit)
        answer: TestResponse = sealed.shop.get("/v1/audit/receipts/points/4", member_id=5)
        assert refused(answer) == (500, "log_damaged")


def test_a_proof_of_a_changed_entry_does_not_hold(sealed: Brand) -> None:
    sql("UPDATE points_entries SET amount = 1000 WHERE member_id = 2 AND seq = 3")
    receipt = done(sealed.shop.get("/v1/audit/receipts/points/3", member_id=2))
    with pytest.raises(Invalid, match="content was changed"):
        check_receipt(json.loads(json.dumps(receipt)))


def test_the_key_of_the_tests_is_the_one_of_the_rfc() -> None:
    assert settings().audit_key is not None
    assert signer().key_id == sha256(signer().public_key).digest()
    assert AUDIT_KEY.endswith("=")
