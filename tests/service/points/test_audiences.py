"""Tags, segments and tiers: kept over HTTP and through levels' feed, and met by events at their own time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from common.clock import now
from common.feed import Fact
from services.points.audiences import use_cases
from services.points.audiences.domain import MOST_LISTS, Membership
from services.points.database import database, transaction
from tests.earning import Shop, at_once, event
from tests.points import wrong

NOON = datetime(2026, 5, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def change(shop: Shop, code: str = "vip", kind: str = "tags", **body: list[int]) -> dict[str, Any]:
    """Change a list; returns what was changed."""
    answer = shop.callers.system("members").post(f"/v1/audiences/{kind}/{code}/members", body)
    assert answer.status_code == 200, answer.json
    return {name: answer.json[name] for name in ("added", "removed", "unchanged")}


def changed(fact_id: int, at: datetime, before: str | None, tier: str | None, member_id: int = 7) -> Fact:
    """`tier.changed` of levels."""
    payload = {"from": before, "to": tier, "at": at.isoformat(), "cause": "points:1"}
    return Fact("levels", fact_id, "tier.changed", 1, member_id, at, payload)


def tier_at(at: datetime, member_id: int = 7) -> str | None:
    """The member's tier at an instant."""
    with transaction() as session:
        return use_cases.show_member(session, program_id=1, member_id=member_id, at=at).tier


def test_members_are_added_and_removed_and_the_same_request_twice_changes_nothing(shop: Shop) -> None:
    assert change(shop, add=[7, 8, 9, 9]) == {"added": 3, "removed": 0, "unchanged": 0}
    assert change(shop, add=[7, 8, 9]) == {"added": 0, "removed": 0, "unchanged": 3}
    assert change(shop, add=[10], remove=[7, 99]) == {"added": 1, "removed": 1, "unchanged": 1}
    marketer = shop.marketer.get("/v1/audiences/tags/vip/members").json
    assert [(one["member_id"], one["added_by"]) for one in marketer["members"]] == [
        (8, "system:shop"),
        (9, "system:shop"),
        (10, "system:shop"),
    ]
    kept = shop.rows("SELECT member_id, added_by, removed_by FROM points_list_stays WHERE until IS NOT NULL")
    assert kept == [(7, "system:shop", "system:shop")]


def test_lists_are_shown_with_their_size_and_read_page_by_page(shop: Shop) -> None:
    change(shop, "vip", add=list(range(1, 6)))
    change(shop, "new", add=[1])
    change(shop, "sleepers", kind="segments", add=[1])
    lists = shop.marketer.get("/v1/audiences/tags").json["lists"]
    assert [(one["code"], one["size"], one["created_by"]) for one in lists] == [
        ("new", 1, "system:shop"),
        ("vip", 5, "system:shop"),
    ]
    assert [one["code"] for one in shop.marketer.get("/v1/audiences/segments").json["lists"]] == ["sleepers"]
    first = shop.marketer.get("/v1/audiences/tags/vip/members", limit=3).json
    assert ([one["member_id"] for one in first["members"]], first["next"]) == ([1, 2, 3], 3)
    second = shop.marketer.get("/v1/audiences/tags/vip/members", limit=3, after=3).json
    assert ([one["member_id"] for one in second["members"]], second["next"]) == ([4, 5], None)


def test_what_is_no_list_or_no_change_is_refused(shop: Shop) -> None:
    system = shop.callers.system("members")
    answers = [
        (system.post("/v1/audiences/tags/vip/members", {"add": [1], "remove": [1]}), 422, "added_and_removed"),
        (system.post("/v1/audiences/tags/vip/members", {"add": ["1"]}), 422, "invalid_request"),
        (system.post("/v1/audiences/tags/vip/members", {"add": list(range(1, 1002))}), 422, "invalid_request"),
        (system.post("/v1/audiences/tags/vip/members", {"who": [1]}), 422, "invalid_request"),
        (system.post("/v1/audiences/towns/vip/members", {"add": [1]}), 404, "not_found"),
        (shop.marketer.get("/v1/audiences/towns"), 404, "not_found"),
        (shop.marketer.get("/v1/audiences/tags/vip/members"), 404, "member_list_not_found"),
    ]
    for answer, status, code in answers:
        assert (answer.status_code, answer.json["code"]) == (status, code)
    assert shop.rows("SELECT * FROM points_member_lists") == []


def test_a_program_has_so_many_lists_and_not_one_more(shop: Shop) -> None:
    shop.rows(
        "INSERT INTO points_member_lists (program_id, kind, code, created_by)"
        f" SELECT 1, 'tags', 't' || n, 'x' FROM generate_series(1, {MOST_LISTS - 1}) n RETURNING 1"
    )
    answers = at_once(
        [
            lambda code=code: shop.callers.system("members").post(f"/v1/audiences/tags/{code}/members", {"add": [7]})
            for code in ("a", "b", "c", "d")
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    assert {answer.json.get("code") for answer in answers if answer.status_code == 422} == {"too_many_member_lists"}
    assert shop.rows("SELECT count(*) FROM points_member_lists") == [(MOST_LISTS,)]
    change(shop, "t1", add=[7])
    change(shop, "sleepers", kind="segments", add=[7])


def test_callers_at_once_put_a_member_in_once(shop: Shop) -> None:
    calls = [
        lambda: shop.callers.system("members").post("/v1/audiences/tags/vip/members", {"add": [3, 1, 2]}),
    ] * 6
    answers = at_once(calls)
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum(answer.json["added"] for answer in answers) == 3
    assert shop.rows("SELECT count(*) FROM points_list_stays") == [(3,)]


def test_lists_of_another_program_are_not_there(shop: Shop) -> None:
    change(shop, add=[7])
    other = shop.callers.staff("marketer", program_id=2)
    assert other.get("/v1/audiences/tags").json == {"lists": []}
    assert other.get("/v1/audiences/tags/vip/members").status_code == 404
    assert other.get("/v1/audiences/members/7").json == {"tier": None, "tags": [], "segments": []}


def test_an_event_meets_the_lists_of_its_own_time(shop: Shop) -> None:
    shop.publish("review", trigger="review.posted", formula="5", audience={"tags": ["vip"]})
    before = now()
    change(shop, add=[7])
    after = (now() + timedelta(seconds=1)).isoformat()
    reasons = [
        shop.send_one(event(f"e{number}", time=time, member_id=member))["decisions"][0]["reason"]
        for number, (time, member) in enumerate([(after, 7), (after, 8), ((before - HOUR).isoformat(), 7)])
    ]
    assert reasons == ["awarded", "not_in_audience", "not_in_audience"]
    change(shop, remove=[7])
    late = shop.send_one(event("e9", time=(now() + timedelta(seconds=2)).isoformat()))
    assert late["decisions"][0]["reason"] == "not_in_audience"


def test_a_backdated_event_meets_the_tier_of_its_own_time(shop: Shop) -> None:
    shop.publish("review", trigger="review.posted", formula="member.tier == 'gold' ? 10 : 1")
    with transaction() as session:
        use_cases.learn_tiers(session, [changed(1, NOON, "silver", "gold"), changed(2, NOON + HOUR, "gold", "silver")])
    given = {}
    for number, minutes in enumerate((-1, 0, 59, 60)):
        at = (NOON + timedelta(minutes=minutes)).isoformat()
        given[minutes] = shop.send_one(event(f"e{number}", time=at))["decisions"][0]["amount"]
    assert given == {-1: 1, 0: 10, 59: 10, 60: 1}


def test_tier_changes_may_come_twice_and_in_any_order(shop: Shop) -> None:
    facts = [
        changed(1, NOON, None, "silver"),
        changed(2, NOON + HOUR, "silver", "gold"),
        changed(3, NOON + HOUR, "gold", None),
    ]
    for order in (facts[::-1], facts, facts[1:]):
        with transaction() as session:
            use_cases.learn_tiers(session, order)
    assert [tier_at(NOON - HOUR), tier_at(NOON), tier_at(NOON + HOUR)] == [None, "silver", None]
    assert shop.rows("SELECT count(*) FROM points_tier_changes") == [(3,)]


def test_points_takes_tier_changes_of_levels(shop: Shop) -> None:
    subscription = shop.service.subscription("levels")
    with transaction() as session:
        subscription.handlers["tier.changed"](session, [changed(1, NOON, None, "gold")])
    shown = shop.callers.service("levels").get("/v1/audiences/members/7", at="2026-05-03T12:00:00+08:00").json
    assert shown == {"tier": "gold", "tags": [], "segments": []}


def test_a_thousand_members_are_asked_about_in_one_statement(shop: Shop) -> None:
    change(shop, add=list(range(1, 1001)))
    with transaction() as session:
        use_cases.learn_tiers(session, [changed(n, NOON, None, "gold", member_id=n) for n in range(1, 1001)])
    statements: list[str] = []
    asked = {member: [NOON, now() + HOUR] for member in range(1, 1002)}
    with transaction() as session:
        sqlalchemy_event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        found = use_cases.memberships(session, program_id=1, asked=asked)
    assert len(statements) == 1
    assert len(found) == 2002
    assert found[1, NOON] == Membership("gold")
    assert found[1000, asked[1000][1]] == Membership("gold", frozenset({"vip"}))
    assert found[1001, NOON] == Membership()


def test_nobody_asked_about_is_no_question(shop: Shop) -> None:
    with transaction() as session:
        assert use_cases.memberships(session, program_id=1, asked={}) == {}


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "UPDATE points_list_stays SET until = '2030-01-01Z', removed_by = 'x' WHERE until IS NOT NULL",
            "members stand in a list once",
        ),
        ("DELETE FROM points_member_lists", "lists of members exist"),
    ],
)
def test_verify_finds_what_is_wrong_with_lists(shop: Shop, statement: str, name: str) -> None:
    change(shop, add=[7])
    change(shop, remove=[7])
    change(shop, add=[7])
    assert wrong() == []
    shop.rows(f"{statement} RETURNING 1")
    assert [finding.name for finding in wrong()] == [name]
    assert "1/7/tags/vip" in wrong()[0].detail
    shop.rows("DELETE FROM points_list_stays RETURNING 1")
