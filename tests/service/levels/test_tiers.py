"""The ladder over HTTP, and members moving on it by growth facts and by time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.levels import NOW, Levels, at_once, badge, points


def rung(code: str, growth: int, **more: Any) -> dict[str, Any]:
    window = {"validity_days": 365} if growth else {}
    return {"code": code, "name_en": code, "name_zh": code, "growth": growth, **window, **more}


def test_each_publication_is_a_new_version_and_anybody_signed_in_reads_it(levels: Levels) -> None:
    assert levels.member(1).get("/v1/tiers").json["code"] == "ladder_not_configured"
    assert levels.ladder(("base", 0), ("gold", 100))["version"] == 1
    levels.later(seconds=1)
    second = levels.ladder(("base", 0), ("gold", 200), gold=points(10))
    assert (second["version"], second["tiers"][1]["growth"]) == (2, 200)
    assert second["tiers"][1]["reward"] == points(10)
    assert levels.member(1).get("/v1/tiers").json == second
    assert levels.staff("marketer", program_id=2).get("/v1/tiers").status_code == 404


@pytest.mark.parametrize(
    ("tiers", "code"),
    [
        ([rung("base", 1)], "bad_ladder"),
        ([rung("base", 0), rung("gold", 100), rung("silver", 100)], "bad_ladder"),
        ([rung("base", 0), rung("base", 100)], "bad_ladder"),
        ([rung("base", 0), rung("gold", 100, keep=101)], "keep_above_threshold"),
        ([rung("base", 0), rung("gold", 100, validity_days=0)], "window_missing"),
        ([rung("base", 0, reward=points(1))], "first_tier_is_free"),
        ([rung("base", 0), rung("gold", 100, reward=badge("unknown"))], "badge_not_found"),
        ([], "invalid_request"),
        ([rung("base", 0), rung("gold", 100, reward=[{"kind": "asset", "asset": "points"}])], "invalid_request"),
        ([rung("base", 0), rung("gold", 100, reward=[{"kind": "cash", "amount": 1}])], "invalid_request"),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused(levels: Levels, tiers: list[Any], code: str) -> None:
    answer = levels.marketer().put("/v1/tiers", {"tiers": tiers})
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert levels.sql("SELECT 1 FROM levels_ladders") == []


def test_a_refusal_says_the_next_step_in_chinese(levels: Levels) -> None:
    marketer = levels.marketer(**{"Accept-Language": "zh"})
    answer = marketer.put("/v1/tiers", {"tiers": [rung("base", 0), rung("gold", 100, keep=101)]})
    assert "请调低 keep" in answer.json["detail"]


def test_growth_promotes_at_once_at_the_threshold_itself_and_says_why(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), ("gold", 300))
    anna = levels.join("anna")
    levels.grow(anna, 99, 1)
    assert levels.tier(anna) == "base"
    fact = levels.growth(anna, 100, 2)
    levels.pull()
    assert levels.tier(anna) == "silver"
    (change,) = levels.changes(anna)
    assert (change["kind"], change["from_tier"], change["cause"]) == ("promoted", "base", fact.natural_key)
    assert (change["ladder_version"], change["growth"]) == (1, 100)
    expected = {"for": anna, "from": "base", "to": "silver", "at": NOW.isoformat(), "cause": fact.natural_key}
    assert levels.facts("tier.changed") == [expected]


def test_growth_that_is_pending_counts_when_it_is_released_and_not_before(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), ("gold", 300))
    anna = levels.join("anna")
    levels.grow(anna, 99, 1)
    levels.entry(anna, "growth", 201, 2, balance=300, held_delta=201, held=201)
    levels.pull()
    assert levels.tier(anna) == "base"
    levels.entry(anna, "growth", 0, 3, kind="release", balance=300, held_delta=-201)
    levels.pull()
    assert levels.tier(anna) == "gold"


def test_replayed_and_late_entries_change_nothing(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100))
    levels.growth(1, 120, 1)
    levels.growth(1, 80, 2)
    levels.pull()
    levels.replay()
    assert [row[0] for row in levels.sql("SELECT growth FROM levels_standings")] == [80]
    assert [change["to_tier"] for change in levels.changes(1)] == ["silver"]
    assert len(levels.facts("tier.changed")) == 1


def test_a_window_ends_on_its_last_business_day_and_costs_one_step(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), ("gold", 300), ("black", 1000), keep=90, days=365)
    anna, bert = levels.join("anna"), levels.join("bert")
    levels.grow(anna, 1000, 1)
    levels.grow(bert, 1000, 1)
    levels.later(days=30)
    levels.grow(anna, 20, 2)
    levels.grow(bert, 90, 2)
    assert levels.tier(anna) == "black"
    day_365 = datetime(2027, 5, 19, 15, 59, 59, tzinfo=UTC)
    levels.now = day_365 + timedelta(seconds=30)
    levels.run("advance_tiers")
    assert levels.tier(anna) == "black"
    levels.now = day_365 + timedelta(seconds=31)
    levels.run("advance_tiers")
    assert (levels.tier(anna), levels.tier(bert)) == ("gold", "black")
    last = levels.changes(anna)[-1]
    assert (last["kind"], last["at"]) == ("demoted", "2027-05-19T16:00:00Z")
    assert [(one["kind"], one["to_tier"]) for one in levels.changes(bert)] == [
        ("promoted", "black"),
        ("renewed", "black"),
    ]
    assert [fact["to"] for fact in levels.facts("tier.changed")] == ["black", "black", "gold"]


def test_growth_earned_in_time_keeps_the_tier_though_its_fact_comes_late(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), keep=100, days=30)
    levels.grow(1, 100, 1)
    levels.grow(1, 50, 2, at=levels.later(days=1))
    ends_at = datetime(2026, 6, 18, 16, tzinfo=UTC)
    levels.growth(1, 100, 3, at=ends_at - timedelta(seconds=1))
    levels.now = ends_at + timedelta(hours=1)
    levels.run("advance_tiers")
    assert [change["kind"] for change in levels.changes(1)] == ["promoted", "renewed"]


def test_the_job_and_the_feed_come_to_the_same_whoever_is_first(levels: Levels) -> None:
    levels.ladder(("base", 0), ("silver", 100), ("gold", 300), keep=90, days=10)
    for member_id in (1, 2):
        levels.grow(member_id, 300, 1)
        levels.grow(member_id, 10, 2)
    levels.later(days=25)
    levels.run("advance_tiers")
    levels.grow(1, 150, 3)
    levels.grow(2, 150, 3)
    levels.sql("DELETE FROM levels_tier_changes WHERE member_id = 2")
    levels.sql("DELETE FROM levels_standings WHERE member_id = 2")
    levels.replay()
    without_causes = [[{**one, "cause": ""} for one in levels.changes(member_id)] for member_id in (1, 2)]
    assert without_causes[0] == without_causes[1]
    assert [one["kind"] for one in without_causes[0]] == ["promoted", "demoted", "demoted", "promoted"]


def test_a_new_ladder_lifts_at_once_and_lowers_only_at_the_windows_end(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 300), keep=300, days=30)
    levels.grow(1, 300, 1)
    levels.grow(2, 150, 1)
    levels.later(days=1)
    levels.ladder(("base", 0), ("silver", 100), ("gold", 500), keep=100, days=30)
    levels.later(minutes=1)
    levels.run("advance_tiers")
    assert (levels.tier(1), levels.tier(2)) == ("gold", "silver")
    assert levels.changes(2)[-1]["cause"] == "ladder:2"
    levels.later(days=31)
    levels.run("advance_tiers")
    assert (levels.tier(1), levels.tier(2)) == ("gold", "silver")
    assert levels.changes(1)[-1]["kind"] == "renewed"


def test_a_ladder_published_after_the_growth_places_everybody(levels: Levels) -> None:
    levels.grow(1, 50, 1)
    levels.grow(2, 500, 1)
    assert levels.member(1).get("/v1/tiers/changes").json["changes"] == []
    levels.ladder(("base", 0), ("gold", 300), gold=points(9))
    levels.later(minutes=1)
    levels.run("advance_tiers")
    levels.run("grant_promotions")
    assert (levels.tier(1), levels.tier(2)) == ("base", "gold")
    assert [fact["for"] for fact in levels.facts("tier.changed")] == [2]
    assert list(levels.granted()) == ["levels:tier:2:gold"]


def test_a_tier_that_members_hold_cannot_be_dropped(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 300))
    levels.grow(1, 300, 1)
    answer = levels.marketer().put("/v1/tiers", {"tiers": [rung("base", 0), rung("silver", 100)]})
    assert (answer.status_code, answer.json["code"], answer.json["facts"]) == (409, "tier_in_use", {"tier": "gold"})


def test_counts_are_of_the_tiers_now_with_as_of(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 300))
    levels.join("anna")
    levels.grow(levels.join("bert"), 300, 1)
    counted = levels.staff("auditor").get("/v1/tiers/counts").json
    assert [(one["code"], one["members"]) for one in counted["tiers"]] == [("base", 1), ("gold", 1)]
    assert counted["as_of"]
    assert levels.member(1).get("/v1/tiers/counts").status_code == 403


def test_promotions_reward_every_tier_passed_once_for_ever(levels: Levels) -> None:
    levels.describe("golden")
    terms: dict[str, Any] = {"silver": points(10), "gold": [*points(50), *badge("golden")]}
    levels.ladder(("base", 0), ("silver", 100), ("gold", 300), keep=50, days=10, **terms)
    levels.grow(1, 300, 1)
    assert levels.granted() == {}
    at_once(lambda: levels.run("grant_promotions"), lambda: levels.run("grant_promotions"))
    given = {"levels:tier:1:silver": points(10), "levels:tier:1:gold": terms["gold"]}
    assert levels.granted() == given
    assert levels.held(1) == [("golden", "")]
    levels.grow(1, 0, 2)
    levels.later(days=11)
    levels.run("advance_tiers")
    levels.grow(1, 300, 3)
    levels.run("grant_promotions")
    levels.replay()
    levels.run("grant_promotions")
    assert levels.granted() == given
    assert levels.sql("SELECT 1 FROM levels_tier_changes WHERE reward_due") == []


def test_a_member_reads_only_their_own_changes(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 300))
    levels.grow(1, 300, 1)
    assert len(levels.member(1).get("/v1/tiers/changes").json["changes"]) == 1
    assert levels.member(2).get("/v1/tiers/changes", member_id=1).status_code == 404
    assert levels.staff("auditor").get("/v1/tiers/changes").status_code == 422
    assert levels.staff("auditor", program_id=2).get("/v1/tiers/changes", member_id=1).json["changes"] == []


def test_hundreds_of_entries_take_a_handful_of_statements(levels: Levels) -> None:
    from sqlalchemy import event

    levels.ladder(("base", 0), ("gold", 300))
    for member_id in range(1, 501):
        levels.growth(member_id, member_id, 1)
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    engine = levels.service.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        levels.pull()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(statements) <= 16
    assert levels.sql("SELECT count(*) FROM levels_standings WHERE tier = 'gold'")[0][0] == 201
