"""Who somebody is: resolving, joining, looking up."""

import traceback
from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from services.levels.members import repository
from services.levels.members.domain import IdentityKey
from services.levels.tiers import use_cases as tiers
from tests.levels import NOW, Levels, at_once, badge, points

ANNA = {"type": "customer_id", "value": "anna"}


def openid(value: str, union: str | None = None, app: str = "wx1") -> dict[str, Any]:
    return {"type": "wechat_openid", "app": app, "value": value} | ({"union": union} if union else {})


def ids(resolved: list[Any]) -> list[int | None]:
    return [one["member_id"] for one in resolved]


def test_strangers_become_members_in_the_order_they_came_and_are_told_of_once(levels: Levels) -> None:
    first = levels.resolve(ANNA, {"type": "customer_id", "value": "bert"})
    assert [one["created"] for one in first] == [True, True]
    again = levels.resolve({"type": "customer_id", "value": "bert"}, ANNA)
    assert ids(again) == list(reversed(ids(first)))
    assert [one["created"] for one in again] == [False, False]
    joined = [{"for": member_id, "joined_at": NOW.isoformat()} for member_id in ids(first)]
    assert levels.facts("member.joined") == joined


def test_looking_up_makes_nobody(levels: Levels) -> None:
    assert levels.resolve(ANNA, create=False) == [{"member_id": None, "created": False}]
    assert levels.facts("member.joined") == []
    mine = levels.join("anna")
    assert ids(levels.resolve(ANNA, create=False)) == [mine]


def test_one_stranger_twice_in_a_batch_is_one_member(levels: Levels) -> None:
    resolved = levels.resolve(ANNA, openid("o1", "u1"), ANNA, openid("o2", "u1", app="wx2"))
    assert resolved[0]["member_id"] == resolved[2]["member_id"]
    assert resolved[1]["member_id"] == resolved[3]["member_id"]
    assert [one["created"] for one in resolved] == [True, True, False, False]
    assert len(levels.facts("member.joined")) == 2


def test_a_union_links_a_second_app_to_the_same_member(levels: Levels) -> None:
    (first,) = levels.resolve(openid("o1"))
    (linked,) = levels.resolve(openid("o1", "u1"))
    (second,) = levels.resolve(openid("o9", "u1", app="wx2"))
    assert first["member_id"] == linked["member_id"] == second["member_id"]
    assert ids(levels.resolve(openid("o9", app="wx2"), create=False)) == [first["member_id"]]


def test_looking_up_by_union_links_nothing(levels: Levels) -> None:
    (first,) = levels.resolve(openid("o1", "u1"))
    assert ids(levels.resolve(openid("o2", "u1", app="wx2"), create=False)) == [first["member_id"]]
    assert ids(levels.resolve(openid("o2", app="wx2"), create=False)) == [None]


def test_a_union_of_somebody_else_is_no_merge_but_is_noticed(levels: Levels) -> None:
    anna, bert = ids(levels.resolve(openid("o1"), openid("o2", "u2")))
    assert ids(levels.resolve(openid("o1", "u2"))) == [anna]
    assert ids(levels.resolve(openid("o1", "u2"))) == [anna]
    rows = levels.sql("SELECT member_id, holder_id, type FROM levels_identity_conflicts")
    assert [tuple(row) for row in rows] == [(anna, bert, "wechat_unionid")]


def test_the_same_openid_of_two_apps_and_the_same_customer_of_two_programs_are_two_people(levels: Levels) -> None:
    assert len(set(ids(levels.resolve(openid("o1"), openid("o1", app="wx2"))))) == 2
    assert levels.join("anna", 1) != levels.join("anna", 2)


def test_many_processes_meeting_the_same_strangers_make_each_once(levels: Levels) -> None:
    people = [{"type": "customer_id", "value": f"c{number}"} for number in range(40)]
    people += [openid(f"o{number}", f"u{number % 10}", app=f"wx{number % 3}") for number in range(40)]

    def resolve(turn: int) -> list[int | None]:
        shuffled = people[turn * 7 :] + people[: turn * 7]
        found = dict(zip([str(one) for one in shuffled], ids(levels.resolve(*shuffled)), strict=True))
        return [found[str(one)] for one in people]

    answers = at_once(*(lambda turn=turn: resolve(turn) for turn in range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert len(set(answers[0])) == len(levels.facts("member.joined")) == 40 + 10


def test_a_thousand_at_once_take_a_handful_of_statements(levels: Levels) -> None:
    from sqlalchemy import event

    statements: list[str] = []
    engine = levels.service.database.engine

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        levels.resolve(*({"type": "customer_id", "value": f"c{number}"} for number in range(1000)))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(statements) <= 9


def test_more_than_a_thousand_and_an_openid_without_app_are_refused(levels: Levels) -> None:
    gateway = levels.neighbour()
    many = [{"type": "customer_id", "value": f"c{number}"} for number in range(1001)]
    assert gateway.post("/v1/members/resolution", {"identities": many, "create": True}).status_code == 422
    bare = {"identities": [{"type": "wechat_openid", "value": "o1"}], "create": True}
    answer = gateway.post("/v1/members/resolution", bare)
    assert answer.json["errors"][0]["pointer"] == "/identities/0/app"


def test_an_import_says_when_members_joined(levels: Levels) -> None:
    (anna,) = levels.resolve(ANNA, joined_at="2019-03-01T08:00:00+08:00")
    profile = levels.member(anna["member_id"]).get("/v1/members/me").json
    assert profile["joined_at"] == "2019-03-01T00:00:00Z"


def test_customer_service_finds_or_makes_one_member_by_all_their_identities(levels: Levels) -> None:
    clerk = levels.staff("customer_service")
    body = {"identities": [ANNA, {"type": "phone_hash", "value": "p1"}]}
    made, found = clerk.post("/v1/members", body).json, clerk.post("/v1/members", body).json
    assert (made["created"], found["created"]) == (True, False)
    assert made["member_id"] == found["member_id"]
    seen = clerk.get("/v1/members", type="phone_hash", value="p1")
    assert seen.json["member_id"] == made["member_id"]
    levels.join("bert")
    both = {"identities": [ANNA, {"type": "customer_id", "value": "bert"}]}
    refused = clerk.post("/v1/members", both)
    assert (refused.status_code, refused.json["code"]) == (409, "identities_of_several_members")
    assert clerk.get("/v1/members", type="phone_hash", value="p2").json["code"] == "member_not_found"


def test_a_profile_joins_tier_growth_badges_and_streaks(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 100))
    levels.describe("starter")
    levels.campaign(day_table=[[*points(5), *badge("starter")]], cycle="once-from-enrolment")
    anna = levels.join("anna")
    levels.grow(anna, 60, 1)
    levels.tap(anna)
    profile = levels.member(anna).get("/v1/members/me").json
    assert profile["growth"] == 60
    assert profile["tier"]["tier"]["code"] == "base"
    assert (profile["tier"]["next_tier"]["code"], profile["tier"]["missing"]) == ("gold", 40)
    assert [one["badge"] for one in profile["badges"]] == ["starter"]
    assert profile["streaks"] == [{"campaign": "daily", "streak": 1, "last_day": "2026-05-20"}]
    assert levels.staff("auditor").get(f"/v1/members/{anna}").json == profile


def test_members_see_only_themselves_and_programs_only_their_own(levels: Levels) -> None:
    anna, bert = levels.join("anna"), levels.join("bert")
    assert levels.member(anna).get(f"/v1/members/{anna}").status_code == 200
    assert levels.member(anna).get(f"/v1/members/{bert}").status_code == 404
    assert levels.staff("admin", program_id=2).get(f"/v1/members/{anna}").status_code == 404
    assert levels.member(anna, 2).get("/v1/members/me").status_code == 404
    assert levels.staff("marketer").get("/v1/members", type="customer_id", value="anna").status_code == 403
    assert levels.member(anna).post("/v1/members/resolution", {"identities": [ANNA], "create": True}).status_code == 403


def test_points_of_nobody_are_inherited_by_nobody(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 100))
    for nobody in range(1, 60):
        levels.grow(nobody, 500, 1)
    persons = [{"type": "customer_id", "value": f"c{number}"} for number in range(200)]
    joined = ids(levels.resolve(*persons))
    assert len(set(joined)) == 200
    assert all(60 < (one or 0) < 2**53 for one in joined)
    assert {levels.tier(one or 0) for one in joined} == {"base"}
    assert sorted(joined, key=lambda one: one or 0) == joined


def test_growth_that_came_before_its_member_stays(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 100))
    levels.grow(4711, 500, 1)
    with levels.service.database.transaction() as session:
        tiers.enrol(session, program_id=1, member_ids=[4710, 4711], now=NOW)
    assert (levels.tier(4710), levels.tier(4711)) == ("base", "gold")


def test_identities_never_reach_a_log_not_even_when_the_database_fails(levels: Levels) -> None:
    secret = IdentityKey("customer_id", "", "very-secret-name")
    levels.sql("ALTER TABLE levels_identities RENAME TO levels_identities_away")
    try:
        with pytest.raises(ProgrammingError) as failed, levels.service.database.transaction() as session:
            repository.find_members_of(session, 1, [secret])
    finally:
        levels.sql("ALTER TABLE levels_identities_away RENAME TO levels_identities")
    said = "".join(traceback.format_exception(failed.value)) + repr(secret)
    assert "levels_identities" in said
    assert secret.value not in said
