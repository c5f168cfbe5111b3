"""Events over HTTP: each once, all or nothing, decided with reasons, offered to the neighbours, and asked about."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from common import service_client
from common.clock import now
from services.points.intake import clients
from tests.earning import LevelsDouble, Shop, at_once, event, paid, refunded
from tests.wsgi import serving

AWARDED = {"rule": "order", "version": 1, "asset": "points", "amount": 100, "reason": "awarded"}


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> Iterator[LevelsDouble]:
    """A levels to ask, on a real port."""
    monkeypatch.setattr(clients, "_levels", service_client.Neighbour("levels", caller="points"))
    double = LevelsDouble()
    with serving(double) as url:
        monkeypatch.setenv("JIFEN_LEVELS_URL", url)
        service_client.settings.cache_clear()
        yield double
    monkeypatch.undo()
    service_client.settings.cache_clear()


def test_one_event_is_decided_posted_and_answered_with_its_reasons(shop: Shop) -> None:
    shop.publish()
    answer = shop.post(paid())
    assert answer.status_code == 200
    assert answer.json == {
        "results": [
            {
                "source": "shop",
                "id": "paid-A1",
                "member_id": 7,
                "replayed": False,
                "decisions": [AWARDED],
                "reversed": [],
                "reason": None,
            }
        ]
    }
    [entry] = shop.entries()
    assert (entry["kind"], entry["amount"], entry["cause"]) == ("earn", 100, "shop paid-A1")


def test_an_array_is_taken_in_in_its_order(shop: Shop) -> None:
    shop.publish("review", trigger="review.posted", formula="data.points")
    sent = [event(f"e{n}", data={"points": n}, member_id=7 + n % 2) for n in (3, 1, 2)]
    results = shop.send(*sent)
    assert [(one["id"], one["member_id"], one["decisions"][0]["amount"]) for one in results] == [
        ("e3", 8, 3),
        ("e1", 8, 1),
        ("e2", 7, 2),
    ]
    assert (shop.amounts(8), shop.amounts(7)) == ([3, 1], [2])


def test_an_event_sent_again_gives_its_first_result_whatever_the_rules_are_now(shop: Shop) -> None:
    shop.publish()
    first = shop.send_one(paid())
    shop.publish(formula="1")
    written = shop.written()
    for _ in range(3):
        assert shop.send_one(paid()) == {**first, "replayed": True}
    assert shop.written() == written
    assert shop.balance() == 100


def test_g2_a_batch_of_a_hundred_events_sent_twice_is_a_hundred_events(shop: Shop) -> None:
    shop.publish("review", trigger="review.posted", formula="1")
    batch = [event(f"e{n}", member_id=n % 9 + 1) for n in range(100)]
    first = shop.send(*batch)
    written = shop.written()
    again = shop.send(*batch)
    assert [one["replayed"] for one in first] == [False] * 100
    assert [{**one, "replayed": False} for one in again] == first
    assert ([one["replayed"] for one in again], shop.written()) == ([True] * 100, written)
    assert shop.rows("SELECT count(*), count(DISTINCT id) FROM points_events") == [(100, 100)]
    # The server's time is kept beside the client's, and a batch that overlaps it adds only what is new.
    assert shop.rows("SELECT count(*) FROM points_events WHERE received_at = time") == [(0,)]
    shop.send(*batch[50:], *(event(f"n{n}") for n in range(3)))
    assert shop.rows("SELECT count(*) FROM points_events") == [(103,)]


def test_p15_a_friend_added_again_after_deleting_is_not_rewarded_again(shop: Shop, levels: LevelsDouble) -> None:
    once = [{"per": "total", "of": "member", "amount": 5}]
    shop.put_asset("cash")
    cash = shop.draft("friend", trigger="friend.added", formula="500", asset="cash", caps=once)
    assert (cash.status_code, cash.json["code"]) == (422, "policy_violation")
    shop.publish("friend", trigger="friend.added", formula="5", caps=once)
    # One person by union id and by the openid of the brand's app: levels says it is one member.
    levels.members["wechat_openid", "wx12", "o6_bm"] = levels.members["wechat_unionid", "", "u1"] = 1000
    added = [
        event("added", "friend.added", subject="wechat_unionid:u1"),
        event("deleted", "friend.deleted", subject="wechat_unionid:u1", time="2026-05-04T12:00:00+08:00"),
        event("added-again", "friend.added", subject="wechat_unionid:u1", time="2026-05-05T12:00:00+08:00"),
        event("elsewhere", "friend.added", subject="wechat_openid/wx12:o6_bm", time="2026-10-05T12:00:00+08:00"),
    ]
    results = [shop.send_one(one) for one in added]
    assert {one["member_id"] for one in results} == {1000}
    told = [[(decision["amount"], decision["reason"]) for decision in one["decisions"]] for one in results]
    assert told == [[(5, "awarded")], [], [(0, "capped: total")], [(0, "capped: total")]]
    assert shop.amounts(1000) == [5]
    shop.assert_sound()


def test_an_event_twice_in_one_request_counts_once(shop: Shop) -> None:
    shop.publish()
    first, again, other = shop.send(paid(), paid(), paid("A2"))
    assert [first["replayed"], again["replayed"], other["replayed"]] == [False, True, False]
    assert {**again, "replayed": False} == first
    assert shop.amounts() == [100, 100]


def test_the_same_instant_and_data_in_another_notation_are_the_same_event(shop: Shop) -> None:
    shop.publish()
    shop.send_one(paid(time="2026-05-03T12:00:00+08:00"))
    again = paid(time="2026-05-03T04:00:00Z", datacontenttype="application/json")
    again["data"] = dict(reversed(again["data"].items()))
    assert shop.send_one(again)["replayed"]


@pytest.mark.parametrize("changed", [{"data": {"order_id": "A1", "paid_fen": 1}}, {"subject": "member:8"}])
def test_an_event_id_with_another_content_is_refused_and_nothing_of_the_request_is_written(
    shop: Shop, changed: dict[str, Any]
) -> None:
    shop.publish()
    shop.send_one(paid())
    written = shop.written()
    for batch in ([paid("A2"), {**paid(), **changed}], [paid("A3"), {**paid("A3"), **changed}]):
        answer = shop.post(batch)
        assert (answer.status_code, answer.json["code"]) == (422, "event_id_reused")
        assert shop.written() == written
    assert shop.send_one(paid("A2"))["replayed"] is False


def test_sources_have_their_own_ids_and_programs_their_own_events(shop: Shop) -> None:
    shop.publish()
    assert shop.send_one(event("x", source="shop"))["replayed"] is False
    assert shop.send_one(event("x", source="app"))["replayed"] is False
    shop.callers.staff("marketer", program_id=2).put("/v1/program", {"name": "Other"})
    other = shop.callers.system("events", program_id=2).post("/v1/events", event("x", source="shop"))
    assert other.json["results"][0]["replayed"] is False


def test_one_batch_sent_by_eight_threads_at_once_has_one_effect_and_one_answer(shop: Shop) -> None:
    shop.publish()
    shop.publish("growth", asset="growth")
    batch = [paid(f"A{n}", member_id=n % 5 + 1) for n in range(40)]
    batch += [refunded(2_500, f"A{n}", member_id=n % 5 + 1) for n in range(40)]
    answers = at_once([lambda: shop.post(batch)] * 8)
    assert {answer.status_code for answer in answers} == {200}
    fresh = [answer.json["results"] for answer in answers if not answer.json["results"][0]["replayed"]]
    assert len(fresh) == 1
    for answer in answers:
        assert [{**one, "replayed": False} for one in answer.json["results"]] == fresh[0]
    assert shop.written() == [80, 40, 160, 1 + 80 + 160]
    assert [shop.balance(member) for member in range(1, 6)] == [8 * 75] * 5


@pytest.mark.parametrize("contested", ["events", "orders"])
def test_batches_in_opposite_order_do_not_lock_each_other_out(shop: Shop, contested: str) -> None:
    """A third holds the middle one of three until both wait; then neither may hold what the other needs next."""
    make = paid if contested == "orders" else event
    batches = [[make(f"{n}") for n in (1, 2, 3)], [make(f"{n}") for n in (3, 2, 1)]]
    if contested == "orders":
        batches[1] = [{**one, "id": f"other-{one['id']}"} for one in batches[1]]
    with ThreadPoolExecutor(2) as pool:
        with shop.service.database.engine.connect() as third:
            third.execute(text(HELD[contested]))
            answers = [pool.submit(shop.post, batch) for batch in batches]
            while shop.rows("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != [(2,)]:
                time.sleep(0.01)
            third.rollback()
        assert [answer.result().status_code for answer in answers] == [200, 200]
    assert shop.written()[:2] == ([6, 3] if contested == "orders" else [3, 0])


HELD = {
    "events": "INSERT INTO points_events (program_id, source, id, type, member_id, time, fingerprint, data, result)"
    " VALUES (1, 'shop', '2', 't', 7, now(), '', '{}', '{}')",
    "orders": "INSERT INTO points_orders (program_id, member_id, order_id, paid_fen, refunded_fen, refunds, awards)"
    " VALUES (1, 7, '2', 0, 0, '{}', '[]')",
}


def test_facts_of_one_order_in_different_requests_at_once_all_count(shop: Shop) -> None:
    shop.publish()
    events = [paid(), *(refunded(1_000, refund_id=f"r{n}") for n in range(7))]
    answers = at_once([lambda one=one: shop.post(one) for one in events])
    assert {answer.status_code for answer in answers} == {200}
    assert shop.balance() == 30
    assert shop.rows("SELECT paid_fen, refunded_fen FROM points_orders") == [(10_000, 7_000)]


def test_an_event_from_the_future_is_refused_with_all_of_its_request(shop: Shop) -> None:
    late = (now() + timedelta(days=1, minutes=1)).isoformat()
    answer = shop.post([event("a"), event("b", time=late)])
    assert (answer.status_code, answer.json["code"]) == (422, "event_from_the_future")
    assert "shop b" in answer.json["detail"]
    assert shop.written()[0] == 0
    ahead = (now() + timedelta(hours=23)).isoformat()
    assert shop.send_one(event("b", time=ahead))["replayed"] is False


def test_malformed_requests_are_named(shop: Shop) -> None:
    caller = shop.callers.system("events")
    headers = {**caller._headers(), "Content-Type": "application/json"}
    for body in ("", "{", "[1,", '{"a": NaN}', "\x00"):
        answer = caller.client.post("/v1/events", data=body, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (400, "malformed_request"), body
    for body, pointer in (
        ('"\\u0000"', "/"),
        ('["\\ud800"]', "/0"),
        ('{"data": {"a/b": [1, "x\\u0000"]}}', "/data/a~1b/1"),
        ('{"data": {"\\u0000": 1}}', "/data"),
    ):
        answer = caller.client.post("/v1/events", data=body, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_request"), body
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    answer = caller.client.post("/v1/events", data="{}", headers={**headers, "Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_json_as_deep_as_it_may_be_sent_never_breaks_the_service(shop: Shop) -> None:
    caller = shop.callers.system("events")
    headers = {**caller._headers(), "Content-Type": "application/json"}
    for leaf in ("1", '"\\u79ef"'):
        for deep in (*range(1, 12), *range(12, 880, 60), *range(880, 1000, 6), 100_000):
            data = '{"a":' * deep + leaf + "}" * deep
            body = json.dumps(event(f"{deep}-{len(leaf)}", data="HERE")).replace('"HERE"', data)
            answer = caller.client.post("/v1/events", data=body, headers=headers)
            assert answer.status_code == (200 if deep <= 8 else 422 if deep < 500 else answer.status_code), deep
            assert answer.status_code in (200, 400, 422), deep


WRONG: list[tuple[Any, list[str]]] = [
    ([], ["/"]),
    ([event(f"e{n}") for n in range(1001)], ["/"]),
    ("text", ["/"]),
    ([1, event()], ["/0"]),
    ({}, ["/id", "/source", "/specversion", "/subject", "/time", "/type"]),
    (event(colour="red"), ["/colour"]),
    (event(specversion="0.3"), ["/specversion"]),
    (event(data=[]), ["/data"]),
    (event(data={"n": 2**53}), ["/data"]),
    (event(data={"n": "x" * 17_000}), ["/data"]),
    (event(id="a b"), ["/id"]),
    (event(time="2026-05-03T12:00:00"), ["/time"]),
    (event(time=17), ["/time"]),
    (event(datacontenttype="text/xml"), ["/datacontenttype"]),
    (event(type="order.paid"), ["/data/order_id", "/data/paid_fen"]),
    ([event(), paid(paid_fen=-1)], ["/1/data/paid_fen"]),
    ([paid(paid_fen="100"), refunded(0)], ["/0/data/paid_fen", "/1/data/refunded_fen"]),
    ([event(), event("e2", "order.refunded")], ["/1/data/order_id", "/1/data/refund_id", "/1/data/refunded_fen"]),
    ([event(), event("e2", colour="red")], ["/1/colour"]),
    *((event(subject=subject), ["/subject"]) for subject in ("17", "member:", "member:abc", "member:0", "member:-1")),
    *((event(subject=subject), ["/subject"]) for subject in ("member:017", "member/x:17", f"member:{10**16}")),
    *((event(subject=subject), ["/subject"]) for subject in ("Phone:1", "phone_hash:", "a/b/c:1", "a:b c", None)),
    *((event(type=name), ["/type"]) for name in ("", "Order", "ledger.entry", "program.configured", "grant.refused")),
    *((event(type=name), ["/type"]) for name in ("reward.granted", "reward.reversed")),
]


def test_what_is_not_right_is_pointed_at_and_nothing_is_written(shop: Shop) -> None:
    for body, pointers in WRONG:
        answer = shop.post(body)
        assert answer.status_code == 422, (str(body)[:200], answer.json)
        assert answer.json["code"] == "invalid_request"
        assert sorted(error["pointer"] for error in answer.json["errors"]) == pointers, str(body)[:200]
    assert shop.written()[0] == 0


def test_a_thousand_events_at_a_time_are_welcome(shop: Shop) -> None:
    shop.publish("review", trigger="review.posted", formula="1")
    results = shop.send(*(event(f"e{n}", member_id=n % 300 + 1) for n in range(1000)))
    assert len(results) == 1000
    assert shop.rows("SELECT sum(amount), count(*) FROM points_entries") == [(1000, 1000)]


def test_fractions_in_data_are_exact_all_the_way(shop: Shop) -> None:
    shop.publish("weight", trigger="bottle.returned", formula="data.kilograms * 1000")
    sent = event("e1", "bottle.returned", data={"kilograms": 0.29, "parts": [1.5, {"x": -0.125}]})
    assert shop.send_one(sent)["decisions"][0]["amount"] == 290
    offered = json.loads(shop.callers.service("levels").get("/feed", topics="bottle.returned").data)["facts"]
    kept = json.loads(shop.callers.member(7).get("/v1/events", source="shop", id="e1").data)["events"]
    assert [offered[0]["payload"]["data"], kept[0]["data"]] == [sent["data"]] * 2
    assert shop.send_one(sent)["replayed"]


def test_identities_lead_to_members_through_levels_which_is_asked_once(shop: Shop, levels: LevelsDouble) -> None:
    shop.publish()
    batch = [
        paid("A1", subject="customer_id:00123"),
        paid("A2", subject="wechat_openid/wx12:o6_bm"),
        paid("A3", subject="customer_id:00123"),
        paid("A4", subject="member:7"),
    ]
    assert [one["member_id"] for one in shop.send(*batch)] == [1000, 1001, 1000, 7]
    [asked] = levels.requests
    assert asked["identities"] == [
        {"type": "customer_id", "value": "00123"},
        {"type": "wechat_openid", "app": "wx12", "value": "o6_bm"},
    ]
    assert (asked["create"], asked["caller"].kind, asked["caller"].subject) == (True, "service", "points")
    assert asked["caller"].program_id == 1
    levels.mood = "unwell"
    assert shop.send_one(paid("A5", subject="customer_id:00123"))["member_id"] == 1000
    assert [one["replayed"] for one in shop.send(*batch)] == [True] * 4
    assert len(levels.requests) == 1
    assert (shop.balance(1000), shop.balance(1001), shop.balance(7)) == (300, 100, 100)


def test_who_an_identity_is_is_remembered_by_program(shop: Shop, levels: LevelsDouble) -> None:
    shop.send_one(event(subject="customer_id:1"))
    other = shop.callers.system("events", program_id=2)
    shop.callers.staff("marketer", program_id=2).put("/v1/program", {"name": "Other"})
    assert other.post("/v1/events", event(subject="customer_id:1")).status_code == 200
    assert [request["caller"].program_id for request in levels.requests] == [1, 2]


def test_a_levels_that_does_not_answer_means_503_and_nothing_written(
    shop: Shop, levels: LevelsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels.mood = "unwell"
    batch = [event("a"), event("b", subject="customer_id:1")]
    answers = [shop.post(batch)]
    monkeypatch.setenv("JIFEN_LEVELS_URL", "http://127.0.0.1:9")
    service_client.settings.cache_clear()
    answers.append(shop.post(batch))
    for answer in answers:
        assert (answer.status_code, answer.json["code"]) == (503, "service_unavailable")
        assert "Retry-After" in answer.headers
    assert shop.written()[0] == 0
    assert shop.send_one(event("a"))["replayed"] is False


def test_an_identity_that_levels_does_not_know_how_to_read_is_the_senders_mistake(
    shop: Shop, levels: LevelsDouble
) -> None:
    levels.mood = "refusing"
    answer = shop.post([event("a"), event("b", subject="shoe_size:42")])
    assert (answer.status_code, answer.json["code"]) == (422, "subject_refused")
    assert "Must be one of: customer_id, phone_hash." in answer.json["detail"]
    assert "shoe_size:42" in answer.json["detail"]
    assert answer.json["errors"][0]["pointer"] == "/subject"
    chinese = shop.post(event("b", subject="shoe_size/cn:42"), **{"Accept-Language": "zh"}).json["detail"]
    assert "无法识别 shoe_size/cn:42" in chinese
    levels.mood = "denying"
    ours = shop.post(event("b", subject="shoe_size:42"))
    assert (ours.status_code, ours.json["code"]) == (500, "internal_error")
    assert shop.written()[0] == 0


def test_twins_that_ask_levels_at_once_agree_on_the_member(shop: Shop, levels: LevelsDouble) -> None:
    shop.publish()
    gate = Barrier(4)
    answers = at_once([lambda: (gate.wait(), shop.post(paid(subject="phone_hash:ab")))[1]] * 4)
    assert {answer.json["results"][0]["member_id"] for answer in answers} == {1000}
    assert shop.amounts(1000) == [100]


def test_a_member_a_clerk_and_a_system_can_ask_why(shop: Shop) -> None:
    shop.publish()
    shop.publish("big", condition="data.paid_fen > 1000000", formula="7")
    result = shop.send_one(paid())
    shop.send_one(event("later", time="2026-05-04T12:00:00Z", data={"stars": 5}))
    expected = {key: result[key] for key in ("member_id", "decisions", "reversed", "reason")}
    readers = [
        (shop.callers.member(7), {}),
        (shop.callers.member(7), {"member_id": 7}),
        (shop.callers.staff("customer_service"), {"member_id": 7}),
        (shop.callers.staff("marketer"), {"member_id": 7}),
        (shop.callers.system("read"), {"member_id": 7}),
    ]
    for caller, query in readers:
        newest, oldest = caller.get("/v1/events", **query).json["events"]
        assert (newest["id"], newest["data"], oldest["id"]) == ("later", {"stars": 5}, "paid-A1")
        assert oldest["result"] == expected
        assert (oldest["time"], oldest["type"], oldest["source"]) == ("2026-05-03T04:00:00Z", "order.paid", "shop")
        alone = caller.get("/v1/events", source="shop", id="paid-A1").json["events"]
        assert alone == [oldest]
        assert [one["id"] for one in caller.get("/v1/events", **query, limit=1).json["events"]] == ["later"]


def test_nobody_learns_of_the_events_of_others(shop: Shop) -> None:
    shop.send_one(paid())
    other = shop.callers.member(8)
    elsewhere = shop.callers.staff("marketer", program_id=2)
    one = {"source": "shop", "id": "paid-A1"}
    assert other.get("/v1/events", member_id=7).status_code == 404
    hidden, missing = other.get("/v1/events", **one), other.get("/v1/events", source="shop", id="none")
    assert (hidden.status_code, hidden.json["detail"]) == (missing.status_code, missing.json["detail"])
    assert hidden.status_code == 404
    assert other.get("/v1/events").json == {"events": []}
    assert elsewhere.get("/v1/events", **one).status_code == 404
    assert elsewhere.get("/v1/events", member_id=7).json == {"events": []}
    for nobody in (shop.callers.staff("finance"), shop.callers.system("events"), shop.callers.service("levels")):
        assert nobody.get("/v1/events", member_id=7).status_code == 403


def test_a_question_names_a_member_or_one_event(shop: Shop) -> None:
    clerk = shop.callers.staff("customer_service")
    for query in (
        {},
        {"source": "shop"},
        {"id": "x"},
        {"member_id": 7, "source": "shop", "id": "x"},
        {"member_id": 7, "source": "shop"},
        {"member_id": 7, "id": "x"},
        {"member_id": 0},
        {"member_id": "seven"},
        {"member_id": 7, "limit": 201},
    ):
        answer = clerk.get("/v1/events", **query)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_request"), query
    assert clerk.get("/v1/events", member_id=7).json == {"events": []}
    assert clerk.get("/v1/events", source="shop", id="x").status_code == 404


def test_each_new_event_is_offered_to_the_neighbours_exactly_once_in_order(shop: Shop) -> None:
    shop.publish()
    shop.send(paid("A1"), paid("A1"), refunded(5_000, "A1"), paid("A2", member_id=8))
    shop.send(paid("A2", member_id=8), event("e1", data={"金额": 5}), paid("A1", id="again"))
    shop.send_one(event("e1", data={"金额": 5}))
    offered = [fact for fact in shop.feed() if fact["topic"] not in ("ledger.entry", "program.configured")]
    assert [(fact["topic"], fact["member_id"], fact["payload"]["event"]) for fact in offered] == [
        ("order.paid", 7, "shop paid-A1"),
        ("order.refunded", 7, "shop refund-A1-r1"),
        ("order.paid", 8, "shop paid-A2"),
        ("review.posted", 7, "shop e1"),
        ("order.paid", 7, "shop again"),
    ]
    assert offered[1]["payload"]["data"] == {"order_id": "A1", "refund_id": "r1", "refunded_fen": 5_000}
    assert offered[3]["payload"]["data"] == {"金额": 5}
    assert {fact["payload"]["time"] for fact in offered} == {"2026-05-03T04:00:00+00:00"}
    assert [fact["payload"]["amount"] for fact in shop.feed("ledger.entry")] == [100, -50, 100]


def test_intake_needs_a_program(shop: Shop) -> None:
    answer = shop.callers.system("events", program_id=3).post("/v1/events", event())
    assert (answer.status_code, answer.json["code"]) == (404, "program_not_configured")


def test_an_award_that_the_ledger_refuses_is_said_and_never_reversed(shop: Shop) -> None:
    shop.publish("growth", asset="growth", formula="5")
    shop.publish("order", condition="data.paid_fen < 99999")
    shop.move("earn", 2**53 - 1)
    result = shop.send_one(paid())
    assert [(one["rule"], one["amount"], one["reason"]) for one in result["decisions"]] == [
        ("growth", 5, "awarded"),
        ("order", 0, "ledger_refused: balance_too_large"),
    ]
    shop.spend(2**53 - 1)
    taken = shop.send_one(refunded(10_000))
    assert taken["reversed"] == [{"rule": "growth", "asset": "growth", "amount": 5, "reason": None}]
    assert (shop.balance(), shop.balance(asset="growth")) == (0, 0)


def test_a_refused_award_and_its_refund_in_one_request(shop: Shop) -> None:
    shop.publish()
    shop.move("earn", 2**53 - 1)
    bought, returned = shop.send(paid(), refunded(10_000))
    assert bought["decisions"][0]["reason"] == "ledger_refused: balance_too_large"
    refused = {"rule": "order", "asset": "points", "amount": 0, "reason": "ledger_refused: not_reversible"}
    assert returned["reversed"] == [refused]
    assert shop.balance() == 2**53 - 1
    assert shop.rows("SELECT awards FROM points_orders") == [([],)]


def test_a_refund_takes_what_somebody_left_who_took_some_back_by_hand(shop: Shop) -> None:
    shop.publish()
    shop.send_one(paid())
    _take_by_hand(shop, 60)
    whole = shop.send_one(refunded(10_000))
    assert whole["reversed"] == [
        {"rule": "order", "asset": "points", "amount": 100, "reason": "not_all_there: 40 of 100"}
    ]
    assert shop.amounts() == [100, -60, -40]


def test_a_refund_of_an_award_that_somebody_took_back_by_hand_says_what_it_could_not_take(shop: Shop) -> None:
    shop.publish()
    shop.send_one(paid())
    _take_by_hand(shop, 60)
    half, rest = shop.send(refunded(4_000), refunded(6_000, refund_id="r2"))
    assert (half["reversed"][0]["amount"], half["reversed"][0]["reason"]) == (40, None)
    assert (rest["reversed"][0]["amount"], rest["reversed"][0]["reason"]) == (0, "ledger_refused: reversal_exceeded")
    assert shop.amounts() == [100, -60, -40]
    assert shop.rows("SELECT awards -> 0 ->> 'reversed' FROM points_orders") == [("40",)]


def _take_by_hand(shop: Shop, amount: int) -> None:
    body = {"member_id": 7, "asset": "points", "posting_id": shop.entries()[0]["posting_id"], "amount": amount}
    assert shop.callers.system("ledger").post("/v1/reversals", body, key="by-hand").status_code == 201


def test_a_rule_may_have_any_name_without_getting_into_the_way_of_another(shop: Shop) -> None:
    """Keys of awards and reversals are put together from ids and names that may look like each other."""
    shop.publish("r")
    shop.publish("reversal", trigger="review.posted", formula="7")
    shop.send(paid("A1", id="e"), event("x/r"), refunded(10_000, "A1", id="x"))
    assert shop.amounts() == [100, 7, -100]


def test_parts_of_a_refund_sum_to_the_whole(shop: Shop) -> None:
    shop.publish(formula="floor(data.paid_fen / 300)")
    shop.send_one(paid())
    parts = [shop.send_one(refunded(part, refund_id=f"r{part}"))["reversed"] for part in (3_333, 3_334, 3_332, 1)]
    assert [[one["amount"] for one in part] for part in parts] == [[10], [12], [10], [1]]
    assert shop.amounts() == [33, -10, -12, -10, -1]


def test_a_refund_may_come_before_its_payment(shop: Shop) -> None:
    shop.publish()
    early = shop.send_one(refunded(4_000))
    assert (early["reversed"], early["reason"]) == ([], None)
    late = shop.send_one(paid())
    assert late["decisions"][0]["amount"] == 100
    assert [one["amount"] for one in late["reversed"]] == [40]
    assert shop.amounts() == [100, -40]


def test_a_refund_told_twice_under_two_event_ids_counts_once(shop: Shop) -> None:
    shop.publish()
    shop.send(paid(), refunded(4_000))
    again = shop.send_one(refunded(4_000, id="told-again"))
    assert (again["reversed"], again["reason"]) == ([], "refund_already_known")
    assert shop.balance() == 60


def test_an_order_paid_twice_under_two_event_ids_earns_once(shop: Shop) -> None:
    shop.publish()
    again = shop.send(paid(), paid(id="told-again"))[1]
    assert (again["decisions"], again["reason"]) == ([], "order_already_paid")
    assert shop.balance() == 100


def test_a_refund_larger_than_what_was_paid_takes_the_whole_and_no_more(shop: Shop) -> None:
    shop.publish()
    shop.send(paid(), refunded(99_999_999), refunded(10_000, refund_id="r2"))
    assert shop.amounts() == [100, -100]


def test_an_order_that_cost_nothing_is_taken_back_as_a_whole(shop: Shop) -> None:
    shop.publish(formula="50")
    shop.send(paid(paid_fen=0), refunded(1))
    assert shop.amounts() == [50, -50]


def test_a_refund_of_an_order_that_earned_nothing_takes_nothing(shop: Shop) -> None:
    shop.publish(condition="data.paid_fen > 10000")
    bought, returned = shop.send(paid(), refunded(10_000))
    assert (bought["decisions"][0]["reason"], returned["reversed"]) == ("condition_false", [])
    assert shop.entries() == []


def test_the_same_order_number_of_another_member_is_another_order(shop: Shop) -> None:
    shop.publish()
    shop.send(paid(), paid(member_id=8, id="other"), refunded(10_000, member_id=8))
    assert (shop.balance(7), shop.balance(8)) == (100, 0)


def test_spent_points_that_are_refunded_become_debt_that_the_next_earning_pays(shop: Shop) -> None:
    shop.publish("order", asset="growth")
    shop.send_one(paid())
    shop.spend(80, asset="growth")
    shop.send_one(refunded(10_000))
    account = shop.account(asset="growth")
    assert (account["balance"], account["available"], account["debt"]) == (-80, 0, 80)
    shop.send_one(paid("A2", 9_000))
    account = shop.account(asset="growth")
    assert (account["balance"], account["available"], account["debt"]) == (10, 10, 0)


def test_spent_points_that_may_not_become_debt_stay_uncollected_and_the_entry_says_so(shop: Shop) -> None:
    shop.publish()
    shop.send_one(paid())
    shop.spend(80)
    shop.send_one(refunded(10_000))
    last = shop.entries()[-1]
    assert (last["kind"], last["amount"], last["meta"]) == ("reverse", -20, {"uncollected": 80})
    assert shop.account()["balance"] == 0
    shop.send_one(paid("A2", 5_000))
    assert shop.balance() == 50


def test_growth_and_points_of_one_order_come_and_go_together(shop: Shop) -> None:
    shop.publish("growth", asset="growth", formula="data.paid_fen / 100 * 3")
    shop.publish("points")
    shop.send(paid(), refunded(2_501))
    assert (shop.balance(), shop.balance(asset="growth")) == (100 - 25, 300 - 75)
    shop.send_one(refunded(7_499, refund_id="r2"))
    assert (shop.balance(), shop.balance(asset="growth")) == (0, 0)


def test_names_are_kept_as_they_are_whatever_stands_in_them(shop: Shop, levels: LevelsDouble) -> None:
    shop.publish()
    names = [
        "NULL",
        "null",
        '""',
        "{}",
        "{a,b}",
        '\\"',
        "\\",
        "a'b;--",
        ",",
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "%s",
    ]
    batch = [paid(name, id=name, source=name, subject=f"customer_id:{name}") for name in names]
    batch += [refunded(5_000, f"积 {name}", refund_id=f"分 {name}", id=f"r{name}", source=name) for name in names]
    results = shop.send(*batch)
    assert [(one["source"], one["id"]) for one in results] == [(one["source"], one["id"]) for one in batch]
    assert [one["member_id"] for one in results[: len(names)]] == list(range(1000, 1000 + len(names)))
    assert [one["replayed"] for one in shop.send(*batch)] == [True] * len(batch)
    kept = dict(shop.rows("SELECT order_id, paid_event FROM points_orders WHERE member_id > 7"))
    assert kept == {name: f"{name} {name}" for name in names}
    returned = dict(shop.rows("SELECT order_id, refunds FROM points_orders WHERE member_id = 7"))
    assert returned == {f"积 {name}": [f"分 {name}"] for name in names}
    told = json.loads(shop.callers.service("levels").get("/feed", topics="order.paid").data)["facts"]
    assert [fact["payload"]["data"]["order_id"] for fact in told] == names
