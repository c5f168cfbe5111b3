"""The most that a member may have of an asset: what is earned beyond it is cut and says so, on every path (B1, B19)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.points.audit import replay as replaying
from services.points.service import REBUILDS
from tests.care import Desk, MembersDouble, work_off
from tests.earning import Shop, at_once, event, paid, refunded
from tests.points import Brand, done, refused, sql, wrong
from tests.service.points.test_grants import Neighbour, asset


def cut(answer: dict[str, Any]) -> tuple[int, int | None, str | None]:
    """What was given, what was wanted and why it is less."""
    return answer["amount"], answer["wanted"], answer["capped"]


def replays_alike() -> bool:
    """Whether what the journal determines, computed anew, is what stands there."""
    with replaying.snapshot() as session:
        compared = replaying.replay(session, REBUILDS, progress=lambda name, steps: lambda done: None)
        return all(one.equal for one in compared)


def test_b19_what_is_earned_beyond_the_cap_is_awarded_in_part_and_says_so(brand: Brand) -> None:
    brand.set_asset(most_per_member=100)
    assert cut(brand.earn(100)) == (100, None, None)
    brand.spend(30)
    assert cut(brand.earn(50, key="k", reason="gift")) == (30, 50, "balance")
    assert cut(brand.earn(50, key="k", reason="gift")) == (30, 50, "balance"), "a replay is the first answer again"
    assert cut(brand.earn(7)) == (0, 7, "balance")
    assert brand.figures() == (100, 100, 0, 0)
    metas = [entry["meta"] for entry in brand.entries() if entry["kind"] == "earn"]
    assert metas == [
        None,
        {"reason": "gift", "wanted": 50, "capped": "balance"},
        {"wanted": 7, "capped": "balance"},
    ]
    items = done(brand.callers.staff("customer_service").get("/v1/timeline", member_id=7))["items"]
    assert [(it["amount"], it["wanted"]) for it in items if it.get("capped")] == [(0, 7), (30, 50)]
    assert wrong() == []
    assert replays_alike()


def test_what_is_held_and_pending_counts_and_debt_makes_room(brand: Brand) -> None:
    brand.set_asset("growth", most_per_member=100)
    brand.set_asset(most_per_member=100)
    brand.earn(60)
    brand.hold(50)
    assert cut(brand.earn(30, available_at="2100-01-01T00:00:00Z")) == (30, None, None)
    assert cut(brand.earn(30, available_at="2100-01-01T00:00:00Z")) == (10, 30, "balance")
    assert brand.figures() == (100, 10, 50, 0)
    gone = brand.earn(40, asset="growth")
    brand.spend(40, asset="growth")
    done(brand.reverse(gone, asset="growth"))
    assert brand.figures("growth") == (-40, 0, 0, 40)
    assert cut(brand.earn(200, asset="growth")) == (140, 200, "balance")
    assert brand.figures("growth") == (100, 100, 0, 0)
    assert wrong() == []


def test_what_comes_back_is_never_cut(brand: Brand) -> None:
    brand.set_asset(most_per_member=100)
    brand.earn(100)
    spent, captured, held = brand.spend(40), brand.hold(30), brand.hold(30)
    taken = done(brand.capture(captured))
    brand.earn(1000)
    assert brand.figures()[0] == 100
    done(brand.reverse(spent))
    done(brand.reverse(taken))
    done(brand.void(held))
    assert brand.figures() == (170, 170, 0, 0)
    assert cut(brand.earn(1)) == (0, 1, "balance")
    assert wrong() == []


def test_a_lower_cap_takes_nothing_away_and_a_reversal_takes_what_was_given(brand: Brand) -> None:
    brand.set_asset(most_per_member=100)
    earned = brand.earn(300)
    brand.set_asset(most_per_member=60)
    assert brand.figures()[0] == 100
    assert cut(brand.earn(1)) == (0, 1, "balance")
    assert refused(brand.reverse(earned, amount=101)) == (422, "reversal_exceeded")
    assert done(brand.reverse(earned))["amount"] == -100
    assert cut(brand.earn(61)) == (60, 61, "balance")
    assert wrong() == []


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_is_cut_line_by_line(brand: Brand, atomic: bool) -> None:
    brand.set_asset(most_per_member=100)
    line = {"member_id": 7, "asset": "points", "kind": "earn"}
    lines = [
        {**line, "key": "a", "amount": 70},
        {**line, "key": "b", "amount": 70},
        {**line, "key": "c", "amount": 20, "kind": "spend"},
        {**line, "key": "d", "amount": 70},
        {**line, "key": "e", "amount": 5},
        {**line, "key": "f", "amount": 5, "member_id": 8},
    ]
    body = {"atomic": atomic, "lines": lines}
    answer = done(brand.shop.post("/v1/postings/batch", body))
    assert (answer["posted"], answer["refused"]) == (6, 0)
    told = [(one["balance"], one.get("amount"), one.get("wanted"), one.get("capped")) for one in answer["results"]]
    assert told == [
        (70, None, None, None),
        (100, 30, 70, "balance"),
        (80, None, None, None),
        (100, 20, 70, "balance"),
        (100, 0, 5, "balance"),
        (5, None, None, None),
    ]
    again = done(brand.shop.post("/v1/postings/batch", body))["results"]
    assert [{**one, "replayed": False} for one in again] == answer["results"]
    assert wrong() == []


def test_the_cap_holds_whatever_comes_at_once(brand: Brand) -> None:
    brand.set_asset(most_per_member=100)
    answers = at_once([lambda: brand.send("postings", kind="earn", amount=7) for _ in range(24)])
    assert sum(done(answer)["amount"] for answer in answers) == 100
    assert brand.figures()[0] == 100
    assert wrong() == []


def test_a_gift_beyond_the_receivers_cap_is_refused_whole(brand: Brand) -> None:
    brand.set_asset(most_per_member=100, transferable=True)
    brand.earn(90, member_id=8)
    brand.earn(50)
    assert refused(brand.give(11, to=8)) == (409, "balance_capped")
    done(brand.give(10, to=8))
    assert (brand.figures()[0], brand.figures(member=8)[0]) == (40, 100)
    assert wrong() == []


def test_staff_give_wholly_or_not_at_all(desk: Desk, levels_double: MembersDouble) -> None:
    desk.brand.set_asset(most_per_member=100)
    desk.brand.earn(80)
    assert refused(desk.ask(21)) == (409, "balance_capped")
    desk.posted(20)
    header = "member_id,asset,amount,reason"
    made = desk.checked(f"{header}\n8,points,60,goodwill\n8,points,41,goodwill\n9,points,100,goodwill\n")
    assert (made["status"], desk.faults(made)) == ("faulty", [(3, "amount", "balance_capped")])
    made = desk.checked(f"{header}\n8,points,60,goodwill\n9,points,100,goodwill\n")
    assert made["status"] == "checked"
    desk.brand.earn(50, member_id=8)
    assert desk.act("approval", made).status_code == 202
    work_off()
    assert desk.changeset(made)["status"] == "faulty"
    assert (desk.brand.figures(member=8)[0], desk.brand.figures(member=9)[0]) == (50, 0)


def test_rules_award_in_part_and_the_result_says_why(shop: Shop) -> None:
    shop.put_asset("points", most_per_member=100)
    shop.publish()
    assert shop.send_one(paid("A1", 7_000))["decisions"][0]["reason"] == "awarded"
    [decision] = shop.send_one(paid("A2", 7_000))["decisions"]
    assert (decision["amount"], decision["wanted"], decision["reason"]) == (30, 70, "capped: balance")
    [decision] = shop.send_one(paid("A3", 7_000))["decisions"]
    assert (decision["amount"], decision["wanted"], decision["reason"]) == (0, 70, "capped: balance")
    agent = shop.callers.staff("customer_service")
    found = done(agent.get("/v1/explanations", order_id="A2"))["findings"]
    assert [one["code"] for one in found] == ["points_given", "balance_capped"]
    assert "room for 30" in found[1]["en"]
    assert "30" in found[1]["zh"]
    # Half of what was really given comes back; what is free then is earned again.
    assert shop.send_one(refunded(3_500, "A2"))["reversed"][0]["amount"] == 15
    assert shop.balance() == 85
    assert shop.send_one(paid("A4", 7_000))["decisions"][0]["amount"] == 15
    assert replays_alike()


CAPS = [[], [{"per": "day", "of": "member", "amount": 500}]]


@pytest.mark.parametrize("caps", CAPS)
@pytest.mark.parametrize("arrival", ["one by one", "together", "refund first"])
def test_a_refund_takes_its_share_of_what_was_really_given_however_it_arrives(
    shop: Shop, caps: list[dict[str, Any]], arrival: str
) -> None:
    shop.put_asset("points", most_per_member=100)
    shop.publish(caps=caps)
    shop.move("earn", 70)
    events = [paid("A1", 10_000), refunded(5_000, "A1"), paid("A2", 10_000), refunded(2_500, "A2")]
    if arrival == "together":
        shop.send(*events)
    else:
        for one in events if arrival == "one by one" else [events[1], events[0], events[3], events[2]]:
            shop.send_one(one)
    given = [entry["amount"] for entry in shop.entries() if entry["kind"] == "earn" and entry["amount"]]
    if arrival == "together" and caps:
        # What rules' caps bind is given before anything of the same batch is taken back: A2 found no room.
        assert (given, shop.balance()) == ([70, 30], 85)
    else:
        # Of A1 there was room for 30, of which half came back; of A2 for those 15, of which a quarter (3) came back.
        assert (given, shop.balance()) == ([70, 30, 15], 97)
    assert replays_alike()


def test_what_a_late_refund_frees_is_cut_too_and_the_amendment_says_so(shop: Shop) -> None:
    """Of two rules with caps: a refund frees the day for a later order, for whose points the member has little room."""
    shop.put_asset("points", most_per_member=130)
    shop.publish(caps=[{"per": "day", "of": "member", "amount": 100}])
    shop.publish("growth", asset="growth", caps=[{"per": "day", "of": "member", "amount": 1000}])
    shop.send_one(paid("A1", 8_000, time="2026-05-03T10:00:00+08:00"))
    shop.send_one(paid("A2", 8_000, time="2026-05-03T11:00:00+08:00"))
    assert shop.balance() == 100
    shop.move("earn", 25)
    shop.send(
        refunded(8_000, "A1", time="2026-05-03T10:30:00+08:00"),
        refunded(4_000, "A2", time="2026-05-03T12:00:00+08:00"),
    )
    # A2 was given 20 and has room for 5 of the 60 that it would have got; half of the 25 came back, and all of A1's 80.
    assert [one["amount"] for one in shop.entries() if one["kind"] == "earn"] == [80, 20, 25, 5]
    assert shop.balance() == 130 - 80 - 12
    [amended] = [row[0] for row in shop.rows("SELECT result -> 'amended' FROM points_events WHERE id = 'paid-A2'")]
    assert [(one["from"], one["to"], one["reason"]) for one in amended] == [(20, 25, "capped: balance")]
    assert shop.balance(asset="growth") == 40
    assert replays_alike()


def test_a_budget_gets_back_what_the_cap_cut(shop: Shop) -> None:
    shop.put_asset("points", most_per_member=100)
    shop.publish(budget=150)
    shop.send(paid("A1", 9_000), paid("A2", 9_000))
    assert [shop.balance(), *shop.rows("SELECT sum(used) FROM points_budget_slots")] == [100, (100,)]
    shop.send_one(paid("A3", 9_000, member_id=8))
    assert shop.balance(8) == 50
    assert replays_alike()


def test_a_grant_is_cut_and_its_reversal_takes_its_share_of_what_was_given(shop: Shop) -> None:
    levels = Neighbour()
    shop.put_asset("points", most_per_member=100)
    shop.move("earn", 60)
    levels.grant("g", asset(100), asset(10, "growth"))
    levels.grant("full", asset(5))
    levels.pull()
    assert (shop.balance(), shop.balance(asset="growth")) == (100, 10)
    parts = shop.rows("SELECT grant_id, parts[0] ->> 'amount', parts[0] ->> 'wanted' FROM points_grants ORDER BY 1")
    assert parts == [("full", "0", "5"), ("g", "40", "100")]
    levels.reverse(1, 2, "g")
    levels.reverse(1, 1, "full", id="r2")
    levels.pull()
    assert (shop.balance(), shop.balance(asset="growth")) == (80, 5)


def test_a_cut_earning_may_be_pending_for_an_event(shop: Shop) -> None:
    shop.put_asset("points", most_per_member=100, pending="review.approved+0D")
    shop.publish(trigger="review.posted", formula="70")
    at = datetime(2026, 5, 3, 4, 0, tzinfo=UTC).isoformat()
    shop.send(event("r1", time=at), event("r2", time=at))
    account = shop.account()
    assert (account["balance"], account["available"]) == (100, 0)
    shop.send_one(event("a", "review.approved", data={"event": "shop r2"}, time=at))
    account = shop.account()
    assert (account["balance"], account["available"]) == (100, 30)


def test_verify_finds_what_lies_beyond_the_cap_and_what_is_not_said(brand: Brand) -> None:
    brand.earn(150)
    brand.set_asset(most_per_member=100)
    brand.spend(60)
    brand.earn(50)
    assert wrong() == []
    sql("UPDATE points_assets SET changed_at = changed_at - interval '1 day'")
    names = {finding.name: finding.detail for finding in wrong()}
    assert names == {"nothing is earned or given beyond the most that a member may have": "1/7/1/1"}
    sql("UPDATE points_assets SET changed_at = now()")
    sql("UPDATE points_postings SET wanted = 51 WHERE wanted = 50")
    names = {finding.name: finding.detail for finding in wrong()}
    assert names == {"what a member's cap or limit cut says so on its entry and in its answer": "1/7/1/3"}
