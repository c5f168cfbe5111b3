"""Grants of the neighbours, taken from their feeds: each applied once, wholly or not at all, and taken back in part."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from common.feed import Fact, Page, pull
from services.points.programs import use_cases as programs
from services.points.rewards import use_cases
from services.points.service import service
from tests.earning import Shop, at_once

AT = "2026-11-20T20:00:00+00:00"  # 21 November in Shanghai


class Neighbour:
    """A neighbour's feed: facts in the order in which they were told, in pages of two."""

    def __init__(self, source: str = "levels") -> None:
        self.source = source
        self.facts: list[Fact] = []

    def grant(self, grant_id: str = "g", *reward: Any, member_id: int = 7, program_id: int = 1, at: str = AT) -> None:
        """Tell of a grant; by default of 100 points."""
        given = list(reward) or [{"kind": "asset", "asset": "points", "amount": 100}]
        payload = {"grant_id": grant_id, "reward": given, "cause": f"check-in {grant_id}", "rule": "daily/3", "at": at}
        self._tell("reward.granted", payload, member_id, program_id)

    def reverse(self, numerator: int, denominator: int, grant_id: str = "g", *, id: str = "r", **who: int) -> None:
        """Tell that by now so much of a grant is to be taken back in all."""
        share = {"numerator": numerator, "denominator": denominator}
        payload = {"grant_id": grant_id, "reversal_id": id, **share, "cause": f"refund {id}", "at": AT}
        self._tell("reward.reversed", payload, who.get("member_id", 7), who.get("program_id", 1))

    def pull(self) -> int:
        """Let points pull what it has not seen."""
        return pull(service.database, service.feed, service.subscription(self.source), self._page)

    def pull_from_the_beginning(self) -> int:
        """The same after the cursor was reset."""
        with service.database.transaction() as session:
            session.execute(text("UPDATE points_feed_cursors SET cursor = ''"))
        return self.pull()

    def _tell(self, topic: str, payload: dict[str, Any], member_id: int, program_id: int) -> None:
        number = len(self.facts) + 1
        self.facts.append(Fact(self.source, number, topic, program_id, member_id, datetime.now(UTC), payload))

    def _page(self, cursor: str, topics: tuple[str, ...]) -> Page:
        assert {"reward.granted", "reward.reversed"} <= set(topics)
        start = int(cursor or 0)
        facts = self.facts[start : start + 2]
        return Page(facts, str(start + len(facts)), start + 2 < len(self.facts))


def asset(amount: int, code: str = "points") -> dict[str, Any]:
    """A part of a reward."""
    return {"kind": "asset", "asset": code, "amount": amount}


@pytest.fixture
def levels() -> Neighbour:
    """The levels service's feed."""
    return Neighbour()


def test_a_grant_is_posted_with_its_cause_and_its_rule(shop: Shop, levels: Neighbour) -> None:
    levels.grant("levels:checkin:17")
    assert levels.pull() == 1
    [entry] = shop.entries()
    assert (entry["kind"], entry["amount"], entry["cause"]) == ("earn", 100, "check-in levels:checkin:17")
    assert entry["meta"] == {"reason": "daily/3"}
    assert shop.rows("SELECT grant_id, cause, rule, refused FROM points_grants") == [
        ("levels:checkin:17", "check-in levels:checkin:17", "daily/3", None)
    ]


def test_what_is_granted_lives_from_the_day_of_its_cause_not_of_its_arrival(shop: Shop, levels: Neighbour) -> None:
    shop.put_asset("points", validity="30D")
    levels.grant()
    levels.pull()
    assert [lot["on"] for lot in shop.account()["lots"]] == ["2026-12-21"]


@pytest.mark.parametrize("pending", ["7D", "order.confirmed+7D"])
def test_a_grant_of_a_pending_asset_waits_its_days_from_the_grant_on(
    shop: Shop, levels: Neighbour, pending: str
) -> None:
    """It has no order whose confirmation it could wait for. A reversal takes the pending part."""
    shop.put_asset("points", pending=pending)
    at = datetime.now(UTC)
    levels.grant(at=at.isoformat())
    levels.reverse(1, 4)
    assert levels.pull() == 2
    assert (shop.account()["balance"], shop.account()["available"]) == (75, 0)
    [until] = shop.rows("SELECT expires_at FROM points_holds WHERE purpose = 1")
    assert abs(until[0] - at - timedelta(days=7)) < timedelta(seconds=1)


def test_a_grant_told_again_or_pulled_again_from_the_beginning_is_posted_once(shop: Shop, levels: Neighbour) -> None:
    for grant_id in ("a", "b", "a", "a", "c"):
        levels.grant(grant_id)
    assert levels.pull() == 5
    assert levels.pull() == 0
    assert levels.pull_from_the_beginning() == 5
    assert shop.amounts() == [100, 100, 100]


def test_workers_that_pull_at_once_post_each_grant_once(shop: Shop, levels: Neighbour) -> None:
    for number in range(20):
        levels.grant(f"g{number}")
    applied = at_once([levels.pull] * 4)
    assert sum(applied) == 20
    assert shop.amounts() == [100] * 20


def test_one_grant_id_for_two_members_gives_to_both(shop: Shop, levels: Neighbour) -> None:
    levels.grant("team-won", member_id=7)
    levels.grant("team-won", member_id=8)
    levels.reverse(1, 2, "team-won", member_id=8)
    levels.pull()
    assert (shop.balance(7), shop.balance(8)) == (100, 50)


def test_a_grant_has_several_assets_and_parts_of_others(shop: Shop, levels: Neighbour) -> None:
    badge = {"kind": "badge", "badge": "streak-7"}
    levels.grant("both", asset(50), badge, asset(7, "growth"), asset(1))
    levels.grant("none", badge)
    levels.reverse(1, 1, "none")
    assert levels.pull() == 3
    assert (shop.balance(), shop.balance(asset="growth")) == (51, 7)
    assert shop.rows("SELECT grant_id FROM points_grants") == [("both",)]


def test_a_grant_of_an_asset_that_is_not_there_gives_nothing_and_says_so(shop: Shop, levels: Neighbour) -> None:
    levels.grant("bad", asset(50), asset(7, "gold"))
    levels.grant("good")
    levels.reverse(1, 1, "bad")
    assert levels.pull() == 3
    assert shop.amounts() == [100]
    refused = "asset_not_found {'asset': 'gold'}"
    kept = shop.rows("SELECT grant_id, parts, refused FROM points_grants WHERE refused IS NOT NULL")
    assert kept == [("bad", [], refused)]
    [fact] = shop.feed("grant.refused")
    assert (fact["member_id"], fact["payload"]) == (7, {"grant_id": "bad", "reason": refused})
    levels.pull_from_the_beginning()
    assert len(shop.feed("grant.refused")) == 1


def test_a_grant_in_a_program_that_is_not_set_up_is_refused(shop: Shop, levels: Neighbour) -> None:
    levels.grant(program_id=9)
    levels.pull()
    assert shop.rows("SELECT program_id, refused FROM points_grants") == [(9, "program_not_configured")]


def test_a_grant_that_the_ledger_refuses_gives_none_of_its_assets_and_says_so(shop: Shop, levels: Neighbour) -> None:
    shop.move("earn", 2**53 - 1)
    levels.grant("first", asset(5, "growth"))
    levels.grant("too-much", asset(6, "growth"), asset(1))
    levels.grant("last", asset(7, "growth"), member_id=8)
    levels.grant("unknown", asset(1, "gold"))
    assert levels.pull() == 4
    assert shop.amounts(asset="growth") == [5]
    assert shop.amounts(8, "growth") == [7]
    kept = shop.rows("SELECT grant_id, refused FROM points_grants WHERE refused IS NOT NULL ORDER BY grant_id")
    assert kept == [("too-much", "balance_too_large"), ("unknown", "asset_not_found {'asset': 'gold'}")]
    assert [fact["payload"]["grant_id"] for fact in shop.feed("grant.refused")] == ["too-much", "unknown"]


def test_refused_together_is_not_refused_alone(shop: Shop, levels: Neighbour) -> None:
    """Two facts of one page: the second grant is too much, the first must not suffer."""
    shop.move("earn", 2**53 - 11)
    levels.grant("fits", asset(10))
    levels.grant("does-not", asset(1))
    levels.pull()
    assert shop.balance() == 2**53 - 1
    assert [fact["payload"]["grant_id"] for fact in shop.feed("grant.refused")] == ["does-not"]


def test_an_asset_that_is_younger_than_what_we_remember_is_not_refused(shop: Shop, levels: Neighbour) -> None:
    shop.balance()  # now the settings are remembered for two seconds
    remembered = dict(programs._books)
    assert remembered
    shop.put_asset("energy")
    programs._books.update(remembered)  # as in a process that did not set it up
    levels.grant("g", asset(5, "energy"))
    levels.pull()
    assert shop.balance(asset="energy") == 5


def test_reversals_are_running_totals(shop: Shop, levels: Neighbour) -> None:
    levels.grant("g", asset(100), asset(7, "growth"))
    for number, (numerator, denominator) in enumerate([(1, 3), (1, 3), (1, 2), (2, 5), (3, 3)]):
        levels.reverse(numerator, denominator, id=f"r{number}")
    levels.pull()
    assert shop.amounts() == [100, -33, -17, -50]
    assert shop.amounts(asset="growth") == [7, -2, -1, -4]
    assert [entry["cause"] for entry in shop.entries()[1:]] == ["refund r0", "refund r2", "refund r4"]
    [parts] = shop.rows("SELECT parts FROM points_grants")[0]
    assert [part["reversed"] for part in parts] == [100, 7]


def test_a_reversal_may_grow_under_one_id_and_be_told_again(shop: Shop, levels: Neighbour) -> None:
    levels.grant()
    levels.pull()
    for numerator in (1, 1, 2, 3, 3):
        levels.reverse(numerator, 3, id="the-refund")
        levels.pull()
    assert shop.amounts() == [100, -33, -33, -34]
    levels.pull_from_the_beginning()
    assert shop.balance() == 0


def test_a_reversal_of_more_than_all_takes_all(shop: Shop, levels: Neighbour) -> None:
    levels.grant()
    levels.reverse(7, 3)
    levels.reverse(9, 9, id="again")
    levels.pull()
    assert shop.amounts() == [100, -100]


def test_a_reversal_of_a_grant_nobody_made_takes_nothing(shop: Shop, levels: Neighbour) -> None:
    levels.grant("g")
    levels.reverse(1, 1, "other")
    levels.reverse(1, 1, "g", member_id=8)
    assert levels.pull() == 3
    assert shop.amounts() == [100]
    assert shop.entries(8) == []


def test_a_reversal_takes_what_staff_left_of_the_grant(shop: Shop, levels: Neighbour) -> None:
    levels.grant()
    levels.pull()
    _take_by_hand(shop, 60)
    levels.reverse(1, 1)
    levels.pull()
    assert shop.amounts() == [100, -60, -40]
    assert shop.feed("grant.refused") == []


def test_a_reversal_that_the_ledger_refuses_is_said_and_not_counted(shop: Shop, levels: Neighbour) -> None:
    levels.grant()
    levels.pull()
    _take_by_hand(shop, 100)
    levels.reverse(1, 1)
    levels.pull()
    assert shop.amounts() == [100, -100]
    [fact] = shop.feed("grant.refused")
    assert fact["payload"] == {"grant_id": "g", "reason": "reversal_exceeded"}
    [parts] = shop.rows("SELECT parts FROM points_grants")[0]
    assert parts[0]["reversed"] == 0


def _take_by_hand(shop: Shop, amount: int) -> None:
    body = {"member_id": 7, "asset": "points", "posting_id": shop.entries()[0]["posting_id"], "amount": amount}
    assert shop.callers.system("ledger").post("/v1/reversals", body, key="by-hand").status_code == 201


@pytest.mark.parametrize("what", ["apply_grants", "reverse_grants"])
def test_a_crash_between_applying_and_committing_leaves_nothing_and_the_next_pull_all(
    shop: Shop, levels: Neighbour, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    real = getattr(use_cases, what)

    def crash(session: Session, facts: list[Fact]) -> None:
        real(session, facts)
        raise KeyboardInterrupt

    topic = "reward.granted" if what == "apply_grants" else "reward.reversed"
    levels.grant()
    levels.reverse(1, 4)
    with monkeypatch.context() as broken:
        broken.setitem(service.subscription("levels").handlers, topic, crash)
        with pytest.raises(KeyboardInterrupt):
            levels.pull()
    assert shop.written()[2:] == [0, 1]
    assert shop.rows("SELECT count(*) FROM points_grants") == [(0,)]
    assert levels.pull() == 2
    assert shop.amounts() == [100, -25]


def test_each_neighbour_has_its_own_cursor(shop: Shop) -> None:
    for source in ("levels", "referrals", "redemption"):
        neighbour = Neighbour(source)
        neighbour.grant(f"{source}:1")
        assert neighbour.pull() == 1
    assert shop.amounts() == [100, 100, 100]
