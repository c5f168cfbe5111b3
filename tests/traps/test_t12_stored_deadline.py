"""T12: elsewhere a group whose head leaves lives 86,400 hard-coded seconds. Here the deadline is stored, once."""

from services.referrals.jobs import expire_groupbuys
from tests.referrals import Referrals


def test_neither_new_terms_nor_the_heads_leaving_move_the_deadline(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(window_seconds=1000)
    opened = referrals.open(1).json
    referrals.take_and_pay(1, opened["id"], "o1")
    referrals.groupbuy_campaign(window_seconds=86_400)
    referrals.later(seconds=500)
    referrals.refunded(1, "o1", 3900)
    assert referrals.group(opened["id"])["due_at"] == opened["due_at"] == "2026-05-20T04:16:40Z"
    referrals.later(seconds=499)
    expire_groupbuys()
    assert referrals.group(opened["id"])["state"] == "open"
    referrals.later(seconds=1)
    expire_groupbuys()
    assert referrals.group(opened["id"])["state"] == "expired"
