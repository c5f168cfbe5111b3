"""T35: elsewhere a replayed event, or an order whose status toggles, awards again. Here an order awards once."""

from tests.referrals import Referrals


def test_paid_refunded_and_paid_again_awards_once(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    for _ in range(3):
        referrals.paid(2, "o1", 100)
        referrals.refunded(2, "o1", 100)
    referrals.paid(2, "o1", 100)
    assert len(referrals.granted()) == len(referrals.reversed()) == 2


def test_a_split_order_brings_one_bonus(referrals: Referrals) -> None:
    referrals.campaign()
    referrals.bind(2, referrals.code(1))
    for part in ("o1-a", "o1-b", "o1-c"):
        referrals.order(2, part, 100)
    referrals.pull("points")
    assert len(referrals.granted()) == 2
