"""Earning and spending over HTTP, one by one and in batches: once per key, all refusals, every malformed request."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from common.identity import HEADER, Identity, sign
from services.points.database import transaction
from tests.points import Brand, done, pointers, refused, sql, wrong
from tests.support import Callers

LARGEST = 2**53 - 1


def posting(**given: Any) -> dict[str, Any]:
    """A request that is fine as it is."""
    return {"member_id": 7, "asset": "points", "kind": "earn", "amount": 5, **given}


def lines(*amounts: int, kind: str = "earn", **given: Any) -> list[dict[str, Any]]:
    """Batch lines with keys of their own."""
    return [posting(kind=kind, amount=amount, key=f"{kind}-{n}", **given) for n, amount in enumerate(amounts)]


def test_a_posting_answers_what_the_account_was_right_after_it(brand: Brand) -> None:
    earned = brand.send("postings", kind="earn", amount=120, reason="开业礼", key="first")
    assert earned.status_code == 201
    assert earned.headers.get("Idempotency-Replayed") is None
    spent = brand.spend(45)
    assert {name: spent[name] for name in ("kind", "amount", "seq", "balance", "available", "held", "debt")} == {
        "kind": "spend",
        "amount": -45,
        "seq": 2,
        "balance": 75,
        "available": 75,
        "held": 0,
        "debt": 0,
    }
    assert [entry["meta"] for entry in brand.entries()] == [{"reason": "开业礼"}, None]
    assert brand.entries()[0]["cause"] == "system:shop first"


def test_a_repeat_gets_the_first_answer_again(brand: Brand) -> None:
    first = brand.send("postings", kind="earn", amount=30, key="k")
    brand.earn(1)
    again = brand.send("postings", kind="earn", amount=30, key="k")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert brand.figures() == (31, 31, 0, 0)


def test_a_body_that_says_the_same_in_other_words_is_a_repeat(brand: Brand) -> None:
    first = brand.send("postings", kind="earn", amount=30, key="k", earned_at="2026-05-03T08:00:00+08:00")
    again = brand.send(
        "postings", kind="earn", amount=30, key="k", earned_at="2026-05-03T00:00:00Z", validity=None, reason=""
    )
    assert (again.status_code, again.json) == (201, first.json)


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 31},
        {"member_id": 8},
        {"asset": "energy"},
        {"kind": "spend"},
        {"reason": "x"},
        {"validity": "1D"},
        {"earned_at": "2026-05-03T08:00:00Z"},
    ],
)
def test_a_key_used_for_another_request_is_refused(brand: Brand, other: dict[str, Any]) -> None:
    first = brand.send("postings", **posting(amount=30), key="k")
    again = brand.send("postings", **posting(**{"amount": 30, **other}), key="k")
    assert refused(again) == (422, "idempotency_key_reused")
    assert pointers(again) == ["/headers/Idempotency-Key"]
    assert brand.send("postings", **posting(amount=30), key="k").json == first.json
    assert sql("SELECT count(*) FROM points_entries")[0][0] == 1


def test_a_key_of_a_posting_cannot_be_used_for_a_hold(brand: Brand) -> None:
    brand.earn(50, key="k")
    assert refused(brand.send("holds", amount=50, key="k")) == (422, "idempotency_key_reused")


def test_keys_of_different_callers_and_programs_do_not_meet(brand: Brand) -> None:
    other = Brand(brand.callers, program_id=2).found()
    till = brand.callers.system("ledger", key_id="till")
    brand.earn(10, key="k")
    other.earn(20, key="k")
    assert till.post("/v1/postings", posting(amount=40), key="k").json["balance"] == 50
    assert brand.callers.service("levels").post("/v1/postings", posting(amount=3), key="k").json["balance"] == 53
    assert other.figures()[0] == 20


def test_too_little_is_refused_with_what_there_is_and_what_is_missing(brand: Brand) -> None:
    brand.earn(30)
    answer = brand.send("postings", kind="spend", amount=42)
    assert refused(answer) == (422, "insufficient_points")
    assert answer.json["facts"] == {"available": 30, "short_by": 12}
    assert pointers(answer) == ["/amount"]
    assert "12" in answer.json["detail"]
    chinese = brand.callers.system("ledger", **{"Accept-Language": "zh-CN,zh;q=0.9"})
    assert "还差 12" in chinese.post("/v1/postings", posting(kind="spend", amount=42), key="c").json["detail"]


def test_a_refusal_is_an_answer_too_and_comes_again(brand: Brand) -> None:
    first = brand.send("postings", kind="spend", amount=10, key="k")
    brand.earn(100)
    again = brand.send("postings", kind="spend", amount=10, key="k")
    assert refused(again) == refused(first) == (422, "insufficient_points")
    assert again.json["facts"] == first.json["facts"] == {"available": 0, "short_by": 10}
    assert brand.figures()[0] == 100
    assert brand.spend(10)["balance"] == 90


def test_no_balance_leaves_what_every_reader_keeps_exact(brand: Brand) -> None:
    assert brand.earn(LARGEST)["balance"] == LARGEST
    assert refused(brand.send("postings", kind="earn", amount=1)) == (422, "balance_too_large")
    spent = brand.spend(LARGEST)
    brand.earn(1)
    assert refused(brand.reverse(spent)) == (422, "balance_too_large")
    assert brand.figures()[0] == 1


@pytest.mark.parametrize("key", [None, "", " ", "a b", "schlüssel", "积分", "x" * 256, "tab\there"])
def test_a_posting_without_a_proper_key_is_malformed(brand: Brand, key: str | None) -> None:
    headers = dict(brand.shop._headers())
    if key is not None:
        headers["Idempotency-Key"] = key.encode().decode("latin-1")
    answer = brand.shop.client.post("/v1/postings", json=posting(), headers=headers)
    assert refused(answer) == (400, "idempotency_key_missing")
    assert brand.entries() == []


@pytest.mark.parametrize("key", ["x", "x" * 255, "!~:/?#[]@", "a-b_c.d"])
def test_any_printable_key_is_fine(brand: Brand, key: str) -> None:
    assert brand.send("postings", **posting(), key=key).status_code == 201


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("amount", ["5", 5.5, 5.0, 1e2, True, None, [], {}, 0, -1, LARGEST + 1, 2**63, 10**30]),
        ("member_id", ["7", 7.0, True, None, 0, -7, LARGEST + 1]),
        ("asset", [1, None, "", "Points", "积分", "a" * 65, "a b", "-a", "points\n"]),
        ("kind", ["transfer", "EARN", "hold", None, 1, ""]),
        ("validity", ["", "x" * 17, 30, []]),
        ("earned_at", ["yesterday", "2026-05-03", "2026-05-03T08:00:00", "1999-12-31T23:59:59Z", 5, []]),
        ("reason", [5, None, "x" * 201, "two\nlines", "\x7f"]),
    ],
)
def test_a_wrong_value_is_pointed_at(brand: Brand, field: str, values: list[Any]) -> None:
    for value in values:
        answer = brand.send("postings", **posting(**{field: value}))
        assert refused(answer) == (422, "invalid_request"), value
        assert pointers(answer) == [f"/{field}"], value
    assert sql("SELECT count(*) FROM points_postings")[0][0] == 0


@pytest.mark.parametrize("field", ["member_id", "asset", "kind", "amount"])
def test_what_is_missing_is_pointed_at(brand: Brand, field: str) -> None:
    body = posting()
    del body[field]
    answer = brand.shop.post("/v1/postings", body, key="k")
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == [f"/{field}"]


def test_unknown_fields_are_refused(brand: Brand) -> None:
    answer = brand.send("postings", **posting(balance=1_000_000, program_id=2))
    assert refused(answer) == (422, "invalid_request")
    assert sorted(pointers(answer)) == ["/balance", "/program_id"]


@pytest.mark.parametrize("body", [[], "text", 5, None, [posting()]])
def test_a_body_that_is_no_object_is_refused(brand: Brand, body: Any) -> None:
    answer = brand.shop.post("/v1/postings", data=json.dumps(body), content_type="application/json", key="k")
    assert refused(answer)[0] == 422


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"amount": NaN}',
        b'{"reason": "\xed\xa0\x80"}',
        b'{"reason": "\xff"}',
        b'{"amount": 1e1000000000000000000}',
        json.dumps(posting(reason="\x00")).encode("utf-16"),
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_malformed(brand: Brand, raw: bytes) -> None:
    answer = brand.shop.post("/v1/postings", data=raw, content_type="application/json", key="k")
    assert refused(answer) == (400, "malformed_request")


@pytest.mark.parametrize("raw", [b'{"reason": "\\u0000"}', b'{"reason": "\\ud800"}'])
def test_text_that_nothing_can_store_is_refused_with_its_place(brand: Brand, raw: bytes) -> None:
    answer = brand.shop.post("/v1/postings", data=raw, content_type="application/json", key="k")
    assert refused(answer) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/reason"]


def test_a_body_that_is_not_called_json_is_not_read_as_json(brand: Brand) -> None:
    answer = brand.shop.post("/v1/postings", data=json.dumps(posting()), content_type="text/plain", key="k")
    assert refused(answer) == (415, "unsupported_media_type")


def test_a_body_too_large_is_not_read(brand: Brand) -> None:
    raw = json.dumps(posting(reason="x" * (4 * 1024 * 1024))).encode()
    answer = brand.shop.post("/v1/postings", data=raw, content_type="application/json", key="k")
    assert refused(answer) == (413, "too_large")


def test_a_bad_validity_is_refused_by_its_grammar(brand: Brand) -> None:
    answer = brand.send("postings", **posting(validity="soon"))
    assert answer.status_code == 422
    assert pointers(answer) == ["/validity"]


def test_an_unknown_asset_or_program_is_not_there(brand: Brand) -> None:
    assert refused(brand.send("postings", **posting(asset="gold"))) == (404, "asset_not_found")
    stranger = brand.callers.system("ledger", program_id=99)
    assert refused(stranger.post("/v1/postings", posting(), key="k")) == (404, "program_not_configured")
    assert refused(stranger.post("/v1/postings/batch", {"lines": lines(1)})) == (404, "program_not_configured")


@pytest.mark.parametrize("path", ["/v1/postings", "/v1/postings/batch", "/v1/holds", "/v1/reversals"])
def test_only_systems_with_the_scope_and_neighbours_may_post(points: Callers, path: str) -> None:
    callers = [
        points.member(7),
        points.staff("finance"),
        points.staff("marketer"),
        points.staff("admin"),
        points.system("read"),
        points.system(),
    ]
    for caller in callers:
        assert refused(caller.post(path, {}, key="k")) == (403, "forbidden")
    assert refused(points.anybody().post(path, {}, key="k")) == (401, "unauthenticated")
    forged = sign(Identity("system", 1, "shop", frozenset({"ledger"})), secret="not the secret of the gateway!!")
    assert refused(points.anybody(**{HEADER: forged}).post(path, {}, key="k")) == (401, "unauthenticated")
    assert refused(points.anybody(**{HEADER: "é.ü"}).post(path, {}, key="k")) == (401, "unauthenticated")


def test_a_batch_posts_or_refuses_each_line_by_itself(brand: Brand) -> None:
    mixed = [*lines(100, 20), *lines(90, 40, 30, kind="spend"), *lines(6, kind="spend", member_id=8)]
    mixed[-1]["key"] = "poor"
    answer = done(brand.shop.post("/v1/postings/batch", {"lines": mixed}))
    assert (answer["posted"], answer["refused"]) == (4, 2)
    assert [(it["status"], it["seq"], it["balance"]) for it in answer["results"]] == [
        ("posted", 1, 100),
        ("posted", 2, 120),
        ("posted", 3, 30),
        ("insufficient_points", None, None),
        ("posted", 4, 0),
        ("insufficient_points", None, None),
    ]
    assert brand.figures()[0] == 0


def test_a_batch_sent_again_replays_line_by_line(brand: Brand) -> None:
    body = {"lines": [*lines(10, 20), *lines(50, kind="spend")]}
    first = done(brand.shop.post("/v1/postings/batch", body))
    brand.earn(100)
    again = done(brand.shop.post("/v1/postings/batch", body))
    assert [it["replayed"] for it in first["results"]] == [False] * 3
    assert [it["replayed"] for it in again["results"]] == [True] * 3
    plain = [{**it, "replayed": False} for it in again["results"]]
    assert plain == first["results"]
    assert brand.figures()[0] == 130


def test_a_key_twice_in_one_batch_has_one_effect(brand: Brand) -> None:
    one, other = lines(10, 10)
    other["key"] = one["key"]
    answer = done(brand.shop.post("/v1/postings/batch", {"lines": [one, other, {**one, "amount": 11}]}))
    assert [it["status"] for it in answer["results"]] == ["posted", "posted", "idempotency_key_reused"]
    assert [it["replayed"] for it in answer["results"]] == [False, True, False]
    assert brand.figures()[0] == 10


def test_a_line_of_a_batch_and_a_single_posting_are_the_same_thing_under_the_same_key(brand: Brand) -> None:
    single = brand.earn(10, key="earn-0")
    answer = done(brand.shop.post("/v1/postings/batch", {"lines": lines(10)}))
    assert (answer["results"][0]["replayed"], answer["results"][0]["posting_id"]) == (True, single["posting_id"])


def test_an_atomic_batch_posts_all_or_nothing_and_uses_up_no_key(brand: Brand) -> None:
    body = {"atomic": True, "lines": [*lines(10), *lines(11, kind="spend")]}
    answer = done(brand.shop.post("/v1/postings/batch", body))
    assert (answer["posted"], answer["refused"]) == (0, 2)
    assert [it["status"] for it in answer["results"]] == ["not_attempted", "insufficient_points"]
    assert [it["seq"] for it in answer["results"]] == [None, None]
    assert brand.figures()[0] == 0
    brand.earn(1)
    again = done(brand.shop.post("/v1/postings/batch", body))
    assert [it["status"] for it in again["results"]] == ["posted", "posted"]
    assert brand.figures()[0] == 0


def test_an_atomic_batch_does_not_deny_what_was_posted_before_it(brand: Brand) -> None:
    brand.earn(10, key="earn-0")
    twice = lines(20)[0] | {"key": "new"}
    body = {"atomic": True, "lines": [*lines(10), twice, twice, *lines(999, kind="spend")]}
    answer = done(brand.shop.post("/v1/postings/batch", body))
    assert [(it["status"], it["replayed"]) for it in answer["results"]] == [
        ("posted", True),
        ("not_attempted", False),
        ("not_attempted", False),
        ("insufficient_points", False),
    ]
    assert brand.figures()[0] == 10


def test_a_thousand_lines_fit_and_one_more_does_not(brand: Brand) -> None:
    full = lines(*range(1, 1001))
    assert done(brand.shop.post("/v1/postings/batch", {"lines": full}))["posted"] == 1000
    assert brand.figures()[0] == 500_500
    more = [*full, posting(key="one more")]
    answer = brand.shop.post("/v1/postings/batch", {"lines": more})
    assert refused(answer) == (422, "invalid_request")
    assert refused(brand.shop.post("/v1/postings/batch", {"lines": []})) == (422, "invalid_request")
    assert wrong() == []


def test_a_wrong_line_of_a_batch_is_pointed_at_and_nothing_is_posted(brand: Brand) -> None:
    bad = lines(1, 2, 3)
    bad[1]["amount"], bad[2]["key"] = "2", "a b"
    answer = brand.shop.post("/v1/postings/batch", {"lines": bad})
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == ["/lines/1/amount", "/lines/2/key"]
    for atomic in ("true", 2, None):
        assert pointers(brand.shop.post("/v1/postings/batch", {"atomic": atomic, "lines": lines(1)})) == ["/atomic"]
    assert refused(brand.shop.post("/v1/postings/batch", {"lines": [*lines(1), posting(key="x", asset="gold")]})) == (
        404,
        "asset_not_found",
    )
    assert brand.entries() == []


def test_one_key_for_two_members_at_once_has_one_effect(brand: Brand) -> None:
    for turn in range(15):
        meeting = Barrier(4)

        def post(member: int, turn: int = turn, meeting: Barrier = meeting) -> int:
            meeting.wait()
            return brand.send("postings", **posting(member_id=member), key=f"race-{turn}").status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(post, (11, 12, 13, 14)))
        assert statuses == [201, 422, 422, 422]
    assert sum(brand.figures(member=member)[0] for member in (11, 12, 13, 14)) == 15 * 5
    assert wrong() == []


def test_who_cannot_get_the_account_in_time_is_told_to_try_again(brand: Brand) -> None:
    brand.earn(10)
    with transaction() as session:
        session.execute(text("SELECT 1 FROM points_accounts WHERE member_id = 7 FOR UPDATE"))
        answer = brand.send("postings", kind="spend", amount=1, key="k")
    assert refused(answer) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert brand.send("postings", kind="spend", amount=1, key="k").json["balance"] == 9


def test_a_lost_connection_costs_at_most_a_retry(brand: Brand) -> None:
    brand.earn(10, key="k")
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'points'"
        " AND pid <> pg_backend_pid()")  # fmt: skip
    statuses = [brand.send("postings", kind="earn", amount=1, key="after").status_code for _ in range(20)]
    assert set(statuses) <= {201, 503}
    assert statuses[-1] == 201
    assert brand.figures()[0] == 11


def test_singles_in_flight_together_are_each_answered(brand: Brand) -> None:
    def post(number: int) -> dict[str, Any]:
        return brand.earn(number, member_id=number % 5 + 1, key=f"n{number}")

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(post, range(1, 301)))
    assert [answer["amount"] for answer in answers] == list(range(1, 301))
    assert sum(brand.figures(member=member)[0] for member in range(1, 6)) == sum(range(1, 301))
    assert wrong() == []
