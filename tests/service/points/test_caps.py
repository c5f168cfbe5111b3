"""Caps over HTTP: truncated with the reason, given back by refunds, the same whatever came late (P5, P7)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.points.intake import claims, routes
from tests.earning import Shop, at_once, event, paid, refunded
from tests.points import sql, wrong

DAY = [{"per": "day", "of": "member", "amount": 100}]


def at(hour: int, day: int = 3) -> str:
    """An instant of May 2026 in Shanghai."""
    return f"2026-05-{day:02}T{hour:02}:00:00+08:00"


def decided(result: dict[str, Any]) -> list[tuple[int, int, str]]:
    """Wanted, awarded and why, of each decision."""
    return [(one.get("wanted", one["amount"]), one["amount"], one["reason"]) for one in result["decisions"]]


def stored(shop: Shop, id: str) -> dict[str, Any]:
    """What is kept of an event's outcome."""
    answer = shop.callers.staff("customer_service").get("/v1/events", source="shop", id=id)
    return dict(answer.json["events"][0]["result"])


def test_p7_assessment_pays_once_a_day(shop: Shop) -> None:
    shop.put_asset("energy")
    cap = [{"per": "day", "of": "member", "amount": 30}]
    shop.publish("assess", trigger="assessment.finished", formula="30", asset="energy", caps=cap)
    done = [event(f"e{n}", "assessment.finished", time=at(9 + n)) for n in range(2)]
    assert [decided(one) for one in shop.send(*done)] == [[(30, 30, "awarded")], [(30, 0, "capped: day")]]
    assert shop.balance(asset="energy") == 30
    shop.send(event("e3", "assessment.finished", time=at(0, 4)), event("e4", "assessment.finished", 8, time=at(12)))
    assert (shop.balance(asset="energy"), shop.balance(8, "energy")) == (60, 30)


def test_l1_growth_of_three_sources_with_interactions_capped(shop: Shop) -> None:
    shop.publish("spent", asset="growth")
    cap = [{"per": "day", "of": "member", "amount": 20}]
    shop.publish("interaction", trigger="review.posted", formula="2", asset="growth", caps=cap)
    shop.publish("invite", trigger="invite.qualified", formula="50", asset="growth")
    shop.send(
        paid(paid_fen=30_000),
        *(event(f"i{n}") for n in range(15)),
        *(event(f"q{n}", "invite.qualified") for n in range(2)),
    )
    assert shop.balance(asset="growth") == 300 + 20 + 100


@pytest.mark.parametrize(
    ("per", "times", "awarded"),
    [
        ("event", [at(9), at(10)], [100, 100]),
        ("day", [at(0), at(23), at(0, 4)], [100, 0, 100]),
        ("week", [at(0, 4), at(23, 10), at(0, 11)], [100, 0, 100]),
        ("month", [at(0, 1), at(23, 31), "2026-06-01T00:00:00+08:00"], [100, 0, 100]),
        ("total", [at(0, 1), "2027-06-01T00:00:00+08:00", "2025-06-01T00:00:00+08:00"], [100, 0, 0]),
    ],
)
def test_a_cap_holds_within_its_window_by_the_events_time(
    shop: Shop, per: str, times: list[str], awarded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "now", lambda: datetime(2028, 1, 1, tzinfo=UTC))
    shop.publish(caps=[{"per": per, "of": "member", "amount": 100}])
    sent = [paid(f"A{n}", 15_000, time=time) for n, time in enumerate(times)]
    results = [shop.send_one(one) for one in sent]
    # A later one of the same total takes nothing away from those before; an earlier one does.
    if per == "total":
        assert [claim[0] for claim in shop.rows("SELECT amount FROM points_claims ORDER BY at")] == [0, 100, 0]
    assert [decided(one)[0][1] for one in results] == awarded
    assert shop.balance() == sum(awarded)


@pytest.mark.parametrize(
    ("per", "times"),
    [
        ("day", [at(0), at(23), at(0, 4)]),
        ("week", [at(0, 4), at(23, 10), at(0, 11)]),
        ("month", [at(0, 1), at(23, 31), "2026-06-01T00:00:00+08:00"]),
        ("total", [at(0, 1), "2027-06-01T00:00:00+08:00"]),
    ],
)
def test_verify_finds_a_member_who_has_more_than_a_cap(
    shop: Shop, per: str, times: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "now", lambda: datetime(2028, 1, 1, tzinfo=UTC))
    shop.publish(caps=[{"per": per, "of": "member", "amount": 100}])
    for n, time in enumerate(times):
        shop.send_one(paid(f"A{n}", 6_000, time=time))
        shop.send_one(paid(f"B{n}", 6_000, member_id=8, time=time))
    more = "no member has more of a capped rule than its caps"
    assert wrong() == []
    sql("UPDATE points_claims SET amount = 41 WHERE member_id = 7 AND event = 'shop paid-A1'")
    [finding] = [finding for finding in wrong() if finding.name == more]
    assert (finding.violations, finding.detail) == (1, "1/7/order/shop paid-A1")
    sql("UPDATE points_claims SET reversed = 1 WHERE member_id = 7 AND event = 'shop paid-A1'")
    assert more not in [finding.name for finding in wrong()], "what was taken back is not had"
    sql("UPDATE points_claims SET amount = 40, reversed = 0 WHERE member_id = 7 AND event = 'shop paid-A1'")


def test_a_late_event_takes_its_place_and_later_ones_give_way(shop: Shop) -> None:
    shop.publish(caps=DAY)
    shop.send_one(paid("A2", 8_000, time=at(12)))
    late = shop.send_one(paid("A1", 7_000, time=at(9)))
    assert decided(late) == [(70, 70, "awarded")]
    assert shop.balance() == 100
    assert shop.amounts() == [80, 70, -50]
    assert [entry["cause"] for entry in shop.entries()] == ["shop paid-A2", "shop paid-A1", "shop paid-A1"]
    [note] = stored(shop, "paid-A2")["amended"]
    assert {**note, "at": ""} == {"at": "", "by": "shop paid-A1", "rule": "order", "from": 80, "to": 30}
    again = shop.send_one(paid("A2", 8_000, time=at(12)))
    assert again["replayed"]
    assert again["amended"] == [note]


def test_a_refund_gives_the_cap_to_what_came_after_it(shop: Shop) -> None:
    shop.publish(caps=DAY)
    results = shop.send(
        paid("A1", 8_000, time=at(9)),
        paid("A2", 5_000, time=at(11)),
        paid("A3", 5_000, time=at(13)),
    )
    assert [decided(one)[0][1] for one in results] == [80, 20, 0]
    back = shop.send_one(refunded(4_000, "A1", time=at(12)))
    assert back["reversed"] == [{"rule": "order", "asset": "points", "amount": 40, "reason": None}]
    assert [(entry["amount"], entry["cause"]) for entry in shop.entries()][2:] == [
        (40, "shop paid-A3"),
        (-40, "shop refund-A1-r1"),
    ]
    assert shop.balance() == 100
    assert stored(shop, "paid-A3")["amended"][0]["to"] == 40
    assert "amended" not in stored(shop, "paid-A2")


def test_a_grown_award_is_taken_back_from_all_of_its_postings(shop: Shop) -> None:
    shop.publish(caps=DAY)
    shop.send(paid("A1", 8_000, time=at(9)), paid("A2", 9_000, time=at(11)))
    shop.send_one(refunded(8_000, "A1", time=at(10)))
    assert shop.amounts() == [80, 20, 70, -80]
    assert shop.send_one(refunded(9_000, "A2", time=at(14)))["reversed"][0]["amount"] == 90
    assert shop.balance() == 0
    assert sorted(shop.amounts()[4:]) == [-70, -20]


def test_a_refund_long_after_gives_back_what_was_awarded_and_changes_nobody(shop: Shop) -> None:
    month = [{"per": "month", "of": "member", "amount": 100}]
    shop.publish(caps=month)
    shop.send(paid("A1", 8_000, time="2026-02-03T12:00:00Z"), paid("A2", 9_000, time="2026-02-04T12:00:00Z"))
    shop.send_one(paid("A3", 3_000, time="2026-05-03T12:00:00Z"))
    for part in (4_000, 4_000):
        back = refunded(part, "A1", refund_id=f"r{part}{shop.balance()}", time="2026-05-04T12:00:00Z")
        assert shop.send_one(back)["reversed"][0]["amount"] == 40
    assert shop.rows("SELECT amount, reversed FROM points_claims ORDER BY at") == [(80, 80), (20, 0), (30, 0)]
    assert shop.balance() == 50


def test_an_event_later_than_accepted_gets_what_is_left_and_changes_nobody(shop: Shop) -> None:
    shop.publish(caps=[{"per": "month", "of": "member", "amount": 100}])
    shop.send(paid("A1", 7_000, time="2026-02-10T12:00:00Z"), paid("A2", 3_000, time="2026-05-10T12:00:00Z"))
    late = shop.send_one(paid("A0", 9_000, time="2026-02-03T12:00:00Z"))
    assert decided(late) == [(90, 30, "capped: month")]
    assert shop.rows("SELECT amount FROM points_claims ORDER BY at") == [(30,), (70,), (30,)]
    later = shop.send_one(paid("A9", 500, time="2026-02-20T12:00:00Z"))
    assert decided(later) == [(5, 0, "capped: month")]
    assert shop.balance() == 130


def test_no_more_claims_are_folded_than_a_customer_can_make(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOST_CLAIMS", 3)
    shop.publish("review", trigger="review.posted", formula="1", caps=DAY)
    results = shop.send(*(event(f"e{n}") for n in range(5)))
    assert [decided(one) for one in results][2:] == [
        [(1, 1, "awarded")],
        [(1, 0, "capped: too_many_events")],
        [(1, 0, "capped: too_many_events")],
    ]
    assert shop.rows("SELECT count(*) FROM points_claims") == [(3,)]


def test_so_many_awards_a_day_and_a_refund_makes_room_for_one_more(shop: Shop) -> None:
    shop.publish(formula="10", frequency={"times": [{"per": "day", "most": 2}]})
    results = shop.send(*(paid(f"A{n}", time=at(9 + n)) for n in range(3)), paid("B", time=at(0, 4)))
    assert [decided(one) for one in results] == [
        [(10, 10, "awarded")],
        [(10, 10, "awarded")],
        [(10, 0, "capped: times day")],
        [(10, 10, "awarded")],
    ]
    # Half of it comes back: it still counts; then all of it, and what came after has its place.
    shop.send_one(refunded(5_000, "A0", time=at(10)))
    assert "amended" not in stored(shop, "paid-A2")
    shop.send_one(refunded(5_000, "A0", refund_id="r2", time=at(10)))
    assert stored(shop, "paid-A2")["amended"][0]["to"] == 10
    assert shop.balance() == 30


def test_a_cool_down_says_until_when_and_a_late_event_moves_it(shop: Shop) -> None:
    shop.publish("review", trigger="review.posted", formula="5", frequency={"cooldown_hours": 12})
    first, soon, later = shop.send(*(event(f"e{hour}", time=at(hour)) for hour in (6, 17, 18)))
    assert [decided(one)[0][1] for one in (first, soon, later)] == [5, 0, 5]
    assert decided(soon)[0][2] == "cooling_down: until 2026-05-03T10:00:00+00:00"
    # Earlier than all: six o'clock came too soon after it, five in the afternoon did not.
    assert decided(shop.send_one(event("e1", time=at(1))))[0][1] == 5
    assert shop.rows("SELECT event, amount FROM points_claims ORDER BY at") == [
        ("shop e1", 5),
        ("shop e6", 0),
        ("shop e17", 5),
        ("shop e18", 0),
    ]
    assert shop.balance() == 10


def test_once_in_all_is_once_in_all_years_and_versions(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "now", lambda: datetime(2028, 1, 1, tzinfo=UTC))
    once = {"times": [{"per": "total", "most": 1}]}
    shop.publish("first-order", formula="100", frequency=once)
    assert decided(shop.send_one(paid("A1", time="2024-05-03T12:00:00Z")))[0][1] == 100
    shop.publish("first-order", formula="200", frequency=once)
    assert decided(shop.send_one(paid("A2", time="2026-05-03T12:00:00Z"))) == [(200, 0, "capped: times total")]
    # Refunded two years later: from then on another may be the first.
    shop.send_one(refunded(10_000, "A1", time="2026-06-03T12:00:00Z"))
    shop.send_one(paid("A3", time="2026-06-04T12:00:00Z"))
    assert shop.rows("SELECT event, amount - reversed FROM points_claims ORDER BY at") == [
        ("shop paid-A1", 0),
        ("shop paid-A2", 0),
        ("shop paid-A3", 200),
    ]


def test_an_award_that_the_ledger_refuses_is_no_time(shop: Shop) -> None:
    shop.publish(formula="10", frequency={"times": [{"per": "total", "most": 1}], "cooldown_hours": 24})
    shop.move("earn", 2**53 - 1)
    assert decided(shop.send_one(paid("A1", time=at(9)))) == [(10, 0, "ledger_refused: balance_too_large")]
    shop.spend(2**53 - 1)
    assert decided(shop.send_one(paid("A2", time=at(10)))) == [(10, 10, "awarded")]


def test_verify_finds_an_award_too_many_and_one_too_soon(shop: Shop) -> None:
    shop.publish("counted", formula="10", frequency={"times": [{"per": "month", "most": 1}]})
    shop.publish("cooling", formula="10", asset="growth", frequency={"cooldown_hours": 24})
    shop.send(paid("A1", time=at(9)), paid("A2", time=at(10)), paid("A3", time="2026-06-01T00:00:00+08:00"))
    assert wrong() == []
    sql("UPDATE points_claims SET amount = 10 WHERE event = 'shop paid-A2'")
    found = {finding.name: finding.detail for finding in wrong()}
    assert found["no member is awarded more often than a rule's times"] == "1/7/counted/shop paid-A2"
    assert found["between two awards of a member lies the rule's cool-down"] == "1/7/cooling/shop paid-A2"
    sql("UPDATE points_claims SET amount = 0 WHERE event = 'shop paid-A2'")


@pytest.mark.parametrize(
    ("frequency", "pointer"),
    [
        ({"times": [{"per": "event", "most": 1}]}, "/frequency/times/0/per"),
        ({"times": [{"per": "day", "most": 0}]}, "/frequency/times/0/most"),
        ({"times": [{"per": "day", "most": 1}, {"per": "day", "most": 2}]}, "/frequency/times/1"),
        ({"cooldown_hours": 0}, "/frequency/cooldown_hours"),
    ],
)
def test_a_frequency_that_could_never_work_is_refused_where_it_stands(
    shop: Shop, frequency: dict[str, Any], pointer: str
) -> None:
    answer = shop.draft("order", frequency=frequency)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_multiplier_awards_nothing_and_so_not_often(shop: Shop) -> None:
    answer = shop.draft("double", kind="multiplier", formula=None, factor="2", frequency={"cooldown_hours": 1})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/frequency"]


def test_two_batches_of_the_same_events_at_once_have_one_effect(shop: Shop) -> None:
    shop.publish(caps=DAY)
    batch = [paid(f"A{n}", 3_000, time=at(n % 20), member_id=n % 3 + 1) for n in range(30)]
    batch += [refunded(1_500, f"A{n}", time=at(n % 20 + 1), member_id=n % 3 + 1) for n in range(30)]
    answers = at_once([lambda: shop.post(batch), lambda: shop.post(batch), lambda: shop.post(batch[::-1])])
    assert {answer.status_code for answer in answers} == {200}
    assert [row[0] for row in shop.rows("SELECT count(*) FROM points_claims")] == [30]
    assert all(shop.balance(member) <= 100 for member in (1, 2, 3))


def test_the_same_events_in_any_order_from_many_threads_end_alike(shop: Shop) -> None:
    shop.publish(caps=DAY)
    facts = [paid(f"A{n}", 4_000, time=at(2 * n)) for n in range(6)]
    facts += [refunded(2_000, f"A{n}", time=at(2 * n + 1)) for n in range(3)]
    for member in (1, 2):
        mine = [{**one, "id": f"{member}-{one['id']}", "subject": f"member:{member}"} for one in facts]
        answers = at_once([lambda one=one: shop.post(one) for one in (mine if member == 1 else mine[::-1])])
        assert {answer.status_code for answer in answers} == {200}
    ends = [
        shop.rows(f"SELECT at, amount, reversed FROM points_claims WHERE member_id = {member} ORDER BY at")
        for member in (1, 2)
    ]
    assert ends[0] == ends[1]
    assert shop.balance(1) == shop.balance(2) == sum(row[1] - row[2] for row in ends[0])


def test_r4_a_campaign_stamps_its_factor_and_a_refund_takes_what_was_stamped(shop: Shop) -> None:
    shop.publish("base", formula="50")
    shop.publish(
        "double", kind="multiplier", factor="2", formula=None, ends_at="2026-05-04T00:00:00+08:00", applies_to=["base"]
    )
    last, after = shop.send(paid("A1", time="2026-05-03T23:59:59+08:00"), paid("A2", time=at(0, 4)))
    [shown] = [one for one in last["decisions"] if one["rule"] == "base"]
    assert (shown["amount"], shown["base"], shown["factor"], shown["campaign"]) == (100, 50, "2", "double")
    assert [one["amount"] for one in after["decisions"] if one["rule"] == "base"] == [50]
    entry = shop.entries()[0]
    assert (entry["amount"], entry["meta"]["factor"], entry["meta"]["campaign"]) == (100, "2", "double")
    assert shop.act("double", "retirement").status_code == 200
    shop.send_one(refunded(10_000, "A1", time=at(0, 10)))
    assert shop.amounts() == [100, 50, -100]


def test_why_no_points_for_an_order_is_answered_by_its_number(shop: Shop) -> None:
    shop.publish(caps=DAY)
    shop.send(paid("A1", 20_000, time=at(9)), paid("A2", 5_000, time=at(10)), paid("A2", 100, member_id=8, id="o"))
    shop.send_one(refunded(2_000, "A2", time=at(11)))
    clerk = shop.callers.staff("customer_service")
    found = clerk.get("/v1/events", order_id="A2").json["events"]
    assert {(one["id"], one["member_id"]) for one in found} == {("paid-A2", 7), ("o", 8), ("refund-A2-r1", 7)}
    mine = clerk.get("/v1/events", order_id="A2", member_id=7).json["events"]
    assert [one["id"] for one in mine] == ["paid-A2", "refund-A2-r1"]
    assert decided(mine[0]["result"]) == [(50, 0, "capped: day")]
    own = shop.callers.member(8).get("/v1/events", order_id="A2").json["events"]
    assert [one["id"] for one in own] == ["o"]
    assert shop.callers.member(8).get("/v1/events", order_id="A2", member_id=7).status_code == 404
    assert clerk.get("/v1/events", order_id="none").json == {"events": []}
    assert clerk.get("/v1/events", order_id="A2", source="shop", id="x").status_code == 422


def test_a_capped_award_that_the_ledger_refuses_uses_up_nothing(shop: Shop) -> None:
    shop.publish(budget=500, caps=DAY)
    shop.move("earn", 2**53 - 1)
    bought, returned = shop.send(paid("A1", time=at(9)), refunded(2_000, "A1", time=at(10)))
    assert decided(bought) == [(100, 0, "ledger_refused: balance_too_large")]
    assert (returned["reversed"][0]["amount"], returned["reversed"][0]["reason"]) == (
        0,
        "ledger_refused: not_reversible",
    )
    shop.spend(2**53 - 1)
    assert shop.rows("SELECT amount, reversed, most FROM points_claims") == [(0, 0, 0)]
    assert shop.rows("SELECT total FROM points_claim_windows") == [(0,)]
    assert decided(shop.send_one(paid("A2", time=at(11)))) == [(100, 100, "awarded")]
    assert shop.rows("SELECT sum(used)::int FROM points_budget_slots") == [(100,)]


def test_an_award_that_the_ledger_refuses_leaves_the_budget_as_it_was(shop: Shop) -> None:
    shop.publish(budget=150)
    shop.move("earn", 2**53 - 1)
    assert decided(shop.send(paid(), refunded(2_000))[0])[0][1] == 0
    assert decided(shop.send_one(paid("A2", 15_000, member_id=8))) == [(150, 150, "awarded")]


def test_who_a_member_was_is_asked_of_the_events_own_time(shop: Shop) -> None:
    shop.publish(audience={"tags": ["vip"]}, caps=DAY)
    result = shop.send_one(paid())
    assert decided(result) == [(0, 0, "not_in_audience")]
    assert shop.rows("SELECT count(*) FROM points_claims") == [(0,)]


def test_orders_that_wait_for_nothing_are_confirmed_without_a_posting(shop: Shop) -> None:
    shop.publish(caps=DAY)
    shop.publish("free", asset="growth")
    shop.send_one(paid("A1", time=at(9)))
    shop.send_one(event("c", "order.confirmed", data={"order_id": "A1"}, time=at(10)))
    assert shop.amounts() == [100]
