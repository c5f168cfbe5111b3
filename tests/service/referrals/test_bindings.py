"""Binding, qualifying, reviewing and revoking, by HTTP and by facts."""

from typing import Any

import pytest

from services.referrals.invitations import use_cases as invitations
from tests.referrals import CREDIT, NOW, POINTS, Referrals, at_once


def test_a_first_order_of_a_bound_friend_rewards_both_once(referrals: Referrals) -> None:
    referrals.campaign(minimum_paid_fen=100)
    bound = referrals.bind(2, referrals.code(1).lower(), channel="poster", touch="p-17")
    assert bound.status_code == 201
    assert bound.json["state"] == "bound"
    assert "inviter_id" not in bound.json
    referrals.later(minutes=5)
    referrals.paid(2, "o1", 12_890)
    assert referrals.granted() == {"referrals:invitation:2-1:inviter": 1, "referrals:invitation:2-1:invitee": 2}
    inviter, invitee = referrals.facts("reward.granted")
    assert (inviter["reward"], invitee["reward"]) == (POINTS, CREDIT)
    assert (inviter["cause"], inviter["rule"]) == ("shop e1", "invitation:spring:v1")
    (told,) = referrals.facts("invitation.bound")
    assert (told["inviter_id"], told["invitee_id"], told["channel"], told["touch"]) == (1, 2, "poster", "p-17")
    assert [fact["order_id"] for fact in referrals.facts("invitation.qualified")] == ["o1"]
    assert {name: referrals.tally(1)[name] for name in ("bound", "qualified", "held", "revoked")} == {
        "bound": 0,
        "qualified": 1,
        "held": 0,
        "revoked": 0,
    }
    referrals.paid(2, "o2", 12_890)
    referrals.replay()
    assert len(referrals.granted()) == 2


@pytest.mark.parametrize(("paid_fen", "state"), [(99, "bound"), (100, "qualified")])
def test_the_minimum_is_enough_and_less_is_not(referrals: Referrals, paid_fen: int, state: str) -> None:
    referrals.campaign(minimum_paid_fen=100)
    referrals.bind(2, referrals.code(1))
    referrals.paid(2, "o1", paid_fen)
    assert referrals.sql("SELECT state FROM referrals_bindings")[0].state == state
    assert len(referrals.granted()) == (2 if state == "qualified" else 0)


def test_an_order_below_the_minimum_says_why_and_leaves_it_to_the_next(referrals: Referrals) -> None:
    referrals.campaign(minimum_paid_fen=100)
    referrals.bind(2, referrals.code(1))
    referrals.paid(2, "o1", 99)
    assert referrals.sql("SELECT reason, order_id FROM referrals_bindings") == [("below_minimum", "o1")]
    referrals.order(2, "o2", 50)
    referrals.paid(2, "o3", 100)
    assert [fact["order_id"] for fact in referrals.facts("invitation.qualified")] == ["o3"]


def test_refusals_of_a_binding(referrals: Referrals) -> None:
    referrals.campaign(ends_at=referrals.later(days=1).isoformat())
    referrals.now = NOW
    code, other = referrals.code(1), referrals.code(9)
    referrals.paid(5, "o1", 100)

    def refused(member_id: int, given: str) -> tuple[int, str]:
        answer = referrals.bind(member_id, given)
        assert "1" not in answer.json["detail"].replace("10", "")
        return answer.status_code, answer.json["code"]

    assert refused(2, "ZZZZZZZZ") == (404, "invitation_code_not_found")
    assert refused(1, code) == (422, "self_invite")
    assert refused(5, code) == (422, "not_new")
    assert referrals.bind(2, code).status_code == 201
    assert refused(2, code) == (409, "already_bound")
    assert refused(2, other) == (409, "already_bound")
    referrals.later(days=1)
    assert refused(3, code) == (409, "invitation_campaign_not_open")
    assert referrals.member(3).post("/v1/bindings", {"code": code}).json["code"] == "idempotency_key_missing"


def test_a_refunded_order_does_not_make_a_member_new_again(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.paid(2, "o1", 100)
    referrals.refunded(2, "o1", 100)
    assert referrals.bind(2, referrals.code(1)).json["code"] == "not_new"


def test_the_first_touch_stays_while_it_is_protected_and_both_are_kept(referrals: Referrals) -> None:
    referrals.campaign(protect_days=30)
    first, second = referrals.code(1), referrals.code(9)
    referrals.bind(2, first)
    referrals.later(days=29)
    assert referrals.bind(2, second).json["code"] == "already_bound"
    referrals.later(days=1)
    assert referrals.bind(2, second).status_code == 201
    rows = referrals.sql("SELECT number, inviter_id, state FROM referrals_bindings ORDER BY number")
    assert rows == [(1, 1, "replaced"), (2, 9, "bound")]
    referrals.paid(2, "o1", 100)
    assert referrals.granted() == {"referrals:invitation:2-2:inviter": 9, "referrals:invitation:2-2:invitee": 2}
    referrals.later(days=31)
    assert referrals.bind(2, first).json["code"] == "already_bound"


def test_two_codes_at_once_bind_one_invitee_once(referrals: Referrals) -> None:
    referrals.campaign(protect_days=0)
    codes = [referrals.code(inviter) for inviter in range(101, 109)]
    referrals.campaign()
    answers = at_once(*[lambda code=code: referrals.bind(2, code) for code in codes])
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(referrals.sql("SELECT 1 FROM referrals_bindings")) == 1


def test_an_order_told_while_the_member_binds_is_seen_by_one_of_the_two(referrals: Referrals) -> None:
    referrals.campaign(hourly_limit=1000)
    code = referrals.code(1)
    for member_id in range(200, 230):
        referrals.order(member_id, f"o{member_id}", 100)
        bound, _ = at_once(lambda m=member_id: referrals.bind(m, code), lambda: referrals.pull("points"))
        qualified = f"referrals:invitation:{member_id}-1:invitee" in referrals.granted()
        assert qualified == (bound.status_code == 201)


def test_an_order_paid_before_the_binding_voids_it(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    referrals.paid(2, "o1", 100, at=NOW.replace(hour=3))
    referrals.paid(2, "o2", 100)
    assert referrals.sql("SELECT state, reason FROM referrals_bindings") == [("void", "not_new")]
    assert referrals.granted() == {}


def test_the_twenty_first_invitation_within_an_hour_waits_for_a_review(referrals: Referrals) -> None:
    referrals.campaign(hourly_limit=20)
    code = referrals.code(1)
    for member_id in range(101, 122):
        referrals.later(minutes=2)
        referrals.bind(member_id, code)
    referrals.later(minutes=22)
    referrals.bind(122, code)
    for member_id in range(101, 123):
        referrals.order(member_id, f"o{member_id}", 100)
    referrals.pull("points")
    assert len(referrals.granted()) == 42
    (held,) = referrals.callers.staff("customer_service").get("/v1/bindings").json["bindings"]
    assert (held["invitee_id"], held["inviter_id"], held["reason"]) == (121, 1, "velocity")
    assert referrals.tally(1)["held"] == 1
    assert referrals.review("121-1").json["state"] == "qualified"
    assert len(referrals.granted()) == 44


def test_a_review_rejects_once_and_says_what_stands(referrals: Referrals) -> None:
    referrals.campaign(hourly_limit=1)
    code = referrals.code(1)
    for member_id in (2, 3):
        referrals.bind(member_id, code)
        referrals.paid(member_id, f"o{member_id}", 100)
    rejected = referrals.review("3-1", "reject", key="k")
    assert (rejected.json["state"], rejected.json["reviewed_by"]) == ("rejected", "staff:lin")
    assert rejected.json["review_note"] == "looked at it"
    assert referrals.review("3-1", "reject", key="k").headers["Idempotency-Replayed"] == "true"
    assert (referrals.review("3-1").status_code, referrals.review("3-1").json["code"]) == (409, "binding_not_held")
    assert referrals.review("4-1").status_code == 404
    assert referrals.review("3-9000000000").status_code == 404
    other = referrals.callers.staff("customer_service", program_id=2)
    assert other.post("/v1/bindings/3-1/review", {"decision": "reject", "note": "x"}, key="k").status_code == 404
    assert len(referrals.granted()) == 2


def test_the_monthly_cap_counts_by_the_programs_calendar_and_follows_refunds(referrals: Referrals) -> None:
    referrals.fact("points", "program.configured", {"name": "A", "time_zone": "Asia/Tokyo", "currency": "JPY"})
    referrals.campaign(monthly_cap=1)
    code = referrals.code(1)
    for member_id in (2, 3, 4, 5):
        referrals.bind(member_id, code)
    referrals.paid(2, "o2", 100)
    referrals.paid(3, "o3", 100)
    assert referrals.sql("SELECT member_id, reason FROM referrals_bindings WHERE state = 'held'") == [
        (3, "monthly_cap")
    ]
    assert referrals.review("3-1").json["code"] == "monthly_cap_reached"
    referrals.paid(4, "o4", 100, at=NOW.replace(day=31, hour=15))  # already June in Tokyo
    assert referrals.tally(1)["qualified"] == 2
    referrals.refunded(2, "o2", 100)
    assert referrals.review("3-1").status_code == 200
    referrals.paid(5, "o5", 100)
    assert referrals.tally(1)["held"] == 1


def test_the_monthly_cap_holds_against_reviews_and_orders_at_once(referrals: Referrals) -> None:
    referrals.campaign(hourly_limit=1, monthly_cap=4)
    code = referrals.code(1)
    for member_id in range(101, 112):
        referrals.bind(member_id, code)
        referrals.order(member_id, f"o{member_id}", 100)
    referrals.pull("points")
    referrals.later(hours=2)
    referrals.bind(120, code)
    referrals.order(120, "o120", 100)
    reviews = [lambda m=m: referrals.review(f"{m}-1").status_code for m in range(102, 112)]
    *statuses, _ = at_once(*reviews, lambda: referrals.pull("points"))
    (row,) = referrals.sql("SELECT count(*) FROM referrals_bindings WHERE state = 'qualified'")
    assert row == (4,)
    assert set(statuses) == {200, 409}


def test_only_a_refund_of_the_whole_qualifying_order_takes_both_rewards_back(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    referrals.paid(2, "o1", 1000)
    referrals.paid(2, "o2", 1000)
    referrals.refunded(2, "o2", 1000)
    referrals.refunded(2, "o1", 400, "r1")
    assert referrals.reversed() == []
    referrals.refunded(2, "o1", 600, "r2")
    assert referrals.reversed() == ["referrals:invitation:2-1:invitee", "referrals:invitation:2-1:inviter"]
    (told,) = referrals.facts("invitation.revoked")
    assert (told["for"], told["order_id"]) == (1, "o1")
    assert referrals.tally(1)["revoked"] == 1
    referrals.refunded(2, "o1", 600, "r3")
    referrals.paid(2, "o3", 1000)
    referrals.replay()
    assert len(referrals.reversed()) == len(referrals.granted()) == 2


def test_one_page_may_tell_of_many_orders_of_many_members(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    for order, member_id in (("o1", 3), ("o2", 2), ("o3", 2), ("o4", 3)):
        referrals.order(member_id, order, 100)
    referrals.pull("points")
    assert [fact["order_id"] for fact in referrals.facts("invitation.qualified")] == ["o2"]


@pytest.mark.parametrize(("decision", "grants"), [("approve", 2), ("reject", 0)])
def test_a_review_while_the_refund_is_taken_comes_first_and_is_followed(
    referrals: Referrals, monkeypatch: pytest.MonkeyPatch, decision: str, grants: int
) -> None:
    referrals.campaign(hourly_limit=1)
    code = referrals.code(1)
    for member_id in (2, 3):
        referrals.bind(member_id, code)
        referrals.paid(member_id, f"o{member_id}", 100)
    lock = invitations.lock_invitations

    def lock_after_the_review(*call: Any) -> None:
        monkeypatch.setattr(invitations, "lock_invitations", lock)
        assert referrals.review("3-1", decision).status_code == 200
        lock(*call)

    monkeypatch.setattr(invitations, "lock_invitations", lock_after_the_review)
    referrals.refunded(3, "o3", 100)
    state = "revoked" if decision == "approve" else "rejected"
    assert referrals.sql("SELECT state FROM referrals_bindings WHERE member_id = 3") == [(state,)]
    assert len(referrals.reversed()) == grants
    assert len(referrals.granted()) == 2 + grants


def test_a_held_binding_whose_order_is_refunded_is_paid_nothing(referrals: Referrals) -> None:
    referrals.campaign(hourly_limit=1)
    code = referrals.code(1)
    for member_id in (2, 3):
        referrals.bind(member_id, code)
        referrals.paid(member_id, f"o{member_id}", 100)
    referrals.refunded(3, "o3", 100)
    assert referrals.review("3-1").json["code"] == "binding_not_held"
    assert referrals.facts("invitation.revoked") == []


def test_a_binding_keeps_the_terms_under_which_it_was_made(referrals: Referrals) -> None:
    referrals.campaign(minimum_paid_fen=100)
    referrals.bind(2, referrals.code(1))
    referrals.campaign(minimum_paid_fen=500, inviter_reward=CREDIT)
    referrals.paid(2, "o1", 100)
    inviter, _ = referrals.facts("reward.granted")
    assert (inviter["reward"], inviter["rule"]) == (POINTS, "invitation:spring:v1")


def test_the_list_of_bindings_goes_on_where_it_ended(referrals: Referrals) -> None:
    referrals.campaign()
    code = referrals.code(1)
    for member_id in (9, 4, 6):
        referrals.bind(member_id, code)
        referrals.later(seconds=1)
    reader = referrals.callers.staff("customer_service")
    first = reader.get("/v1/bindings", state="bound", limit=2).json
    assert [binding["id"] for binding in first["bindings"]] == ["9-1", "4-1"]
    last = reader.get("/v1/bindings", state="bound", limit=2, after=first["next"]).json
    assert ([binding["id"] for binding in last["bindings"]], last["next"]) == (["6-1"], None)
    assert reader.get("/v1/bindings", after="77-1").status_code == 404
    assert reader.get("/v1/bindings", state="odd").status_code == 422


def test_a_join_without_a_member_stops_the_feed_loudly(referrals: Referrals) -> None:
    referrals.fact("levels", "member.joined", {"joined_at": "2026-05-03T08:00:00+00:00"})
    with pytest.raises(ValueError, match="names no member"):
        referrals.pull("levels")


def test_joins_are_followed_whatever_their_order(referrals: Referrals) -> None:
    referrals.fact("levels", "member.joined", {"joined_at": "2026-05-03T08:00:00+00:00"}, member_id=2)
    referrals.fact("levels", "member.joined", {"joined_at": "2026-05-02T08:00:00+00:00"}, member_id=2)
    referrals.pull("levels")
    referrals.replay("levels")
    (row,) = referrals.sql("SELECT joined_at FROM referrals_members")
    assert row.joined_at.isoformat() == "2026-05-02T08:00:00+00:00"
