"""Replay: what the journal determines is computed anew beside the live tables, and any difference is named."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner

from common.clock import business_day, epoch_day
from services.points import jobs
from services.points.audit import replay as replaying
from services.points.audit.replay import Comparison
from services.points.commands import commands
from services.points.ledger.domain import Kind, Redating, Status
from services.points.service import REBUILDS
from tests.points import Brand, Clock, built_once, done, make_due, sql

MINE = "program_id = 1 AND member_id = 7 AND asset_id = 1"


def replayed() -> dict[str, Comparison]:
    """Every compared table."""
    with replaying.snapshot() as session:
        compared = list(replaying.replay(session, REBUILDS, progress=lambda name, steps: lambda done: None))
    return {one.table: one for one in compared}


def differing() -> dict[str, list[str]]:
    """The tables that differ, and where."""
    return {table: one.where for table, one in replayed().items() if not one.equal}


START = datetime(2026, 3, 1, tzinfo=UTC)
STEPS = 300


def at(step: int) -> datetime:
    """When a step of the history happens."""
    return START + timedelta(hours=step * 5)


@built_once
def live(house: tuple[Brand, Clock]) -> None:
    """Everything that an account can go through, of several members and assets, in a random order."""
    brand, clock = house
    chance = random.Random(7)
    marketer = brand.callers.staff("marketer")
    settings = {"name_en": "Gifts", "name_zh": "礼券", "transferable": True, "transfer_most": 50, "grace_days": 3}
    assert marketer.put("/v1/assets/gifts", {**settings, "transfer_most_per_day": 500}).status_code == 200
    posted: list[dict[str, Any]] = []
    for step in range(STEPS):
        clock.set(at(step))
        one_of(chance, brand, posted, at(step))()
    brand.send("postings", kind="spend", amount=10_000, member_id=99)
    jobs.settle_due_accounts()
    jobs.fold_figures()


@pytest.fixture
def history(brand: Brand, clock: Clock) -> Brand:
    """A long history, at the instant at which it ended."""
    live((brand, clock))
    clock.set(at(STEPS - 1))
    return brand


@pytest.fixture
def short(brand: Brand) -> Brand:
    """A few entries of member 7, folded into the figures."""
    brand.earn(100, validity="9D")
    brand.spend(30)
    brand.hold(20)
    brand.earn(10, member_id=8)
    jobs.fold_figures()
    return brand


def one_of(chance: random.Random, brand: Brand, posted: list[dict[str, Any]], now: datetime) -> Callable[[], object]:
    """The next thing that happens; refusals are part of it."""
    member, asset = chance.choice([7, 8, 9]), chance.choice(["points", "energy", "growth", "gifts"])
    which = {"member_id": member, "asset": asset}
    amount = chance.randint(1, 40)

    def earn() -> None:
        validity = chance.choice(["9D", "1M_U", "unlimited"])
        posted.append(brand.earn(amount, validity=validity, **which))

    def pending() -> None:
        available_at = (now + timedelta(days=chance.randint(1, 9))).isoformat()
        posted.append(brand.earn(amount, available_at=available_at, validity=chance.choice(["9D", "12M_U"]), **which))
        chance.choice([lambda: None, lambda: brand.confirm(posted[-1], member_id=member)])()

    def turn() -> None:
        brand.turn(chance.choice([Kind.FREEZE, Kind.UNFREEZE]), asset, member=member)

    def hold() -> None:
        answer = brand.send("holds", amount=amount, ttl_seconds=chance.choice([3600, 86_400 * 9]), **which)
        if answer.status_code != 201:
            return
        held = done(answer)
        chance.choice(
            [
                lambda: None,
                lambda: brand.capture(held, member_id=member),
                lambda: brand.capture(held, member_id=member, amount=1),
                lambda: brand.void(held, member_id=member),
            ]
        )()

    def reverse() -> None:
        if posted:
            one = chance.choice(posted)
            more = {"amount": 1} if chance.random() < 0.5 else {}
            brand.reverse(one, member_id=one["member_id"], asset=one["asset"], **more)

    def spend() -> None:
        answer = brand.send("postings", kind="spend", amount=amount, **which)
        if answer.status_code == 201:
            posted.append(done(answer))

    def transfer() -> None:
        brand.give(amount, 7 if member != 7 else 8, member_id=member, asset="gifts")

    def redate() -> None:
        today = epoch_day(business_day(now, "Asia/Shanghai"))
        first = today + chance.randint(0, 9)
        made = brand.redate(amount, Redating(first, first + 20, first + 30), asset, member=member)
        if made.status == Status.POSTED and chance.random() < 0.5:
            brand.restore(made, asset, amount=1, member=member)

    return chance.choice(
        [
            *[redate] * 2,
            *[earn] * 5,
            pending,
            pending,
            *[hold] * 3,
            reverse,
            reverse,
            *[spend] * 3,
            transfer,
            transfer,
            turn,
        ]
    )


def test_a_random_history_replays_to_the_same_digests(history: Brand) -> None:
    compared = replayed()
    assert {table: one.where for table, one in compared.items() if not one.equal} == {}
    assert set(compared) == {
        *("points_accounts", "points_holds", "points_daily_figures"),
        *("points_claims", "points_claim_releases", "points_claim_windows", "points_budget_slots"),
    }
    assert all(one.rows == one.rebuilt_rows for one in compared.values())
    assert compared["points_accounts"].rows >= 10
    kinds = {row[0] for row in sql("SELECT DISTINCT kind FROM points_entries")}
    assert kinds == {int(kind) for kind in Kind}
    assert sql("SELECT count(*) FROM points_accounts WHERE seq = 0")[0][0] >= 1


def test_it_replays_equal_with_everything_due_or_frozen(history: Brand) -> None:
    make_due("400 days")
    jobs.settle_due_accounts()
    assert differing() == {}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (f"UPDATE points_accounts SET balance = balance + 1 WHERE {MINE}", {"points_accounts": ["1/7/1: balance"]}),
        (f"UPDATE points_accounts SET debt = debt + 1 WHERE {MINE}", {"points_accounts": ["1/7/1: debt"]}),
        (f"UPDATE points_accounts SET held = held + 1 WHERE {MINE}", {"points_accounts": ["1/7/1: held"]}),
        (f"UPDATE points_accounts SET seq = seq + 1 WHERE {MINE}", {"points_accounts": ["1/7/1: seq"]}),
        (f"UPDATE points_accounts SET head = sha256('x') WHERE {MINE}", {"points_accounts": ["1/7/1: head"]}),
        (f"UPDATE points_accounts SET lots = lots || '{{99999,1}}' WHERE {MINE}", {"points_accounts": ["1/7/1: lots"]}),
        (f"UPDATE points_accounts SET last_at = last_at + interval '1 us' WHERE {MINE}",
         {"points_accounts": ["1/7/1: last_at"]}),
        (f"UPDATE points_accounts SET frozen = true WHERE {MINE}", {"points_accounts": ["1/7/1: frozen"]}),
        (f"UPDATE points_accounts SET balance = balance + 1, seq = seq + 1 WHERE {MINE}",
         {"points_accounts": ["1/7/1: balance, seq"]}),
        (f"DELETE FROM points_accounts WHERE {MINE}", {"points_accounts": ["1/7/1: missing in the live table"]}),
        ("INSERT INTO points_accounts (program_id, member_id, asset_id, balance, head) VALUES (1, 50, 1, 9, 'x')",
         {"points_accounts": ["1/50/1: not told by any entry or event"]}),
    ],
)  # fmt: skip
def test_one_change_in_sql_is_named(short: Brand, edit: str, expected: dict[str, list[str]]) -> None:
    sql(edit)
    assert differing() == expected


@pytest.mark.parametrize("column", ["amount = amount + 1", "captured = 1", "state = 2", "lots = '{1,-1}'"])
def test_a_change_of_a_hold_is_named(brand: Brand, column: str) -> None:
    brand.earn(10)
    held = brand.hold(5)
    sql(f"UPDATE points_holds SET {column}")
    [where] = differing()["points_holds"]
    assert where.startswith(f"1/7/{held['hold_id']}: ")


def test_a_pending_earning_that_was_taken_back_replays_in_each_part(brand: Brand) -> None:
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    whole, part = brand.earn(10, available_at=later), brand.earn(10, available_at=later)
    done(brand.reverse(whole, amount=4))
    done(brand.reverse(whole))
    done(brand.reverse(part, amount=3))
    jobs.fold_figures()
    states = {row[0]: row[1:] for row in sql("SELECT id::text, state, captured FROM points_holds")}
    assert states == {whole["posting_id"]: (1, 10), part["posting_id"]: (0, 3)}
    assert differing() == {}


def test_a_hold_whose_beginning_is_gone_is_named(brand: Brand) -> None:
    brand.earn(10)
    held = brand.hold(5)
    brand.void(held)
    sql("DELETE FROM points_entries WHERE kind = 3")
    assert differing()["points_holds"] == [f"1/7/{held['hold_id']}: not told by any entry or event"]


def test_a_changed_figure_is_named(short: Brand) -> None:
    first = "SELECT asset_id, kind, min(day) FROM points_daily_figures WHERE asset_id = 1 AND kind = 1 GROUP BY 1, 2"
    sql(f"UPDATE points_daily_figures SET credited = credited + 1 WHERE (asset_id, kind, day) IN ({first})")
    [where] = differing()["points_daily_figures"]
    assert where.endswith(": credited")


def test_a_changed_window_is_named(brand: Brand) -> None:
    sql(
        "INSERT INTO points_claim_windows (program_id, member_id, rule, total, newest_at)"
        " VALUES (1, 7, 'coffee', 5, '2026-05-03T00:00:00Z')"
    )
    assert differing() == {"points_claim_windows": ["1/7/coffee: not told by any entry or event"]}


def test_a_changed_entry_shows_in_everything_that_follows_from_it(short: Brand) -> None:
    sql(f"UPDATE points_entries SET amount = amount + 1 WHERE {MINE} AND seq = 1")
    assert differing()["points_accounts"] == ["1/7/1: balance, debt, head"]


def test_many_differences_are_counted_and_the_first_named(brand: Brand) -> None:
    for member in range(1, 8):
        brand.earn(5, member_id=member)
    sql("UPDATE points_accounts SET balance = balance + 1 WHERE member_id > 2")
    accounts = replayed()["points_accounts"]
    assert (accounts.rows, accounts.differing, len(accounts.where)) == (7, 5, 3)
    assert accounts.where[0] == "1/3/1: balance"


def test_accounts_are_written_in_chunks(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.points.ledger import rebuild

    for member in range(1, 8):
        brand.earn(5, member_id=member)
        brand.hold(2, member_id=member)
    for size in (1, 2, 7, 8):
        monkeypatch.setattr(rebuild, "_AT_ONCE", size)
        accounts = replayed()["points_accounts"]
        assert (accounts.equal, accounts.rebuilt_rows) == (True, 7)


def test_an_empty_ledger_replays(brand: Brand) -> None:
    assert differing() == {}


def test_it_runs_beside_postings_and_leaves_nothing_behind(short: Brand) -> None:
    ended = Event()
    answers: list[int] = []

    def post_on() -> None:
        while not ended.is_set():
            answers.append(short.send("postings", kind="earn", amount=1, member_id=8).status_code)

    thread = Thread(target=post_on)
    thread.start()
    try:
        for _ in range(3):
            assert {table for table, one in replayed().items() if not one.equal} == set()
    finally:
        ended.set()
        thread.join()
    assert set(answers) == {201}
    assert sql("SELECT relname FROM pg_class WHERE relname LIKE 'scratch%'") == []


def test_the_command_prints_a_table_and_exits_by_what_it_found(short: Brand) -> None:
    result = CliRunner().invoke(commands, ["replay"])
    assert result.exit_code == 0, result.output
    assert "points_accounts" in result.output
    assert "yes" in result.output
    sql(f"UPDATE points_accounts SET balance = balance + 1 WHERE {MINE}")
    result = CliRunner().invoke(commands, ["replay"])
    assert result.exit_code == 1
    assert "no: 1 rows" in result.output
    result = CliRunner().invoke(commands, ["replay", "--json"])
    told = {one["table"]: one for one in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert (told["points_accounts"]["equal"], told["points_accounts"]["where"]) == (False, ["1/7/1: balance"])
    assert told["points_holds"]["equal"]
    assert len(told["points_holds"]["live"]) == 64
