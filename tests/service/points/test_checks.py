"""What `verify` says of a ledger: nothing while it is sound, and where and what when somebody edited the database."""

import pytest

from common.clock import business_day, epoch_day, now
from common.commands import run_checks
from common.service import Check, Finding
from services.points.jobs import settle_due_accounts
from services.points.ledger import checks
from services.points.ledger.domain import Kind, Redating
from services.points.service import service
from tests.points import Brand, built_once, done, make_due, sql, wrong

SUMS = "balance = Σ amounts, held = Σ held, seq has no gap"
FLOOR = "balance = Σ lots + held − debt, nothing below its floor"
LOTS = "lots are the sum of what every entry did to them"
HELD = "held = Σ what open holds have left"
FROZEN = "frozen is who was frozen last"
IDLES = "what lives until its account is idle has a day for that"
TRANSFERS = "a transfer gives to one what it takes from the other"
RUNNING = "running balances add up, time never goes back"
REVERSALS = "Σ reversals ≤ the original"
MOVES = "a redating moves lots from day to day, and nothing else"
POSTINGS = "a posted posting has its entry and answers so, a refused one has none"
HOLDS = "every hold is what its entries say"
FACTS = "every entry has one fact in the feed"
ENDS = "every hold ends within a day of its deadline"
BEYOND = "nothing is earned or given beyond the most that a member may have"
CUTS = "what a member's cap or limit cut says so on its entry and in its answer"
AT_ONCE = "no posting earns or spends more than its asset's limit"
PERIODS = "no member earns or spends more within a period than the asset's limit"
CHAIN = "every hash re-computes, the head is the last"

MINE = "program_id = 1 AND member_id = 7 AND asset_id = 1"


@built_once
def everything(brand: Brand) -> None:
    """A history with everything in it; account 1/7/1 has the entries below, 1/8/1 one of its own."""
    earned = brand.earn(100, validity="9D", reason="welcome")  # 1
    spent = brand.spend(30)  # 2
    brand.reverse(spent, amount=20)  # 3
    captured = brand.hold(25)  # 4
    brand.capture(captured, amount=10)  # 5
    brand.void(brand.hold(5))  # 6, 7
    brand.hold(15)  # 8, stays open
    brand.reverse(earned, amount=7)  # 9
    brand.send("postings", kind="spend", amount=10_000)
    brand.earn(10, validity="20D", member_id=8)
    kept, gone = (brand.earn(20, member_id=9, available_at="2100-05-03T00:00:00Z") for _ in range(2))  # 9: 1, 2
    brand.reverse(kept, member_id=9, amount=5)  # 9: 3
    brand.reverse(gone, member_id=9)  # 9: 4
    done(brand.confirm(kept, member_id=9, available_at="2101-01-01T00:00:00Z"))  # 9: 5
    due = brand.earn(3, member_id=9, available_at="2100-05-03T00:00:00Z")  # 9: 6
    done(brand.confirm(due, member_id=9))  # 9: 7 and, by time, 8
    brand.turn(Kind.FREEZE, member=9)  # 9: 9
    brand.set_asset(transferable=True)
    done(brand.give(4, member_id=8, to=9))  # 8: 2, 9: 10
    today = epoch_day(business_day(now(), "Asia/Shanghai"))
    moved = brand.redate(6, Redating(today + 20, today + 20, today + 90), member=8)  # 8: 3
    brand.restore(moved, amount=2, member=8)  # 8: 4
    owed = brand.earn(10, asset="growth")
    brand.spend(10, asset="growth")
    done(brand.reverse(owed, asset="growth"))


@pytest.fixture
def ledger(brand: Brand) -> Brand:
    """Everything happened."""
    everything(brand)
    return brand


def found() -> dict[str, str]:
    """Every violated invariant of the ledger and where; what other packages check of the same is theirs to test."""
    own = [finding for check in (checks.check_figures, checks.check_chain) for finding in run(check)]
    return {finding.name: finding.detail for finding in own if finding.violations}


def test_a_sound_ledger_has_nothing_wrong_and_everything_was_looked_at(ledger: Brand) -> None:
    findings = [finding for check in (checks.check_figures, checks.check_chain) for finding in run(check)]
    assert [finding.name for finding in findings if finding.violations] == []
    looked_at = {finding.name: finding.checked for finding in findings}
    assert looked_at == {
        SUMS: 4,
        FLOOR: 4,
        LOTS: 4,
        HELD: 4,
        FROZEN: 4,
        IDLES: 4,
        TRANSFERS: 26,
        RUNNING: 26,
        REVERSALS: 26,
        MOVES: 26,
        POSTINGS: 25,
        BEYOND: 26,
        CUTS: 25,
        AT_ONCE: 26,
        PERIODS: 4,
        HOLDS: 6,
        FACTS: 26,
        ENDS: 6,
        CHAIN: 26,
    }


def run(check: Check) -> list[Finding]:
    with service.database.reading() as session:
        return list(check(session))


def test_an_empty_ledger_has_nothing_wrong(brand: Brand) -> None:
    assert wrong() == []
    assert {finding.checked for finding in run(checks.check_figures)} == {0}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        # Accounts
        (f"UPDATE points_accounts SET balance = balance + 1 WHERE {MINE}", {SUMS: "1/7/1", FLOOR: "1/7/1"}),
        (
            f"UPDATE points_accounts SET balance = balance + 1, lots[2] = lots[2] + 1 WHERE {MINE}",
            {SUMS: "1/7/1", LOTS: "1/7/1"},
        ),
        (
            f"UPDATE points_accounts SET held = held + 1 WHERE {MINE}",
            {SUMS: "1/7/1", FLOOR: "1/7/1", HELD: "1/7/1"},
        ),
        (f"UPDATE points_accounts SET debt = debt + 1 WHERE {MINE}", {FLOOR: "1/7/1"}),
        (f"UPDATE points_accounts SET seq = seq + 1 WHERE {MINE}", {SUMS: "1/7/1"}),
        (f"UPDATE points_accounts SET lots[1] = lots[1] + 1 WHERE {MINE}", {LOTS: "1/7/1; 1/7/1"}),
        (f"UPDATE points_accounts SET lots = '{{}}' WHERE {MINE}", {FLOOR: "1/7/1", LOTS: "1/7/1"}),
        (f"UPDATE points_accounts SET head = sha256('x') WHERE {MINE}", {CHAIN: "1/7/1/9"}),
        (
            "DELETE FROM points_accounts WHERE member_id = 8",
            {SUMS: "1/8/1", LOTS: "1/8/1; 1/8/1"},
        ),
        # Entries
        (
            f"UPDATE points_entries SET amount = amount + 1 WHERE {MINE} AND seq = 2",
            {SUMS: "1/7/1", RUNNING: "1/7/1/2; 1/7/1/3; 1/7/1/4", POSTINGS: "1/7/1/2", CHAIN: "1/7/1/2"},
        ),
        (
            f"UPDATE points_entries SET held_delta = held_delta + 1 WHERE {MINE} AND seq = 8",
            {SUMS: "1/7/1", RUNNING: "1/7/1/8; 1/7/1/9", POSTINGS: "1/7/1/8", HOLDS: "1/7/1", CHAIN: "1/7/1/8"},
        ),
        (
            f"UPDATE points_entries SET balance_after = balance_after + 1 WHERE {MINE} AND seq = 2",
            {RUNNING: "1/7/1/2", POSTINGS: "1/7/1/2", CHAIN: "1/7/1/2"},
        ),
        (
            f"UPDATE points_entries SET at = at - interval '1 day' WHERE {MINE} AND seq = 2",
            {RUNNING: "1/7/1/2", POSTINGS: "1/7/1/2", CHAIN: "1/7/1/2"},
        ),
        (
            f"UPDATE points_entries SET at = at + interval '1 microsecond' WHERE {MINE} AND seq = 9",
            {POSTINGS: "1/7/1/9", CHAIN: "1/7/1/9"},
        ),
        (f"UPDATE points_entries SET cause = 'system:shop other' WHERE {MINE} AND seq = 1", {CHAIN: "1/7/1/1"}),
        (f"UPDATE points_entries SET meta = '{{\"reason\": \"x\"}}' WHERE {MINE} AND seq = 1", {CHAIN: "1/7/1/1"}),
        (f"UPDATE points_entries SET meta = NULL WHERE {MINE} AND seq = 1", {CHAIN: "1/7/1/1"}),
        (f"UPDATE points_entries SET rule_version = 3 WHERE {MINE} AND seq = 1", {CHAIN: "1/7/1/1"}),
        (f"UPDATE points_entries SET kind = 2 WHERE {MINE} AND seq = 9", {CHAIN: "1/7/1/9"}),
        (
            f"UPDATE points_entries SET lots[1] = lots[1] + 1 WHERE {MINE} AND seq = 1",
            {LOTS: "1/7/1; 1/7/1", CHAIN: "1/7/1/1"},
        ),
        (
            f"UPDATE points_entries SET reversed = 31 WHERE {MINE} AND seq = 3",
            {REVERSALS: "1/7/1/2", CHAIN: "1/7/1/3"},
        ),
        (
            f"UPDATE points_entries SET reverses = 1 WHERE {MINE} AND seq = 3",
            {CHAIN: "1/7/1/3"},
        ),
        (
            f"UPDATE points_entries SET reverses = 99 WHERE {MINE} AND seq = 3",
            {REVERSALS: "1/7/1/99", CHAIN: "1/7/1/3"},
        ),
        (
            f"UPDATE points_entries SET posting_id = gen_random_uuid() WHERE {MINE} AND seq = 2",
            {POSTINGS: "1/7/1/2", CHAIN: "1/7/1/2"},
        ),
        (
            "UPDATE points_entries SET lots[2] = lots[2] + 1 WHERE member_id = 8 AND seq = 3",
            {LOTS: "1/8/1", MOVES: "1/8/1/3", CHAIN: "1/8/1/3"},
        ),
        (
            "UPDATE points_entries SET reversed = 7 WHERE member_id = 8 AND seq = 4",
            {REVERSALS: "1/8/1/3", CHAIN: "1/8/1/4"},
        ),
        (
            "UPDATE points_entries SET held_delta = 1 WHERE member_id = 8 AND seq = 4",
            {SUMS: "1/8/1", RUNNING: "1/8/1/4", MOVES: "1/8/1/4", POSTINGS: "1/8/1/4", CHAIN: "1/8/1/4"},
        ),
        (f"UPDATE points_entries SET hash = sha256('x') WHERE {MINE} AND seq = 5", {CHAIN: "1/7/1/5; 1/7/1/6"}),
        (
            "UPDATE points_entries e SET hash = o.hash FROM points_entries o"
            " WHERE e.member_id = 7 AND e.asset_id = 1 AND e.seq IN (4, 5) AND o.member_id = 7 AND o.asset_id = 1"
            " AND o.seq = 9 - e.seq",
            {CHAIN: "1/7/1/4; 1/7/1/5; 1/7/1/6"},
        ),
        (
            f"DELETE FROM points_entries WHERE {MINE} AND seq = 6",
            {SUMS: "1/7/1", RUNNING: "1/7/1/7; 1/7/1/8; 1/7/1/9", LOTS: "1/7/1", POSTINGS: "1/7/1/6",
             HOLDS: "1/7/1", FACTS: "1/7/1/6", CHAIN: "1/7/1/7"},
        ),
        (
            f"DELETE FROM points_entries WHERE {MINE} AND seq = 9",
            {SUMS: "1/7/1", LOTS: "1/7/1", POSTINGS: "1/7/1/9", FACTS: "1/7/1/9"},
        ),
        (
            "INSERT INTO points_entries SELECT program_id, member_id, asset_id, 10, kind, 50, 0, balance_after + 50,"
            " held_after, gen_random_uuid(), at, cause, rule_version, NULL, NULL, NULL, '{21000,50}', NULL,"
            f" sha256('forged') FROM points_entries WHERE {MINE} AND seq = 9",
            {SUMS: "1/7/1", LOTS: "1/7/1", FACTS: "1/7/1/10", CHAIN: "1/7/1/10"},
        ),
        # Postings
        (f"UPDATE points_postings SET status = 2 WHERE {MINE} AND seq = 2", {POSTINGS: "1/7/1/2"}),
        ("UPDATE points_postings SET status = 1 WHERE status = 2", {POSTINGS: "1/7/1/0"}),
        (f"UPDATE points_postings SET balance_after = 1000 WHERE {MINE} AND seq = 2", {POSTINGS: "1/7/1/2"}),
        (f"UPDATE points_postings SET seq = 9 WHERE {MINE} AND seq = 2", {POSTINGS: "1/7/1/9"}),
        # Holds
        ("UPDATE points_holds SET state = 2 WHERE state = 0 AND member_id = 7", {HELD: "1/7/1", HOLDS: "1/7/1"}),
        ("UPDATE points_holds SET state = 0 WHERE state = 2", {HELD: "1/7/1", HOLDS: "1/7/1"}),
        ("UPDATE points_holds SET amount = 16 WHERE state = 0 AND member_id = 7", {HELD: "1/7/1", HOLDS: "1/7/1"}),
        ("UPDATE points_holds SET lots[1] = lots[1] + 1 WHERE state = 0 AND member_id = 7", {HOLDS: "1/7/1"}),
        ("UPDATE points_holds SET captured = 9 WHERE state = 1 AND member_id = 7", {HOLDS: "1/7/1"}),
        ("UPDATE points_holds SET state = 2 WHERE state = 1 AND member_id = 7", {HOLDS: "1/7/1"}),
        ("DELETE FROM points_holds WHERE state = 0 AND member_id = 7", {HELD: "1/7/1", HOLDS: "1/7/1"}),
        ("UPDATE points_holds SET expires_at = now() - interval '25 hours' WHERE state = 0 AND member_id = 7",
         {ENDS: "1/7/1"}),
        ("UPDATE points_holds SET captured = 6 WHERE captured = 5", {HELD: "1/9/1", HOLDS: "1/9/1"}),
        ("UPDATE points_holds SET state = 0 WHERE state = 4", {HELD: "1/9/1", HOLDS: "1/9/1"}),
        ("UPDATE points_holds SET validity = '1D' WHERE captured = 5", {HOLDS: "1/9/1"}),
        ("UPDATE points_holds SET lots[2] = -19 WHERE captured = 5", {HOLDS: "1/9/1"}),
        ("UPDATE points_holds SET expires_at = '2100-05-03T00:00:00Z' WHERE captured = 5", {HOLDS: "1/9/1"}),
        ("UPDATE points_holds SET purpose = 0, validity = NULL WHERE captured = 5", {HOLDS: "1/9/1"}),
        ("UPDATE points_holds SET expires_at = now() - interval '25 hours' WHERE captured = 5",
         {HOLDS: "1/9/1", ENDS: "1/9/1"}),
        # Freezing, idleness, transfers
        ("UPDATE points_accounts SET frozen = false WHERE member_id = 9", {FROZEN: "1/9/1"}),
        (f"UPDATE points_accounts SET frozen = true WHERE {MINE}", {FROZEN: "1/7/1"}),
        (f"UPDATE points_accounts SET lots[1] = 2147483646 WHERE {MINE}", {IDLES: "1/7/1", LOTS: "1/7/1; 1/7/1"}),
        ("UPDATE points_entries SET kind = 1 WHERE kind = 14", {TRANSFERS: "1/GIFT", CHAIN: "1/9/1/10"}),
        # Facts
        (
            "INSERT INTO points_outbox (topic, program_id, member_id, pointer) VALUES ('ledger.entry', 1, 7, '{1,2}')",
            {FACTS: "1/7/1/2"},
        ),
        (
            "INSERT INTO points_outbox (topic, program_id, member_id, pointer) VALUES ('ledger.entry', 1, 7, '{1,99}')",
            {FACTS: "1/7/1/99"},
        ),
        ("DELETE FROM points_outbox WHERE pointer = '{1,3}' AND member_id = 7", {FACTS: "1/7/1/3"}),
        (
            "UPDATE points_outbox SET member_id = 9 WHERE pointer = '{1,3}' AND member_id = 7",
            {FACTS: "1/7/1/3; 1/9/1/3"},
        ),
    ],
)  # fmt: skip
def test_an_edit_of_the_database_is_found_and_located(ledger: Brand, edit: str, expected: dict[str, str]) -> None:
    (gift,) = sql("SELECT posting_id FROM points_entries WHERE kind = 14")[0]
    sql(edit)
    assert found() == {name: where.replace("GIFT", str(gift)) for name, where in expected.items()}


def test_a_balance_below_its_floor_cannot_even_be_written(ledger: Brand) -> None:
    for edit in ("balance = -100", "held = -1", "debt = -1"):
        with pytest.raises(Exception, match="accounts_"):
            sql(f"UPDATE points_accounts SET {edit} WHERE {MINE}")


def test_many_offenders_are_counted_and_the_first_named(brand: Brand) -> None:
    for member in range(1, 7):
        brand.earn(10, member_id=member)
    sql("UPDATE points_accounts SET balance = balance + 1 WHERE member_id <> 3")
    sums = next(finding for finding in wrong() if finding.name == SUMS)
    assert (sums.checked, sums.violations, sums.detail.count(";")) == (6, 5, 2)


def test_what_time_did_is_sound_too(ledger: Brand) -> None:
    make_due("10 days")
    sql("UPDATE points_accounts SET due_at = now() - interval '1 day' WHERE due_at IS NOT NULL")
    settle_due_accounts()
    assert sql("SELECT count(*) FROM points_holds WHERE state = 0 AND purpose = 0")[0][0] == 0
    assert wrong() == []
    assert {finding.checked for finding in run_checks(service)} != {0}
