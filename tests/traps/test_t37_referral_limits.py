"""T37: elsewhere one way to refer ignores the limits. Here they stand in the use cases, so every way meets them."""

import pytest

from tests.referrals import Referrals


@pytest.mark.parametrize("way", ["order", "review", "page"])
def test_the_cap_holds_by_whichever_way_an_invitation_qualifies(referrals: Referrals, way: str) -> None:
    referrals.campaign(monthly_cap=1)
    code = referrals.code(1)
    for member_id in (2, 3):
        referrals.bind(member_id, code)
        referrals.order(member_id, f"o{member_id}", 100)
        if way != "page":
            referrals.pull("points")
    referrals.pull("points")
    if way == "review":
        assert referrals.review("3-1").json["code"] == "monthly_cap_reached"
    assert (referrals.tally(1)["qualified"], referrals.tally(1)["held"]) == (1, 1)


def test_the_limit_of_groups_holds_for_opening_joining_and_paying_late(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(per_member_limit=1, seat_hold_seconds=60)
    lapsed = referrals.open(1).json
    other = referrals.open(2).json["id"]
    referrals.later(minutes=2)
    assert referrals.join(1, other).status_code == 201
    assert referrals.open(1).json["code"] == "group_limit_reached"
    assert referrals.join(1, lapsed["id"]).json["code"] == "group_limit_reached"
    referrals.paid(1, "o1", 3900, seat=lapsed["my_seat"]["id"])
    assert [request["reason"] for request in referrals.requests()] == ["limit_reached"]
