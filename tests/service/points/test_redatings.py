"""Moving the last day of a member's lots by hand: limits, the second person, undoing, and what is told of it."""

from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from common.clock import business_day, now
from services.points.adjustments import routes
from tests.care import Desk
from tests.points import done, pointers, refused, sql, wrong

TODAY = business_day(now(), "Asia/Shanghai")
SOON, LATER, LAST = (TODAY + timedelta(days=days) for days in (10, 12, 100))


def lots(desk: Desk) -> dict[date, int]:
    """Member 7's points by their last day."""
    return {date.fromisoformat(lot["on"]): lot["amount"] for lot in desk.brand.account()["lots"]}


@pytest.fixture
def owner(desk: Desk) -> Desk:
    """Member 7 has 300 points until SOON and 40 until LATER."""
    desk.brand.earn(300, validity=f"until:{SOON}")
    desk.brand.earn(40, validity=f"until:{LATER}")
    return desk


def test_h5_customer_service_extends_what_would_expire_and_no_balance_changes(owner: Desk) -> None:
    made = done(owner.redate(320, SOON, LAST, until_on=LATER.isoformat(), note="the parcel was late"))
    assert (made["status"], made["amount"], made["moved"], made["requested_by"]) == ("posted", 320, 320, "lin")
    assert (made["from_on"], made["until_on"], made["to_on"]) == tuple(map(str, (SOON, LATER, LAST)))
    assert lots(owner) == {LATER: 20, LAST: 320}
    assert owner.brand.figures() == (340, 340, 0, 0)
    entry = owner.brand.entries()[-1]
    assert (entry["kind"], entry["amount"], entry["cause"]) == ("redate", 0, f"adjustment {made['id']}")
    assert entry["meta"] == {"reason_code": "goodwill", "agent": "lin"}
    moves = [(SOON, -300), (LATER, -20), (LAST, 320)]
    assert entry["lots"] == [{"on": str(day), "amount": amount} for day, amount in moves]
    assert wrong() == []


def test_above_the_limit_it_waits_and_is_moved_when_a_second_person_approves(owner: Desk) -> None:
    owner.brand.earn(400, validity=f"until:{SOON}")
    waiting = owner.redate(501, SOON, LAST)
    assert (waiting.status_code, (waiting.json or {})["beyond"]) == (202, "adjustment")
    assert lots(owner) == {SOON: 700, LATER: 40}
    approved = done(owner.decide("approval", waiting.json or {}))
    assert (approved["status"], approved["decided_by"], approved["moved"]) == ("posted", "mei", 501)
    assert lots(owner) == {SOON: 199, LATER: 40, LAST: 501}
    assert wrong() == []


def test_it_counts_into_the_agents_day_as_points_do(owner: Desk) -> None:
    owner.brand.earn(2_000, validity=f"until:{SOON}")
    for _ in range(4):
        done(owner.redate(500, SOON, LAST))
    waiting = owner.redate(1, SOON, LAST)
    assert (waiting.status_code, (waiting.json or {})["beyond"]) == (202, "day")


def test_shortening_takes_a_second_person_however_little_it_is(owner: Desk) -> None:
    waiting = owner.redate(1, LATER, SOON)
    assert (waiting.status_code, (waiting.json or {})["beyond"]) == (202, "shortening")
    assert refused(owner.decide("approval", waiting.json or {}, by=owner.lin)) == (403, "second_person_needed")
    done(owner.decide("approval", waiting.json or {}, by=owner.wu))
    assert lots(owner) == {SOON: 301, LATER: 39}
    assert wrong() == []


def test_undone_what_is_still_there_has_its_days_again(owner: Desk) -> None:
    made = done(owner.redate(340, SOON, LAST, until_on=LATER.isoformat()))
    owner.brand.spend(330)
    undone = done(owner.decide("undo", made, by=owner.lin))
    assert (undone["amount"], undone["moved"], undone["undoes"]) == (-340, 10, made["id"])
    assert owner.show(made)["status"] == "undone"
    assert lots(owner) == {LATER: 10}
    assert refused(owner.decide("undo", made, by=owner.lin)) == (409, "adjustment_not_undoable")
    assert wrong() == []


def test_undoing_is_refused_when_nothing_of_it_is_left(owner: Desk) -> None:
    made = done(owner.redate(300, SOON, LAST))
    owner.brand.spend(340)
    assert refused(owner.decide("undo", made, by=owner.lin)) == (422, "lots_not_there")
    assert owner.show(made)["status"] == "posted"
    assert wrong() == []


def test_what_is_held_pending_or_expired_is_not_moved_and_the_answer_says_what_to_do(owner: Desk) -> None:
    owner.brand.hold(300)
    owner.brand.earn(500, available_at=(now() + timedelta(days=2)).isoformat(), validity="8D")
    answer = owner.redate(1, SOON, LAST)
    assert refused(answer) == (422, "lots_not_there")
    assert pointers(answer) == ["/amount"]
    assert "adjustment with a validity" in (answer.json or {})["detail"]
    assert refused(owner.redate(1, TODAY - timedelta(days=3), LAST)) == (422, "lots_not_there")


def test_what_could_never_be_posted_does_not_wait_for_anybody(owner: Desk) -> None:
    assert refused(owner.redate(900, SOON, LAST)) == (422, "lots_not_there")
    assert refused(owner.redate(10, SOON, TODAY - timedelta(days=1))) == (422, "day_passed")
    assert sql("SELECT count(*) FROM points_adjustments")[0][0] == 0


def test_what_was_spent_while_it_waited_is_refused_at_the_approval_and_goes_on_waiting(owner: Desk) -> None:
    waiting = owner.redate(40, LATER, SOON).json or {}
    owner.brand.spend(310)
    assert refused(owner.decide("approval", waiting)) == (422, "lots_not_there")
    assert owner.show(waiting)["status"] == "pending_approval"
    assert wrong() == []


def test_the_same_key_moves_once_and_answers_the_same(owner: Desk) -> None:
    first, again = (owner.redate(100, SOON, LAST, key="k1") for _ in range(2))
    assert (first.status_code, again.status_code, first.json) == (201, 201, again.json)
    assert lots(owner) == {SOON: 200, LATER: 40, LAST: 100}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"to_on": str(SOON)}, "/to_on"),
        ({"until_on": str(LAST), "to_on": str(LATER)}, "/to_on"),
        ({"until_on": str(SOON - timedelta(days=1))}, "/until_on"),
        ({"amount": 0}, "/amount"),
        ({"amount": -5}, "/amount"),
        ({"from_on": "soon"}, "/from_on"),
        ({"validity": "5D"}, "/validity"),
    ],
)
def test_bad_days_are_refused_by_name(owner: Desk, given: dict[str, object], pointer: str) -> None:
    answer = owner.redate(**{"amount": 10, "first": SOON, "to": LAST, **given})
    assert answer.status_code == 422
    assert pointers(answer) == [pointer]


def test_only_customer_service_asks_for_it_and_reasons_are_the_programs_own(owner: Desk) -> None:
    assert refused(owner.redate(10, SOON, LAST, by=owner.mei))[0] == 403
    assert refused(owner.redate(10, SOON, LAST, reason_code="whim")) == (422, "unknown_reason")
    assert refused(owner.redate(10, SOON, LAST, asset="nothing"))[0] in (404, 422)


def test_another_programs_member_is_not_touched(owner: Desk) -> None:
    stranger = owner.staff("lin", "customer_service", program_id=2)
    answer = owner.redate(10, SOON, LAST, by=stranger)
    assert answer.status_code in (404, 422)
    assert lots(owner) == {SOON: 300, LATER: 40}


def test_statement_and_timeline_say_it_in_words(owner: Desk) -> None:
    made = done(owner.redate(300, SOON, LAST, note="late parcel"))
    done(owner.decide("undo", made, by=owner.lin))
    sheet = owner.brand.callers.member(7, Accept="text/csv").get("/v1/accounts/points/statement")
    lines = sheet.get_data(as_text=True).splitlines()
    assert any("expiry moved" in line and f"{SOON}: -300, {LAST}: +300" in line for line in lines)
    assert any("reverse" in line and f"{LAST}: -300, {SOON}: +300" in line for line in lines)
    items = done(owner.mei.get("/v1/timeline", member_id=7))["items"]
    entry = next(item for item in items if item.get("entry") == "redate")
    assert entry["lots"] == [{"on": str(SOON), "amount": -300}, {"on": str(LAST), "amount": 300}]
    assert entry["cause"] == {"kind": "adjustment", "id": made["id"]}
    asked = [item for item in items if item["kind"] == "adjustment_requested"]
    assert [(item["from_on"], item["to_on"]) for item in asked] == [(str(SOON), str(LAST))] * 2
    mine = done(owner.brand.callers.member(7).get("/v1/timeline"))["items"]
    shown = next(item for item in mine if item.get("entry") == "redate")
    assert shown["lots"] == entry["lots"]
    assert "agent" not in shown


def test_old_code_cannot_post_what_waits_as_a_redating_as_if_it_were_a_credit(owner: Desk) -> None:
    waiting = owner.redate(1, LATER, SOON).json or {}
    with pytest.raises(IntegrityError, match="adjustments_redate_to_another_day"):
        sql(
            "UPDATE points_adjustments SET status = 'posted', posting_id = gen_random_uuid() WHERE id = :id",
            id=waiting["id"],
        )


def test_the_edge_reads_the_clock(owner: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "now", lambda: now() + timedelta(days=1))
    made = done(owner.redate(10, SOON, LAST))
    assert sql("SELECT charged_on FROM points_adjustments WHERE id = :id", id=made["id"])[0][0] == (
        TODAY + timedelta(days=1)
    )
