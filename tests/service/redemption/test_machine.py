"""Any history of set-ups, orders, cancellations, faults, deaths and time: points and stock never tell two stories.

Hypothesis makes the histories; the model is one number per thing that can be counted.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.redemption.orders import jobs
from tests.redemption import ORDERS, Boundaries, Killed, Mall
from tests.support import empty
from tests.thoroughness import examples

MEMBERS = st.sampled_from([7, 8, 9])
STEPS = st.sampled_from(["hold", "capture", "void", "reverse", "any"])
FAULTS = st.sampled_from(["lose_reply", "drop", "unwell", "deny"])
#: Where a process dies: nowhere, at any place, or (where holds are left open) right before the price is taken.
PLACES = st.none() | st.integers(1, 12) | st.sampled_from([6, 7])


class MallMachine(RuleBasedStateMachine):
    """`mall` and `boundaries` are set by the test."""

    mall: Mall
    boundaries: Boundaries

    @initialize()
    def begin(self) -> None:
        """Nothing sold, a thousand points each."""
        empty(self.mall.service)
        points = self.mall.points
        for kept in (points.balances, points.holds, points.postings, points.answers, points.faults, points.calls):
            kept.clear()
        for member in (7, 8, 9):
            points.give(member, 1000)
        self.keys = 0
        self.sent: list[tuple[int, str, int]] = []
        self.answers: dict[tuple[int, str], tuple[int, Any]] = {}
        self.mall.put_item(stock=6, per_member_limit=4, price=120)

    @rule(stock=st.integers(0, 12), price=st.sampled_from([60, 120, 300]), limit=st.none() | st.integers(1, 5))
    def set_up(self, stock: int, price: int, limit: int | None) -> None:
        """A marketer changes the item; the stock never falls below what is promised."""
        offer = {"name_en": "Mug", "name_zh": "杯子", "stock": stock, "price": price, "per_member_limit": limit}
        before = self.mall.stock()
        answer = self.mall.marketer.put("/v1/items/mug", offer)
        committed = before["reserved"] + before["sold"]
        assert answer.status_code == (200 if stock >= committed else 422)

    @rule(step=STEPS, how=FAULTS, times=st.integers(1, 5))
    def something_goes_wrong(self, step: str, how: str, times: int) -> None:
        """The next calls to points go wrong."""
        self.mall.points.fail(step, how, times=times)

    @rule()
    def all_is_well_again(self) -> None:
        """Points answers."""
        self.mall.points.faults.clear()

    @rule(member=MEMBERS, quantity=st.integers(1, 4), place=PLACES)
    def redeem(self, member: int, quantity: int, place: int | None) -> None:
        """A member orders with a new key; perhaps the process dies over it."""
        self.keys += 1
        self.sent.append((member, f"k{self.keys}", quantity))
        self._send(self.sent[-1], place)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), place=PLACES)
    def redeem_again(self, data: st.DataObject, place: int | None) -> None:
        """A member sends one of the requests again."""
        self._send(data.draw(st.sampled_from(self.sent)), place)

    @rule(data=st.data(), place=PLACES, key=st.sampled_from(["c1", "c2"]))
    def cancel(self, data: st.DataObject, place: int | None, key: str) -> None:
        """A member cancels one of their orders."""
        if order := self._any_order(data):
            self._die(place, lambda: self.mall.cancel(order[0], member_id=order[1], key=f"{key}-{order[0]}"))

    @rule(data=st.data())
    def fulfil(self, data: st.DataObject) -> None:
        """Staff send one of the orders."""
        if order := self._any_order(data):
            answer = self.mall.desk.post(f"{ORDERS}/{order[0]}/fulfilment", {}, key=f"f-{order[0]}")
            assert answer.status_code in (200, 409)

    @rule(seconds=st.sampled_from([1, 100, 600, 1000]))
    def time_passes(self, seconds: int) -> None:
        """Leases and wishes lapse, holds expire."""
        self.mall.clock.move(seconds=seconds)

    @rule(seconds=st.sampled_from([700, 1000]))
    def nobody_comes_for_long(self, seconds: int) -> None:
        """The recovery comes back after wishes, or holds too, have lapsed."""
        self.mall.clock.move(seconds=seconds)
        jobs.recover_orders()

    @rule(place=PLACES)
    def recover(self, place: int | None) -> None:
        """The recovery runs; perhaps it dies."""
        self._die(place, jobs.recover_orders)

    @invariant()
    def counts_agree(self) -> None:
        """At every moment: no check fails, points are conserved, and what points took is somewhere in an order."""
        stock = self.mall.stock()
        assert min(stock.values()) >= 0
        points = self.mall.points
        for member in (7, 8, 9):
            taken = sum(p.amount for p in points.postings.values() if p.account[1] == member and not p.reversed)
            held = sum(h.amount for h in points.holds.values() if h.account[1] == member and h.state == "open")
            assert points.balances[1, member, "points"] + taken + held == 1000
        open_ = self.mall.rows("SELECT coalesce(sum(quantity), 0) FROM redemption_orders WHERE due_at IS NOT NULL")
        assert stock["reserved"] <= open_[0][0]

    def teardown(self) -> None:
        """However it went, when all is well again everything ends, and every answer comes again."""
        if not hasattr(self, "answers"):
            return
        self.mall.points.faults.clear()
        self.boundaries.kill_at = None
        for _ in range(3):
            self.mall.clock.move(minutes=6)
            jobs.recover_orders()
        self.mall.assert_settled()
        for sent in self.sent:
            self._send(sent, None)
        self.mall.assert_settled()

    def _send(self, sent: tuple[int, str, int], place: int | None) -> None:
        member, key, quantity = sent
        answer = self._die(place, lambda: self.mall.redeem(member, key=key, quantity=quantity))
        if answer is None or answer.status_code == 503:
            return
        assert answer.status_code in (201, 409, 422), answer.json
        shown = {name: value for name, value in answer.json.items() if name != "request_id"}
        assert self.answers.setdefault((member, key), (answer.status_code, shown)) == (answer.status_code, shown)

    def _die(self, place: int | None, act: Any) -> Any:
        self.boundaries.passed.clear()
        self.boundaries.kill_at = place
        try:
            return act()
        except Killed:
            return None
        finally:
            self.boundaries.kill_at = None

    def _any_order(self, data: st.DataObject) -> tuple[str, int] | None:
        rows = self.mall.rows("SELECT order_id::text, member_id FROM redemption_orders ORDER BY order_id")
        return data.draw(st.sampled_from(rows)) if rows else None


@pytest.mark.timeout(600)
def test_no_history_makes_points_and_stock_disagree(mall: Mall, boundaries: Boundaries) -> None:
    MallMachine.mall, MallMachine.boundaries = mall, boundaries
    run_state_machine_as_test(
        MallMachine,
        settings=settings(
            max_examples=examples(40),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
