"""A member's timeline: everything in one order, each with its cause, page by page; and members see only their side."""

from typing import Any

import pytest

from services.points import jobs
from tests.care import Desk, MembersDouble
from tests.earning import Shop, paid
from tests.points import done, pointers, refused, sql
from tests.support import Callers


def timeline(by: Any, **query: Any) -> list[dict[str, Any]]:
    """A page of it."""
    return list(done(by.get("/v1/timeline", **query))["items"])


def test_everything_is_there_in_one_order_with_its_cause(desk: Desk, levels_double: MembersDouble) -> None:
    desk.brand.earn(1000, key="k-earn", reason="welcome")
    made = desk.posted(50, note="late parcel", evidence="ticket 5")
    waiting = desk.waiting(600)
    done(desk.decide("approval", waiting, note="ok"))
    rejected = desk.waiting(-700)
    done(desk.decide("rejection", rejected))
    hold = desk.brand.hold(10)
    done(desk.brand.void(hold))
    done(desk.lin.post("/v1/accounts/points/freeze", {"member_id": 7, "reason": "check"}, key="f"))
    done(desk.lin.post("/v1/accounts/points/unfreeze", {"member_id": 7, "reason": "fine"}, key="u"))
    changeset = desk.applied("member_id,asset,amount,reason\n7,growth,5,goodwill\n8,growth,5,goodwill\n")
    items = timeline(desk.lin, member_id=7)
    assert [one.get("entry", one["kind"]) for one in items] == [
        "earn",
        "unfreeze",
        "freeze",
        "void",
        "hold",
        "adjustment_rejected",
        "adjustment_requested",
        "earn",
        "adjustment_approved",
        "adjustment_requested",
        "earn",
        "adjustment_requested",
        "earn",
    ]
    assert items[0]["cause"] == {"kind": "changeset", "id": changeset["id"]}
    assert (items[1]["cause"], items[1]["reason"]) == ({"kind": "staff", "id": "lin"}, "fine")
    assert items[3]["cause"]["kind"] == "system"
    assert (items[5]["id"], items[5]["decided_by"]) == (rejected["id"], "mei")
    posted = items[7]
    assert posted["cause"] == {"kind": "adjustment", "id": waiting["id"]}
    assert (posted["agent"], posted["approved_by"], posted["reason_code"]) == ("lin", "mei", "goodwill")
    assert (posted["amount"], posted["balance_after"]) == (600, 1650)
    assert (items[8]["decision_note"], items[9]["beyond"]) == ("ok", "adjustment")
    assert (items[11]["id"], items[11]["note"], items[11]["evidence"]) == (made["id"], "late parcel", "ticket 5")
    assert items[12]["cause"] == {"kind": "system", "id": "shop", "key": "k-earn"}


def test_pages_join_to_the_whole_whatever_their_size(desk: Desk) -> None:
    lines = [
        {"member_id": 7, "asset": ("points", "growth")[step % 2], "kind": "earn", "amount": 1, "key": f"b{step}"}
        for step in range(12)
    ]
    done(desk.brand.shop.post("/v1/postings/batch", {"lines": lines}))  # one instant for all of them
    for _ in range(3):
        desk.posted(1)
    whole = timeline(desk.lin, member_id=7, limit=200)
    assert len(whole) == 18
    for size in (1, 2, 5, 18):
        pages: list[dict[str, Any]] = []
        after: dict[str, Any] = {}
        while True:
            page = done(desk.lin.get("/v1/timeline", member_id=7, limit=size, **after))
            pages += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert pages == whole, size


def test_members_see_their_own_side_only(desk: Desk) -> None:
    desk.posted(50, note="difficult customer", evidence="ticket 5")
    waiting = desk.waiting(600)
    done(desk.decide("approval", waiting, note="ok"))
    done(desk.lin.post("/v1/accounts/points/freeze", {"member_id": 7, "reason": "suspicious"}, key="f"))
    member = desk.brand.callers.member(7)
    items = timeline(member)
    assert items == timeline(member, member_id=7)
    text = str(items)
    for secret in ("lin", "mei", "difficult", "ticket", "suspicious", "'ok'"):
        assert secret not in text, secret
    assert {"kind": "staff"} in [one.get("cause") for one in items]
    assert refused(member.get("/v1/timeline", member_id=8))[0] == 404
    assert timeline(desk.brand.callers.member(8)) == []
    stranger = desk.staff("lin", "customer_service", program_id=2)
    assert timeline(stranger, member_id=7) == []


def test_events_decisions_and_grants_are_there(shop: Shop) -> None:
    shop.publish("order")
    shop.send(paid("A1", 12_890))
    agent = shop.callers.staff("customer_service")
    entry, event = timeline(agent, member_id=7)
    assert (event["kind"], event["type"], event["order_id"]) == ("event", "order.paid", "A1")
    assert event["decisions"][0]["rule"] == "order"
    assert entry["cause"] == {"kind": "event", "source": "shop", "id": "paid-A1"}
    assert (entry["amount"], entry["rule_version"]) == (128, shop.rows("SELECT id FROM points_rule_versions")[0][0])
    shop.rows(
        "INSERT INTO points_grants (program_id, member_id, grant_id, parts, cause, rule)"
        " VALUES (1, 7, 'levels:checkin:3', '[]', 'checkin:daily:2026', 'daily') RETURNING 1"
    )
    newest = timeline(agent, member_id=7)[0]
    assert (newest["kind"], newest["id"], newest["rule"]) == ("grant", "levels:checkin:3", "daily")
    shop.rows("DELETE FROM points_grants RETURNING 1")


def test_a_request_that_expired_says_so(desk: Desk) -> None:
    desk.waiting(501)
    sql("UPDATE points_adjustments SET expires_at = now() - interval '1 second'")
    jobs.expire_adjustments()
    assert {one["kind"] for one in timeline(desk.lin, member_id=7)} == {"adjustment_requested", "adjustment_expired"}


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "e30=",
        "WzEsMl0=",
        "WzEsIngiLCAieSJd",
        "WzEsMiwgM10=",
        "WzFlMzAwLCAxLCAieCJd",
        "é",
        "WzEsNSwiXHUwMDAwIl0=",
        "WzEsNSwiXHVkODAwIl0=",
        "WzEsNSw1XQ==",
    ],
)
def test_a_place_that_no_page_gave_is_refused(desk: Desk, after: str) -> None:
    answer = desk.lin.get("/v1/timeline", member_id=7, after=after)
    assert (refused(answer), pointers(answer)) == ((422, "bad_place"), ["/query/after"])


def test_staff_say_whose_timeline(points: Callers) -> None:
    answer = points.staff("finance").get("/v1/timeline")
    assert pointers(answer) == ["/query/member_id"]
    assert points.system("read").get("/v1/timeline", member_id=7).status_code == 403
