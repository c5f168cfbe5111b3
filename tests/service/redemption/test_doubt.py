"""Orders in doubt: points silent, replies lost, holds expired; and the ways out."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGone

from common.queue import queue, redis
from services.redemption.database import transaction
from services.redemption.orders import clients, jobs, repository, saga, use_cases
from services.redemption.orders.domain import Asked
from tests.redemption import ORDERS, Mall

ALL = 4  # attempts of one call: the first and three retries
PAIRS = [("hold", "reserving"), ("capture", "held")]


def in_doubt(answer: Any) -> str:
    """The order's id out of a 503 that says that the order is in doubt."""
    assert (answer.status_code, answer.json["code"]) == (503, "redemption_in_doubt")
    assert answer.headers["Retry-After"] == "2"
    order_id: str = answer.json["facts"]["order_id"]
    return order_id


@pytest.mark.parametrize("how", ["lose_reply", "drop", "unwell"])
@pytest.mark.parametrize("step", ["hold", "capture"])
def test_one_reply_lost_is_not_even_noticed(mall: Mall, step: str, how: str) -> None:
    mall.put_item()
    mall.points.fail(step, how)
    assert mall.redeem().status_code == 201
    assert mall.points.available(7) == 900
    mall.assert_settled()


@pytest.mark.parametrize("how", ["lose_reply", "drop", "unwell", "slow"])
@pytest.mark.parametrize(("step", "state"), PAIRS)
def test_when_points_stays_silent_the_order_is_in_doubt_and_the_same_request_drives_it_on(
    mall: Mall, step: str, state: str, how: str
) -> None:
    mall.put_item()
    mall.points.fail(step, how, times=ALL)
    order_id = in_doubt(mall.redeem())
    assert mall.show(order_id)["state"] == state
    assert mall.stock() == {"total": 10, "reserved": 1, "sold": 0, "available": 9}
    again = mall.redeem()
    assert (again.status_code, again.json["order_id"]) == (201, order_id)
    assert "Idempotency-Replayed" not in again.headers
    assert mall.points.available(7) == 900
    mall.assert_settled()


@pytest.mark.parametrize("how", ["lose_reply", "drop"])
@pytest.mark.parametrize(("step", "state"), PAIRS)
def test_recovery_drives_an_order_in_doubt_on_at_once(mall: Mall, step: str, state: str, how: str) -> None:
    mall.put_item()
    mall.points.fail(step, how, times=ALL)
    order_id = in_doubt(mall.redeem())
    (waiting,) = queue("redemption").jobs
    assert waiting.func_name == "services.redemption.orders.jobs.recover_orders"
    jobs.recover_orders()
    assert mall.show(order_id)["state"] == "completed"
    assert mall.redeem().headers["Idempotency-Replayed"] == "true"
    mall.assert_settled()


@pytest.mark.parametrize("how", ["lose_reply", "drop"])
def test_a_cancellation_in_doubt_ends_once_by_recovery(mall: Mall, how: str) -> None:
    mall.put_item()
    order_id = mall.redeem().json["order_id"]
    mall.points.fail("reverse", how, times=ALL)
    assert in_doubt(mall.cancel(order_id)) == order_id
    assert mall.show(order_id)["state"] == "cancelling"
    other = mall.cancel(order_id, key="d")
    assert (other.status_code, other.json["code"], other.headers["Retry-After"]) == (409, "redemption_unsettled", "2")
    assert mall.desk.post(f"{ORDERS}/{order_id}/fulfilment", {}, key="f").json["code"] == "redemption_unsettled"
    jobs.recover_orders()
    assert mall.cancel(order_id).json["state"] == "cancelled"
    assert mall.points.available(7) == 1000
    mall.assert_settled()


def test_a_cancellation_in_doubt_is_driven_on_by_the_same_request(mall: Mall) -> None:
    mall.put_item()
    order_id = mall.redeem().json["order_id"]
    mall.points.fail("reverse", "lose_reply", times=ALL)
    in_doubt(mall.cancel(order_id))
    again = mall.cancel(order_id)
    assert (again.json["state"], "Idempotency-Replayed" in again.headers) == ("cancelled", False)
    mall.assert_settled()


def test_an_order_in_doubt_can_be_cancelled_when_it_is_decided(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("capture", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    assert mall.cancel(order_id).json["code"] == "redemption_unsettled"
    jobs.recover_orders()
    assert mall.cancel(order_id).json["state"] == "cancelled"
    mall.assert_settled()


def test_points_that_stay_away_are_asked_again_ever_more_rarely(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("hold", "unwell", times=ALL * 4)
    order_id = in_doubt(mall.redeem())
    assert mall.rows("SELECT attempts, last_error FROM redemption_orders")[0][0] == 1
    for attempts in (2, 3, 4):
        jobs.recover_orders()
        before = len(mall.points.calls), len(mall.points.faults)
        jobs.recover_orders()
        assert (len(mall.points.calls), len(mall.points.faults)) == before, "it was not due yet"
        ((count, error),) = mall.rows("SELECT attempts, last_error FROM redemption_orders")
        assert count == attempts
        assert "service_unavailable" in error
        mall.clock.move(seconds=2 ** (attempts - 2))
    jobs.recover_orders()
    assert mall.show(order_id)["state"] == "completed"
    mall.assert_settled()


@pytest.mark.parametrize(("step", "state"), PAIRS)
def test_an_order_that_nobody_waits_for_any_more_is_given_up(mall: Mall, step: str, state: str) -> None:
    mall.put_item(per_member_limit=1)
    mall.points.fail(step, "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    mall.clock.move(minutes=10)
    jobs.recover_orders()
    shown = mall.show(order_id)
    assert (shown["state"], shown["refusal"]) == ("refused", "redemption_lapsed")
    assert mall.points.available(7) == 1000
    assert mall.facts() == []
    again = mall.redeem()
    assert (again.status_code, again.json["code"]) == (409, "redemption_lapsed")
    assert mall.redeem(key="b").status_code == 201
    mall.assert_settled()


def test_asking_again_renews_the_wish(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("hold", "drop", times=2 * ALL)
    order_id = in_doubt(mall.redeem())
    mall.clock.move(minutes=9)
    in_doubt(mall.redeem())
    mall.clock.move(minutes=9)
    jobs.recover_orders()
    assert mall.show(order_id)["state"] == "completed"


def test_points_that_were_taken_after_all_complete_an_order_that_was_being_given_up(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("capture", "lose_reply", times=ALL)
    order_id = in_doubt(mall.redeem())
    mall.clock.move(minutes=10)
    jobs.recover_orders()
    assert mall.show(order_id)["state"] == "completed"
    assert mall.points.calls[-2:] == ["void", "capture"]
    mall.assert_settled()


def test_a_hold_that_expired_before_it_was_taken_ends_the_order_unpaid(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("capture", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    mall.clock.move(minutes=15)
    refused = mall.redeem()  # the member asks again, so the order is not given up; but the hold is gone
    assert (refused.status_code, refused.json["code"]) == (409, "hold_lost")
    assert (mall.show(order_id)["state"], mall.points.available(7)) == ("refused", 1000)
    mall.assert_settled()


def test_an_order_given_up_after_its_hold_expired_ends_unpaid(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("capture", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    mall.clock.move(minutes=15)
    jobs.recover_orders()
    assert mall.show(order_id)["refusal"] == "redemption_lapsed"
    mall.assert_settled()


def test_to_give_up_an_order_that_points_refuses_is_to_end_it_with_that_refusal(mall: Mall) -> None:
    mall.put_item(price=2000)
    mall.points.fail("hold", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    mall.clock.move(minutes=10)
    jobs.recover_orders()
    assert mall.show(order_id)["refusal"] == "insufficient_points"
    mall.assert_settled()


@pytest.mark.parametrize("step", ["hold", "capture", "reverse"])
def test_an_answer_that_decides_nothing_keeps_its_order_in_doubt_and_holds_up_no_other(mall: Mall, step: str) -> None:
    mall.put_item()
    mall.points.give(8, 1000)
    mall.points.fail(step, "deny", times=2)
    if step == "reverse":
        order_id = mall.redeem().json["order_id"]
        assert in_doubt(mall.cancel(order_id)) == order_id
    else:
        order_id = in_doubt(mall.redeem())
    mall.points.fail("hold", "drop", times=ALL)
    mall.clock.move(seconds=1)
    mall.points.faults.sort(key=lambda fault: fault[0] == step and fault[1] == "deny")
    other = in_doubt(mall.redeem(8))
    jobs.recover_orders()
    assert mall.rows("SELECT last_error FROM redemption_orders WHERE due_at IS NOT NULL") == [("403 forbidden",)]
    assert mall.show(other)["state"] == "completed"
    mall.recover()
    mall.assert_settled()
    assert mall.show(order_id)["state"] == ("cancelled" if step == "reverse" else "completed")


@pytest.mark.parametrize("state", ["captured", "unknown"])
def test_a_hold_in_a_state_that_cannot_be_decides_nothing(
    mall: Mall, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mall.put_item()

    def strange(_: object) -> None:
        raise clients.HoldNotOpen(state)

    with monkeypatch.context() as patch:
        patch.setattr(clients, "capture", strange)
        order_id = in_doubt(mall.redeem())
    jobs.recover_orders()
    assert mall.show(order_id)["state"] == "completed"
    mall.assert_settled()


def test_a_void_that_decides_nothing_is_tried_again(mall: Mall, monkeypatch: pytest.MonkeyPatch) -> None:
    mall.put_item()
    mall.points.fail("capture", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())

    def strange(_: object) -> None:
        raise clients.HoldNotOpen("unknown")

    mall.clock.move(minutes=10)
    with monkeypatch.context() as patch:
        patch.setattr(clients, "void", strange)
        jobs.recover_orders()
    assert mall.show(order_id)["state"] == "giving_up"
    mall.recover()
    assert mall.show(order_id)["state"] == "refused"
    mall.assert_settled()


def test_a_queue_that_is_away_does_not_change_the_answer(mall: Mall, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> bool:
        raise RedisGone("gone")

    monkeypatch.setattr(saga, "enqueue_once", gone)
    mall.put_item()
    mall.points.fail("hold", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    assert redis().llen("rq:queue:redemption") == 0
    jobs.recover_orders()
    assert mall.show(order_id)["state"] == "completed"


def test_an_order_at_work_is_left_alone(mall: Mall) -> None:
    mall.put_item()
    with transaction() as session:
        use_cases.place(session, Asked(1, 7, "mug", 1, key="a", fingerprint=b"x", at=mall.clock()))
    jobs.recover_orders()
    assert mall.points.calls == []
    mall.recover()
    mall.assert_settled()
    assert mall.stock()["sold"] == 1


def test_a_leased_order_is_nobody_elses_until_the_lease_ends(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("hold", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    with transaction() as session, transaction() as other:
        leased = use_cases.lease_order_in_doubt(session, now=mall.clock())
        assert leased is not None
        assert str(leased.order_id) == order_id
        assert use_cases.lease_order_in_doubt(other, now=mall.clock()) is None, "locked rows are skipped"
    with transaction() as session:
        assert use_cases.lease_order_in_doubt(session, now=mall.clock()) is None, "it is not due any more"
    mall.recover()
    mall.assert_settled()


def test_an_answer_brought_twice_counts_once(mall: Mall) -> None:
    mall.put_item()
    mall.points.fail("capture", "drop", times=ALL)
    order_id = in_doubt(mall.redeem())
    with transaction() as session:
        held = repository.find_by_key(session, 1, 7, "a")
        assert held is not None
    done = saga.drive(held)
    assert held.hold_id is not None
    assert done.posting_id is not None
    with transaction() as session:
        assert use_cases.record_hold(session, held, hold_id=held.hold_id) == done
        assert use_cases.complete(session, held, posting_id=done.posting_id, now=mall.clock()) == done
        assert use_cases.give_up(session, held) == done
        assert use_cases.let_go(session, held) == done
        assert use_cases.finish_cancellation(session, held, reversal_id=done.posting_id, now=mall.clock()) == done
        use_cases.postpone(session, held, error="late", now=mall.clock())
    assert (mall.show(order_id)["state"], mall.stock()["sold"], len(mall.facts())) == ("completed", 1, 1)
    mall.assert_settled()


def test_a_capture_of_an_order_that_ended_unpaid_is_said_aloud(mall: Mall) -> None:
    mall.put_item(price=2000)
    mall.redeem()
    with transaction() as session:
        refused = repository.find_by_key(session, 1, 7, "a")
        assert refused is not None
    with pytest.raises(use_cases.CapturedAfterRefusal), transaction() as session:
        use_cases.complete(session, refused, posting_id=refused.order_id, now=mall.clock())
