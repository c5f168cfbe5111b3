"""The report by reason: every adjustment and changeset once, by month, agent and reason, and equal to the ledger."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from common.clock import business_day, now
from tests.care import Desk, MembersDouble
from tests.points import done, refused, sql

PATH = "/v1/adjustment-report"
TODAY = business_day(now(), "Asia/Shanghai")
MONTH = f"{TODAY:%Y-%m}"
_SUMS = ("count", "given", "taken", "undone", "net", "moved")


def report(desk: Desk, **query: str) -> dict[str, Any]:
    """As finance sees it."""
    return done(desk.mei.get(PATH, **query))


def sums(row: dict[str, Any]) -> tuple[int, ...]:
    """A row's figures."""
    return tuple(row[name] for name in _SUMS)


@pytest.fixture
def busy(desk: Desk, levels_double: MembersDouble) -> Desk:
    """Two agents, several reasons, undoings, a redating and two changesets."""
    desk.posted(100)
    desk.decide("undo", desk.posted(40), by=desk.lin)
    desk.posted(-30, reason_code="abuse")
    desk.posted(20, by=desk.wu, reason_code="compensation", validity="9D")
    desk.waiting(900)
    done(desk.decide("approval", desk.waiting(700)))
    desk.posted(50, asset="energy")
    soon, later = TODAY + timedelta(days=9), TODAY + timedelta(days=90)
    moved = done(desk.redate(15, soon, later, by=desk.wu))
    assert desk.brand.figures()[0] == 790
    desk.brand.spend(8)
    done(desk.decide("undo", moved, by=desk.wu))
    desk.applied("member_id,asset,amount,reason\n7,points,11,goodwill\n8,points,5,migration\n")
    desk.undone(desk.applied("member_id,asset,amount,reason\n8,points,3,goodwill\n"))
    return desk


def test_h2_what_was_given_and_taken_is_told_by_reason_month_and_agent(busy: Desk) -> None:
    shown = report(busy)
    assert {row["month"] for row in shown["rows"]} == {MONTH}
    rows = {(row["asset"], row["reason_code"], row["agent"]): sums(row) for row in shown["rows"]}
    assert rows == {
        ("energy", "goodwill", "lin"): (1, 50, 0, 0, 50, 0),
        ("points", "abuse", "lin"): (1, 0, 30, 0, -30, 0),
        ("points", "compensation", "wu"): (1, 20, 0, 0, 20, 0),
        ("points", "goodwill", "lin"): (5, 854, 0, -43, 811, 0),
        ("points", "goodwill", "wu"): (1, 0, 0, 0, 0, 3),
        ("points", "migration", "lin"): (1, 5, 0, 0, 5, 0),
    }
    totals = {(row["asset"], row["reason_code"]): sums(row) for row in shown["totals"]}
    assert totals["points", "goodwill"] == (6, 854, 0, -43, 811, 3)
    assert {row["name_zh"] for row in shown["totals"] if row["reason_code"] == "abuse"} == {"违规扣回"}


def test_its_net_is_what_the_ledger_says_was_adjusted(busy: Desk) -> None:
    days = done(busy.mei.get("/v1/liability/points"))["days"]
    net = sum(row["net"] for row in report(busy, asset="points")["rows"])
    assert net == sum(day["adjusted"] for day in days) == 806


def test_it_comes_as_a_spreadsheet_in_the_readers_language(busy: Desk) -> None:
    finance = busy.brand.callers.staff("finance", name="mei", Accept="text/csv", **{"Accept-Language": "zh-CN"})
    text = finance.get(PATH, asset="energy").get_data(as_text=True)
    assert list(csv.reader(StringIO(text.removeprefix("\ufeff")))) == [
        ["月份", "资产", "原因代码", "原因", "客服", "笔数", "发放", "扣减", "撤销", "净变动", "调整有效期的积分"],
        [MONTH, "energy", "goodwill", "客户关怀", "lin", "1", "50", "0", "0", "50", "0"],
    ]


def test_a_month_is_the_business_month_of_the_posting(desk: Desk) -> None:
    desk.posted(1)
    sql("UPDATE points_adjustments SET posted_at = '2026-04-30T15:59:59.999999Z'")
    assert [row["month"] for row in report(desk, **{"from": "2026-04", "to": "2026-04"})["rows"]] == ["2026-04"]
    sql("UPDATE points_adjustments SET posted_at = '2026-04-30T16:00:00Z'")
    assert report(desk, **{"from": "2026-04", "to": "2026-04"})["rows"] == []
    assert [row["month"] for row in report(desk, **{"from": "2026-04", "to": "2026-05"})["rows"]] == ["2026-05"]


def test_a_reason_that_left_the_list_keeps_its_code(desk: Desk) -> None:
    desk.posted(1)
    reasons = [{"code": "other", "name_en": "Other", "name_zh": "其他"}]
    done(desk.brand.callers.staff("marketer").put("/v1/adjustment-reasons", {"reasons": reasons}))
    [total] = report(desk)["totals"]
    assert (total["reason_code"], total["name_en"], total["name_zh"]) == ("goodwill", None, None)


def test_another_programs_report_is_empty_and_agents_may_not_ask(desk: Desk) -> None:
    desk.posted(1)
    assert refused(desk.lin.get(PATH))[0] == 403
    assert refused(desk.mei.get(PATH, **{"from": "2026-02", "to": "2026-01"})) == (422, "bad_months")
    assert refused(desk.mei.get(PATH, asset="nothing"))[1] == "asset_not_found"
    assert refused(desk.mei.get(PATH, **{"from": "2026-13"}))[0] in (400, 422)
