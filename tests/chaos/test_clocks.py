"""Clocks that differ by an hour, or go back: the database's clock decides, and times to live travel as intervals."""

from datetime import datetime, timedelta

import pytest

from common.clock import now
from services.points.ledger import account_routes, hold_routes, posting_sql, routes, teller
from tests.points import Brand, done, refused, sql, wrong

HOUR = timedelta(hours=1)


def instants(brand: Brand) -> list[datetime]:
    """When each entry happened, by the order of the journal."""
    return [datetime.fromisoformat(entry["at"]) for entry in brand.entries()]


def turn_databases_clock(patch: pytest.MonkeyPatch, by: str) -> None:
    """From now on the database's clock is off by an interval, e.g. `+ interval '1 hour'`."""
    patch.setattr(posting_sql, "CLOCK", posting_sql.CLOCK.replace("clock_timestamp()", f"(clock_timestamp() {by})"))


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_process_whose_clock_is_an_hour_off_changes_nothing_of_when_things_happen(
    brand: Brand, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    brand.earn(100)
    for module in (routes, account_routes, hold_routes, teller):
        monkeypatch.setattr(module, "now", lambda: now() + ahead)
    hold = brand.hold(30, ttl_seconds=600)
    brand.earn(5)
    (lives,) = sql("SELECT extract(epoch FROM expires_at - clock_timestamp())::int FROM points_holds")
    assert 500 < lives[0] <= 600
    assert done(brand.capture(hold))["amount"] == 30
    happened = instants(brand)
    assert happened == sorted(happened)
    assert happened[-1] - happened[0] < HOUR / 2
    assert brand.account()["balance"] == 75
    assert wrong() == []


def test_when_the_databases_clock_goes_back_the_journal_does_not(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    brand.earn(100)
    hold = brand.hold(30, ttl_seconds=600)
    turn_databases_clock(monkeypatch, "- interval '1 hour'")
    brand.earn(1)
    later = brand.hold(20, ttl_seconds=600)
    brand.spend(2)
    happened = instants(brand)
    assert happened == sorted(happened)
    assert happened[2:] == [happened[1]] * 3, "who comes after does not come before"
    monkeypatch.undo()
    assert done(brand.capture(hold))["amount"] == 30
    # It was to live for ten minutes of the clock that was wrong: it is over, and gives back what it held.
    assert refused(brand.capture(later)) == (409, "hold_not_open")
    assert brand.figures() == (69, 69, 0, 0)
    assert instants(brand) == sorted(instants(brand))
    assert wrong() == []


def test_when_the_databases_clock_jumps_ahead_what_was_held_ends_once(
    brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand.earn(100)
    hold = brand.hold(30, ttl_seconds=600)
    turn_databases_clock(monkeypatch, "+ interval '1 hour'")
    brand.spend(1)
    monkeypatch.undo()
    assert refused(brand.capture(hold)) == (409, "hold_not_open")
    brand.earn(1)
    assert brand.figures() == (100, 100, 0, 0)
    assert instants(brand) == sorted(instants(brand))
    assert wrong() == []
