"""A draft is tried on what really happened before it goes live: the bill is known first; nothing of members changes."""

import csv
import subprocess
import sys
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from common.clock import now
from common.queue import queue, redis
from services.points import jobs
from services.points.backtests import domain, replay, use_cases
from services.points.backtests import jobs as backtest_jobs
from services.points.database import transaction
from services.points.wakeups import HEAVY
from tests.earning import Shop, event, open_shop, paid, refunded
from tests.points import pointers, refused, sql, wrong

ALL_TIME = {"from": "2026-05-01T00:00:00+08:00", "to": "2026-06-01T00:00:00+08:00"}


def history(orders: int, *, seed: int = 1) -> list[dict[str, Any]]:
    """A month of a shop in the order of time: orders of some members, refunds in parts, reviews."""
    random = Random(seed)
    made = []
    for number in range(orders):
        fen, member = random.randrange(50, 90_000), random.randrange(1, 60)
        day, minute = random.randrange(1, 25), random.randrange(1440)
        at = f"2026-05-{day:02}T{minute // 60:02}:{minute % 60:02}:{number % 60:02}+08:00"
        made.append(paid(f"A{number}", fen, member_id=member, time=at))
        for part in range(random.choice((0, 0, 0, 1, 2))):
            later = f"2026-05-{day + part + 1:02}T23:{part:02}:{number % 60:02}+08:00"
            back = random.randrange(1, fen // 2 + 2)
            made.append(refunded(back, f"A{number}", refund_id=f"r{part}", member_id=member, time=later))
        if number % 5 == 0:
            made.append(event(f"v{number}", member_id=member, time=at))
    return sorted(made, key=lambda one: (one["time"], one["source"], one["id"]))


def send_all(shop: Shop, events: list[dict[str, Any]], *, at_a_time: int = 500) -> None:
    """Have the shop's system send them."""
    for start in range(0, len(events), at_a_time):
        shop.send(*events[start : start + at_a_time])


def ask(shop: Shop, **body: Any) -> int:
    """Ask for a back-test; returns its id."""
    answer = shop.marketer.post("/v1/backtests", {**ALL_TIME, **body})
    assert answer.status_code == 202, answer.json
    assert answer.json["state"] == "queued"
    return int(answer.json["id"])


def work_off(backtest_id: int) -> None:
    """Do what the worker does until nothing is left."""
    for _ in range(1000):
        jobs.run_backtest(1, backtest_id)
        [row] = sql("SELECT state FROM points_backtests WHERE id = :i", i=backtest_id)
        if row.state in domain.ENDED:
            return
    raise AssertionError("the back-test never ends")


def show(shop: Shop, backtest_id: int) -> dict[str, Any]:
    """The back-test as marketers see it."""
    answer = shop.marketer.get(f"/v1/backtests/{backtest_id}")
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def result(shop: Shop, **body: Any) -> dict[str, Any]:
    """What a back-test finds."""
    backtest_id = ask(shop, **body)
    work_off(backtest_id)
    shown = show(shop, backtest_id)
    assert shown["state"] == "done", shown
    return dict(shown["result"])


def balances(shop: Shop) -> dict[tuple[int, str], int]:
    """Who owns what."""
    rows = shop.rows(
        "SELECT a.member_id, s.code, a.balance FROM points_accounts a"
        " JOIN points_assets s ON s.program_id = a.program_id AND s.id = a.asset_id WHERE a.balance <> 0"
    )
    return {(member_id, asset): balance for member_id, asset, balance in rows}


def asset(found: dict[str, Any], code: str = "points") -> dict[str, Any]:
    """The figures of an asset."""
    [one] = [one for one in found["assets"] if one["asset"] == code]
    return dict(one)


def rule(found: dict[str, Any], code: str = "order") -> dict[str, Any]:
    """The figures of a rule."""
    [one] = [one for one in found["rules"] if one["rule"] == code]
    return dict(one)


@pytest.fixture
def points_in_debt(shop: Shop) -> Shop:
    """Points may be owed, so that balances say what refunds took back even from who has nothing."""
    shop.put_asset("points", debt_allowed=True)
    return shop


SETS: dict[str, dict[str, Any]] = {
    "double the rate": {"formula": "data.paid_fen / 50"},
    "a day's cap": {"formula": "data.paid_fen / 50", "caps": [{"per": "day", "of": "member", "amount": 700}]},
    "caps of all kinds": {
        "formula": "data.paid_fen / 40",
        "condition": "data.paid_fen >= 5000",
        "caps": [
            {"per": "event", "of": "member", "amount": 1500},
            {"per": "week", "of": "member", "amount": 2500},
            {"per": "total", "of": "member", "amount": 3000},
            {"per": "month", "of": "rule", "amount": 40_000},
        ],
    },
    "a budget": {"formula": "data.paid_fen / 50", "budget": 30_000},
    "so many times, and a cool-down": {
        "formula": "data.paid_fen / 50",
        "caps": [{"per": "week", "of": "member", "amount": 1_500}],
        "frequency": {"times": [{"per": "day", "most": 1}, {"per": "total", "most": 9}], "cooldown_hours": 40},
    },
}


@pytest.mark.parametrize("change", SETS.values(), ids=SETS.keys())
def test_the_difference_is_what_publishing_and_sending_the_same_again_really_costs(
    points_in_debt: Shop, change: dict[str, Any]
) -> None:
    # What all members share goes to who comes first, which within one request is nobody: those events come one by one.
    shared = "budget" in change or any(cap["of"] == "rule" for cap in change.get("caps", ()))
    shop, events, at_a_time = points_in_debt, history(200 if shared else 1500), 1 if shared else 500
    shop.publish(formula="data.paid_fen / 100")
    shop.publish("review", trigger="review.posted", formula="5")
    send_all(shop, events)
    before = balances(shop)
    assert shop.draft("order", **change).status_code == 200
    found = result(shop, drafts=["order"])

    again = next(fresh := open_shop(shop.service))
    again.put_asset("points", debt_allowed=True)
    again.publish(**change)
    again.publish("review", trigger="review.posted", formula="5")
    send_all(again, events, at_a_time=at_a_time)
    after = balances(again)
    assert list(fresh) == []

    figures = asset(found)
    assert figures["now"] == figures["recorded"] == sum(before.values())
    assert figures["candidate"] == sum(after.values())
    assert figures["difference"] == sum(after.values()) - sum(before.values()) != 0
    moved = {key: after.get(key, 0) - before.get(key, 0) for key in {*before, *after}}
    moved = {key: difference for key, difference in moved.items() if difference}
    assert figures["members"]["gaining"] == sum(change > 0 for change in moved.values())
    assert figures["members"]["losing"] == sum(change < 0 for change in moved.values())
    largest = sorted(moved.items(), key=lambda one: (-abs(one[1]), one[0]))[:20]
    assert [((one["member_id"], one["asset"]), one["difference"]) for one in found["largest_changes"]] == largest
    assert {(one["member_id"], one["asset"]): one["now"] for one in found["largest_changes"]} == {
        key: before.get(key, 0) for key, _ in largest
    }


@pytest.fixture
def past(shop: Shop) -> Shop:
    """A shop with a month behind it, a live rule, and a draft that doubles its rate."""
    shop.publish(formula="data.paid_fen / 100")
    send_all(shop, history(120))
    assert shop.draft("order", formula="data.paid_fen / 50").status_code == 200
    return shop


def test_nothing_of_members_changes(past: Shop) -> None:
    before = past.written(), balances(past), past.feed()
    result(past, drafts=["order"])
    assert (past.written(), balances(past), past.feed()) == before
    assert past.marketer.get("/v1/rules/order").json["live_version"] == 1


def test_the_same_question_has_the_same_digest_however_it_is_cut(past: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = result(past, drafts=["order"])
    monkeypatch.setattr(use_cases, "_CHUNK", 7)
    monkeypatch.setattr(backtest_jobs, "_SLICE_SECONDS", 0.0)
    sliced = result(past, drafts=["order"])
    assert sliced == whole
    assert past.draft("order", formula="data.paid_fen / 51").status_code == 200
    assert result(past, drafts=["order"])["digest"] != whole["digest"]


def test_without_changes_it_compares_what_is_live_with_what_was_awarded(past: Shop) -> None:
    found = result(past)
    assert asset(found)["difference"] == 0
    assert asset(found)["now"] == asset(found)["recorded"] > 0
    assert asset(found)["members"]["gaining"] == asset(found)["members"]["losing"] == 0
    assert asset(found)["members"]["same"] > 0
    assert found["largest_changes"] == []
    past.publish(formula="data.paid_fen / 50")
    found = result(past)
    assert asset(found)["now"] > asset(found)["recorded"]
    assert rule(found)["recorded"]["cost"] == asset(found)["recorded"]


def test_a_rule_may_join_and_another_be_left_out(past: Shop) -> None:
    past.publish("welcome", trigger="review.posted", formula="3")
    assert past.draft("review", trigger="review.posted", formula="5").status_code == 200
    found = result(past, drafts=["review"], retire=["order", "welcome"])
    assert rule(found, "order")["candidate"] is None
    assert rule(found, "order")["difference"] == -rule(found, "order")["now"]["cost"] < 0
    assert rule(found, "review")["now"] is None
    assert rule(found, "review")["candidate"] == {
        "version": None,
        "awards": 24,
        "cost": 120,
        "taken_back": 0,
        "cut": {},
        "withheld": 0,
        "variants": [],
        "budget": None,
    }
    assert rule(found, "welcome")["now"]["cost"] == 72
    # It was published after those reviews had come.
    assert rule(found, "welcome")["recorded"] == {"awards": 0, "cost": 0}


def test_days_rules_and_members_sum_to_the_same(past: Shop) -> None:
    found = result(past, drafts=["order"])
    figures = asset(found)
    for name in ("now", "candidate", "recorded"):
        assert sum(day[name] for day in figures["days"]) == figures[name]
    assert sum(one["now"]["cost"] for one in found["rules"]) == figures["now"]
    assert sum(one["candidate"]["cost"] for one in found["rules"]) == figures["candidate"]
    assert [day["day"] for day in figures["days"]] == sorted({day["day"] for day in figures["days"]})


def test_caps_and_a_budget_show_where_they_bite(past: Shop) -> None:
    caps = [{"per": "day", "of": "member", "amount": 300}]
    assert past.draft("order", formula="data.paid_fen / 50", caps=caps, budget=5_000).status_code == 200
    candidate = rule(result(past, drafts=["order"]))["candidate"]
    assert candidate["cut"]["member_day"] > 0
    assert candidate["cut"]["budget"] > 0
    assert candidate["budget"]["amount"] == 5_000
    assert candidate["budget"]["spent"] == candidate["cost"] <= 5_000
    assert candidate["budget"]["spent_at"].startswith("2026-05-")
    assert candidate["withheld"] > 0


def test_the_sentence_says_it_in_both_languages(past: Shop) -> None:
    found = result(past, drafts=["order"])
    figures = asset(found)
    assert f"{figures['candidate']:,} instead of {figures['now']:,}" in found["summary"]["en"]
    assert f"{figures['members']['gaining']} members gain" in found["summary"]["en"]
    assert f"{figures['members']['gaining']} 人增加" in found["summary"]["zh"]
    assert "+100" in found["summary"]["en"] or "+99" in found["summary"]["en"]
    nothing = result(past, **{"from": "2025-01-01T00:00:00Z", "to": "2025-02-01T00:00:00Z"})
    assert nothing["summary"]["zh"] == "0 条历史事件在新旧规则下均不发放奖励。"
    assert nothing["assets"] == []


def test_the_largest_changes_come_as_a_table(past: Shop) -> None:
    backtest_id = ask(past, drafts=["order"])
    path = f"/v1/backtests/{backtest_id}/changes.csv"
    assert len(past.marketer.get(path).get_data(as_text=True).splitlines()) == 1
    work_off(backtest_id)
    answer = past.marketer.get(path)
    assert answer.content_type == "text/csv; charset=utf-8"
    rows = list(csv.reader(StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert rows[0] == ["Member", "Asset", "Now", "Candidate", "Difference"]
    found = show(past, backtest_id)["result"]
    assert len(rows) - 1 == asset(found)["members"]["gaining"] + asset(found)["members"]["losing"]
    top = found["largest_changes"]
    assert [row[0] for row in rows[1 : len(top) + 1]] == [str(one["member_id"]) for one in top]
    assert len(top) == 20
    assert sql("SELECT count(*) FROM points_backtest_members WHERE now = candidate")[0].count == 0


def test_progress_is_seen_while_it_runs(past: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "_CHUNK", 50)
    monkeypatch.setattr(backtest_jobs, "_SLICE_SECONDS", 0.0)
    backtest_id = ask(past, drafts=["order"])
    assert show(past, backtest_id)["events"] == {"all": 0, "done": 0, "per_second": None}
    jobs.run_backtest(1, backtest_id)
    shown = show(past, backtest_id)
    assert shown["state"] == "running"
    assert shown["result"] is None
    assert shown["events"]["done"] == 50
    # The orders and refunds; no rule waits for reviews.
    everything = sql("SELECT count(*) FROM points_events WHERE type <> 'review.posted'")[0].count
    assert shown["events"]["all"] == everything
    assert queue(HEAVY).count >= 1
    work_off(backtest_id)
    assert show(past, backtest_id)["events"]["done"] == everything
    assert show(past, backtest_id)["events"]["per_second"] > 0
    assert sql("SELECT memory FROM points_backtests")[0].memory is None


def test_a_change_of_rules_meanwhile_changes_nothing_of_it(past: Shop) -> None:
    expected = result(past, drafts=["order"])
    backtest_id = ask(past, drafts=["order"])
    past.publish(formula="1")
    past.send(paid("late", 99_999, time="2026-05-20T12:00:00+08:00"))
    work_off(backtest_id)
    assert show(past, backtest_id)["result"] == expected


def test_a_cancelled_one_has_no_result_and_is_not_cancelled_twice(past: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "_CHUNK", 50)
    monkeypatch.setattr(backtest_jobs, "_SLICE_SECONDS", 0.0)
    backtest_id = ask(past, drafts=["order"])
    jobs.run_backtest(1, backtest_id)
    answer = past.marketer.post(f"/v1/backtests/{backtest_id}/cancellation")
    assert answer.status_code == 200
    assert answer.json["state"] == "cancelled"
    jobs.run_backtest(1, backtest_id)
    assert show(past, backtest_id)["events"]["done"] == 50
    assert sql("SELECT count(*) FROM points_backtest_members")[0].count == 0
    again = past.marketer.post(f"/v1/backtests/{backtest_id}/cancellation")
    assert refused(again) == (409, "backtest_ended")
    assert past.marketer.get(f"/v1/backtests/{backtest_id}/changes.csv").status_code == 200


def test_the_newest_come_first_page_by_page(past: Shop) -> None:
    made = []
    for _ in range(3):
        made.append(ask(past))
        work_off(made[-1])
    page = past.marketer.get("/v1/backtests", limit=2).json
    assert [one["id"] for one in page["backtests"]] == [made[2], made[1]]
    assert page["next"] == made[1]
    rest = past.marketer.get("/v1/backtests", limit=2, before=page["next"]).json
    assert [one["id"] for one in rest["backtests"]] == [made[0]]
    assert rest["next"] is None


def test_days_are_business_days_until_now(past: Shop) -> None:
    answer = past.marketer.post("/v1/backtests", {"days": 7, "drafts": ["order"]})
    assert answer.status_code == 202
    first, last = domain.last_days(7, now=now(), time_zone="Asia/Shanghai")
    assert answer.json["from"] == first.isoformat().replace("+00:00", "Z")
    assert answer.json["from"].endswith("T16:00:00Z")
    assert abs((last - now()).total_seconds()) < 5


def test_a_months_cap_begins_with_the_month_though_only_its_second_half_is_counted(shop: Shop) -> None:
    shop.send(paid("A", 20_000, time="2026-05-02T12:00:00+08:00"), paid("B", 20_000, time="2026-05-20T12:00:00+08:00"))
    shop.send(refunded(10_000, "A", time="2026-05-21T12:00:00+08:00"))
    caps = [{"per": "month", "of": "member", "amount": 300}]
    assert shop.draft("order", formula="data.paid_fen / 100", caps=caps).status_code == 200
    found = result(shop, drafts=["order"], **{"from": "2026-05-15T00:00:00+08:00", "to": "2026-06-01T00:00:00+08:00"})
    assert show(shop, 1)["replayed_from"] == "2026-04-30T16:00:00Z"
    # 200 of the first half's order leave 100; its refund is not this half's.
    assert asset(found)["candidate"] == 100
    assert rule(found)["candidate"]["cut"] == {"member_month": 1}
    assert asset(result(shop, drafts=["order"]))["candidate"] == 200


def test_a_cool_down_begins_before_what_is_counted(shop: Shop) -> None:
    shop.send(paid("A", time="2026-05-14T12:00:00+08:00"), paid("B", time="2026-05-15T12:00:00+08:00"))
    assert shop.draft("order", formula="5", frequency={"cooldown_hours": 25}).status_code == 200
    found = result(shop, drafts=["order"], **{"from": "2026-05-15T00:00:00+08:00", "to": "2026-06-01T00:00:00+08:00"})
    assert show(shop, 1)["replayed_from"] == "2026-05-13T15:00:00Z"
    assert (rule(found)["candidate"]["awards"], rule(found)["candidate"]["cut"]) == (0, {"member_cooldown": 1})


def test_audiences_meet_who_members_were_then(shop: Shop) -> None:
    sql(
        "INSERT INTO points_tier_changes (program_id, member_id, at, tier, fact_id) VALUES"
        " (1, 7, '2026-05-10T00:00:00Z', 'gold', 1), (1, 7, '2026-05-20T00:00:00Z', 'silver', 2)"
    )
    days = (5, 15, 25)
    shop.send(*(paid(f"A{day}", 10_000, time=f"2026-05-{day:02}T12:00:00+08:00") for day in days))
    assert shop.draft("gold", formula="7", audience={"tiers": ["gold"]}).status_code == 200
    found = result(shop, drafts=["gold"])
    assert asset(found)["days"] == [{"day": "2026-05-15", "now": 0, "candidate": 7, "recorded": 0}]


def test_what_a_late_event_changed_is_in_what_was_awarded(shop: Shop) -> None:
    caps = [{"per": "day", "of": "member", "amount": 150}]
    shop.publish(formula="data.paid_fen / 100", caps=caps)
    shop.send(paid("B", 10_000, time="2026-05-20T18:00:00+08:00"))
    shop.send(paid("A", 10_000, time="2026-05-20T12:00:00+08:00"))
    found = result(shop)
    assert asset(found)["now"] == asset(found)["recorded"] == 150
    assert sum(balances(shop).values()) == 150


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/days"),
        ({"days": 0}, "/days"),
        ({"days": 366}, "/days"),
        ({"days": "7"}, "/days"),
        ({"days": 7, "from": "2026-05-01T00:00:00Z", "to": "2026-05-02T00:00:00Z"}, "/days"),
        ({"from": "2026-05-01T00:00:00Z"}, "/days"),
        ({"from": "2026-05-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"}, "/to"),
        ({"from": "2026-05-01T00:00:00Z", "to": "2027-06-01T00:00:00Z"}, "/to"),
        ({"from": "yesterday", "to": "2027-06-01T00:00:00Z"}, "/from"),
        ({"days": 7, "drafts": ["Not a code"]}, "/drafts/0"),
        ({"days": 7, "drafts": ["a"] * 101}, "/drafts"),
        ({"days": 7, "drafts": ["order"], "retire": ["order"]}, "/retire"),
        ({"days": 7, "retire": ["never"]}, "/retire"),
        ({"days": 7, "sets": []}, "/sets"),
    ],
)
def test_a_question_that_cannot_be_asked_names_the_field(past: Shop, body: dict[str, Any], pointer: str) -> None:
    answer = past.marketer.post("/v1/backtests", body)
    assert answer.status_code == 422, answer.json
    assert pointers(answer) == [pointer]
    assert sql("SELECT count(*) FROM points_backtests")[0].count == 0


def test_drafts_must_be_there(past: Shop) -> None:
    past.publish("done")
    assert refused(past.marketer.post("/v1/backtests", {"days": 7, "drafts": ["nobody"]})) == (404, "rule_not_found")
    assert refused(past.marketer.post("/v1/backtests", {"days": 7, "drafts": ["done"]})) == (409, "no_draft")


def test_only_a_few_may_wait_at_a_time(past: Shop) -> None:
    for _ in range(domain.MOST_UNFINISHED):
        ask(past)
    answer = past.marketer.post("/v1/backtests", ALL_TIME)
    assert refused(answer) == (409, "too_many_backtests")
    past.marketer.post("/v1/backtests/1/cancellation")
    ask(past)


def test_other_programs_see_nothing_of_it(past: Shop) -> None:
    backtest_id = ask(past)
    work_off(backtest_id)
    stranger = past.callers.staff("marketer", program_id=2)
    for path in (f"/v1/backtests/{backtest_id}", f"/v1/backtests/{backtest_id}/changes.csv"):
        assert refused(stranger.get(path)) == (404, "backtest_not_found")
    assert refused(stranger.post(f"/v1/backtests/{backtest_id}/cancellation")) == (404, "backtest_not_found")
    assert refused(past.marketer.post(f"/v1/backtests/{2**64}/cancellation")) == (404, "not_found")
    assert stranger.get("/v1/backtests").json["backtests"] == []
    assert past.callers.member(7).get("/v1/backtests").status_code == 403
    assert past.callers.staff("customer_service").get("/v1/backtests").status_code == 403


def test_a_run_that_remembers_too_much_says_so(past: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MOST_REMEMBERED", 3)
    backtest_id = ask(past)
    work_off(backtest_id)
    shown = show(past, backtest_id)
    assert shown["state"] == "failed"
    assert "at most 3 are kept" in shown["failure"]
    assert shown["result"] is None


def test_a_job_that_was_lost_is_asked_for_again(past: Shop) -> None:
    backtest_id = ask(past)
    queue(HEAVY).empty()
    jobs.run_backtest(1, backtest_id)
    assert show(past, backtest_id)["state"] == "done"
    backtest_id = ask(past)
    with transaction() as session:
        assert use_cases.list_stalled(session, now=now()) == [(1, backtest_id)]
    sql("UPDATE points_backtests SET state = 'running' WHERE id = :i", i=backtest_id)
    with transaction() as session:
        assert use_cases.list_stalled(session, now=now()) == []
        assert use_cases.list_stalled(session, now=now() + domain.DEAD_AFTER) == [(1, backtest_id)]
    sql("UPDATE points_backtests SET beat_at = beat_at - interval '2 minutes'")
    redis().flushall()
    jobs.resume_backtests()
    assert [job.args for job in queue(HEAVY).jobs] == [[1, backtest_id]]


def test_one_that_kills_its_workers_is_given_up(past: Shop) -> None:
    backtest_id = ask(past)
    for _ in range(domain.MOST_RUNS):
        with transaction() as session:
            assert use_cases.take_up(session, program_id=1, backtest_id=backtest_id)
    with transaction() as session:
        assert not use_cases.take_up(session, program_id=1, backtest_id=backtest_id)
    shown = show(past, backtest_id)
    assert shown["state"] == "failed"
    assert "5 times in a row" in shown["failure"]


def test_two_workers_do_not_do_the_same_slice(past: Shop) -> None:
    backtest_id = ask(past)
    with transaction() as one:
        assert use_cases.take_up(one, program_id=1, backtest_id=backtest_id)
        jobs.run_backtest(1, backtest_id)
        assert show(past, backtest_id)["events"]["done"] == 0
        with transaction() as two:
            going = use_cases.replay_slice(two, program_id=1, backtest_id=backtest_id, seconds=1, ticks=lambda: 0.0)
            assert not going
    work_off(backtest_id)
    assert show(past, backtest_id)["state"] == "done"


def test_a_result_that_somebody_altered_is_found(past: Shop) -> None:
    found = result(past, drafts=["order"])
    assert wrong() == []
    sql("UPDATE points_backtests SET result = jsonb_set(result, '{events}', '7')")
    [finding] = wrong()
    assert (finding.name, finding.checked, finding.detail) == ("results of back-tests are as found", 1, "1")
    sql(f"UPDATE points_backtests SET result = jsonb_set(result, '{{events}}', '{found['events']}')")


_WORKER = """
import sys, time
from services.points.backtests import jobs, use_cases
use_cases._CHUNK = 10
jobs._SLICE_SECONDS = 0.0
play, begun = use_cases.play, []
def slow(*given):
    play(*given)
    begun.append(1)
    print("slice", len(begun), flush=True)
    if len(begun) == 8:
        time.sleep(60)
use_cases.play = slow
while True:
    jobs.run(1, int(sys.argv[1]))
"""


def test_a_killed_worker_costs_a_slice_and_changes_nothing_of_the_result(past: Shop) -> None:
    expected = result(past, drafts=["order"])
    backtest_id = ask(past, drafts=["order"])
    with subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(backtest_id)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if line == "slice 8\n":
                break
        worker.kill()
        worker.wait()
    shown = show(past, backtest_id)
    assert shown["state"] == "running"
    assert shown["events"]["done"] == 70
    work_off(backtest_id)
    assert show(past, backtest_id)["result"] == expected
