"""T9: elsewhere a group is counted, then joined, without a lock, before and after payment: overfull, or lost.

Here a seat is a row, taken before it is paid for; the payment confirms it or goes back.
"""

from tests.referrals import Referrals, at_once


def test_five_join_and_pay_for_the_last_seat_at_once_and_one_is_in(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=3)
    opened = referrals.open(1).json
    referrals.take_and_pay(1, opened["id"], "o1")
    referrals.take_and_pay(2, opened["id"], "o2")
    answers = at_once(*[lambda m=m: (m, referrals.join(m, opened["id"])) for m in range(11, 16)])
    seated = {member_id: answer.json["my_seat"]["id"] for member_id, answer in answers if answer.status_code == 201}
    assert len(seated) == 1
    (seat,) = seated.values()
    # The four others pay all the same, with a seat id that they have no right to.
    for member_id in range(11, 16):
        referrals.order(member_id, f"o{member_id}", 3900, seat=seat)
    referrals.pull("points")
    shown = referrals.group(opened["id"])
    assert shown["state"] == "filled"
    assert [each["state"] for each in shown["seats"]] == ["paid"] * 3
    assert len(referrals.requests(state="requested")) == 4
    assert not {request["member_id"] for request in referrals.requests()} & set(seated)
