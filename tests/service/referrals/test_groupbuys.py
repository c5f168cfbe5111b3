"""Group-buys over HTTP, and what payments, refunds and the clock do to them."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import SQLAlchemyError

from services.referrals import jobs
from services.referrals.database import transaction
from services.referrals.groupbuys import payments, repository
from services.referrals.groupbuys.domain import GroupFull
from services.referrals.refunds.domain import Reason, RefundRequest
from services.referrals.refunds.use_cases import request_refund
from tests.referrals import NOW, POINTS, Referrals, at_once

HEAD = [{"kind": "badge", "badge": "head"}]


def seats(referrals: Referrals, group: str) -> list[tuple[str, int | None]]:
    return [(seat["state"], seat["member_id"]) for seat in referrals.group(group)["seats"]]


def test_three_pay_and_the_group_is_filled_once(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(reward_for_head=HEAD)
    group = referrals.filled(1, 2, 3)
    shown = referrals.group(group)
    assert (shown["state"], shown["free_seats"], shown["item"], shown["price_fen"]) == ("filled", 0, "Tea", 3900)
    assert referrals.granted() == {
        f"referrals:groupbuy:{group}:seat-1": 1,
        f"referrals:groupbuy:{group}:seat-2": 2,
        f"referrals:groupbuy:{group}:seat-3": 3,
        f"referrals:groupbuy:{group}:head": 1,
    }
    assert {fact["grant_id"]: fact["reward"] for fact in referrals.facts("reward.granted")}[
        f"referrals:groupbuy:{group}:head"
    ] == HEAD
    (told,) = referrals.facts("groupbuy.filled")
    assert (told["groupbuy"], told["members"], told["head_id"]) == (group, [1, 2, 3], 1)
    referrals.replay()
    assert len(referrals.granted()) == 4
    assert referrals.requests() == []


def test_opening_holds_the_first_seat_and_tells_its_deadline(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=4, seat_hold_seconds=600, window_seconds=7200)
    opened = referrals.open(1)
    assert opened.status_code == 201
    shown = opened.json
    assert shown["my_seat"]["number"] == 1
    assert shown["my_seat"]["held_until"] == "2026-05-20T04:10:00Z"
    assert shown["due_at"] == "2026-05-20T06:00:00Z"
    assert (shown["size"], shown["free_seats"], len(shown["seats"])) == (4, 3, 4)
    (told,) = referrals.facts("groupbuy.opened")
    assert (told["groupbuy"], told["head_id"], told["size"]) == (shown["id"], 1, 4)


def test_a_hold_never_outlasts_the_group(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(window_seconds=60, seat_hold_seconds=900)
    shown = referrals.open(1).json
    assert shown["my_seat"]["held_until"] == shown["due_at"]


def test_joining_again_is_the_same_seat_with_the_same_deadline(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    group = referrals.open(1).json["id"]
    first = referrals.join(2, group).json["my_seat"]
    referrals.later(minutes=5)
    assert referrals.join(2, group).json["my_seat"] == first
    assert len({referrals.join(1, group).json["my_seat"]["number"] for _ in range(3)}) == 1


def test_five_join_for_the_last_seat_at_once_and_one_gets_it(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    group = referrals.open(1).json["id"]
    referrals.join(2, group)
    answers = at_once(*[lambda m=m: referrals.join(m, group) for m in range(11, 16)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"group_full"}


def test_a_member_holds_no_more_groups_than_allowed_however_fast(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(per_member_limit=2)
    groups = [referrals.open(head).json["id"] for head in range(11, 16)]
    joined = at_once(*[lambda g=g: referrals.join(1, g) for g in groups], lambda: referrals.open(1))
    assert sorted(answer.status_code for answer in joined) == [201, 201, 409, 409, 409, 409]
    assert {answer.json["code"] for answer in joined if answer.status_code == 409} == {"group_limit_reached"}
    referrals.groupbuy_campaign("coffee")
    assert referrals.open(1, "coffee").status_code == 201


def test_a_filled_group_counts_against_the_limit_until_it_is_refunded(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    referrals.filled(1, 2, 3)
    assert referrals.open(1).json["code"] == "group_limit_reached"
    referrals.refunded(1, "g1", 3900)
    assert referrals.open(1).status_code == 201


def test_only_new_members_may_join_where_that_is_asked_but_anybody_may_open(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(new_members_only=True)
    for member_id in (1, 2):
        referrals.paid(member_id, f"old{member_id}", 100)
    group = referrals.open(1).json["id"]
    refused = referrals.join(2, group)
    assert (refused.status_code, refused.json["code"]) == (422, "group_for_new_members_only")
    referrals.take_and_pay(3, group, "o3")
    assert referrals.join(3, group).json["my_seat"]["state"] == "paid"
    assert referrals.join(1, group).status_code == 201


def test_persons_are_shown_to_the_group_only(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    opened = referrals.open(1).json
    group = opened["id"]
    inside = referrals.member(1).get(f"/v1/groupbuys/{group}").json
    assert (inside["head_id"], inside["seats"][0]["member_id"]) == (1, 1)
    outside = referrals.member(9).get(f"/v1/groupbuys/{group}").json
    assert (outside["head_id"], outside["seats"][0]["member_id"], outside["my_seat"]) == (None, None, None)
    assert outside["seats"][0]["state"] == "held"
    assert opened["my_seat"]["id"] not in referrals.member(9).get(f"/v1/groupbuys/{group}").text
    assert referrals.member(1, 2).get(f"/v1/groupbuys/{group}").status_code == 404
    assert referrals.member(1, 2).post(f"/v1/groupbuys/{group}/seats", key="k").status_code == 404
    assert referrals.member(1).get(f"/v1/groupbuys/{uuid4()}").status_code == 404


def test_groups_to_join_have_a_seat_left_and_end_soonest_first(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=2, per_member_limit=9)
    made = []
    for head in (1, 2, 3):
        made.append(referrals.open(head).json["id"])
        referrals.later(seconds=1)
    referrals.join(9, made[1])
    reader = referrals.member(7)
    first = reader.get("/v1/groupbuys", campaign="tea", limit=1).json
    assert [group["id"] for group in first["groupbuys"]] == [made[0]]
    second = reader.get("/v1/groupbuys", campaign="tea", limit=5, after=first["next"]).json
    assert ([group["id"] for group in second["groupbuys"]], second["next"]) == ([made[2]], None)
    assert reader.get("/v1/groupbuys", campaign="none").json["code"] == "groupbuy_campaign_not_found"
    referrals.later(days=1)
    assert reader.get("/v1/groupbuys", campaign="tea").json["groupbuys"] == []


def test_campaigns_have_versions_and_groups_keep_theirs(referrals: Referrals) -> None:
    first = referrals.groupbuy_campaign(size=2)
    assert referrals.groupbuy_campaign(size=2) == first
    group = referrals.open(1).json["id"]
    assert referrals.groupbuy_campaign(size=5, price_fen=9900)["version"] == 2
    assert (referrals.group(group)["size"], referrals.group(group)["price_fen"]) == (2, 3900)
    listed = referrals.member(1).get("/v1/groupbuys/campaigns").json["campaigns"]
    assert [(campaign["code"], campaign["version"]) for campaign in listed] == [("tea", 2)]


def test_groups_are_opened_from_the_start_until_just_before_the_end(referrals: Referrals) -> None:
    end = NOW + timedelta(hours=1)
    referrals.groupbuy_campaign(per_member_limit=9, starts_at=NOW.isoformat(), ends_at=end.isoformat())
    for moment, status in ((-1, 409), (0, 201), (3599, 201), (3600, 409)):
        referrals.now = NOW + timedelta(seconds=moment)
        assert referrals.open(1).status_code == status
    body = {"item": "Tea", "price_fen": 1, "size": 2, "starts_at": end.isoformat(), "ends_at": NOW.isoformat()}
    answer = referrals.marketer().put("/v1/groupbuys/campaigns/tea", body)
    assert (answer.status_code, answer.json["code"]) == (422, "ends_before_it_starts")
    assert referrals.open(1, "none").status_code == 404


def test_a_lapsed_seat_goes_to_the_next_and_its_late_payment_goes_back(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=2, seat_hold_seconds=60)
    opened = referrals.open(1).json
    referrals.take_and_pay(2, opened["id"], "o2")
    assert referrals.join(3, opened["id"]).json["code"] == "group_full"
    referrals.later(seconds=60)
    taken = referrals.join(3, opened["id"]).json
    assert taken["my_seat"]["number"] == 1
    referrals.paid(1, "late", 3900, seat=opened["my_seat"]["id"])
    (request,) = referrals.requests()
    assert (request["order_id"], request["reason"], request["amount_fen"]) == ("late", "seat_lost", 3900)
    referrals.paid(3, "o3", 3900, seat=taken["my_seat"]["id"])
    assert referrals.group(opened["id"])["state"] == "filled"


@pytest.mark.parametrize("swept", [True, False])
def test_a_late_payment_takes_its_lapsed_seat_while_nobody_else_has(referrals: Referrals, swept: bool) -> None:
    referrals.groupbuy_campaign(seat_hold_seconds=60)
    opened = referrals.open(1).json
    referrals.later(minutes=5)
    if swept:
        jobs.release_seats()
        assert referrals.sql("SELECT state FROM referrals_groupbuy_seats WHERE number = 1") == [("lapsed",)]
    assert seats(referrals, opened["id"])[0] == ("free", None)
    referrals.paid(1, "o1", 3900, seat=opened["my_seat"]["id"])
    assert seats(referrals, opened["id"])[0] == ("paid", 1)
    assert referrals.requests() == []


def test_a_late_payment_does_not_get_round_the_limit(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(seat_hold_seconds=60, per_member_limit=1)
    first = referrals.open(1).json
    referrals.later(minutes=5)
    assert referrals.open(1).status_code == 201
    referrals.paid(1, "o1", 3900, seat=first["my_seat"]["id"])
    assert [request["reason"] for request in referrals.requests()] == ["limit_reached"]


def test_who_lost_a_seat_takes_it_again_before_any_other(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(seat_hold_seconds=60)
    opened = referrals.open(1).json
    assert referrals.join(2, opened["id"]).json["my_seat"]["number"] == 2
    referrals.later(minutes=5)
    jobs.release_seats()
    again = referrals.join(2, opened["id"]).json["my_seat"]
    assert (again["number"], again["held_until"]) == (2, "2026-05-20T04:06:00Z")


def test_payments_that_pay_for_no_seat_go_back_once_each(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    opened = referrals.open(1).json
    seat = opened["my_seat"]["id"]
    referrals.paid(1, "cheap", 3899, seat=seat)
    referrals.paid(9, "stranger", 3900, seat=seat)
    referrals.paid(1, "nowhere", 3900, seat=str(uuid4()))
    referrals.paid(1, "garbage", 3900, seat="seat one")
    referrals.paid(1, "o1", 3900, seat=seat)
    referrals.paid(1, "twice", 3900, seat=seat)
    referrals.paid(1, "other-program", 3900, seat=seat, program_id=2)
    referrals.replay()
    assert {request["order_id"]: request["reason"] for request in referrals.requests()} == {
        "cheap": "underpaid",
        "stranger": "seat_lost",
        "nowhere": "unknown_seat",
        "garbage": "unknown_seat",
        "twice": "already_paid",
    }
    assert len(referrals.facts("groupbuy.refund_requested")) == 6
    assert seats(referrals, opened["id"])[0] == ("paid", 1)


def test_a_payment_in_time_but_told_after_the_end_goes_back(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(window_seconds=60)
    opened = referrals.open(1).json
    in_time = referrals.later(seconds=59)
    referrals.later(seconds=10)
    jobs.expire_groupbuys()
    referrals.paid(1, "o1", 3900, seat=opened["my_seat"]["id"], at=in_time)
    assert [request["reason"] for request in referrals.requests()] == ["group_over"]


@pytest.mark.parametrize(("seconds", "state"), [(59, "paid"), (60, "free")])
def test_what_counts_is_when_it_was_paid_not_when_it_was_told(referrals: Referrals, seconds: int, state: str) -> None:
    referrals.groupbuy_campaign(window_seconds=60)
    opened = referrals.open(1).json
    paid_at = NOW + timedelta(seconds=seconds)
    referrals.later(minutes=10)
    referrals.paid(1, "o1", 3900, seat=opened["my_seat"]["id"], at=paid_at)
    assert seats(referrals, opened["id"])[0][0] == state
    assert len(referrals.requests()) == (0 if state == "paid" else 1)


def test_a_group_whose_time_is_over_expires_and_each_payment_goes_back_once(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    group = referrals.open(1).json["id"]
    referrals.take_and_pay(1, group, "o1")
    referrals.take_and_pay(2, group, "o2")
    referrals.refunded(2, "o2", 900)
    referrals.later(seconds=86_399)
    jobs.expire_groupbuys()
    assert referrals.group(group)["state"] == "open"
    referrals.later(seconds=1)
    assert referrals.join(3, group).json["code"] == "group_over"
    at_once(jobs.expire_groupbuys, jobs.expire_groupbuys, jobs.expire_groupbuys)
    jobs.expire_groupbuys()
    assert referrals.group(group)["state"] == "expired"
    assert referrals.join(3, group).json["code"] == "group_over"
    assert {request["order_id"]: request["amount_fen"] for request in referrals.requests()} == {"o1": 3900, "o2": 3000}
    assert len(referrals.facts("groupbuy.expired")) == 1
    told = {fact["order_id"]: fact["for"] for fact in referrals.facts("groupbuy.refund_requested")}
    assert told == {"o1": 1, "o2": 2}
    assert referrals.granted() == {}


def test_one_group_that_fails_to_expire_stops_no_other(referrals: Referrals, monkeypatch: pytest.MonkeyPatch) -> None:
    referrals.groupbuy_campaign()
    groups = [referrals.open(head).json["id"] for head in range(1, 6)]
    referrals.later(days=1)
    referrals.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.id = '{groups[1]}' THEN RAISE EXCEPTION 'broken'; END IF; RETURN NEW; END $$"
    )
    referrals.sql("CREATE TRIGGER refuse BEFORE UPDATE ON referrals_groupbuys FOR EACH ROW EXECUTE FUNCTION refuse()")
    monkeypatch.setattr(jobs, "_PAGE", 2)
    try:
        with pytest.raises(ExceptionGroup) as failed:
            jobs.expire_groupbuys()
        assert [isinstance(error, SQLAlchemyError) for error in failed.value.exceptions] == [True]
    finally:
        referrals.sql("DROP FUNCTION refuse CASCADE")
    assert [referrals.group(group)["state"] for group in groups] == ["expired", "open", "expired", "expired", "expired"]
    jobs.expire_groupbuys()
    assert referrals.group(groups[1])["state"] == "expired"


def test_a_group_closed_meanwhile_does_not_expire(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    group = referrals.filled(1, 2, 3)
    due = referrals.later(days=2)
    with transaction() as session:
        payments.expire(session, program_id=1, group_id=UUID(group), now=due)
    assert referrals.group(group)["state"] == "filled"


def test_a_refund_before_the_fill_frees_the_seat_and_keeps_the_deadline(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    opened = referrals.open(1).json
    group = opened["id"]
    referrals.take_and_pay(1, group, "o1")
    referrals.take_and_pay(2, group, "o2")
    referrals.later(hours=1)
    referrals.refunded(1, "o1", 3900)
    shown = referrals.group(group)
    assert (shown["state"], shown["free_seats"], shown["due_at"]) == ("open", 2, opened["due_at"])
    referrals.take_and_pay(3, group, "o3")
    referrals.take_and_pay(4, group, "o4")
    assert referrals.group(group)["state"] == "filled"
    assert sorted(referrals.granted().values()) == [2, 3, 4]


def test_a_refund_after_the_fill_takes_back_what_that_seat_earned(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(reward_for_head=HEAD)
    group = referrals.filled(1, 2, 3)
    referrals.refunded(2, "g2", 1000, "r1")
    assert referrals.reversed() == []
    referrals.refunded(2, "g2", 2900, "r2")
    assert referrals.reversed() == [f"referrals:groupbuy:{group}:seat-2"]
    referrals.refunded(1, "g1", 3900)
    assert referrals.reversed() == [f"referrals:groupbuy:{group}:{it}" for it in ("head", "seat-1", "seat-2")]
    shown = referrals.group(group)
    assert (shown["state"], [seat["refunded"] for seat in shown["seats"]]) == ("filled", [True, True, False])
    referrals.replay()
    assert len(referrals.reversed()) == 3


def test_an_order_refunded_before_it_is_told_pays_for_nothing(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    opened = referrals.open(1).json
    referrals.refunded(1, "o1", 3900)
    referrals.paid(1, "o1", 3900, seat=opened["my_seat"]["id"])
    assert seats(referrals, opened["id"])[0] == ("held", 1)
    assert referrals.requests() == []


def test_nothing_is_granted_where_nothing_is_promised(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(reward_on_fill=[])
    referrals.filled(1, 2, 3)
    assert referrals.granted() == {}


def test_the_head_reward_needs_a_seat_of_the_head(referrals: Referrals) -> None:
    referrals.groupbuy_campaign(size=2, reward_on_fill=[], reward_for_head=POINTS, seat_hold_seconds=60)
    group = referrals.open(1).json["id"]
    referrals.later(minutes=5)
    referrals.take_and_pay(2, group, "o2")
    referrals.take_and_pay(3, group, "o3")
    assert referrals.group(group)["state"] == "filled"
    assert referrals.granted() == {}


def test_refunds_are_listed_and_ticked_off_for_good(referrals: Referrals) -> None:
    for number in range(3):
        referrals.paid(1, f"shop/{number}", 100, seat="none")
        referrals.later(seconds=1)
    ledger = referrals.callers.system("ledger")
    done = ledger.post("/v1/groupbuys/refunds/shop/1/done", key="a")
    assert (done.json["state"], done.json["done_by"]) == ("done", "system:shop")
    referrals.later(hours=1)
    assert ledger.post("/v1/groupbuys/refunds/shop/1/done", key="b").json == done.json
    assert [request["order_id"] for request in referrals.requests(state="requested")] == ["shop/0", "shop/2"]
    assert [request["order_id"] for request in referrals.requests(state="done")] == ["shop/1"]
    assert [request["order_id"] for request in referrals.requests(limit=1, after="shop/0")] == ["shop/1"]
    reader = referrals.callers.system("read")
    assert reader.get("/v1/groupbuys/refunds", limit=2).json["next"] == "shop/1"
    assert ledger.post("/v1/groupbuys/refunds/none/done", key="c").status_code == 404
    assert (
        referrals.callers.system("ledger", program_id=2).post("/v1/groupbuys/refunds/shop/0/done", key="d").status_code
        == 404
    )


def test_a_refund_is_asked_for_once_an_order(referrals: Referrals) -> None:
    request = RefundRequest(1, "o1", 2, 100, Reason.SEAT_LOST, None, NOW)
    for _ in range(2):
        with transaction() as session:
            request_refund(session, request)
    assert len(referrals.facts("groupbuy.refund_requested")) == 1


def test_the_database_itself_gives_a_seat_to_one_only(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    group_id = UUID(referrals.open(1).json["id"])
    with transaction() as session:
        group = repository.get_group(session, 1, group_id)
    with transaction() as session, pytest.raises(GroupFull):
        repository.hold_seat(session, group, 1, member_id=2, until=group.due_at, now=NOW)


def test_a_refund_told_by_the_shop_ticks_its_request_off(referrals: Referrals) -> None:
    referrals.paid(1, "o1", 100, seat="none")
    referrals.refunded(1, "o1", 40, "r1")
    assert referrals.requests(state="done") == []
    referrals.refunded(1, "o1", 60, "r2", event="shop refund-2")
    assert [request["done_by"] for request in referrals.requests(state="done")] == ["shop refund-2"]
