"""T11: elsewhere a percentage taken for a head count fills every expired group virtually; a refund leaves it shown.

Here nothing but payments fills a group, and a refund gives the seat back.
"""

from services.referrals.jobs import expire_groupbuys
from tests.referrals import Referrals


def test_a_group_one_short_expires_and_grants_nothing(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=3)
    group = referrals.open(1).json["id"]
    for member_id in (1, 2):
        referrals.take_and_pay(member_id, group, f"o{member_id}")
    referrals.join(3, group)
    referrals.later(days=1)
    expire_groupbuys()
    assert referrals.group(group)["state"] == "expired"
    assert referrals.granted() == {}


def test_a_refund_of_the_last_but_one_payment_means_one_more_is_needed(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=3)
    group = referrals.open(1).json["id"]
    for member_id in (1, 2):
        referrals.take_and_pay(member_id, group, f"o{member_id}")
    referrals.refunded(2, "o2", 3900)
    referrals.take_and_pay(3, group, "o3")
    assert (referrals.group(group)["state"], referrals.group(group)["free_seats"]) == ("open", 1)
    referrals.take_and_pay(4, group, "o4")
    assert referrals.group(group)["state"] == "filled"
