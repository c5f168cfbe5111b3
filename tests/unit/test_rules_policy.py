"""What the platform and the law forbid a rule to reward: whole families of event types, however they are named."""

from typing import Any

import pytest

from services.points.rules.policy import PolicyViolated, check_policy, review
from services.points.rules.rule import Cap, Rule


def rule(trigger: str = "order.paid", **given: Any) -> Rule:
    """A harmless rule, unless told."""
    defaults: dict[str, Any] = {"condition": "true", "formula": "10", "asset": "points"}
    return Rule("Rule", "规则", trigger, **{**defaults, **given})


def codes(given: Rule, severity: str) -> set[str]:
    """What is said of the rule with that severity."""
    return {one.code for one in review(given) if one.severity == severity}


@pytest.mark.parametrize(
    "trigger",
    [
        "share",
        "share.sent",
        "share.opened",
        "content.shared",
        "video_shares",
        "post-forwarded",
        "article.reposted",
        "order.shared",
        "poster.scanned",
        "link.opened",
        "card.clicked",
        "wx.zhuanfa",
    ],
)
def test_nothing_is_awarded_merely_for_sharing_or_having_it_opened(trigger: str) -> None:
    assert codes(rule(trigger), "refused") == {"reward_for_sharing"}


@pytest.mark.parametrize("trigger", ["moments.posted", "share.moments", "pyq_share.converted", "timeline.shared"])
def test_nothing_is_awarded_for_moments_whatever_came_of_it(trigger: str) -> None:
    assert codes(rule(trigger), "refused") == {"reward_for_moments"}


@pytest.mark.parametrize(
    "trigger",
    [
        "order.paid",
        "share.converted",
        "review.posted",
        "article.viewed",
        "account.opened",
        "member.joined",
        "content.approved",
        "checkin.recorded",
        "groupbuy.filled",
        "boardgame.played",
    ],
)
def test_what_members_really_do_may_be_rewarded(trigger: str) -> None:
    assert review(rule(trigger)) == []


@pytest.mark.parametrize("trigger", ["invitation.sent", "invitation.opened", "invite", "referral.clicked"])
def test_an_invitation_by_itself_is_not_rewarded(trigger: str) -> None:
    assert codes(rule(trigger), "refused") >= {"reward_for_inviting"}


@pytest.mark.parametrize(
    "trigger", ["invitation.bound", "invitee.joined", "referral.registered", "invitation.accepted"]
)
def test_heads_are_not_paid_for(trigger: str) -> None:
    assert codes(rule(trigger), "refused") == {"reward_per_head"}


@pytest.mark.parametrize("trigger", ["invitation.qualified", "invitee.purchased", "referral.order.paid"])
def test_a_qualified_invitation_may_be_rewarded_and_its_rules_must_be_shown(trigger: str) -> None:
    assert codes(rule(trigger), "refused") == set()
    assert codes(rule(trigger), "warning") == {"rules_text_to_be_shown"}


@pytest.mark.parametrize("trigger", ["friend.added", "wecom.contact_added", "community.joined"])
def test_a_friend_is_rewarded_once_at_most(trigger: str) -> None:
    assert codes(rule(trigger), "warning") == {"friend_added_more_than_once"}
    assert review(rule(trigger, caps=(Cap("total", "member", 10),))) == []
    assert review(rule(trigger, caps=(Cap("day", "member", 10),))) != []
    assert review(rule(trigger, caps=(Cap("total", "rule", 10),))) != []


def test_assists_and_bargains_ask_for_care() -> None:
    assert codes(rule("assist.given"), "warning") == {"assist_with_fixed_target_only"}
    assert codes(rule("kanjia.helped"), "warning") == {"assist_with_fixed_target_only"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"formula": "rand(100)"}, "/formula"),
        ({"condition": "Random (2) == 1"}, "/condition"),
        ({"formula": None, "table": {"nodes": [{"content": {"rules": [{"a": "rand(6)"}]}}]}}, "/table"),
    ],
)
def test_amounts_are_never_drawn(given: dict[str, Any], field: str) -> None:
    assert [(one.code, one.field) for one in review(rule(**given))] == [("random_amount", field)]


@pytest.mark.parametrize("asset", ["draw-chance", "lucky_draws", "lottery"])
def test_draw_chances_are_not_won_by_inviting(asset: str) -> None:
    assert "draw_chance_for_inviting" in codes(rule("invitation.qualified", asset=asset), "refused")
    assert "draw_chance_for_inviting" in codes(rule("assist.given", asset=asset), "refused")
    assert review(rule("order.paid", asset=asset)) == []


@pytest.mark.parametrize("trigger", ["team.sales", "group.performance", "downline.paid"])
def test_teams_are_not_paid_for_their_sales(trigger: str) -> None:
    assert codes(rule(trigger), "refused") == {"reward_for_team_performance"}


def test_commission_comes_from_goods() -> None:
    assert codes(rule("member.joined", asset="commission"), "refused") == {"commission_without_goods"}
    assert review(rule("order.paid", asset="commission")) == []


@pytest.mark.parametrize("asset", ["cash", "red_packet", "red-envelope", "hongbao", "cash-bonus"])
def test_cash_is_no_reward(asset: str) -> None:
    assert codes(rule(asset=asset), "refused") == {"cash_reward"}


def test_a_refused_rule_names_every_field_and_where_it_is_written() -> None:
    given = rule("share.opened", asset="hongbao")
    assert {one.field for one in review(given)} == {"/trigger", "/asset"}
    assert {one.source for one in review(given)} == {"Sharing rules", "Prepaid/stored value"}
    with pytest.raises(PolicyViolated) as refusal:
        check_policy("viral", given)
    assert refusal.value.code == "policy_violation"
    assert refusal.value.facts == {"rule": "viral"}
    assert [fault.pointer for fault in refusal.value.faults] == ["/trigger", "/asset"]
    assert all(fault.en and fault.zh for fault in refusal.value.faults)


def test_a_warning_refuses_nothing() -> None:
    given = rule("friend.added")
    assert review(given)
    check_policy("friend", given)
