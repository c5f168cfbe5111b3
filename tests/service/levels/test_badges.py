"""Badges: the catalogue, grants of levels and of neighbours, revocation with history."""

import pytest

from tests.levels import NOW, Levels, badge, points


def test_a_member_sees_the_catalogue_with_what_they_hold(levels: Levels) -> None:
    described = levels.describe("friend", series="social", level=2, icon="/friend.png", slot="profile", period="ever")
    levels.describe("loner")
    levels.granted_elsewhere(7, "referrals:g1", badge("friend"))
    levels.pull("referrals")
    mine = levels.member(7).get("/v1/badges").json["badges"]
    assert {one["code"]: [held["period"] for held in one["held"]] for one in mine} == {"friend": [""], "loner": []}
    assert levels.staff("auditor").get("/v1/badges").json["badges"][0] == described
    assert levels.staff("auditor", program_id=2).get("/v1/badges").json["badges"] == []
    assert "held" not in described


def test_a_badge_of_a_neighbour_is_put_on_once_per_grant(levels: Levels) -> None:
    levels.describe("friend")
    levels.granted_elsewhere(7, "referrals:g1", [*points(50), *badge("friend")])
    levels.granted_elsewhere(7, "referrals:g2", badge("friend"))
    levels.granted_elsewhere(7, "referrals:g3", points(1))
    levels.pull("referrals")
    levels.replay("referrals")
    assert levels.held(7) == [("friend", "")]
    assert levels.facts("badge.earned") == [
        {"for": 7, "badge": "friend", "grant_id": "referrals:g1", "at": NOW.isoformat()}
    ]
    history = levels.staff("auditor").get("/v1/badges/members/7").json["history"]
    assert [line["grant_id"] for line in history] == ["referrals:g1", "referrals:g2"]


def test_a_monthly_badge_is_earned_once_a_month_of_the_programs_calendar(levels: Levels) -> None:
    levels.zone("Asia/Tokyo")
    levels.describe("regular", period="month")
    for number, hours in enumerate((0, 24, 10 * 24 + 11, 1)):
        levels.later(hours=hours)
        levels.granted_elsewhere(7, f"referrals:g{number}", badge("regular"))
    levels.pull("referrals")
    assert levels.held(7) == [("regular", "2026-05"), ("regular", "2026-06")]


def test_only_a_whole_reversal_takes_the_badge_and_only_when_no_other_grant_supports_it(levels: Levels) -> None:
    levels.describe("friend")
    levels.granted_elsewhere(7, "referrals:g1", badge("friend"))
    levels.granted_elsewhere(7, "referrals:g2", badge("friend"))
    levels.reversed_elsewhere(7, "referrals:g1", 1, 2)
    levels.reversed_elsewhere(7, "referrals:g1", 2, 2)
    levels.pull("referrals")
    assert levels.held(7) == [("friend", "")]
    levels.reversed_elsewhere(7, "referrals:g2", 1, 3)
    levels.pull("referrals")
    assert levels.held(7) == [("friend", "")]
    levels.reversed_elsewhere(7, "referrals:g2", 3, 3)
    levels.pull("referrals")
    levels.replay("referrals")
    assert levels.held(7) == []
    history = levels.staff("auditor").get("/v1/badges/members/7").json["history"]
    assert {(line["grant_id"], line["revoked_by"], line["reason"]) for line in history} == {
        ("referrals:g1", "reversal", "refund"),
        ("referrals:g2", "reversal", "refund"),
    }


def test_staff_revoke_with_a_reason_and_the_history_stays(levels: Levels) -> None:
    levels.describe("friend", period="month")
    levels.granted_elsewhere(7, "referrals:g1", badge("friend"))
    levels.later(days=31)
    levels.granted_elsewhere(7, "referrals:g2", badge("friend"))
    levels.pull("referrals")
    clerk = levels.staff("customer_service", name="lin")
    assert clerk.post("/v1/badges/members/7/friend/revocation", {}).status_code == 422
    answer = clerk.post("/v1/badges/members/7/friend/revocation", {"reason": "bought followers"})
    assert [line["revoked_by"] for line in answer.json["history"]] == ["staff:lin", "staff:lin"]
    assert {line["reason"] for line in answer.json["history"]} == {"bought followers"}
    assert levels.held(7) == []
    again = clerk.post("/v1/badges/members/7/friend/revocation", {"reason": "again"})
    assert (again.status_code, again.json["code"]) == (404, "badge_not_held")
    levels.replay("referrals")
    assert levels.held(7) == []
    levels.granted_elsewhere(7, "referrals:g3", badge("friend"))
    levels.pull("referrals")
    assert levels.held(7) == [("friend", "2026-06")]
    assert len(levels.facts("badge.earned")) == 3


def test_who_may_do_what_with_badges(levels: Levels) -> None:
    levels.describe("friend")
    levels.granted_elsewhere(7, "referrals:g1", badge("friend"))
    levels.pull("referrals")
    reason = {"reason": "r"}
    assert levels.member(7).get("/v1/badges/members/7").status_code == 403
    assert levels.marketer().post("/v1/badges/members/7/friend/revocation", reason).status_code == 403
    stranger = levels.staff("customer_service", program_id=2)
    assert stranger.post("/v1/badges/members/7/friend/revocation", reason).status_code == 404
    assert levels.held(7) == [("friend", "")]
    assert levels.held(7, program_id=2) == []


def test_a_badge_the_catalogue_has_not_is_earned_all_the_same_once_for_ever(levels: Levels) -> None:
    levels.granted_elsewhere(7, "referrals:g1", badge("mystery"))
    levels.pull("referrals")
    assert levels.held(7) == [("mystery", "")]


@pytest.mark.parametrize("period", ["week", ""])
def test_a_badge_knows_its_periods(levels: Levels, period: str) -> None:
    words = {"name_en": "a", "name_zh": "a", "criteria_en": "a", "criteria_zh": "a", "period": period}
    assert levels.marketer().put("/v1/badges/friend", words).status_code == 422
