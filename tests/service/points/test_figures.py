"""Daily figures and the trial balance over HTTP: folded from our own feed, once each, rebuilt to the same digest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from common.feed import notice_cluster
from services.points.commands import commands
from services.points.database import feed, transaction
from services.points.figures import repository, use_cases
from services.points.jobs import fold_figures
from tests.earning import at_once
from tests.ledger import NOON
from tests.points import Brand, Clock, done, pointers, refused, sql, wrong
from tests.support import Callers

DAY = timedelta(days=1)
ZEROS = {"redeemed": 0, "expired": 0, "clawed_back": 0, "returned": 0, "adjusted": 0}


def days(brand: Brand, asset: str = "points", **query: Any) -> list[dict[str, Any]]:
    return list(done(brand.shop.get(f"/v1/liability/{asset}", **query))["days"])


def rollup() -> list[Any]:
    return sql("SELECT * FROM points_daily_figures ORDER BY program_id, asset_id, day, kind, by_hand")


def digest() -> str:
    with transaction() as session:
        return repository.digest(session)


def unsound() -> list[str]:
    """Invariants that do not hold; that an old hold is still open is only so because the clock is ours."""
    return [finding.name for finding in wrong() if "within a day" not in finding.name]


def live(brand: Brand, clock: Clock) -> None:
    """Nine days on which everything happens."""
    clock.set(NOON)
    brand.set_asset("growth", debt_allowed=True, transferable=True)
    owed = brand.earn(100, asset="growth", validity="5D")
    brand.earn(40, asset="growth", available_at=(NOON + 3 * DAY).isoformat())
    brand.earn(6, asset="growth", member_id=8)
    clock.set(NOON + DAY)
    spent = brand.spend(30, asset="growth")
    brand.capture(brand.hold(20, asset="growth"), amount=15)
    clock.set(NOON + 2 * DAY)
    brand.reverse(spent, asset="growth", amount=7)
    done(brand.give(5, 8, asset="growth"))
    brand.hold(4, asset="growth", ttl_seconds=30 * 86_400)
    done(brand.reverse(owed, asset="growth", amount=10))
    clock.set(NOON + 8 * DAY)
    brand.earn(3, asset="growth")


def test_each_day_says_what_was_issued_redeemed_expired_and_is_outstanding(brand: Brand, clock: Clock) -> None:
    live(brand, clock)
    told = days(brand, "growth", **{"from": "2026-05-03", "to": "2026-05-11"})
    assert [it["day"] for it in told] == [f"2026-05-{day:02}" for day in range(3, 12)]
    assert told[0] == {
        "day": "2026-05-03",
        "issued": 146,
        **ZEROS,
        "transferred_in": 0,
        "transferred_out": 0,
        "pending": 40,
        "held": 0,
        "outstanding": 146,
        "liability_fen": None,
    }
    assert (told[1]["redeemed"], told[1]["held"], told[1]["outstanding"]) == (45, 0, 101)
    assert (told[2]["returned"], told[2]["clawed_back"], told[2]["outstanding"]) == (7, 10, 98)
    assert (told[2]["transferred_in"], told[2]["transferred_out"], told[2]["held"]) == (5, 5, 4)
    assert (told[8]["issued"], told[8]["expired"], told[8]["pending"], told[8]["held"]) == (3, 43, 0, 4)
    outstanding = 0
    for it in told:
        gained = it["issued"] + it["returned"] + it["adjusted"] + it["transferred_in"]
        outstanding += gained - it["redeemed"] - it["expired"] - it["clawed_back"] - it["transferred_out"]
        assert it["outstanding"] == outstanding
    balances = [brand.account("growth", member=member)["balance"] for member in (7, 8)]
    assert sum(balances) == outstanding - 5  # member 8's gift died, and nobody wrote that yet
    fold_figures()
    assert days(brand, "growth", **{"from": "2026-05-03", "to": "2026-05-11"}) == told
    assert unsound() == []


def test_figures_are_complete_before_and_after_folding(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(10)
    unfolded = done(brand.shop.get("/v1/liability/points"))
    assert rollup() == []
    fold_figures()
    assert [(row.kind, row.credited, row.entries) for row in rollup()] == [(1, 10, 1)]
    assert done(brand.shop.get("/v1/liability/points")) == unfolded
    brand.earn(5)
    assert days(brand)[-1]["issued"] == 15
    assert (unfolded["as_of"], unfolded["from"], unfolded["to"]) == ("2026-05-03T04:00:00Z", "2026-04-04", "2026-05-03")
    assert len(unfolded["days"]) == 30


def test_a_rate_says_what_is_owed_in_fen(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(1_000)
    told = done(brand.shop.get("/v1/liability/points", rate_points=300, rate_fen=100))
    assert (told["rate"], told["days"][-1]["liability_fen"]) == ({"points": 300, "fen": 100}, 333)


def test_staffs_adjustments_are_told_apart_from_earning(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    agent = brand.callers.staff("customer_service")
    given = {"member_id": 7, "asset": "points", "amount": 100, "reason_code": "goodwill"}
    done(agent.post("/v1/adjustments", given, key="a"))
    done(agent.post("/v1/adjustments", {**given, "amount": -30}, key="b"))
    brand.earn(5)
    told = days(brand)[-1]
    assert (told["issued"], told["redeemed"], told["adjusted"], told["outstanding"]) == (5, 0, 70, 75)
    accounts = done(brand.shop.get("/v1/trial-balance"))["assets"][0]["accounts"]
    assert (accounts["members"], accounts["issuance"], accounts["adjustments"]) == (75, -5, -70)


def test_the_trial_balance_is_zero_for_every_asset(brand: Brand, clock: Clock) -> None:
    live(brand, clock)
    brand.earn(9)
    for _ in range(2):
        told = done(brand.callers.staff("finance").get("/v1/trial-balance"))
        assert (told["balanced"], told["as_of"]) == (True, "2026-05-11T04:00:00Z") or told["balanced"]
        by_asset = {it["asset"]: it for it in told["assets"]}
        assert list(by_asset) == ["points", "energy", "growth"]
        assert all(sum(it["accounts"].values()) == it["difference"] == 0 for it in told["assets"])
        growth = by_asset["growth"]["accounts"]
        assert (growth["issuance"], growth["redemption"], growth["breakage"]) == (-149, 45, 43)
        assert (growth["clawback"], growth["returns"], growth["transfers"], growth["members"]) == (10, -7, 0, 58)
        assert by_asset["points"]["accounts"]["members"] == 9
        fold_figures()


def test_debt_is_shown_apart_from_what_members_own(brand: Brand) -> None:
    earned = brand.earn(40, asset="growth")
    brand.earn(7, asset="growth", member_id=8)
    brand.spend(40, asset="growth")
    done(brand.reverse(earned, asset="growth"))
    accounts = done(brand.shop.get("/v1/trial-balance"))["assets"][2]["accounts"]
    assert (accounts["members"], accounts["members_debt"], accounts["clawback"]) == (7, -40, 40)


def test_the_trial_balance_is_of_one_instant_while_others_post(brand: Brand) -> None:
    brand.earn(10)

    def post() -> None:
        for _ in range(15):
            brand.callers.system("ledger").post(
                "/v1/postings",
                {"member_id": 7, "asset": "points", "kind": "earn", "amount": 3},
                key=brand.new_key(),
            )

    def look() -> list[bool]:
        finance = brand.callers.staff("finance")
        return [done(finance.get("/v1/trial-balance"))["balanced"] for _ in range(20)]

    def fold() -> None:
        for _ in range(15):
            fold_figures()

    answers = at_once([post, look, fold, look])
    assert answers[1] + answers[3] == [True] * 40


def test_every_entry_is_folded_once_whoever_folds_and_however_often(brand: Brand) -> None:
    for number in range(12):
        brand.earn(1 + number)
    at_once([fold_figures] * 4)
    fold_figures()
    assert [(row.credited, row.entries) for row in rollup()] == [(78, 12)]
    assert sql("SELECT facts FROM points_feed_cursors WHERE source = 'figures'")[0][0] >= 12
    assert unsound() == []


def test_pages_are_folded_one_after_the_other(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "_FACTS_A_PAGE", 3)
    for _ in range(10):
        brand.earn(1)
    with transaction() as session:
        assert use_cases.fold(session)
    assert rollup()[0].entries < 10
    assert unsound() == []
    assert days(brand)[-1]["issued"] == 10
    fold_figures()
    assert rollup()[0].entries == 10


def test_a_fold_that_fails_moves_neither_figures_nor_cursor(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    brand.earn(10)
    monkeypatch.setattr(repository, "add_entries", lambda session, pointers: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fold_figures()
    monkeypatch.undo()
    assert rollup() == []
    assert sql("SELECT 1 FROM points_feed_cursors WHERE source = 'figures'") == []
    fold_figures()
    assert [row.credited for row in rollup()] == [10]


def test_a_restored_cluster_counts_no_entry_twice_and_forgets_none(brand: Brand) -> None:
    brand.earn(10)
    fold_figures()
    brand.earn(5)
    sql("UPDATE points_feed_generations SET system_identifier = 'the cluster before the restore'")
    with transaction() as session:
        notice_cluster(session, feed)
    brand.earn(3)
    for _ in range(2):
        assert days(brand)[-1]["issued"] == 18
        assert unsound() == []
        fold_figures()
    brand.earn(2)
    assert (days(brand)[-1]["issued"], unsound()) == (20, [])


def test_a_rebuild_from_the_entries_gives_the_same_digest(brand: Brand, clock: Clock) -> None:
    live(brand, clock)
    fold_figures()
    brand.earn(1)  # not folded yet, so not in the rebuilt rollup either
    before, rows = digest(), len(rollup())
    sql("UPDATE points_daily_figures SET credited = credited + 1")
    sql("DELETE FROM points_daily_figures WHERE kind = 1 AND day = '2026-05-03'")
    assert digest() != before
    answer = CliRunner().invoke(commands, ["rebuild-figures"])
    assert answer.output == f"{rows} rows, digest {before}\n"
    assert digest() == before
    sql("DELETE FROM points_daily_figures")
    sql("DELETE FROM points_feed_cursors WHERE source = 'figures'")
    fold_figures()
    with transaction() as session:
        assert use_cases.rebuild(session)[0] == len(rollup()) >= rows
    assert unsound() == []


def test_days_follow_the_programs_zone_also_when_it_changes(brand: Brand, clock: Clock) -> None:
    clock.set(datetime(2026, 5, 3, 18, tzinfo=UTC))
    brand.earn(10)
    fold_figures()
    assert [str(row.day) for row in rollup()] == ["2026-05-04"]
    marketer = brand.callers.staff("marketer")
    done(marketer.put("/v1/program", {"name": "Acme", "time_zone": "America/New_York"}))
    brand.earn(5)
    fold_figures()
    assert [(str(row.day), row.credited) for row in rollup()] == [("2026-05-03", 15)]
    assert unsound() == []


def test_another_programs_figures_are_its_own(brand: Brand, points: Callers) -> None:
    brand.earn(10)
    other = Brand(points, program_id=2).found()
    other.earn(3)
    for _ in range(2):
        assert (days(brand)[-1]["outstanding"], days(other)[-1]["outstanding"]) == (10, 3)
        fold_figures()


@pytest.mark.parametrize(
    ("harm", "invariant"),
    [
        ("UPDATE points_daily_figures SET credited = credited + 1", "daily figures = the entries folded so far"),
        ("DELETE FROM points_daily_figures", "daily figures = the entries folded so far"),
        ("UPDATE points_accounts SET balance = balance + 1 WHERE member_id = 7", "the trial balance is zero"),
    ],
)
def test_verify_finds_figures_that_are_not_the_entries(brand: Brand, harm: str, invariant: str) -> None:
    brand.earn(10)
    fold_figures()
    assert unsound() == []
    sql(harm)
    assert invariant in unsound()
    if "accounts" in harm:
        assert not done(brand.shop.get("/v1/trial-balance"))["balanced"]


def test_finance_gets_spreadsheets(brand: Brand, clock: Clock) -> None:
    clock.set(NOON)
    brand.earn(10)
    headers: dict[str, Any] = {"Accept": "text/csv", "Accept-Language": "zh"}
    finance = brand.callers.staff("finance", **headers)
    sheet = finance.get("/v1/liability/points", **{"from": "2026-05-03", "to": "2026-05-03"})
    assert sheet.content_type == "text/csv; charset=utf-8"
    heading, row = sheet.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert heading.startswith("日期,发放,核销")
    assert row == "2026-05-03,10,0,0,0,0,0,0,0,0,0,10,"
    lines = finance.get("/v1/trial-balance").get_data(as_text=True).splitlines()
    assert lines[1:3] == ["points,members,10", "points,members_debt,0"]


def test_figures_are_for_finance_marketers_and_systems_that_read(brand: Brand) -> None:
    for path, roles in (
        ("/v1/liability/points", ("finance", "marketer", "admin")),
        ("/v1/trial-balance", ("finance",)),
    ):
        for role in roles:
            done(brand.callers.staff(role).get(path))
        done(brand.callers.system("read").get(path))
        for caller in (
            brand.callers.staff("customer_service"),
            brand.callers.member(7),
            brand.callers.system("ledger"),
        ):
            assert refused(caller.get(path)) == (403, "forbidden")
    assert refused(brand.callers.staff("marketer").get("/v1/trial-balance")) == (403, "forbidden")
    assert refused(brand.shop.get("/v1/liability/gold")) == (404, "asset_not_found")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "2026-05-03", "to": "2026-05-02"}, "/query/from"),
        ({"from": "2026-05-03", "to": "2027-05-04"}, "/query/from"),
        ({"from": "3 May"}, "/query/from"),
        ({"to": "0001-01-01"}, "/query/to"),
        ({"rate_points": 100}, "/query/rate_fen"),
        ({"rate_fen": 100}, "/query/rate_points"),
        ({"rate_points": 0, "rate_fen": 1}, "/query/rate_points"),
    ],
)
def test_a_wrong_question_is_pointed_at(brand: Brand, query: dict[str, Any], pointer: str) -> None:
    answer = brand.shop.get("/v1/liability/points", **query)
    assert answer.status_code == 422
    assert pointers(answer) == [pointer]
