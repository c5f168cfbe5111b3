"""Laws of the fold: lines over locked accounts, in order; what is due happens first; keys answer once."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from common.clock import day_end, from_epoch_day
from services.points.ledger.chain import details, link, opening
from services.points.ledger.domain import LARGEST, HoldState, Kind, Line, Status
from services.points.ledger.journal import BY_TIME, Entry
from services.points.ledger.settling import lot_end_us, today
from services.points.programs.validity import NEVER
from tests.ledger import DAY, HOUR, NOW, SECOND, TODAY, ZONE, Shelf, digest, line, us

MINE = (1, 7, 1)


def earn(amount: int, key: str, **given: Any) -> Line:
    return line(Kind.EARN, amount, key, **given)


def statuses(shelf: Shelf, *lines: Line, at: int = NOW) -> list[Status]:
    return [outcome.status for outcome in shelf.post(*lines, at=at)]


def chain_is_sound(entries: list[Entry]) -> bool:
    heads: dict[tuple[int, int, int], bytes] = {}
    for it in entries:
        key = (it.program_id, it.member_id, it.asset_id)
        more = details(it.cause, it.rule_version, it.reverses, it.reversed, it.hold_id, it.meta)
        heads[key] = link(
            heads.get(key, opening(*key)),
            program_id=it.program_id,
            member_id=it.member_id,
            asset_id=it.asset_id,
            seq=it.seq,
            kind=it.kind,
            amount=it.amount,
            held_delta=it.held_delta,
            balance_after=it.balance_after,
            held_after=it.held_after,
            at_us=it.at_us,
            posting_id=it.posting_id,
            moves=it.moves,
            details=more,
        )
        if heads[key] != it.hash:
            return False
    return True


def test_each_line_gets_what_the_account_was_right_after_it() -> None:
    shelf = Shelf()
    answers = shelf.post(line(Kind.EARN, 50, "a"), line(Kind.SPEND, 20, "b"), line(Kind.HOLD, 5, "c"))
    assert [(it.seq, it.amount, it.balance, it.held, it.available) for it in answers] == [
        (1, 50, 50, 0, 50),
        (2, -20, 30, 0, 30),
        (3, 5, 30, 5, 25),
    ]
    assert [it.hold_id for it in answers] == [None, None, digest("c")]


def test_one_refused_line_refuses_nothing_but_itself() -> None:
    shelf = Shelf()
    assert statuses(
        shelf,
        earn(10, "a"),
        line(Kind.SPEND, 11, "b"),
        line(Kind.SPEND, 10, "c"),
        line(Kind.CAPTURE, 1, "d", hold_id=digest("nobody")),
        line(Kind.REVERSE, 1, "e", reverses_posting=digest("nothing")),
        earn(LARGEST, "f"),
        earn(1, "g"),
    ) == [
        Status.POSTED,
        Status.INSUFFICIENT,
        Status.POSTED,
        Status.HOLD_NOT_OPEN,
        Status.NOT_REVERSIBLE,
        Status.POSTED,
        Status.BALANCE_TOO_LARGE,
    ]
    assert [entry.seq for entry in shelf.entries] == [1, 2, 3]


def test_a_key_answers_the_same_for_ever_even_a_refusal() -> None:
    shelf = Shelf()
    spend = line(Kind.SPEND, 30, "s")
    (first,) = shelf.post(spend)
    shelf.post(line(Kind.EARN, 100, "e"))
    (second,) = shelf.post(spend)
    assert first.status == Status.INSUFFICIENT
    assert second == replace(first, replayed=True)
    assert len(shelf.entries) == 1


def test_a_key_sent_twice_in_one_list_has_one_effect() -> None:
    shelf = Shelf()
    first, second = shelf.post(line(Kind.EARN, 50, "a"), line(Kind.EARN, 50, "a"))
    assert second == replace(first, replayed=True)
    assert shelf.accounts[MINE].balance == 50


def test_a_key_with_another_body_is_refused_and_keeps_its_first_answer() -> None:
    shelf = Shelf()
    (first,) = shelf.post(line(Kind.EARN, 50, "a"))
    assert statuses(shelf, line(Kind.EARN, 51, "a"), line(Kind.EARN, 50, "a", member_id=8)) == [Status.KEY_REUSED] * 2
    assert shelf.post(line(Kind.EARN, 50, "a")) == [replace(first, replayed=True)]
    assert shelf.accounts[MINE].balance == 50


def test_another_program_may_use_the_same_key() -> None:
    shelf = Shelf()
    assert statuses(shelf, earn(50, "a"), earn(60, "a", program_id=2)) == [Status.POSTED] * 2


def test_one_list_is_the_same_as_its_lines_one_by_one() -> None:
    lines = [
        line(Kind.EARN, 50, "a", lot_day=TODAY),
        line(Kind.EARN, 20, "b", lot_day=TODAY - 1),
        line(Kind.SPEND, 60, "c"),
        line(Kind.HOLD, 30, "d"),
        line(Kind.CAPTURE, 10, "e", hold_id=digest("d")),
        line(Kind.REVERSE, 5, "f", reverses_posting=digest("e")),
        line(Kind.REVERSE, 0, "g", reverses_posting=digest("a"), debt_allowed=True),
        line(Kind.EARN, 7, "h"),
        line(Kind.SPEND, 1, "c"),
    ]
    together, apart = Shelf(), Shelf()
    assert together.post(*lines) == [apart.post(it)[0] for it in lines]
    assert [(e.seq, e.hash) for e in together.entries] == [(e.seq, e.hash) for e in apart.entries]


def test_an_expired_lot_cannot_be_spent_by_the_next_line_of_the_same_list() -> None:
    shelf = Shelf()
    answers = shelf.post(line(Kind.EARN, 50, "a", lot_day=TODAY - 1), line(Kind.SPEND, 50, "b"))
    assert [it.status for it in answers] == [Status.POSTED, Status.INSUFFICIENT]
    assert [entry.kind for entry in shelf.entries] == [Kind.EARN, Kind.EXPIRE]


def test_what_an_earlier_line_of_the_list_posted_can_be_reversed_by_a_later_one() -> None:
    shelf = Shelf()
    hold_id = digest("h")
    assert statuses(
        shelf,
        earn(50, "e"),
        line(Kind.SPEND, 20, "s"),
        line(Kind.HOLD, 15, "h"),
        line(Kind.CAPTURE, 9, "c", hold_id=hold_id),
        line(Kind.REVERSE, 20, "rs", reverses_posting=digest("s")),
        line(Kind.REVERSE, 9, "rc", reverses_posting=digest("c")),
        line(Kind.REVERSE, 1, "rc2", reverses_posting=digest("c")),
        line(Kind.REVERSE, 50, "re", reverses_posting=digest("e")),
    ) == [*[Status.POSTED] * 6, Status.REVERSAL_EXCEEDED, Status.POSTED]
    assert shelf.accounts[MINE].balance == 0


def test_two_reversals_in_one_list_together_never_exceed_the_original() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a"), line(Kind.SPEND, 50, "s"))
    halves = [line(Kind.REVERSE, 30, name, reverses_posting=digest("s")) for name in ("x", "y")]
    assert statuses(shelf, *halves) == [Status.POSTED, Status.REVERSAL_EXCEEDED]
    assert statuses(shelf, line(Kind.REVERSE, 0, "z", reverses=2)) == [Status.POSTED]
    assert shelf.accounts[MINE].balance == 50


def test_a_lot_lives_through_its_last_day_and_not_a_microsecond_longer() -> None:
    shelf = Shelf()
    end = lot_end_us(TODAY, ZONE)
    shelf.post(line(Kind.EARN, 50, "a", lot_day=TODAY))
    assert statuses(shelf, line(Kind.SPEND, 1, "b"), at=end - 1) == [Status.POSTED]
    assert statuses(shelf, line(Kind.SPEND, 1, "c"), at=end) == [Status.INSUFFICIENT]
    assert shelf.entries[-1].kind == Kind.EXPIRE
    assert (shelf.entries[-1].amount, shelf.entries[-1].posting_id, shelf.entries[-1].cause) == (-49, BY_TIME, "time")


def test_what_never_expires_is_never_due() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a", lot_day=NEVER))
    assert shelf.accounts[MINE].due_us is None
    assert statuses(shelf, line(Kind.SPEND, 50, "b"), at=NOW + 50_000 * DAY) == [Status.POSTED]


def test_a_hold_ends_at_its_deadline_and_not_before() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a"), line(Kind.HOLD, 50, "h", ttl_us=60 * SECOND))
    held = digest("h")
    early = line(Kind.CAPTURE, 10, "c", hold_id=held)
    late = line(Kind.CAPTURE, 10, "c", hold_id=held)
    assert statuses(shelf, line(Kind.SPEND, 1, "s"), at=NOW + 60 * SECOND - 1) == [Status.INSUFFICIENT]
    assert statuses(shelf, late, at=NOW + 60 * SECOND) == [Status.HOLD_NOT_OPEN]
    assert shelf.holds[1, held].state == HoldState.EXPIRED
    assert shelf.accounts[MINE].available == 50
    other = Shelf()
    other.post(line(Kind.EARN, 50, "a"), line(Kind.HOLD, 50, "h", ttl_us=60 * SECOND))
    assert statuses(other, early, at=NOW + 60 * SECOND - 1) == [Status.POSTED]


def test_an_expiring_lot_cannot_break_a_capture() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a", lot_day=TODAY), line(Kind.HOLD, 50, "h", ttl_us=3 * DAY))
    assert statuses(shelf, line(Kind.CAPTURE, 0, "c", hold_id=digest("h")), at=NOW + 2 * DAY) == [Status.POSTED]
    assert shelf.accounts[MINE].balance == 0


def test_what_a_hold_gives_back_after_its_day_expires_at_once() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a", lot_day=TODAY), line(Kind.HOLD, 50, "h", ttl_us=3 * DAY))
    (answer,) = shelf.post(line(Kind.VOID, 0, "v", hold_id=digest("h")), at=NOW + 2 * DAY)
    assert answer.status == Status.POSTED
    assert [entry.kind for entry in shelf.entries] == [Kind.EARN, Kind.HOLD, Kind.VOID, Kind.EXPIRE]
    assert shelf.accounts[MINE].balance == 0


def test_a_hold_and_its_lots_can_die_in_the_same_moment() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a", lot_day=TODAY), line(Kind.HOLD, 20, "h", ttl_us=DAY))
    assert shelf.post(touch=[MINE], at=NOW + 2 * DAY) == []
    assert [entry.kind for entry in shelf.entries[2:]] == [Kind.HOLD_EXPIRED, Kind.EXPIRE]
    assert shelf.accounts[MINE].due_us is None


def test_holds_of_other_accounts_stay_when_one_is_settled() -> None:
    shelf = Shelf()
    shelf.post(
        *(line(Kind.EARN, 50, f"e{member}", member_id=member) for member in (7, 8)),
        *(line(Kind.HOLD, 50, f"h{member}", member_id=member, ttl_us=member * HOUR) for member in (7, 8)),
    )
    shelf.post(touch=[MINE, (1, 8, 1)], at=NOW + 7 * HOUR)
    assert [shelf.holds[1, digest(key)].state for key in ("h7", "h8")] == [HoldState.EXPIRED, HoldState.OPEN]
    assert shelf.accounts[1, 8, 1].due_us == NOW + 8 * HOUR


def test_a_hold_that_was_not_read_is_looked_for_at_the_next_touch() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a"), line(Kind.HOLD, 20, "h", ttl_us=HOUR))
    shelf.post(line(Kind.EARN, 5, "b", lot_day=TODAY - 1))
    assert shelf.accounts[MINE].due_us == NOW
    shelf.post(touch=[MINE])
    assert shelf.accounts[MINE].due_us == NOW + HOUR
    assert shelf.accounts[MINE].held == 20


@pytest.mark.parametrize("given", [{"member_id": 8}, {"asset_id": 2}, {"program_id": 2}])
def test_a_hold_of_another_account_is_not_there(given: dict[str, int]) -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a"), line(Kind.HOLD, 20, "h"))
    for kind in (Kind.CAPTURE, Kind.VOID):
        assert statuses(shelf, line(kind, 0, kind.name, hold_id=digest("h"), **given)) == [Status.HOLD_NOT_OPEN]
    assert shelf.holds[1, digest("h")].state == HoldState.OPEN


def test_a_posting_of_another_account_cannot_be_reversed() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a"))
    theirs = line(Kind.REVERSE, 0, "r", reverses_posting=digest("a"), member_id=8)
    assert statuses(shelf, theirs) == [Status.NOT_REVERSIBLE]


def test_time_never_goes_back_within_an_account() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a"))
    (answer,) = shelf.post(line(Kind.EARN, 50, "b"), at=NOW - HOUR)
    assert answer.at_us == NOW
    assert [entry.at_us for entry in shelf.entries] == [NOW, NOW]


def test_every_entry_stands_on_the_one_before_it() -> None:
    shelf = Shelf()
    meta = {"reason": "礼物"}
    shelf.post(line(Kind.EARN, 50, "a", meta=meta, rule_version=3), line(Kind.EARN, 9, "x", member_id=8))
    shelf.post(line(Kind.HOLD, 50, "h"), line(Kind.REVERSE, 0, "r", reverses_posting=digest("a"), meta=meta))
    assert chain_is_sound(shelf.entries)
    assert shelf.entries[-1].meta == {"reason": "礼物", "uncollected": 50}
    assert shelf.accounts[MINE].head == shelf.entries[-1].hash
    shelf.entries[0].meta = {"reason": "礼品"}
    assert not chain_is_sound(shelf.entries)


def test_the_answer_of_a_reversal_with_nothing_left_to_take_is_nothing() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a"), line(Kind.SPEND, 50, "s"))
    (answer,) = shelf.post(line(Kind.REVERSE, 0, "r", reverses_posting=digest("a")))
    assert (answer.status, answer.amount, answer.balance) == (Status.POSTED, 0, 0)
    assert shelf.entries[-1].meta == {"uncollected": 50}
    assert statuses(shelf, line(Kind.REVERSE, 0, "r2", reverses_posting=digest("a"))) == [Status.REVERSAL_EXCEEDED]


@pytest.mark.parametrize(
    ("zone", "before_midnight"),
    [
        ("Asia/Shanghai", datetime(2026, 12, 31, 15, 59, 59, 999_999, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 4, 59, 59, 999_999, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 9, 3, 59, 59, 999_999, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 2, 4, 59, 59, 999_999, tzinfo=UTC)),
        ("America/Havana", datetime(2026, 3, 8, 4, 59, 59, 999_999, tzinfo=UTC)),
        ("America/Havana", datetime(2026, 11, 1, 3, 59, 59, 999_999, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2028, 2, 28, 18, 14, 59, 999_999, tzinfo=UTC)),
        ("Pacific/Chatham", datetime(2026, 4, 4, 10, 14, 59, 999_999, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 30, 9, 59, 59, 999_999, tzinfo=UTC)),
        ("UTC", datetime(2028, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_local_midnight_to_the_microsecond(zone: str, before_midnight: datetime) -> None:
    instant = us(before_midnight)
    day = today(instant, zone)
    assert today(instant + 1, zone) > day
    assert lot_end_us(day, zone) == instant + 1 == us(day_end(from_epoch_day(day), zone))


def test_settling_twice_changes_nothing_more() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a", lot_day=TODAY), line(Kind.HOLD, 20, "h"))
    shelf.post(touch=[MINE], at=NOW + 5 * DAY)
    written = len(shelf.entries)
    shelf.post(touch=[MINE], at=NOW + 5 * DAY)
    assert len(shelf.entries) == written == 4


def test_settling_what_turns_out_not_to_be_due_moves_the_deadline_on() -> None:
    shelf = Shelf()
    shelf.post(line(Kind.EARN, 50, "a", lot_day=TODAY), line(Kind.SPEND, 50, "s"))
    assert shelf.accounts[MINE].due_us == lot_end_us(TODAY, ZONE)
    books = shelf.books([], at=NOW + 2 * DAY, touch=[MINE])
    assert books.accounts[MINE].due_us is not None
    shelf.post(touch=[MINE], at=NOW + 2 * DAY)
    assert shelf.accounts[MINE].due_us is None
    assert len(shelf.entries) == 2
