"""T10: elsewhere the head is refunded for every member, or one error loses all refunds of a sweep for good.

Here each paid order of an expired group has one request of its own, and a failing group is found again.
"""

from services.referrals.jobs import expire_groupbuys
from tests.referrals import Referrals


def test_every_member_of_an_expired_group_is_refunded_by_their_own_order_once(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=4)
    group = referrals.open(1).json["id"]
    for member_id in (1, 2, 3):
        referrals.take_and_pay(member_id, group, f"o{member_id}")
    referrals.later(days=1)
    for _ in range(3):
        expire_groupbuys()
    referrals.replay()
    told = [
        (fact["for"], fact["order_id"], fact["amount_fen"]) for fact in referrals.facts("groupbuy.refund_requested")
    ]
    assert told == [(1, "o1", 3900), (2, "o2", 3900), (3, "o3", 3900)]
