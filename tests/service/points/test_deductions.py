"""Deductions over HTTP (requirements P6): quote, hold, capture or give up, refund; one an order, whoever asks."""

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.points.ledger.domain import Kind
from tests.earning import at_once
from tests.ledger import NOON
from tests.points import Brand, Clock, done, pointers, refused, sql, wrong
from tests.support import Caller, Callers

#: 100 points are ¥1, at most a fifth of the order.
POLICY = {"asset": "points", "points": 100, "fen": 100, "most_percent": 20}
DAY = timedelta(days=1)


class Till:
    """A brand that takes points: its shop's system, and member 7."""

    def __init__(self, brand: Brand, **policy: Any) -> None:
        self.brand, self.shop = brand, brand.shop
        self.member: Caller = brand.callers.member(7, program_id=brand.program_id)
        self.set(**policy)

    def set(self, **policy: Any) -> dict[str, Any]:
        """Put a policy in force."""
        marketer = self.brand.callers.staff("marketer", program_id=self.brand.program_id)
        return done(marketer.put("/v1/deduction-policy", {**POLICY, **policy}))

    def quote(self, order_fen: int = 10_000, **more: Any) -> dict[str, Any]:
        """What the member may deduct."""
        return done(self.member.post("/v1/deductions/quotes", {"order_fen": order_fen, **more}))

    def ask(
        self, points: int = 2_000, *, key: str | None = None, caller: Caller | None = None, **more: Any
    ) -> TestResponse:
        """Deduct points from order A1 of ¥100."""
        body = {"order_id": "A1", "order_fen": 10_000, "points": points, **more}
        return (caller or self.member).post("/v1/deductions", body, key=key or self.brand.new_key())

    def deduct(self, points: int = 2_000, **more: Any) -> dict[str, Any]:
        """A deduction that must succeed."""
        return done(self.ask(points, **more))

    def capture(self, deduction: dict[str, Any], **more: Any) -> TestResponse:
        """The order was paid."""
        return self._end(deduction, "capture", order_fen=deduction["order_fen"], **more)

    def void(self, deduction: dict[str, Any], **more: Any) -> TestResponse:
        """The order was given up."""
        return self._end(deduction, "void", **more)

    def refund(self, deduction: dict[str, Any], refunded_fen: int, refund_id: str = "r1") -> TestResponse:
        """Part of the order was refunded."""
        return self._end(deduction, "refunds", refund_id=refund_id, refunded_fen=refunded_fen)

    def show(self, deduction: dict[str, Any]) -> dict[str, Any]:
        """The deduction as it stands."""
        return done(self.member.get(f"/v1/deductions/{deduction['id']}"))

    def _end(self, deduction: dict[str, Any], what: str, **more: Any) -> TestResponse:
        key = more.pop("key", None) or self.brand.new_key()
        return self.shop.post(f"/v1/deductions/{deduction['id']}/{what}", {"member_id": 7, **more}, key=key)


@pytest.fixture
def till(brand: Brand, clock: Clock) -> Till:
    """A till on 3 May 2026; member 7 has 3,000 points in three lots."""
    clock.set(NOON)
    made = Till(brand)
    for amount, validity in ((500, "5D"), (1_000, "30D"), (1_500, "unlimited")):
        brand.earn(amount, validity=validity)
    return made


def unsound() -> list[str]:
    """Invariants that do not hold; that an old hold is still open is only so because the clock is ours."""
    return [finding.name for finding in wrong() if "within a day" not in finding.name]


def lots(till: Till) -> list[dict[str, Any]]:
    return list(till.brand.account()["lots"])


def test_p6_a_hundred_points_a_yuan_a_fifth_of_the_order_at_most(till: Till) -> None:
    quote = till.quote(10_000)
    assert (quote["points"], quote["deducted_fen"], quote["cash_fen"]) == (2_000, 2_000, 8_000)
    assert [cap["limit"] for cap in quote["caps"] if cap["bites"]] == ["most_percent"]
    before = till.brand.account()
    deduction = till.deduct(2_000)
    assert (deduction["state"], deduction["deducted_fen"], deduction["cash_fen"]) == ("open", 2_000, 8_000)
    assert till.brand.figures() == (3_000, 1_000, 2_000, 0)
    assert done(till.void(deduction))["state"] == "voided"
    assert till.brand.account() == before
    assert before["balance"] == 3_000


@pytest.mark.parametrize(
    ("order_fen", "policy", "most", "deducted_fen"),
    [
        (50_000, {}, 3_000, 3_000),
        (9_999, {}, 1_999, 1_999),
        (16_150, {"most_percent": 100, "points": 10, "fen": 100}, 1_614, 16_140),
        (100, {"most_percent": 100}, 99, 99),
        (10_000, {"step": 300}, 1_800, 1_800),
        (10_000, {"points": 200, "fen": 100}, 3_000, 1_500),
        (10_000, {"most_points": 700}, 700, 700),
        (10_000, {"least_points": 2_001}, 0, 0),
        (1, {}, 0, 0),
    ],
)
def test_p6_with_other_numbers(
    till: Till, order_fen: int, policy: dict[str, Any], most: int, deducted_fen: int
) -> None:
    till.set(**policy)
    quote = till.quote(order_fen)
    assert (quote["points"], quote["deducted_fen"]) == (most, deducted_fen)
    assert quote["cash_fen"] == order_fen - deducted_fen >= 1
    if most:
        made = till.deduct(most, order_fen=order_fen)
        assert (made["points"], made["deducted_fen"]) == (most, deducted_fen)
    else:
        assert refused(till.ask(1, order_fen=order_fen)) == (422, "not_deductible")
    assert unsound() == []


def test_a_quote_writes_nothing_and_takes_wishes(till: Till) -> None:
    quote = till.quote(points=150)
    assert (quote["points"], [cap["limit"] for cap in quote["caps"] if cap["bites"]]) == (150, ["wanted"])
    by_shop = till.shop.post("/v1/deductions/quotes", {"member_id": 7, "order_fen": 10_000, "points": 150})
    assert done(by_shop) == quote
    assert till.brand.figures() == (3_000, 3_000, 0, 0)
    till.brand.turn(Kind.FREEZE)
    assert till.quote()["points"] == 0
    assert refused(till.ask(100)) == (409, "account_frozen")


def test_a_void_restores_the_same_lots_and_days_and_a_capture_spends_the_soonest(till: Till) -> None:
    before = lots(till)
    done(till.void(till.deduct(1_200)))
    assert lots(till) == before
    captured = done(till.capture(till.deduct(1_200)))
    assert captured["state"] == "captured"
    assert till.brand.figures() == (1_800, 1_800, 0, 0)
    assert lots(till) == [{"on": "2026-06-02", "amount": 300}, {"on": None, "amount": 1_500}]
    assert [kind for kind, _ in till.brand.kinds()][-4:] == ["hold", "void", "hold", "capture"]
    entry = till.brand.entries()[-1]
    assert (entry["cause"], entry["meta"]["deduction"]) == ("order A1", captured["id"])
    assert unsound() == []


def test_what_is_not_paid_in_time_comes_back_by_itself(till: Till, clock: Clock) -> None:
    before = lots(till)
    deduction = till.deduct(1_000, ttl_seconds=600)
    assert deduction["expires_at"] == "2026-05-03T04:10:00Z"
    clock.set(NOON + timedelta(seconds=600))
    assert (till.show(deduction)["state"], lots(till)) == ("expired", before)
    late = till.capture(deduction)
    assert refused(late) == (409, "deduction_ended")
    assert (late.json or {})["facts"] == {"state": "expired"}
    assert done(till.void(deduction))["state"] == "expired"
    again = till.deduct(1_000)
    assert (again["id"] != deduction["id"], again["state"]) == (True, "open")
    assert till.show(deduction)["state"] == "expired"
    assert done(till.capture(again))["state"] == "captured"


def test_the_same_answer_however_often_it_is_asked(till: Till) -> None:
    first = till.ask(500, key="k")
    second = till.ask(500, key="k")
    third = till.ask(500, key="another")
    assert first.json == second.json == third.json
    assert (second.headers["Idempotency-Replayed"], till.brand.figures()[2]) == ("true", 500)
    deduction = done(first)
    captured = [done(till.capture(deduction, key=key)) for key in ("c", "c", "d")]
    assert captured[0] == captured[1] == captured[2]
    assert till.deduct(500)["state"] == "captured"
    assert refused(till.void(deduction)) == (409, "deduction_captured")
    assert till.brand.figures() == (2_500, 2_500, 0, 0)
    other = till.deduct(500, order_id="A2")
    voided = [done(till.void(other, key=key)) for key in ("v", "v", "w")]
    assert voided[0] == voided[1] == voided[2]
    assert refused(till.capture(other)) == (409, "deduction_ended")
    assert unsound() == []


def test_an_order_has_one_deduction_at_a_time(till: Till) -> None:
    deduction = till.deduct(500)
    assert refused(till.ask(600)) == (409, "order_already_deducted")
    assert refused(till.ask(500, order_fen=10_001)) == (409, "order_already_deducted")
    done(till.void(deduction))
    bigger = till.deduct(600)
    done(till.capture(bigger))
    assert refused(till.ask(700)) == (409, "order_already_deducted")
    assert refused(till.capture(deduction)) == (409, "deduction_ended")


def test_two_deductions_of_one_order_at_once_are_one_hold(till: Till) -> None:
    answers = at_once([lambda: till.ask(500)] * 6 + [lambda: till.ask(500, caller=till.shop, member_id=7)] * 2)
    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.json or {})["id"] for answer in answers}) == 1
    assert sql("SELECT count(*), sum(amount) FROM points_holds") == [(1, 500)]
    rivals = at_once([partial(till.ask, points, order_id="A2") for points in (100, 200, 300, 400)])
    assert sorted(answer.status_code for answer in rivals) == [201, 409, 409, 409]
    assert sql("SELECT count(*) FROM points_deductions")[0][0] == 2
    assert unsound() == []


def test_a_capture_and_a_void_at_once_end_it_once(till: Till) -> None:
    for number in range(5):
        deduction = till.deduct(100, order_id=f"B{number}")
        captured, voided = at_once([partial(till.capture, deduction), partial(till.void, deduction)])
        assert sorted([captured.status_code, voided.status_code]) == [200, 409]
        state = till.show(deduction)["state"]
        assert state == ("captured" if captured.status_code == 200 else "voided")
    assert unsound() == []


def test_many_orders_at_once_never_hold_more_than_there_is(till: Till) -> None:
    answers = at_once([partial(till.ask, 700, order_id=f"C{number}") for number in range(8)])
    told = sorted(answer.status_code for answer in answers)
    assert told == [201] * 4 + [422] * 4
    short = next(answer for answer in answers if answer.status_code == 422)
    assert refused(short) == (422, "insufficient_points")
    assert pointers(short) == ["/points"]
    assert (short.json or {})["facts"] == {"available": 200, "short_by": 500}
    assert till.brand.figures() == (3_000, 200, 2_800, 0)
    assert unsound() == []


def test_refunds_give_back_the_original_lots_in_proportion_the_last_the_rest(till: Till) -> None:
    before = lots(till)
    deduction = till.deduct(2_000)
    done(till.capture(deduction))
    first = done(till.refund(deduction, 3_333))
    assert {name: first[name] for name in ("points", "deducted_fen", "cash_fen")} == {
        "points": 666,
        "deducted_fen": 666,
        "cash_fen": 2_667,
    }
    assert lots(till) == [{"on": "2026-06-02", "amount": 166}, {"on": None, "amount": 1_500}]
    again = till.refund(deduction, 3_333)
    assert done(again) == first
    assert refused(till.refund(deduction, 3_334)) == (409, "refund_reused")
    too_much = till.refund(deduction, 6_668, "r2")
    assert (refused(too_much), pointers(too_much)) == ((422, "refund_too_large"), ["/refunded_fen"])
    rest = done(till.refund(deduction, 6_667, "r2"))
    assert (rest["points"], rest["deducted_fen"], rest["cash_fen"]) == (1_334, 1_334, 5_333)
    assert lots(till) == before
    assert [it["refund_id"] for it in till.show(deduction)["refunds"]] == ["r1", "r2"]
    assert refused(till.refund(deduction, 1, "r3")) == (422, "refund_too_large")
    assert unsound() == []


def test_a_refund_too_small_for_a_point_is_noted_all_the_same(till: Till) -> None:
    deduction = till.deduct(100)
    done(till.capture(deduction))
    assert [done(till.refund(deduction, 60, f"r{n}"))["points"] for n in range(3)] == [0, 1, 0]
    assert sum(refund["points"] for refund in till.show(deduction)["refunds"]) == 1
    assert unsound() == []


def test_one_refund_sent_many_times_at_once_gives_back_once(till: Till) -> None:
    deduction = till.deduct(2_000)
    done(till.capture(deduction))
    answers = at_once([lambda: till.refund(deduction, 5_000)] * 4 + [lambda: till.refund(deduction, 5_000, "r2")] * 2)
    assert {answer.status_code for answer in answers} == {201}
    assert till.brand.figures() == (3_000, 3_000, 0, 0)
    assert unsound() == []


def test_a_refund_that_the_ledger_refuses_is_not_noted(till: Till) -> None:
    deduction = till.deduct(2_000)
    done(till.capture(deduction))
    till.brand.earn(2**53 - 1 - 1_500)
    assert refused(till.refund(deduction, 10_000)) == (422, "balance_too_large")
    assert till.show(deduction)["refunds"] == []
    assert done(till.refund(deduction, 1_000))["points"] == 200
    assert unsound() == []


def test_only_what_was_captured_is_refunded(till: Till) -> None:
    deduction = till.deduct(500)
    assert refused(till.refund(deduction, 100)) == (409, "deduction_not_captured")
    done(till.void(deduction))
    assert refused(till.refund(deduction, 100)) == (409, "deduction_not_captured")


def test_an_order_whose_amount_changed_is_not_captured(till: Till) -> None:
    deduction = till.deduct(2_000)
    answer = till.capture({**deduction, "order_fen": 5_000})
    assert (refused(answer), pointers(answer)) == ((409, "order_amount_changed"), ["/order_fen"])
    assert till.show(deduction)["state"] == "open"


def test_deductions_keep_the_policy_that_made_them(till: Till) -> None:
    first = till.set()
    assert (first["version"], till.set()["version"]) == (1, 1)
    deduction = till.deduct(2_000)
    assert till.set(points=1_000)["version"] == 2
    assert done(till.member.get("/v1/deduction-policy"))["points"] == 1_000
    captured = done(till.capture(deduction))
    assert (captured["policy_version"], captured["deducted_fen"]) == (1, 2_000)
    assert done(till.refund(deduction, 10_000))["deducted_fen"] == 2_000
    assert till.deduct(200, order_id="A2")["policy_version"] == 2


def test_two_marketers_at_once_make_versions_one_after_the_other(till: Till) -> None:
    versions = at_once([partial(till.set, points=points) for points in (200, 300, 400)])
    assert sorted(made["version"] for made in versions) == [2, 3, 4]


def test_without_a_policy_nothing_is_deducted(brand: Brand) -> None:
    member = brand.callers.member(7)
    body = {"order_fen": 100, "order_id": "A1", "points": 1}
    for answer in (
        member.get("/v1/deduction-policy"),
        member.post("/v1/deductions/quotes", {"order_fen": 100}),
        member.post("/v1/deductions", body, key="k"),
    ):
        assert refused(answer) == (404, "no_deduction_policy")
    marketer = brand.callers.staff("marketer")
    assert refused(marketer.put("/v1/deduction-policy", {**POLICY, "asset": "gold"})) == (404, "asset_not_found")


def test_each_reaches_only_their_own(till: Till, points: Callers) -> None:
    deduction = till.deduct(500)
    path = f"/v1/deductions/{deduction['id']}"
    assert done(till.shop.get(path, member_id=7)) == done(till.brand.callers.staff("finance").get(path, member_id=7))
    stranger = points.member(8)
    assert refused(stranger.get(path)) == (404, "not_found")
    assert refused(stranger.get(path, member_id=7)) == (404, "not_found")
    assert refused(stranger.post(f"{path}/void", {}, key="k")) == (404, "not_found")
    other = Brand(points, program_id=2).found()
    assert refused(other.shop.get(path, member_id=7)) == (404, "not_found")
    for what, body in (
        ("capture", {"order_fen": 10_000}),
        ("void", {}),
        ("refunds", {"refund_id": "r", "refunded_fen": 1}),
    ):
        answer = other.shop.post(f"{path}/{what}", {"member_id": 7, **body}, key=other.new_key())
        assert refused(answer) == (404, "not_found")
    assert refused(till.member.post(f"{path}/capture", {"member_id": 7, "order_fen": 10_000}, key="k")) == (
        403,
        "forbidden",
    )
    assert pointers(till.shop.post("/v1/deductions/quotes", {"order_fen": 1})) == ["/member_id"]
    assert refused(till.shop.get(f"/v1/deductions/{uuid.uuid4()}", member_id=7)) == (404, "not_found")
    assert done(till.member.post(f"{path}/void", {}, key="mine"))["state"] == "voided"


def test_value_moves_only_with_a_key(till: Till) -> None:
    deduction = till.deduct(500)
    path = f"/v1/deductions/{deduction['id']}"
    for answer in (
        till.member.post("/v1/deductions", {"order_id": "A2", "order_fen": 10_000, "points": 1}),
        till.shop.post(f"{path}/capture", {"member_id": 7, "order_fen": 10_000}),
        till.shop.post(f"{path}/void", {"member_id": 7}),
        till.shop.post(f"{path}/refunds", {"member_id": 7, "refund_id": "r", "refunded_fen": 1}),
    ):
        assert refused(answer) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_fen", 0),
        ("order_fen", 100_000_001),
        ("order_fen", "100"),
        ("points", 0),
        ("points", 1.5),
        ("points", 10_000_000_001),
        ("order_id", ""),
        ("order_id", "x" * 129),
        ("order_id", "a\nb"),
        ("ttl_seconds", 59),
        ("ttl_seconds", 2_592_001),
        ("colour", "red"),
    ],
)
def test_a_wrong_field_is_pointed_at(till: Till, field: str, value: Any) -> None:
    answer = till.ask(**{"points": 100, field: value})
    assert (refused(answer), pointers(answer)) == ((422, "invalid_request"), [f"/{field}"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("points", 0), ("fen", 0), ("fen", 1_000_001), ("most_percent", 101), ("most_points", 0), ("least_cash_fen", -1)],
)
def test_a_wrong_policy_is_pointed_at(till: Till, field: str, value: Any) -> None:
    answer = till.brand.callers.staff("marketer").put("/v1/deduction-policy", {**POLICY, field: value})
    assert (refused(answer), pointers(answer)) == ((422, "invalid_request"), [f"/{field}"])


@pytest.mark.parametrize(
    ("harm", "invariant"),
    [
        ("UPDATE points_deductions SET points = 400, deducted_fen = 400", "every deduction is a hold of its points"),
        (
            "UPDATE points_deductions SET returned_points = 7",
            "deductions gave back what their refunds say and the ledger reversed",
        ),
        (
            "DELETE FROM points_deduction_refunds",
            "deductions gave back what their refunds say and the ledger reversed",
        ),
    ],
)
def test_verify_finds_deductions_that_are_not_the_ledgers(till: Till, harm: str, invariant: str) -> None:
    deduction = till.deduct(500)
    done(till.capture(deduction))
    done(till.refund(deduction, 1_000))
    assert unsound() == []
    sql(harm)
    assert invariant in unsound()
