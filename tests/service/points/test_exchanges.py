"""Exchanges with partners over HTTP (requirement P16): one debit an order, fixed rates, caps, and whose key may."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.points.ledger.domain import Kind
from tests.earning import at_once
from tests.ledger import NOON
from tests.points import Brand, Clock, done, pointers, refused, sql, wrong
from tests.support import Caller

#: 100 points are a mile out; a mile in is 80 points.
AIR: dict[str, Any] = {
    "name_en": "Air miles",
    "name_zh": "航空里程",
    "asset": "points",
    "key_id": "air-key",
    "out": {"points": 100, "units": 1},
    "in": {"points": 80, "units": 1},
}
DAY = timedelta(days=1)


class Desk:
    """A brand with the partner `air`, whose key is `key`; member 7 has 3,000 points in three lots."""

    def __init__(self, brand: Brand) -> None:
        self.brand = brand
        self.key = self.key_of("air-key")
        self.marketer: Caller = brand.callers.staff("marketer")
        self.care: Caller = brand.callers.staff("customer_service")
        self.set()

    def key_of(self, key_id: str, *scopes: str, program_id: int = 1) -> Caller:
        """An API key of scope `exchange`."""
        return self.brand.callers.system("exchange", *scopes, key_id=key_id, program_id=program_id)

    def set(self, code: str = "air", **settings: Any) -> dict[str, Any]:
        """Put the partner's terms in force."""
        return done(self.marketer.put(f"/v1/partners/{code}", {**AIR, **settings}))

    def cap(self, **caps: int) -> dict[str, Any]:
        """Cap what goes out."""
        return self.set(out={**AIR["out"], **caps})

    def ask(
        self, amount: int, order: str = "X1", *, key: str | None = None, caller: Caller | None = None, **more: Any
    ) -> TestResponse:
        """Exchange, out unless told, for member 7."""
        body = {"partner": "air", "partner_order_id": order, "direction": "out", "member_id": 7, "amount": amount}
        return (caller or self.key).post("/v1/exchanges", {**body, **more}, key=key or self.brand.new_key())

    def reverse(self, made: dict[str, Any], *, caller: Caller | None = None, **more: Any) -> TestResponse:
        """Undo an exchange."""
        return (caller or self.key).post(f"/v1/exchanges/{made['id']}/reversal", more, key=self.brand.new_key())


@pytest.fixture
def desk(brand: Brand, clock: Clock) -> Desk:
    """Noon of 3 May 2026 in Shanghai."""
    clock.set(NOON)
    made = Desk(brand)
    for amount, validity in ((500, "5D"), (1_000, "30D"), (1_500, "unlimited")):
        brand.earn(amount, validity=validity)
    return made


def lots(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.brand.account()["lots"])


def facts(answer: TestResponse) -> dict[str, Any]:
    return dict((answer.json or {})["facts"])


def test_p16_a_partners_order_replayed_is_one_debit(desk: Desk) -> None:
    first = desk.ask(700)
    assert first.status_code == 201
    made = done(first)
    assert "Idempotency-Replayed" not in first.headers
    assert (made["points"], made["units"], made["state"]) == (700, 7, "posted")
    again = desk.ask(700)
    assert (again.status_code, done(again), again.headers["Idempotency-Replayed"]) == (201, made, "true")
    assert desk.brand.figures() == (2_300, 2_300, 0, 0)
    assert desk.brand.kinds()[-1] == ("spend", -700)
    entry = desk.brand.entries()[-1]
    assert (entry["cause"], entry["posting_id"]) == ("exchange air/X1", made["posting_id"])
    assert entry["meta"] == {"exchange": made["id"], "by": "system:air-key"}
    assert wrong() == []


def test_p16_other_content_under_the_same_order_is_refused(desk: Desk) -> None:
    done(desk.ask(700))
    for more in ({"amount": 800}, {"member_id": 8}, {"direction": "in", "amount": 7}):
        answer = desk.ask(**{"amount": 700, **more})
        assert (refused(answer), pointers(answer)) == ((422, "partner_order_reused"), ["/partner_order_id"])
    assert desk.brand.figures()[0] == 2_300


def test_p16_the_idempotency_key_counts_too(desk: Desk) -> None:
    first = desk.ask(700, key="k")
    assert desk.ask(700, key="k").headers["Idempotency-Replayed"] == "true"
    assert done(desk.ask(700, key="k")) == done(first)
    assert refused(desk.ask(700, "X2", key="k")) == (422, "idempotency_key_reused")
    body = {"partner": "air", "partner_order_id": "X3", "direction": "out", "member_id": 7, "amount": 100}
    assert refused(desk.key.post("/v1/exchanges", body)) == (400, "idempotency_key_missing")
    assert desk.brand.figures()[0] == 2_300


def test_p16_a_sale_between_members_is_prohibited_with_its_source_in_both_languages(desk: Desk) -> None:
    brand = desk.brand
    brand.set_asset(transferable=True)
    brand.earn(1, member_id=8)
    for price in (1, 0, 9_900):
        answer = brand.give(100, to=8, price_fen=price)
        assert (refused(answer), pointers(answer)) == ((403, "prohibited"), ["/price_fen"])
        assert "platform-rules.md" in (answer.json or {})["detail"]
    chinese = brand.callers.member(7, **{"Accept-Language": "zh"})
    told = chinese.post("/v1/transfers", {"asset": "points", "amount": 1, "to_member_id": 8, "price_fen": 5}, key="zh")
    assert (refused(told), "买卖积分" in (told.json or {})["detail"]) == ((403, "prohibited"), True)
    assert "platform-rules.md" in (told.json or {})["detail"]
    assert brand.figures()[0] == 3_000
    assert done(brand.give(100, to=8, price_fen=None))["balance"] == 2_900


@pytest.mark.parametrize(
    ("direction", "amount", "ours", "theirs"),
    [("out", 300, 300, 3), ("out", 1_000, 1_000, 10), ("in", 5, 400, 5), ("in", 1, 80, 1)],
)
def test_each_direction_has_its_rate(desk: Desk, direction: str, amount: int, ours: int, theirs: int) -> None:
    made = done(desk.ask(amount, direction=direction))
    assert (made["points"], made["units"], made["direction"]) == (ours, theirs, direction)
    assert desk.brand.figures()[0] == (3_000 + ours if direction == "in" else 3_000 - ours)
    assert wrong() == []


def test_what_goes_out_takes_the_soonest_lots_and_what_comes_in_lives_as_the_asset_says(desk: Desk) -> None:
    desk.brand.set_asset(validity="30D")
    done(desk.ask(1_200))
    assert lots(desk) == [{"on": "2026-06-02", "amount": 300}, {"on": None, "amount": 1_500}]
    done(desk.ask(2, "X2", direction="in"))
    assert lots(desk)[0] == {"on": "2026-06-02", "amount": 460}


def test_an_amount_that_is_not_whole_is_refused_with_the_nearest(desk: Desk) -> None:
    answer = desk.ask(250)
    assert (refused(answer), pointers(answer)) == ((422, "amount_not_whole"), ["/amount"])
    assert facts(answer) == {"rate": "100:1", "nearest": "200, 300"}
    desk.set(**{"in": {"points": 5, "units": 4}})
    assert facts(desk.ask(3, direction="in"))["nearest"] == "4"
    assert desk.brand.figures()[0] == 3_000


def test_what_the_ledger_refuses_leaves_nothing_behind(desk: Desk) -> None:
    short = desk.ask(3_100)
    assert (refused(short), facts(short)) == (
        (422, "insufficient_points"),
        {"available": 3_000, "short_by": 100},
    )
    desk.brand.turn(Kind.FREEZE)
    assert refused(desk.ask(100)) == (409, "account_frozen")
    desk.brand.turn(Kind.UNFREEZE)
    assert sql("SELECT count(*) FROM points_exchanges")[0][0] == 0
    assert sql("SELECT coalesce(sum(used), 0) FROM points_exchange_windows")[0][0] == 0
    # The order was not used up: the partner may send it again when there is enough.
    desk.brand.earn(100)
    assert done(desk.ask(3_100))["units"] == 31
    assert wrong() == []


def test_caps_of_a_member_by_day_and_month_in_the_programs_zone(desk: Desk, clock: Clock) -> None:
    desk.cap(most_per_member_day=1_000, most_per_member_month=1_500)
    done(desk.ask(600))
    answer = desk.ask(500, "X2")
    assert (refused(answer), pointers(answer)) == ((422, "exchange_capped"), ["/amount"])
    assert facts(answer) == {"cap": "most_per_member_day", "most": 1_000, "left": 400}
    done(desk.ask(400, "X2"))
    # 15:59:59.999999 UTC is the last moment of the day in Shanghai.
    clock.set(datetime(2026, 5, 3, 15, 59, 59, 999_999, tzinfo=UTC))
    assert facts(desk.ask(100, "X3"))["left"] == 0
    clock.set(datetime(2026, 5, 3, 16, 0, tzinfo=UTC))
    capped = desk.ask(600, "X3")
    assert facts(capped) == {"cap": "most_per_member_month", "most": 1_500, "left": 500}
    done(desk.ask(500, "X3"))
    clock.set(datetime(2026, 5, 31, 15, 59, tzinfo=UTC))
    assert facts(desk.ask(100, "X4"))["cap"] == "most_per_member_month"
    clock.set(datetime(2026, 5, 31, 16, 0, tzinfo=UTC))
    done(desk.ask(100, "X4"))
    assert wrong() == []


def test_a_cap_of_all_members_and_each_direction_by_itself(desk: Desk) -> None:
    desk.brand.earn(1_000, member_id=8)
    desk.cap(most_per_day=900)
    done(desk.ask(500))
    answer = desk.ask(500, "X2", member_id=8)
    assert facts(answer) == {"cap": "most_per_day", "most": 900, "left": 400}
    done(desk.ask(400, "X2", member_id=8))
    done(desk.ask(10, "X3", direction="in"))
    # Another partner has caps of its own.
    desk.set("rail", key_id="rail-key")
    done(desk.ask(500, partner="rail", caller=desk.key_of("rail-key")))
    assert wrong() == []


def test_caps_that_are_lowered_or_raised_hold_at_once(desk: Desk) -> None:
    done(desk.ask(500))
    desk.cap(most_per_member_day=300)
    assert facts(desk.ask(100, "X2")) == {"cap": "most_per_member_day", "most": 300, "left": 0}
    desk.cap(most_per_member_day=600)
    done(desk.ask(100, "X2"))


def test_caps_hold_under_any_concurrency(desk: Desk) -> None:
    for member in range(11, 15):
        desk.brand.earn(2_000, member_id=member)
    desk.cap(most_per_member_day=300, most_per_day=700)
    calls = [partial(desk.ask, 100, f"R{n}", member_id=11 + n % 4) for n in range(24)]
    answers = at_once(calls)
    assert sorted(answer.status_code for answer in answers) == [201] * 7 + [422] * 17
    of_member = sql("SELECT max(s) FROM (SELECT sum(points) AS s FROM points_exchanges GROUP BY member_id) t")
    assert of_member[0][0] <= 300
    assert sql("SELECT sum(points) FROM points_exchanges")[0][0] == 700
    assert wrong() == []


def test_one_order_sent_many_times_at_once_is_one_debit(desk: Desk) -> None:
    answers = at_once([partial(desk.ask, 100, "R")] * 8)
    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.json or {})["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    rivals = at_once([partial(desk.ask, amount, "S") for amount in (100, 200, 300, 400)])
    assert sorted(answer.status_code for answer in rivals) == [201, 422, 422, 422]
    assert desk.brand.figures()[0] == 2_900 - next(done(one)["points"] for one in rivals if one.status_code == 201)
    assert wrong() == []


def test_a_reversal_gives_back_the_same_lots_and_frees_the_caps_of_its_day(desk: Desk, clock: Clock) -> None:
    desk.cap(most_per_member_day=700, most_per_member_month=700, most_per_day=700)
    before = lots(desk)
    made = done(desk.ask(700))
    assert refused(desk.ask(100, "X2")) == (422, "exchange_capped")
    clock.set(NOON + DAY)
    undone = done(desk.reverse(made))
    assert (undone["state"], undone["reversed_at"]) == ("reversed", "2026-05-04T04:00:00Z")
    assert lots(desk) == before
    clock.set(NOON)
    done(desk.ask(700, "X2"))
    assert done(desk.reverse(made)) == undone
    assert [kind for kind, _ in desk.brand.kinds()][-3:] == ["spend", "reverse", "spend"]
    # The order stays what it was: sent again, it is the reversed exchange.
    assert done(desk.ask(700)) == undone
    assert wrong() == []


def test_staff_reverse_too_and_what_came_in_is_taken_back(desk: Desk) -> None:
    made = done(desk.ask(5, direction="in"))
    finance = desk.brand.callers.staff("finance")
    assert done(desk.reverse(made, caller=finance, reason="sent by mistake"))["state"] == "reversed"
    entry = desk.brand.entries()[-1]
    assert (entry["kind"], entry["amount"], entry["cause"]) == ("reverse", -400, "exchange air/X1")
    assert entry["meta"] == {"exchange": made["id"], "by": "staff:lin", "reason": "sent by mistake"}
    for caller in (desk.marketer, desk.brand.shop, desk.brand.callers.member(7)):
        assert refused(desk.reverse(made, caller=caller)) == (403, "forbidden")
    assert wrong() == []


def test_what_was_spent_meanwhile_is_not_half_reversed(desk: Desk) -> None:
    made = done(desk.ask(5, direction="in"))
    desk.brand.spend(3_150)
    answer = desk.reverse(made)
    assert (refused(answer), facts(answer)) == ((422, "points_already_spent"), {"available": 250, "short_by": 150})
    assert done(desk.care.get(f"/v1/exchanges/{made['id']}"))["state"] == "posted"
    assert wrong() == []
    desk.brand.set_asset(debt_allowed=True)
    assert done(desk.reverse(made))["state"] == "reversed"
    assert desk.brand.figures() == (-150, 0, 0, 150)
    assert wrong() == []


def test_reversals_at_once_are_one(desk: Desk) -> None:
    made = done(desk.ask(700))
    answers = at_once([partial(desk.reverse, made)] * 6)
    assert {answer.status_code for answer in answers} == {200}
    assert desk.brand.figures()[0] == 3_000
    assert wrong() == []


def test_nobody_reverses_its_posting_past_it(desk: Desk) -> None:
    made = done(desk.ask(700))
    answer = desk.brand.reverse(made)
    assert (refused(answer), pointers(answer)) == ((409, "undone_elsewhere"), ["/posting_id"])
    assert f"POST /v1/exchanges/{made['id']}/reversal" in (answer.json or {})["detail"]
    done(desk.reverse(made))
    assert desk.brand.figures()[0] == 3_000
    assert wrong() == []


def test_only_the_partners_own_key_exchanges(desk: Desk) -> None:
    made = done(desk.ask(700))
    other = desk.key_of("other-key")
    another_program = desk.key_of("air-key", program_id=2)
    for caller in (other, another_program, desk.key_of("other-key", "read")):
        answer = desk.ask(700, caller=caller)
        assert (refused(answer), pointers(answer)) == ((404, "partner_not_found"), ["/partner"])
        assert refused(desk.reverse(made, caller=caller)) == (404, "not_found")
    assert refused(desk.ask(100, partner="nobody")) == (404, "partner_not_found")
    without = desk.brand.callers.system("ledger", "read", "events", key_id="air-key")
    for caller in (
        without,
        desk.marketer,
        desk.care,
        desk.brand.callers.member(7),
        desk.brand.callers.service("levels"),
    ):
        assert refused(desk.ask(700, caller=caller)) == (403, "forbidden")
    assert refused(desk.brand.callers.anybody().post("/v1/exchanges", {}, key="k")) == (401, "unauthenticated")


def test_a_new_key_acts_from_now_on(desk: Desk) -> None:
    made = done(desk.ask(700))
    desk.set(key_id="new-key")
    assert refused(desk.ask(700)) == (404, "partner_not_found")
    assert refused(desk.key.get(f"/v1/exchanges/{made['id']}")) == (404, "not_found")
    assert done(desk.ask(700, caller=desk.key_of("new-key"))) == made


def test_who_sees_which_exchanges(desk: Desk) -> None:
    brand = desk.brand
    desk.set("rail", key_id="rail-key")
    rail = desk.key_of("rail-key")
    brand.earn(500, member_id=8)
    mine = [done(desk.ask(100, f"X{n}")) for n in range(3)]
    eights = done(desk.ask(100, "Y", member_id=8))
    rails = done(desk.ask(100, "X0", caller=rail, partner="rail"))

    def seen(caller: Caller, **query: Any) -> list[str]:
        page = done(caller.get("/v1/exchanges", **query))
        return [one["id"] for one in page["exchanges"]]

    everything = [one["id"] for one in (rails, eights, *reversed(mine))]
    assert seen(desk.care) == seen(brand.shop) == everything
    assert seen(desk.care, member_id=8) == [eights["id"]]
    assert seen(desk.care, partner="rail") == [rails["id"]]
    assert seen(desk.key) == everything[1:]
    assert seen(rail) == seen(rail, member_id=7) == [rails["id"]]
    assert seen(brand.callers.member(8)) == [eights["id"]]
    assert refused(brand.callers.member(8).get("/v1/exchanges", member_id=7)) == (404, "not_found")
    assert done(brand.callers.member(8).get(f"/v1/exchanges/{eights['id']}")) == eights
    for caller in (brand.callers.member(7), rail, brand.callers.staff("finance", program_id=2)):
        assert refused(caller.get(f"/v1/exchanges/{eights['id']}")) == (404, "not_found")
    assert refused(brand.callers.system("ledger").get("/v1/exchanges")) == (403, "forbidden")


def test_exchanges_page_by_page(desk: Desk) -> None:
    ids = [done(desk.ask(100, f"X{n}"))["id"] for n in range(5)]
    pages, after = [], None
    for _ in range(3):
        page = done(desk.care.get("/v1/exchanges", member_id=7, limit=2, **({"after": after} if after else {})))
        pages.append([one["id"] for one in page["exchanges"]])
        after = page["next"]
    assert pages == [ids[:2:-1], ids[2:0:-1], ids[:1]]
    assert after is None


def test_partners_are_shown_as_they_were_set(desk: Desk) -> None:
    shown = done(desk.care.get("/v1/partners/air"))
    none = {"most_per_member_day": None, "most_per_member_month": None, "most_per_day": None}
    assert shown == {
        **AIR,
        "code": "air",
        "enabled": True,
        "out": {**AIR["out"], **none},
        "in": {**AIR["in"], **none},
    }
    changed = desk.set(out=None, name_en="Miles")
    assert (changed["out"], changed["name_en"], changed["in"]["points"]) == (None, "Miles", 80)
    desk.set("rail", key_id="rail-key")
    assert [one["code"] for one in done(desk.brand.shop.get("/v1/partners"))["partners"]] == ["air", "rail"]
    assert done(desk.key.get("/v1/partners"))["partners"] == [changed]
    assert done(desk.key.get("/v1/partners/air")) == changed
    assert refused(desk.key.get("/v1/partners/rail")) == (404, "partner_not_found")
    assert refused(desk.care.get("/v1/partners/nobody")) == (404, "partner_not_found")
    assert done(desk.brand.callers.staff("finance", program_id=2).get("/v1/partners"))["partners"] == []


def test_a_closed_direction_and_a_disabled_partner_exchange_nothing_new(desk: Desk) -> None:
    made = done(desk.ask(100))
    desk.set(out=None)
    answer = desk.ask(100, "X2")
    assert (refused(answer), facts(answer)) == ((422, "direction_closed"), {"direction": "out"})
    desk.set(enabled=False)
    assert refused(desk.ask(100, "X2")) == (409, "partner_disabled")
    assert done(desk.ask(100)) == made
    assert done(desk.reverse(made))["state"] == "reversed"


def test_a_partner_keeps_its_asset_and_its_exchanges_their_rate(desk: Desk) -> None:
    made = done(desk.ask(700))
    answer = desk.marketer.put("/v1/partners/air", {**AIR, "asset": "energy", "name_en": "No"})
    assert (refused(answer), facts(answer)) == ((409, "partner_asset_fixed"), {"asset": "points"})
    assert done(desk.care.get("/v1/partners/air"))["name_en"] == AIR["name_en"]
    assert refused(desk.marketer.put("/v1/partners/new", {**AIR, "asset": "gold"})) == (404, "asset_not_found")
    desk.set(out={"points": 1, "units": 1})
    assert done(desk.ask(700)) == made
    assert (done(desk.reverse(made))["points"], desk.brand.figures()[0]) == (700, 3_000)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"out": {"points": 0, "units": 1}}, "/out/points"),
        ({"in": {"points": 1, "units": 100_001}}, "/in/units"),
        ({"in": {"points": 1}}, "/in/units"),
        ({"out": {"points": 1, "units": 1, "most_per_day": 0}}, "/out/most_per_day"),
        ({"out": {"points": 1, "units": 1, "rate": 1}}, "/out/rate"),
        ({"out": None, "in": None}, "/out"),
        ({"key_id": "K 1"}, "/key_id"),
        ({"name_zh": ""}, "/name_zh"),
        ({"enabled": 1}, "/enabled"),
        ({"into": None}, "/into"),
    ],
)
def test_terms_out_of_form_are_refused_with_their_place(desk: Desk, given: dict[str, Any], pointer: str) -> None:
    answer = desk.marketer.put("/v1/partners/air", {**AIR, **given})
    assert (refused(answer), pointers(answer)) == ((422, "invalid_request"), [pointer])
    for caller in (desk.care, desk.key, desk.brand.callers.member(7)):
        assert refused(caller.put("/v1/partners/air", AIR)) == (403, "forbidden")
    assert done(desk.brand.callers.staff("admin").put("/v1/partners/air", AIR))["code"] == "air"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"amount": 0}, "/amount"),
        ({"amount": 10_000_000_001}, "/amount"),
        ({"amount": "100"}, "/amount"),
        ({"direction": "sideways"}, "/direction"),
        ({"partner_order_id": ""}, "/partner_order_id"),
        ({"partner_order_id": "a\nb"}, "/partner_order_id"),
        ({"partner": "Air"}, "/partner"),
        ({"member_id": 0}, "/member_id"),
        ({"program_id": 2}, "/program_id"),
    ],
)
def test_exchanges_out_of_form_are_refused_with_their_place(desk: Desk, given: dict[str, Any], pointer: str) -> None:
    answer = desk.ask(**{"amount": 100, **given})
    assert (refused(answer), pointers(answer)) == ((422, "invalid_request"), [pointer])


def test_the_largest_amount_stays_exact_or_is_refused(desk: Desk) -> None:
    desk.set(**{"in": {"points": 100_000, "units": 1}})
    most = done(desk.ask(10_000_000_000, direction="in"))
    assert (most["points"], desk.brand.figures()[0]) == (10**15, 10**15 + 3_000)
    for number in range(8):
        assert done(desk.ask(10_000_000_000, f"Y{number}", direction="in"))["points"] == 10**15
    assert refused(desk.ask(10_000_000_000, "Y8", direction="in")) == (422, "balance_too_large")
    assert wrong() == []


def test_the_timeline_links_to_the_partners_order(desk: Desk) -> None:
    made = done(desk.ask(700))
    [item] = done(desk.care.get("/v1/timeline", member_id=7, limit=1))["items"]
    assert item["cause"] == {"kind": "exchange", "partner": "air", "order": "X1"}
    assert (item["exchange"], item["amount"]) == (made["id"], -700)
    [own] = done(desk.brand.callers.member(7).get("/v1/timeline", limit=1))["items"]
    assert (own["cause"], own["exchange"]) == (item["cause"], made["id"])


def test_what_comes_in_beyond_the_members_cap_is_refused_whole_and_what_comes_back_is_not(desk: Desk) -> None:
    desk.brand.set_asset(most_per_member=3_000)
    assert refused(desk.ask(1, direction="in")) == (409, "balance_capped")
    out = done(desk.ask(1_000))
    desk.brand.earn(900)
    assert refused(desk.ask(2, "X2", direction="in")) == (409, "balance_capped")
    done(desk.ask(1, "X3", direction="in"))
    done(desk.reverse(out))
    assert desk.brand.figures()[0] == 3_980


COUNTED = "what caps of exchanges count is what was exchanged and not reversed"
POSTED = "every exchange is an entry of its points, and reversed wholly or not"


@pytest.mark.parametrize(
    ("edit", "name", "where"),
    [
        ("UPDATE points_exchanges SET points = 800, units = 8 WHERE partner_order_id = 'X1'", POSTED, "1/air/X1"),
        ("UPDATE points_exchanges SET direction = 'in' WHERE partner_order_id = 'X1'", POSTED, "1/air/X1"),
        ("UPDATE points_exchanges SET posting_id = gen_random_uuid()", POSTED, "1/air/X1; 1/air/X2"),
        (
            "UPDATE points_exchanges SET reversed_at = now(), reversed_by = 'x' WHERE partner_order_id = 'X1'",
            POSTED,
            "1/air/X1",
        ),
        (
            "UPDATE points_exchange_windows SET used = used + 1 WHERE span = 'month'",
            COUNTED,
            "1/7/air/out/month/2026-05-01",
        ),
        ("DELETE FROM points_exchange_windows WHERE member_id = 0", COUNTED, "1/0/air/out/day/2026-05-03"),
    ],
)
def test_verify_finds_an_edit(desk: Desk, edit: str, name: str, where: str) -> None:
    done(desk.ask(700))
    done(desk.reverse(done(desk.ask(100, "X2"))))
    assert wrong() == []
    sql(edit)
    found = {finding.name: (finding.checked, finding.detail) for finding in wrong()}
    assert found[name] == (2, where)
