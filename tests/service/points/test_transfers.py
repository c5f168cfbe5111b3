"""Gifts between members over HTTP: off by default, capped, lots keep their days (field.md B18)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.points.ledger.domain import Kind
from tests.points import Brand, Clock, done, pointers, refused, sql, wrong


@pytest.fixture
def friends(brand: Brand) -> Brand:
    """Members 7 (with 100 points) and 8; points may be given."""
    brand.set_asset(transferable=True, transfer_most=60, transfer_most_per_day=90)
    brand.earn(100, validity="9D")
    brand.earn(1, member_id=8)
    return brand


def as_member(brand: Brand, member: int, key: str, **body: Any) -> TestResponse:
    body = {"asset": "points", "amount": 10, "to_member_id": 8, **body}
    return brand.callers.member(member).post("/v1/transfers", body, key=key)


def test_nothing_can_be_given_unless_the_asset_says_so(brand: Brand) -> None:
    brand.earn(100)
    brand.earn(1, member_id=8)
    assert refused(brand.give(10, to=8)) == (403, "transfer_forbidden")
    assert brand.figures()[0] == 100


def test_a_member_gives_what_is_theirs_and_lots_keep_their_days(friends: Brand) -> None:
    before = friends.account()["next_expiry"]["on"]
    answer = as_member(friends, 7, "gift", amount=40, reason="生日快乐")
    assert answer.status_code == 201
    assert (answer.json["kind"], answer.json["amount"], answer.json["balance"]) == ("transfer_out", -40, 60)
    assert as_member(friends, 7, "gift", amount=40, reason="生日快乐").headers["Idempotency-Replayed"] == "true"
    assert (friends.figures()[0], friends.figures(member=8)[0]) == (60, 41)
    assert {"on": before, "amount": 40} in friends.account(member=8)["lots"]
    out, into = friends.entries()[-1], friends.entries(member=8)[-1]
    assert (out["kind"], into["kind"], into["amount"]) == ("transfer_out", "transfer_in", 40)
    assert out["posting_id"] == into["posting_id"]
    assert (out["meta"], into["meta"]) == (
        {"reason": "生日快乐", "to_member_id": 8},
        {"reason": "生日快乐", "from_member_id": 7},
    )
    assert wrong() == []


def test_nobody_gives_what_is_anothers(friends: Brand) -> None:
    assert refused(as_member(friends, 8, "steal", member_id=7, to_member_id=8)) == (404, "not_found")
    assert refused(friends.callers.system("read").post("/v1/transfers", {}, key="k"))[0] == 403
    assert refused(friends.callers.staff("finance").post("/v1/transfers", {}, key="k"))[0] == 403
    missing = friends.shop.post("/v1/transfers", {"asset": "points", "amount": 1, "to_member_id": 8}, key="k")
    assert (refused(missing), pointers(missing)) == ((422, "invalid_request"), ["/member_id"])
    other = friends.callers.system("ledger", program_id=2)
    assert refused(
        other.post("/v1/transfers", {"asset": "points", "amount": 1, "to_member_id": 8, "member_id": 7}, key="k")
    )[0] in (404, 422)
    assert friends.figures()[0] == 100


@pytest.mark.parametrize(
    ("amount", "to", "code", "pointer"),
    [
        (61, 8, "transfer_capped", "/amount"),
        (10, 7, "transfer_to_self", "/to_member_id"),
        (10, 9, "receiver_unknown", "/to_member_id"),
        (0, 8, "invalid_request", "/amount"),
    ],
)
def test_a_gift_that_may_not_be_says_why(friends: Brand, amount: int, to: int, code: str, pointer: str) -> None:
    answer = friends.give(amount, to=to)
    assert (refused(answer), pointers(answer)) == ((422, code), [pointer])
    assert friends.figures()[0] == 100


def test_a_days_gifts_are_capped_in_the_programs_zone(friends: Brand, clock: Clock) -> None:
    evening = datetime(2126, 5, 3, 15, 59, tzinfo=UTC)  # a minute to midnight in Shanghai
    clock.set(evening)
    friends.earn(200)
    done(friends.give(60, to=8))
    assert refused(friends.give(31, to=8)) == (422, "transfer_day_capped")
    done(friends.give(30, to=8))
    assert refused(friends.give(1, to=8, key="later")) == (422, "transfer_day_capped")
    clock.set(evening + timedelta(minutes=1))
    assert refused(friends.give(1, to=8, key="later")) == (422, "transfer_day_capped")
    done(friends.give(60, to=8))
    assert friends.figures(member=8)[0] == 151


def test_a_frozen_member_gives_nothing_and_receives(friends: Brand) -> None:
    friends.turn(Kind.FREEZE, member=7)
    assert refused(friends.give(10, to=8)) == (409, "account_frozen")
    friends.turn(Kind.UNFREEZE, member=7)
    friends.turn(Kind.FREEZE, member=8)
    done(friends.give(10, to=8))
    assert friends.figures(member=8)[0] == 11


def test_neither_side_of_a_gift_can_be_reversed(friends: Brand) -> None:
    gift = done(friends.give(10, to=8))
    assert refused(friends.reverse(gift)) == (422, "not_reversible")
    assert refused(friends.reverse(gift, member_id=8)) == (422, "not_reversible")


def test_the_feed_tells_both_sides(friends: Brand) -> None:
    gift = done(friends.give(10, to=8))
    facts = done(friends.callers.service("levels").get("/feed", limit=100, topics="ledger.entry"))["facts"]
    told = {fact["member_id"]: fact["payload"] for fact in facts if fact["payload"]["posting_id"] == gift["posting_id"]}
    assert {member: (it["kind"], it["available_delta"]) for member, it in told.items()} == {
        7: ("transfer_out", -10),
        8: ("transfer_in", 10),
    }


def test_the_feed_tells_what_an_entry_did_to_what_can_be_spent(brand: Brand) -> None:
    posted = brand.earn(50, available_at="2150-01-01T00:00:00Z")
    done(brand.reverse(posted, amount=20))
    done(brand.confirm(posted))
    facts = done(brand.callers.service("levels").get("/feed", limit=100, topics="ledger.entry"))["facts"]
    told = [(it["kind"], it["amount"], it["held_delta"], it["available_delta"], it["reverses"], it["reversed"])
            for it in (fact["payload"] for fact in facts)]  # fmt: skip
    assert told == [
        ("earn", 50, 50, 0, None, None),
        ("reverse", -20, -20, 0, 1, 20),
        ("defer", 0, 0, 0, None, None),
        ("release", 0, -30, 30, None, None),
    ]
    assert {fact["payload"]["hold_id"] for fact in facts} == {posted["posting_id"]}
    assert sql("SELECT count(*) FROM points_outbox")[0][0] >= 4
