"""Why no points for order X: one call says what became of it, rule by rule, and what to do next."""

from datetime import datetime
from typing import Any

import pytest

from tests.earning import Shop, event, paid, refunded
from tests.points import done, pointers, refused


@pytest.fixture
def ask(shop: Shop) -> Any:
    """Ask about an order."""
    agent = shop.callers.staff("customer_service")

    def explain(order_id: str = "A1", **query: Any) -> dict[str, Any]:
        return done(agent.get("/v1/explanations", order_id=order_id, **query))

    return explain


def codes(answer: dict[str, Any]) -> list[str]:
    """The findings' codes."""
    return [finding["code"] for finding in answer["findings"]]


def test_an_order_that_never_arrived(ask: Any) -> None:
    answer = ask("A404")
    assert (answer["verdict"], answer["events"], answer["totals"]) == ("never_arrived", [], [])
    finding = answer["findings"][0]
    assert finding["en"] == "No event about order A404 has ever arrived."
    assert finding["zh"] == "系统从未收到订单 A404 的任何事件。"
    assert "order.paid" in finding["next_en"]
    assert "order.paid" in finding["next_zh"]


def test_an_order_that_gave_points(shop: Shop, ask: Any) -> None:
    shop.publish("order")
    shop.send(paid("A1", 12_890))
    answer = ask()
    assert (answer["verdict"], answer["member_id"]) == ("points_given", 7)
    assert codes(answer) == ["points_given", "awarded"]
    assert answer["findings"][0]["en"] == "The order gave 128 points."
    assert (answer["findings"][1]["rule"], answer["findings"][1]["amount"]) == ("order", 128)
    assert answer["totals"] == [{"asset": "points", "awarded": 128, "reversed": 0, "pending": 0, "net": 128}]
    assert [(one["id"], one["member_id"]) for one in answer["events"]] == [("paid-A1", 7)]


def test_an_order_of_another_member(shop: Shop, ask: Any) -> None:
    shop.publish("order")
    shop.send(paid("A1", member_id=7))
    answer = ask(member_id=8)
    assert codes(answer) == ["other_member"]
    assert "7" in answer["findings"][0]["en"]
    assert (answer["events"], answer["totals"]) == ([], [])
    assert ask(member_id=7)["verdict"] == "points_given"


def test_an_order_of_two_members_says_so(shop: Shop, ask: Any) -> None:
    shop.send(paid("A1", member_id=7), paid("A1", id="other", member_id=8))
    answer = ask()
    assert ("several_members" in codes(answer), answer["member_id"]) == (True, None)
    assert ask(member_id=8)["member_id"] == 8


def test_each_rule_says_why_it_did_not_award(shop: Shop, ask: Any) -> None:
    shop.publish("dear", condition="data.paid_fen > 50000")
    shop.publish("small", formula="data.paid_fen / 100000000")
    shop.publish("over", ends_at="2026-01-01T00:00:00+08:00")
    shop.publish("early", starts_at="2027-01-01T00:00:00+08:00")
    shop.send(paid("A1", 10_000))
    answer = ask()
    assert answer["verdict"] == "nothing_awarded"
    said = {finding["rule"]: finding["code"] for finding in answer["findings"][1:]}
    assert said == {"dear": "condition_false", "small": "nothing_to_award", "over": "ended", "early": "not_started"}
    assert all(finding["next_en"] and finding["next_zh"] for finding in answer["findings"])
    assert "{" not in str([finding["en"] + finding["zh"] for finding in answer["findings"]])


def test_no_rule_was_live(shop: Shop, ask: Any) -> None:
    shop.send(paid("A1"))
    assert codes(ask()) == ["no_rule", "no_rule_asked"]


def test_only_something_else_than_a_payment_arrived(shop: Shop, ask: Any) -> None:
    shop.send(event("c1", "review.posted", data={"order_id": "A1"}))
    answer = ask()
    assert answer["verdict"] == "not_paid"
    assert "review.posted" in answer["findings"][0]["en"]


def test_a_refund_in_part_and_the_whole(shop: Shop, ask: Any) -> None:
    shop.publish("order")
    shop.send(paid("A1", 10_000))
    shop.send(refunded(2_890))
    answer = ask()
    assert (answer["verdict"], answer["totals"][0]["net"], answer["totals"][0]["reversed"]) == ("points_given", 72, 28)
    assert codes(answer)[-1] == "reversed"
    shop.send(refunded(7_110, refund_id="r2"))
    answer = ask()
    assert (answer["verdict"], answer["totals"][0]["net"]) == ("all_refunded", 0)


def test_points_that_wait_are_said_with_the_instant(shop: Shop, ask: Any) -> None:
    shop.publish("order", pending="300D")
    shop.send(paid("A1", 10_000))
    answer = ask()
    assert answer["verdict"] == "all_pending"
    waits = next(finding for finding in answer["findings"] if finding["code"] == "pending_until")
    assert (waits["amount"], waits["until"]) == (100, "2027-02-27T04:00:00Z")
    assert "2027-02-27 12:00" in waits["en"]
    assert answer["totals"][0]["pending"] == 100


def test_points_that_wait_for_a_confirmation_say_so(shop: Shop, ask: Any) -> None:
    shop.publish("order", pending="order.confirmed+7D")
    shop.send(paid("A1", 10_000))
    assert "awaits_confirmation" in codes(ask())


def test_a_cap_is_said_with_what_it_left(shop: Shop, ask: Any) -> None:
    shop.publish("order", caps=[{"per": "day", "of": "member", "amount": 150}])
    shop.send(paid("A1", 10_000))
    shop.send(paid("A2", 10_000))
    capped = next(finding for finding in ask("A2")["findings"] if finding["code"] == "capped")
    assert (capped["rule"], capped["amount"]) == ("order", 50)
    assert "50 of 100" in capped["en"]


def test_a_late_event_that_changed_an_award_is_named_with_its_instant(shop: Shop, ask: Any) -> None:
    shop.publish("order", caps=[{"per": "day", "of": "member", "amount": 150}])
    shop.send(paid("A1", 10_000))
    assert "amended_down" not in codes(ask("A1"))
    shop.send(paid("A0", 12_000, time="2026-05-03T09:00:00+08:00"))
    answer = ask("A1")
    assert codes(answer) == ["points_given", "awarded", "amended_down"]
    assert answer["totals"] == [{"asset": "points", "awarded": 100, "reversed": 70, "pending": 0, "net": 30}]
    told = answer["findings"][2]
    assert (told["event"], told["rule"], told["asset"], told["amount"]) == ("shop paid-A1", "order", "points", 30)
    [(received,)] = shop.rows("SELECT received_at FROM points_events WHERE id = 'paid-A0'")
    assert told["by"] == "shop paid-A0"
    assert abs(datetime.fromisoformat(told["at"]) - received).total_seconds() < 5
    assert "When shop paid-A0 arrived" in told["en"]
    assert "100 points became 30" in told["en"]
    assert "收到 shop paid-A0 后" in told["zh"]
    assert "100 points 变为 30" in told["zh"]
    late = ask("A0")
    assert late["totals"] == [{"asset": "points", "awarded": 120, "reversed": 0, "pending": 0, "net": 120}], "its own"
    shop.send(refunded(12_000, "A0", time="2026-05-03T10:00:00+08:00"))
    again = ask("A1")
    assert codes(again) == ["points_given", "awarded", "amended_down", "amended_up"]
    assert (again["findings"][3]["by"], again["findings"][3]["amount"]) == ("shop refund-A0-r1", 100)
    assert again["totals"][0]["net"] == 100
    assert ask("A0")["totals"][0]["net"] == 0


def test_a_late_event_whose_consequence_the_ledger_refused_says_so(shop: Shop, ask: Any) -> None:
    shop.publish("order", caps=[{"per": "day", "of": "member", "amount": 150}])
    shop.send(paid("A1", 10_000))
    shop.send(paid("A0", 12_000, time="2026-05-03T09:00:00+08:00"))
    shop.move("earn", 9_007_199_254_740_991 - shop.balance())
    shop.send(refunded(12_000, "A0", time="2026-05-03T10:00:00+08:00"))
    answer = ask("A1")
    assert codes(answer)[-2:] == ["amended_down", "ledger_refused"], "nothing grew"
    assert answer["findings"][-1]["by"] == "shop refund-A0-r1"
    assert "balance_too_large" in answer["findings"][-1]["en"]


def test_what_somebody_took_back_by_hand_is_named(shop: Shop, ask: Any) -> None:
    shop.publish("order")
    shop.send(paid("A1", 10_000))
    [(posting_id,)] = shop.rows("SELECT posting_id FROM points_entries")
    body = {"member_id": 7, "asset": "points", "posting_id": str(posting_id)}
    assert shop.callers.system("ledger").post("/v1/reversals", body, key="by-hand").status_code == 201
    answer = ask()
    assert answer["verdict"] == "all_reversed"
    taken = answer["findings"][-1]
    assert (taken["code"], taken["amount"], taken["asset"]) == ("taken_back", 100, "points")
    assert taken["by"].startswith("system:shop")
    assert taken["at"] is not None


def test_a_payment_told_twice_says_so(shop: Shop, ask: Any) -> None:
    shop.publish("order")
    shop.send(paid("A1"))
    shop.send(paid("A1", id="again"))
    assert "order_already_paid" in codes(ask())


def test_who_may_ask_and_how(shop: Shop) -> None:
    agent = shop.callers.staff("customer_service")
    assert pointers(agent.get("/v1/explanations")) == ["/query/order_id"]
    assert pointers(agent.get("/v1/explanations", order_id="x" * 129)) == ["/query/order_id"]
    assert shop.callers.member(7).get("/v1/explanations", order_id="A1").status_code == 403
    stranger = shop.callers.staff("customer_service", program_id=2)
    assert refused(stranger.get("/v1/explanations", order_id="A1")) == (404, "program_not_configured")
