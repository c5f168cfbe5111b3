"""Invitation campaigns and codes over HTTP."""

import pytest

from services.referrals.invitations import use_cases
from services.referrals.invitations.domain import ALPHABET
from tests.referrals import CREDIT, NOW, POINTS, Referrals, at_once
from tests.support import Caller

BODY = {"name": "Spring", "inviter_reward": POINTS, "invitee_reward": CREDIT}


def test_terms_are_published_as_versions_and_the_same_terms_are_the_same_version(referrals: Referrals) -> None:
    first = referrals.campaign(minimum_paid_fen=100)
    assert first["version"] == 1
    assert first["terms"]["trigger"] == "first_paid_order"
    assert referrals.campaign(minimum_paid_fen=100) == first
    second = referrals.campaign(minimum_paid_fen=200)
    assert second["version"] == 2
    referrals.campaign("autumn")
    listed = referrals.member(7).get("/v1/invitations/campaigns").json["campaigns"]
    assert [(campaign["code"], campaign["version"]) for campaign in listed] == [("autumn", 1), ("spring", 2)]


def test_ten_marketers_at_once_publish_one_version_each(referrals: Referrals) -> None:
    made = at_once(*[lambda n=n: referrals.campaign(minimum_paid_fen=100 + n) for n in range(10)])
    assert sorted(campaign["version"] for campaign in made) == list(range(1, 11))


@pytest.mark.parametrize("trigger", ["shared", "opened", "moments"])
def test_a_reward_for_merely_sharing_is_refused_with_the_reason(referrals: Referrals, trigger: str) -> None:
    answer = referrals.marketer().put("/v1/invitations/campaigns/spring", {**BODY, "trigger": trigger})
    assert (answer.status_code, answer.json["code"]) == (422, "reward_for_sharing_forbidden")
    assert "forbids" in answer.json["detail"]


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"trigger": "birthday"}, "unknown_trigger", "/trigger"),
        (
            {"starts_at": "2026-06-01T00:00:00Z", "ends_at": "2026-06-01T00:00:00Z"},
            "ends_before_it_starts",
            "/ends_at",
        ),
        ({"inviter_reward": []}, "invalid_request", "/inviter_reward"),
        ({"invitee_reward": [{"kind": "cash", "amount": 5}]}, "invalid_request", "/invitee_reward/0/kind"),
        ({"invitee_reward": [{"kind": "badge", "amount": 5}]}, "invalid_request", "/invitee_reward/0/badge"),
        (
            {"invitee_reward": [{"kind": "badge", "badge": "b", "amount": 5}]},
            "invalid_request",
            "/invitee_reward/0/amount",
        ),
        ({"minimum_paid_fen": 0}, "invalid_request", "/minimum_paid_fen"),
        ({"monthly_cap": True}, "invalid_request", "/monthly_cap"),
    ],
)
def test_what_is_wrong_with_terms_is_pointed_at(
    referrals: Referrals, wrong: dict[str, object], code: str, pointer: str
) -> None:
    answer = referrals.marketer().put("/v1/invitations/campaigns/spring", {**BODY, **wrong})
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert pointer in [error["pointer"] for error in answer.json["errors"]]


def test_a_member_has_one_code_per_campaign_however_often_asked(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.campaign("autumn")
    codes = set(at_once(*[lambda: referrals.code(7)] * 8))
    assert len(codes) == 1
    code = codes.pop()
    assert len(code) == 8
    assert set(code) <= set(ALPHABET)
    assert referrals.code(7, "autumn") != code
    assert referrals.code(8) != code


def test_a_code_that_is_taken_is_drawn_anew(referrals: Referrals, monkeypatch: pytest.MonkeyPatch) -> None:
    referrals.campaign()
    draws = iter(["22222222", "22222222", "33333333"])
    monkeypatch.setattr(use_cases, "_new_code", lambda: next(draws))
    assert [referrals.code(7), referrals.code(8)] == ["22222222", "33333333"]


def test_a_campaign_gives_codes_from_its_start_until_just_before_its_end(referrals: Referrals) -> None:
    referrals.campaign(starts_at=NOW.isoformat(), ends_at=referrals.later(hours=1).isoformat())
    member = referrals.member(7)
    for moment, status in ((-3601, 409), (-3600, 201), (-1, 201), (0, 409)):
        referrals.now = NOW
        referrals.later(hours=1, seconds=moment)
        assert member.post("/v1/invitations", {"campaign": "spring"}).status_code == status
    assert member.post("/v1/invitations", {"campaign": "nothing"}).json["code"] == "invitation_campaign_not_found"


def test_another_program_has_neither_the_campaign_nor_the_code(referrals: Referrals) -> None:
    referrals.campaign()
    code = referrals.code(7)
    assert referrals.member(7, 2).get("/v1/invitations/campaigns").json == {"campaigns": []}
    assert referrals.member(7, 2).get("/v1/invitations").json == {"invitations": []}
    stranger = referrals.member(9, 2).post("/v1/bindings", {"code": code}, key="k")
    assert (stranger.status_code, stranger.json["code"]) == (404, "invitation_code_not_found")


def test_refusals_are_worded_in_chinese_too(referrals: Referrals) -> None:
    member: Caller = referrals.member(7, **{"Accept-Language": "zh-CN"})
    assert "邀请活动" in member.post("/v1/invitations", {"campaign": "nothing"}).json["detail"]
