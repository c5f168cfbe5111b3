"""T30: elsewhere a return leaves limits and referrals as they were. Here caps, rewards and group shares follow it."""

from tests.referrals import Referrals


def test_a_refund_gives_back_the_inviters_cap_and_the_members_limit(referrals: Referrals) -> None:
    referrals.campaign(monthly_cap=1)
    code = referrals.code(1)
    for member_id in (2, 3):
        referrals.bind(member_id, code)
    referrals.paid(2, "o2", 100)
    referrals.refunded(2, "o2", 100)
    referrals.paid(3, "o3", 100)
    assert referrals.tally(1) == {
        "campaign": "spring",
        "code": code,
        "bound": 0,
        "qualified": 1,
        "held": 0,
        "revoked": 1,
    }
    referrals.groupbuy_campaign(per_member_limit=1)
    group = referrals.filled(7, 8, 9)
    referrals.refunded(8, "g8", 3900)
    assert f"referrals:groupbuy:{group}:seat-2" in referrals.reversed()
    assert referrals.open(8).status_code == 201
