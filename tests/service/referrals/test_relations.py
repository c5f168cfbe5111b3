"""What customer service sees of a member: who brought them, whom they brought, the groups in which they sit."""

from tests.referrals import Referrals


def test_whom_a_member_brought_is_counted_and_the_newest_are_named(referrals: Referrals) -> None:
    referrals.campaign()
    code = referrals.code(1)
    for friend in (2, 3):
        referrals.later(minutes=1)
        assert referrals.bind(friend, code).status_code == 201
    desk = referrals.callers.staff("customer_service")
    theirs = desk.get("/v1/bindings/members/1").json
    assert theirs["invited_by"] is None
    assert [it["invitee_id"] for it in theirs["invited"]] == [3, 2]
    assert [(it["campaign"], it["bound"]) for it in theirs["invitations"]] == [("spring", 2)]
    assert desk.get("/v1/bindings/members/2").json["invited_by"]["inviter_id"] == 1
    assert referrals.callers.staff("customer_service", program_id=2).get("/v1/bindings/members/1").json == {
        "invited_by": None,
        "invited": [],
        "invitations": [],
    }


def test_a_seat_that_lapsed_or_a_group_that_is_over_is_not_an_open_group(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    group = referrals.open(1).json["id"]
    referrals.take_and_pay(2, group, "g2")
    desk = referrals.callers.staff("customer_service")

    def groups_of(member_id: int) -> list[str]:
        return [it["id"] for it in desk.get(f"/v1/groupbuys/members/{member_id}").json["groupbuys"]]

    assert (groups_of(1), groups_of(2), groups_of(3)) == ([group], [group], [])
    referrals.later(minutes=20)
    assert (groups_of(1), groups_of(2)) == ([], [group])
    referrals.later(days=2)
    assert groups_of(2) == []
