"""Adjustments by hand: limits, the second person, undoing, and that nothing is clipped in silence."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.points.adjustments import routes
from services.points.jobs import expire_adjustments
from tests.care import Desk
from tests.earning import at_once
from tests.points import done, pointers, refused, sql, wrong


def limits(desk: Desk, *given: dict[str, Any], pending_days: int = 7) -> None:
    """Set the limits."""
    done(desk.mei.put("/v1/adjustment-limits", {"limits": list(given), "pending_days": pending_days}))


def limit(most: int, of_day: int, *, role: str = "customer_service", asset: str | None = None) -> dict[str, Any]:
    """A limit of a role."""
    return {"role": role, "asset": asset, "most_per_adjustment": most, "most_per_day": of_day}


def test_g7_an_agent_posts_up_to_500_at_once_and_501_takes_a_second_person(desk: Desk) -> None:
    made = desk.posted(500, note="the parcel was late", evidence="https://tickets.example/17")
    assert (made["status"], made["requested_by"], made["decided_by"], made["beyond"]) == ("posted", "lin", None, None)
    assert desk.brand.figures() == (500, 500, 0, 0)
    waiting = desk.waiting(501)
    assert (waiting["status"], waiting["beyond"], waiting["posting_id"]) == ("pending_approval", "adjustment", None)
    assert desk.brand.figures() == (500, 500, 0, 0)
    approved = done(desk.decide("approval", waiting, note="fine"))
    assert (approved["status"], approved["decided_by"], approved["decision_note"]) == ("posted", "mei", "fine")
    assert desk.brand.figures() == (1001, 1001, 0, 0)
    assert wrong() == []


def test_g7_an_agent_posts_up_to_2000_a_day_and_the_next_point_takes_a_second_person(desk: Desk) -> None:
    for _ in range(4):
        desk.posted(500)
    assert desk.waiting(1)["beyond"] == "day"
    assert desk.waiting(-1)["beyond"] == "day"
    desk.posted(500, by=desk.wu)
    desk.posted(500, asset="energy")
    assert wrong() == []


def test_the_day_is_the_business_day_of_the_program(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    limits(desk, limit(500, 500))
    at = datetime(2026, 5, 3, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
    monkeypatch.setattr(routes, "now", lambda: at)
    desk.posted(500)
    assert desk.waiting(1)["beyond"] == "day"
    monkeypatch.setattr(routes, "now", lambda: at + timedelta(seconds=1))
    desk.posted(500)
    assert sql("SELECT day::text, used FROM points_agent_days ORDER BY day") == [
        ("2026-05-03", 500),
        ("2026-05-04", 500),
    ]


def test_the_entry_names_adjustment_reason_and_agents_but_neither_note_nor_evidence(desk: Desk) -> None:
    made = desk.posted(300, note="phone 138 0000 0000", evidence="ticket 5")
    waiting = desk.waiting(700, note="secret")
    done(desk.decide("approval", waiting))
    first, second = desk.brand.entries()
    assert first["cause"] == f"adjustment {made['id']}"
    assert first["posting_id"] == made["posting_id"]
    assert first["meta"] == {"reason_code": "goodwill", "agent": "lin"}
    assert second["meta"] == {"reason_code": "goodwill", "agent": "lin", "approved_by": "mei"}


def test_the_same_key_posts_once_and_answers_the_same(desk: Desk) -> None:
    first = desk.ask(100, key="k1")
    again = desk.ask(100, key="k1")
    assert (first.status_code, again.status_code, first.json) == (201, 201, again.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert refused(desk.ask(101, key="k1")) == (422, "idempotency_key_reused")
    waits = desk.ask(900, key="k2")
    assert (waits.status_code, desk.ask(900, key="k2").status_code) == (202, 202)
    assert desk.brand.kinds() == [("earn", 100)]


def test_a_second_person_is_another_person_whatever_the_role(desk: Desk) -> None:
    waiting = desk.waiting(501)
    for by in (
        desk.lin,
        desk.staff("lin", "finance"),
        desk.staff("lin", "admin"),
        desk.staff("lin", "finance", "admin"),
    ):
        assert refused(desk.decide("approval", waiting, by=by)) == (403, "second_person_needed")
        assert refused(desk.decide("rejection", waiting, by=by)) == (403, "second_person_needed")
    assert desk.show(waiting)["status"] == "pending_approval"
    assert desk.brand.figures() == (0, 0, 0, 0)
    with pytest.raises(Exception, match="adjustments_are_decided_by_a_second_person"):
        sql("UPDATE points_adjustments SET decided_by = requested_by")


def test_an_agent_approves_what_lies_within_their_own_limits_and_pays_with_their_own_day(desk: Desk) -> None:
    limits(desk, limit(500, 1000))
    for _ in range(2):
        desk.posted(500)
    beyond_day, beyond_one = desk.waiting(400), desk.waiting(501)
    answer = desk.decide("approval", beyond_one, by=desk.wu)
    assert refused(answer) == (403, "approval_beyond_limit")
    assert (answer.json or {})["facts"] == {"amount": 501, "most": 500, "left": 1000}
    assert done(desk.decide("approval", beyond_day, by=desk.wu))["status"] == "posted"
    assert sql("SELECT agent, used FROM points_agent_days ORDER BY agent") == [("lin", 1000), ("wu", 400)]
    for _ in range(1):
        desk.posted(500, by=desk.wu)
    third = desk.waiting(101)
    assert refused(desk.decide("approval", third, by=desk.wu)) == (403, "approval_beyond_limit")
    assert done(desk.decide("approval", third, by=desk.ada))["decided_by"] == "ada"
    assert sql("SELECT agent, used FROM points_agent_days ORDER BY agent") == [("lin", 1000), ("wu", 900)]
    assert wrong() == []


def test_who_has_several_roles_has_the_largest_limit_and_an_asset_may_have_its_own(desk: Desk) -> None:
    limits(desk, limit(100, 200), limit(1000, 5000, role="admin"), limit(10, 10, asset="energy"))
    both = desk.staff("ada", "customer_service", "admin")
    assert desk.ask(1000, by=both).status_code == 201
    assert desk.ask(101).status_code == 202
    assert desk.ask(11, asset="energy").status_code == 202
    assert desk.ask(10, asset="energy").status_code == 201
    assert desk.ask(100).status_code == 201
    page = done(desk.lin.get("/v1/adjustment-limits"))
    assert len(page["limits"]) == 3


def test_a_limit_of_nothing_lets_nothing_through_alone(desk: Desk) -> None:
    limits(desk, limit(0, 0))
    assert desk.waiting(1)["beyond"] == "adjustment"


def test_of_twenty_adjustments_at_once_only_what_the_day_allows_is_posted(desk: Desk) -> None:
    limits(desk, limit(500, 2000))
    caller = [desk.lin for _ in range(20)]
    answers = at_once([lambda by=by: desk.ask(300, by=by, member_id=7) for by in caller])
    assert Counter(answer.status_code for answer in answers) == {201: 6, 202: 14}
    assert desk.brand.figures() == (1800, 1800, 0, 0)
    assert sql("SELECT used FROM points_agent_days") == [(1800,)]
    assert wrong() == []


def test_of_twenty_adjustments_at_once_over_many_members_the_day_holds_too(desk: Desk) -> None:
    limits(desk, limit(500, 900))
    answers = at_once([lambda n=n: desk.ask(100, member_id=n) for n in range(1, 21)])
    assert Counter(answer.status_code for answer in answers) == {201: 9, 202: 11}
    assert wrong() == []


def test_approved_by_ten_at_once_it_is_posted_once(desk: Desk) -> None:
    waiting = desk.waiting(501)
    approvers = [desk.staff(f"fin{number}", "finance") for number in range(10)]
    answers = at_once([lambda by=by: desk.decide("approval", waiting, by=by) for by in approvers])
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}
    assert desk.brand.kinds() == [("earn", 501)]


def test_what_was_decided_is_decided(desk: Desk) -> None:
    waiting = desk.waiting(501)
    assert done(desk.decide("rejection", waiting, note="no"))["status"] == "rejected"
    for what in ("approval", "rejection"):
        answer = desk.decide(what, waiting)
        assert refused(answer) == (409, "adjustment_not_pending")
        assert (answer.json or {})["facts"] == {"state": "rejected"}
    assert desk.brand.figures() == (0, 0, 0, 0)
    assert refused(desk.decide("approval", desk.posted(5))) == (409, "adjustment_not_pending")


def test_a_debit_beyond_what_is_there_is_refused_with_the_numbers(desk: Desk) -> None:
    desk.brand.earn(30)
    answer = desk.ask(-40)
    assert refused(answer) == (422, "insufficient_points")
    assert (answer.json or {})["facts"] == {"available": 30, "short_by": 10}
    assert desk.brand.figures() == (30, 30, 0, 0)
    assert sql("SELECT count(*) FROM points_adjustments")[0][0] == 0
    assert sql("SELECT coalesce(sum(used), 0) FROM points_agent_days")[0][0] == 0
    desk.posted(-30)
    assert desk.brand.figures() == (0, 0, 0, 0)


def test_a_debit_goes_into_debt_only_when_both_the_agent_and_the_asset_say_so(desk: Desk) -> None:
    desk.brand.earn(30, asset="growth")
    assert refused(desk.ask(-40, asset="growth")) == (422, "insufficient_points")
    answer = desk.ask(-40, allow_debt=True)
    assert (refused(answer), pointers(answer)) == ((422, "debt_not_allowed"), ["/allow_debt"])
    made = desk.posted(-40, asset="growth", allow_debt=True)
    assert desk.brand.figures("growth") == (-10, 0, 0, 10)
    assert desk.brand.kinds("growth") == [("earn", 30), ("spend", -40)]
    desk.brand.earn(15, asset="growth")
    assert desk.brand.figures("growth") == (5, 5, 0, 0)
    undoing = done(desk.decide("undo", made, by=desk.wu))
    assert undoing["amount"] == 40
    assert desk.brand.figures("growth") == (45, 45, 0, 0)
    assert wrong() == []


def test_an_approval_that_the_ledger_refuses_leaves_it_waiting(desk: Desk) -> None:
    desk.brand.earn(600)
    waiting = desk.waiting(-600)
    desk.brand.spend(200)
    answer = desk.decide("approval", waiting)
    assert refused(answer) == (422, "insufficient_points")
    assert (answer.json or {})["facts"] == {"available": 400, "short_by": 200}
    assert (desk.show(waiting)["status"], desk.show(waiting)["decided_by"]) == ("pending_approval", None)
    desk.brand.earn(200)
    assert done(desk.decide("approval", waiting))["status"] == "posted"
    assert desk.brand.figures() == (0, 0, 0, 0)


def test_a_credit_has_the_validity_that_the_agent_gives_it(desk: Desk) -> None:
    desk.posted(10, validity="until:2099-12-31")
    desk.posted(20)
    lots = desk.brand.account()["lots"]
    assert {(lot["on"], lot["amount"]) for lot in lots} == {("2099-12-31", 10), (None, 20)}


def test_undoing_takes_back_by_reversal_within_the_limits(desk: Desk) -> None:
    made = desk.posted(500)
    undoing = desk.decide("undo", made, by=desk.wu, note="wrong member")
    assert undoing.status_code == 201
    body = dict(undoing.json or {})
    assert (body["undoes"], body["amount"], body["status"], body["note"]) == (
        made["id"],
        -500,
        "posted",
        "wrong member",
    )
    assert (desk.show(made)["status"], desk.show(made)["undone_by"]) == ("undone", body["id"])
    assert desk.brand.kinds() == [("earn", 500), ("reverse", -500)]
    assert desk.brand.entries()[1]["reverses"] == 1
    for again in (made, body):
        assert refused(desk.decide("undo", again, by=desk.wu)) == (409, "adjustment_not_undoable")
    assert sql("SELECT agent, used FROM points_agent_days ORDER BY agent") == [("lin", 500), ("wu", 500)]
    assert wrong() == []


def test_undoing_beyond_the_limits_waits_for_a_second_person(desk: Desk) -> None:
    made = desk.waiting(800)
    done(desk.decide("approval", made))
    answer = desk.decide("undo", made, by=desk.lin)
    assert answer.status_code == 202
    undoing = dict(answer.json or {})
    assert refused(desk.decide("undo", made, by=desk.wu)) == (409, "adjustment_not_undoable")
    assert refused(desk.decide("approval", undoing, by=desk.staff("lin", "finance"))) == (403, "second_person_needed")
    assert desk.brand.figures() == (800, 800, 0, 0)
    assert done(desk.decide("approval", undoing))["status"] == "posted"
    assert desk.brand.figures() == (0, 0, 0, 0)
    assert desk.show(made)["status"] == "undone"
    assert wrong() == []


def test_an_undoing_that_was_turned_down_can_be_asked_for_again(desk: Desk) -> None:
    made = desk.waiting(800)
    done(desk.decide("approval", made))
    undoing = dict(desk.decide("undo", made, by=desk.lin).json or {})
    done(desk.decide("rejection", undoing))
    assert desk.show(made)["status"] == "posted"
    assert desk.decide("undo", made, by=desk.lin).status_code == 202


def test_a_partly_spent_credit_is_not_undone_where_the_asset_allows_no_debt(desk: Desk) -> None:
    made = desk.posted(100)
    desk.brand.spend(60)
    answer = desk.decide("undo", made, by=desk.lin)
    assert refused(answer) == (422, "points_already_spent")
    assert (answer.json or {})["facts"] == {"available": 40, "short_by": 60}
    assert desk.brand.figures() == (40, 40, 0, 0)
    assert (desk.show(made)["status"], desk.brand.kinds()) == ("posted", [("earn", 100), ("spend", -60)])
    assert wrong() == []


def test_a_partly_spent_credit_becomes_debt_where_the_asset_allows_it(desk: Desk) -> None:
    made = desk.posted(100, asset="growth")
    desk.brand.spend(60, asset="growth")
    assert desk.decide("undo", made, by=desk.lin).status_code == 201
    assert desk.brand.figures("growth") == (-60, 0, 0, 60)
    assert wrong() == []


def test_undone_by_ten_at_once_it_is_undone_once(desk: Desk) -> None:
    made = desk.posted(50)
    agents = [desk.staff(f"cs{number}", "customer_service") for number in range(10)]
    answers = at_once([lambda by=by: desk.decide("undo", made, by=by) for by in agents])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 9}
    assert desk.brand.figures() == (0, 0, 0, 0)
    assert wrong() == []


def test_requests_nobody_decides_about_end(desk: Desk) -> None:
    limits(desk, pending_days=3)
    waiting, other = desk.waiting(501), desk.waiting(502)
    asked = datetime.fromisoformat(waiting["requested_at"])
    assert datetime.fromisoformat(waiting["expires_at"]) == asked + timedelta(days=3)
    sql("UPDATE points_adjustments SET expires_at = now() - interval '1 second' WHERE amount = 501")
    answer = desk.decide("approval", waiting)
    assert refused(answer) == (409, "adjustment_not_pending")
    assert (answer.json or {})["facts"] == {"state": "expired"}
    expire_adjustments()
    assert (desk.show(waiting)["status"], desk.show(other)["status"]) == ("expired", "pending_approval")
    assert desk.brand.figures() == (0, 0, 0, 0)


def test_adjustments_are_listed_by_status_agent_member_and_day(desk: Desk) -> None:
    first = desk.posted(1)
    second = desk.posted(2, by=desk.wu, member_id=8)
    third = desk.waiting(501)

    def listed(**query: Any) -> list[str]:
        return [one["id"] for one in done(desk.mei.get("/v1/adjustments", **query))["adjustments"]]

    assert listed() == [third["id"], second["id"], first["id"]]
    assert listed(status="pending_approval") == [third["id"]]
    assert listed(agent="wu") == [second["id"]]
    assert listed(member_id=8) == [second["id"]]
    day = sql("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date::text")[0][0]
    assert listed(day=day) == [third["id"], second["id"], first["id"]]
    assert listed(day="2026-01-01") == []
    page = done(desk.mei.get("/v1/adjustments", limit=2))
    assert page["next"] == second["id"]
    assert listed(after=page["next"]) == [first["id"]]
    assert done(desk.mei.get("/v1/adjustments", limit=2, after=page["next"]))["next"] is None


def test_reasons_are_the_programs_own_list(desk: Desk) -> None:
    reasons = done(desk.lin.get("/v1/adjustment-reasons"))["reasons"]
    assert {"code": "goodwill", "name_en": "Goodwill", "name_zh": "客户关怀"} in reasons
    own = [{"code": "vip", "name_en": "VIP care", "name_zh": "贵宾关怀"}]
    marketer = desk.staff("tan", "marketer")
    assert done(marketer.put("/v1/adjustment-reasons", {"reasons": own}))["reasons"] == own
    answer = desk.ask(5)
    assert (refused(answer), pointers(answer)) == ((422, "unknown_reason"), ["/reason_code"])
    assert (answer.json or {})["facts"] == {"reason_code": "goodwill", "known": "vip"}
    desk.posted(5, reason_code="vip")
    limits(desk, limit(1, 1))
    assert done(desk.lin.get("/v1/adjustment-reasons"))["reasons"] == own


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"amount": 0}, "/amount"),
        ({"amount": 2**53}, "/amount"),
        ({"amount": "5"}, "/amount"),
        ({"amount": 5.0}, "/amount"),
        ({"member_id": 0}, "/member_id"),
        ({"asset": "No"}, "/asset"),
        ({"reason_code": ""}, "/reason_code"),
        ({"note": "x" * 1001}, "/note"),
        ({"note": "a\nb"}, "/note"),
        ({"evidence": "x" * 501}, "/evidence"),
        ({"evidence": "javascript:alert(1)"}, "/evidence"),
        ({"evidence": " JavaScript :alert(1)"}, "/evidence"),
        ({"evidence": "data:text/html,x"}, "/evidence"),
        ({"validity": "12 months"}, "/validity"),
        ({"amount": -5, "validity": "12M"}, "/validity"),
        ({"amount": 5, "allow_debt": True}, "/allow_debt"),
        ({"allow_debt": 1}, "/allow_debt"),
        ({"more": 1}, "/more"),
    ],
)
def test_bad_fields_are_pointed_at(desk: Desk, given: dict[str, Any], pointer: str) -> None:
    answer = desk.ask(**{"amount": 5, **given})
    assert (refused(answer)[0], pointers(answer)) == (422, [pointer])


@pytest.mark.parametrize("query", [{"day": "0001-01-01"}, {"day": "9999-12-31"}, {"status": "gone"}, {"agent": "X"}])
def test_bad_filters_are_pointed_at(desk: Desk, query: dict[str, str]) -> None:
    assert pointers(desk.mei.get("/v1/adjustments", **query)) == [f"/query/{next(iter(query))}"]


def test_bad_settings_are_pointed_at(desk: Desk) -> None:
    twice = {"limits": [limit(1, 1), limit(2, 2)]}
    assert pointers(desk.mei.put("/v1/adjustment-limits", twice)) == ["/limits"]
    unknown = {"limits": [limit(1, 1, asset="gold")]}
    answer = desk.mei.put("/v1/adjustment-limits", unknown)
    assert (refused(answer), pointers(answer)) == ((422, "asset_not_found"), ["/limits"])
    assert pointers(desk.mei.put("/v1/adjustment-limits", {"limits": [limit(1, 1, role="marketer")]})) == [
        "/limits/0/role"
    ]
    assert pointers(desk.mei.put("/v1/adjustment-limits", {"limits": [], "pending_days": 91})) == ["/pending_days"]
    marketer = desk.staff("tan", "marketer")
    one = {"code": "a", "name_en": "A", "name_zh": "甲"}
    assert pointers(marketer.put("/v1/adjustment-reasons", {"reasons": [one, one]})) == ["/reasons"]
    assert pointers(marketer.put("/v1/adjustment-reasons", {"reasons": []})) == ["/reasons"]


def test_an_unknown_asset_or_adjustment_or_another_programs_is_not_found(desk: Desk) -> None:
    assert refused(desk.ask(5, asset="gold")) == (404, "asset_not_found")
    made, waiting = desk.posted(5), desk.waiting(501)
    stranger = desk.staff("mei", "finance", "customer_service", program_id=2)
    for what in ("approval", "rejection", "undo"):
        assert refused(desk.decide(what, waiting, by=stranger))[0] == 404
    assert refused(stranger.get(f"/v1/adjustments/{made['id']}"))[0] == 404
    assert done(stranger.get("/v1/adjustments"))["adjustments"] == []
    assert refused(desk.ask(5, by=desk.staff("x", "customer_service", program_id=2))) == (404, "program_not_configured")


def test_only_those_named_may(desk: Desk) -> None:
    waiting = desk.waiting(501)
    for by in (desk.staff("tan", "marketer"), desk.brand.callers.member(7), desk.brand.shop):
        assert desk.ask(5, by=by).status_code == 403
        assert desk.decide("approval", waiting, by=by).status_code == 403
    assert desk.ask(5, by=desk.mei).status_code == 403
    assert desk.lin.put("/v1/adjustment-limits", {"limits": []}).status_code == 403


def test_notes_are_not_logged(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    desk.ask(5, note="phone 13800000000")
    desk.ask(-5_000, note="phone 13800000000")
    desk.ask(0, note="phone 13800000000")
    assert "13800000000" not in "".join(capfd.readouterr())


def test_nobody_reverses_its_posting_past_it(desk: Desk) -> None:
    made = desk.posted(100)
    for path in ("points", "energy"):
        answer = desk.brand.reverse(made, asset=path)
        assert (refused(answer), pointers(answer)) == ((409, "undone_elsewhere"), ["/posting_id"])
        assert f"POST /v1/adjustments/{made['id']}/undo" in (answer.json or {})["detail"]
    done(desk.decide("undo", made, by=desk.lin))
    assert desk.brand.figures() == (0, 0, 0, 0)
    assert wrong() == []


def test_what_only_calls_itself_an_adjustment_is_reversed_as_anything(desk: Desk) -> None:
    event = {"specversion": "1.0", "id": "x", "source": "adjustment", "type": "review.posted", "subject": "member:7"}
    marketer = desk.brand.callers.staff("marketer")
    rule = {"name_en": "r", "name_zh": "r", "asset": "points", "trigger": "review.posted", "formula": "5"}
    done(marketer.put("/v1/rules/review/draft", rule))
    done(marketer.post("/v1/rules/review/publication", key=desk.key()))
    sent = {**event, "time": "2026-05-03T12:00:00+08:00", "data": {}}
    done(desk.brand.callers.system("events").post("/v1/events", sent))
    [entry] = desk.brand.entries()
    assert entry["cause"] == "adjustment x"
    assert done(desk.brand.reverse(entry))["amount"] == -5
