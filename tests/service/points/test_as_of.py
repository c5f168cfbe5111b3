"""Accounts as of an instant over HTTP: what was, folded from the entries, and what time alone will make of them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.points.ledger.domain import Kind
from tests.ledger import NOON
from tests.points import Brand, Clock, done, pointers, refused, sql

DAY = timedelta(days=1)


def at(brand: Brand, instant: datetime, asset: str = "energy") -> dict[str, object]:
    return done(brand.shop.get(f"/v1/accounts/{asset}", member_id=7, as_of=instant.isoformat()))


def test_the_past_shows_lots_holds_debt_and_freezes_as_they_were(brand: Brand, clock: Clock) -> None:
    brand.set_asset("growth", debt_allowed=True, validity="30D")
    clock.set(NOON)
    earned = brand.earn(50, asset="growth")
    before = brand.account("growth")
    clock.set(NOON + DAY)
    hold = brand.hold(20, asset="growth", ttl_seconds=86_400 * 9)
    while_held = brand.account("growth")
    clock.set(NOON + 2 * DAY)
    brand.turn(Kind.FREEZE, "growth")
    frozen = brand.account("growth")
    clock.set(NOON + 3 * DAY)
    done(brand.capture(hold, amount=15))
    done(brand.reverse(earned, asset="growth"))
    owing = brand.account("growth")
    clock.set(NOON + 4 * DAY)
    brand.turn(Kind.UNFREEZE, "growth")
    brand.earn(400, asset="growth")
    assert (owing["debt"], owing["balance"], frozen["frozen"]) == (15, -15, True)
    for days, seen in enumerate((before, while_held, frozen, owing)):
        assert at(brand, NOON + days * DAY, "growth") == seen
    assert at(brand, NOON - DAY, "growth")["balance"] == 0
    assert at(brand, NOON + timedelta(hours=30), "growth") == {
        **while_held,
        "as_of": (NOON + timedelta(hours=30)).isoformat().replace("+00:00", "Z"),
    }


def test_the_past_of_a_deferred_earning_waits_for_its_first_instant(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    earned = brand.earn(40, asset="energy", available_at=(NOON + 5 * DAY).isoformat())
    first = brand.account("energy")
    clock.set(NOON + DAY)
    done(brand.confirm(earned, available_at=(NOON + 20 * DAY).isoformat()))
    second = brand.account("energy")
    assert at(brand, NOON) == first
    clock.set(NOON + 2 * DAY)
    done(brand.confirm(earned))
    third = brand.account("energy")
    assert [it["available"] for it in (first, second, third)] == [0, 0, 40]
    assert [at(brand, NOON + days * DAY) for days in range(3)] == [first, second, third]


def test_a_release_that_nobody_wrote_in_time_happened_in_time(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(40, asset="energy", available_at=(NOON + 2 * DAY).isoformat())
    clock.set(NOON + 3 * DAY)
    seen = brand.account("energy")
    clock.set(NOON + 50 * DAY)
    brand.earn(1, asset="energy")
    assert seen["lots"] == [{"on": "2026-06-04", "amount": 40}]
    assert at(brand, NOON + 3 * DAY) == seen
    assert brand.account("energy")["balance"] == 1


def test_the_past_of_what_lives_until_idle_ends_when_it_then_seemed(brand: Brand, clock: Clock) -> None:
    brand.set_asset("energy", validity="idle:10D")
    clock.set(NOON)
    brand.earn(40, asset="energy")
    first = brand.account("energy")
    clock.set(NOON + 5 * DAY)
    brand.spend(1, asset="energy")
    second = brand.account("energy")
    assert [it["next_expiry"]["on"] for it in (first, second)] == ["2026-05-13", "2026-05-18"]
    clock.set(NOON + 6 * DAY)
    assert [at(brand, NOON), at(brand, NOON + 5 * DAY)] == [first, second]
    assert [at(brand, NOON + days * DAY)["balance"] for days in (15, 16)] == [39, 0]
    brand.set_asset("energy", validity="30D")
    clock.set(NOON + 9 * DAY)
    assert at(brand, NOON + 5 * DAY) == second
    assert at(brand, NOON)["next_expiry"] == {
        "on": "2026-05-18",
        "amount": 40,
    }  # the rule of then is not known any more


def test_the_future_is_what_time_alone_will_do(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(30, asset="energy", validity="2D")
    brand.earn(12, asset="energy", available_at=(NOON + 4 * DAY).isoformat())
    brand.hold(10, asset="energy", ttl_seconds=86_400 * 5)
    entries = sql("SELECT count(*) FROM points_entries")[0][0]
    told = [at(brand, NOON + days * DAY) for days in (0, 2, 3, 4, 5, 60)]
    shown = [(it["available"], it["pending"], it["held"], it["balance"]) for it in told]
    assert shown == [(20, 12, 10, 42), (20, 12, 10, 42), (0, 12, 10, 22), (12, 0, 10, 22), (12, 0, 0, 12), (0, 0, 0, 0)]
    assert told[-1]["lifetime"] == {"earned": 42, "spent": 0, "expired": 42, "reversed": 0, "transferred": 0}
    assert sql("SELECT count(*) FROM points_entries")[0][0] == entries


def test_of_an_account_never_touched_every_instant_is_empty(brand: Brand) -> None:
    for instant in (datetime(2001, 1, 1, tzinfo=UTC), datetime(2190, 1, 1, tzinfo=UTC)):
        assert at(brand, instant, "points")["balance"] == 0


@pytest.mark.parametrize("as_of", ["yesterday", "2026-05-03", "2026-05-03T12:00:00", "1999-12-31T00:00:00Z", ""])
def test_what_is_no_instant_is_pointed_at(brand: Brand, as_of: str) -> None:
    answer = brand.shop.get("/v1/accounts/points", member_id=7, as_of=as_of)
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == ["/query/as_of"]
