"""Statements, journals and totals over HTTP: opening + Σ entries = closing, page by page, month by month."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.points import Brand, Clock, done, pointers, refused
from tests.support import Callers


def months(brand: Brand, *names: str, asset: str = "points") -> list[tuple[int, int, int]]:
    """Opening, number of entries and closing of each month."""
    found = []
    for name in names:
        it = done(brand.shop.get(f"/v1/accounts/{asset}/statement", member_id=7, month=name))
        assert it["opening"] + sum(entry["amount"] for entry in it["entries"]) == it["closing"]
        found.append((it["opening"], len(it["entries"]), it["closing"]))
    return found


def test_each_month_opens_where_the_last_one_closed(brand: Brand, clock: Clock) -> None:
    clock.set(datetime(2026, 3, 10, tzinfo=UTC))
    brand.earn(100)
    hold = brand.hold(30, ttl_seconds=30 * 86_400)
    clock.set(datetime(2026, 4, 2, tzinfo=UTC))
    brand.capture(hold, amount=10)
    spent = brand.spend(25)
    clock.set(datetime(2026, 6, 9, tzinfo=UTC))
    brand.reverse(spent, amount=5)
    assert months(brand, "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07") == [
        (0, 0, 0),
        (0, 2, 100),
        (100, 2, 65),
        (65, 0, 65),
        (65, 1, 70),
        (70, 0, 70),
    ]


@pytest.mark.parametrize(
    ("time_zone", "midnight"),
    [
        ("Asia/Shanghai", datetime(2026, 4, 30, 16, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 5, 1, 4, tzinfo=UTC)),
        ("UTC", datetime(2026, 5, 1, tzinfo=UTC)),
    ],
)
def test_the_month_turns_at_local_midnight(points: Callers, clock: Clock, time_zone: str, midnight: datetime) -> None:
    brand = Brand(points, program_id=4).found(time_zone=time_zone)
    clock.set(midnight - timedelta(microseconds=1))
    brand.earn(10)
    clock.set(midnight)
    brand.earn(7)
    assert months(brand, "2026-04", "2026-05") == [(0, 1, 10), (10, 1, 17)]


def test_without_a_month_it_is_the_present_one_in_the_programs_zone(brand: Brand, clock: Clock) -> None:
    clock.set(datetime(2026, 12, 31, 16, tzinfo=UTC))
    brand.earn(10, reason="新年")
    it = done(brand.callers.member(7).get("/v1/accounts/points/statement"))
    assert (it["month"], it["opening"], it["closing"]) == ("2027-01", 0, 10)
    assert (it["entries"][0]["at"], it["entries"][0]["meta"]) == ("2026-12-31T16:00:00Z", {"reason": "新年"})
    assert it["entries"][0]["cause"].startswith("system:shop ")


def test_a_month_shows_entries_oldest_first_with_their_causes_and_links(brand: Brand, clock: Clock) -> None:
    clock.set(datetime(2026, 5, 10, tzinfo=UTC))
    earned = brand.earn(50, key="order-1")
    brand.reverse(earned, amount=20, key="refund-1")
    entries = done(brand.shop.get("/v1/accounts/points/statement", member_id=7, month="2026-05"))["entries"]
    told = [(it["seq"], it["kind"], it["cause"], it["reverses"], it["balance_after"]) for it in entries]
    assert told == [(1, "earn", "system:shop order-1", None, 50), (2, "reverse", "system:shop refund-1", 1, 30)]
    assert len({entry["hash"] for entry in entries}) == 2


def sheet(answer: TestResponse) -> list[list[str]]:
    """The rows of a CSV answer, its heading first."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "text/csv; charset=utf-8"
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:])))


def test_a_long_month_comes_page_by_page_and_each_page_adds_up(brand: Brand, clock: Clock) -> None:
    clock.set(datetime(2026, 4, 30, tzinfo=UTC))
    brand.earn(1000)
    clock.set(datetime(2026, 5, 10, tzinfo=UTC))
    lines = [{"member_id": 7, "asset": "points", "kind": "spend", "amount": n, "key": f"k{n}"} for n in range(1, 24)]
    done(brand.shop.post("/v1/postings/batch", {"lines": lines}))
    query: dict[str, Any] = {"member_id": 7, "month": "2026-05", "limit": 5}
    carried, pages, seen = 1000, 0, []
    while True:
        page = done(brand.shop.get("/v1/accounts/points/statement", **query))
        assert (page["opening"], page["closing"], page["brought_forward"]) == (1000, 1000 - 276, carried)
        carried = page["brought_forward"] + sum(entry["amount"] for entry in page["entries"])
        assert carried == page["carried_forward"]
        seen += [entry["amount"] for entry in page["entries"]]
        pages += 1
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert (pages, carried, seen) == (5, page["closing"], [-n for n in range(1, 24)])
    behind = done(brand.shop.get("/v1/accounts/points/statement", **{**query, "after": 500}))
    assert (behind["entries"], behind["next"], behind["carried_forward"]) == ([], None, behind["closing"])


def test_a_month_comes_as_a_spreadsheet_in_the_readers_language(brand: Brand, clock: Clock) -> None:
    clock.set(datetime(2026, 5, 10, 16, 30, tzinfo=UTC))
    earned = brand.earn(50, key="order-1", reason="新年")
    brand.reverse(earned, amount=20, key="refund-1")
    path = "/v1/accounts/points/statement"
    mine = brand.callers.member(7, Accept="text/csv")
    answer = mine.get(path, month="2026-05")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement-points-2026-05.csv"'
    rows = sheet(answer)
    assert rows[0][:4] == ["line", "time (Asia/Shanghai)", "kind", "amount"]
    assert rows[1:] == [
        ["", "", "opening balance", "", "", "0", "", "", "", ""],
        ["1", "2026-05-11 00:30:00", "earn", "50", "0", "50", "system:shop order-1", "新年", "", ""],
        ["2", "2026-05-11 00:30:00", "reverse", "-20", "0", "30", "system:shop refund-1", "", "", "1"],
        ["", "", "closing balance", "", "", "30", "", "", "", ""],
    ]
    headers: dict[str, Any] = {"Accept": "text/csv", "Accept-Language": "zh-CN"}
    rows = sheet(brand.callers.member(7, **headers).get(path, month="2026-05"))
    assert rows[0] == [
        "序号",
        "时间(Asia/Shanghai)",
        "类型",
        "变动",
        "预留变动",
        "余额",
        "来源",
        "原因",
        "规则版本",
        "撤销的序号",
    ]
    assert [row[2] for row in rows[1:]] == ["期初余额", "获得", "撤销", "期末余额"]
    assert done(brand.callers.member(7, Accept="*/*").get(path, month="2026-05"))["closing"] == 30


def test_a_spreadsheet_runs_nothing_that_somebody_wrote(brand: Brand) -> None:
    written = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "plain", "a=1"]
    for reason in written:
        brand.earn(5, reason=reason)
    rows = sheet(brand.callers.member(7, Accept="text/csv").get("/v1/accounts/points/statement"))
    assert [row[7] for row in rows[2:-1]] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\uff1d1", "plain", "a=1"]


def test_a_spreadsheet_has_every_line_of_the_longest_month(brand: Brand) -> None:
    for start in (0, 1000):
        lines = [
            {"member_id": 7, "asset": "points", "kind": "earn", "amount": 2, "key": f"k{start + n}"}
            for n in range(1000)
        ]
        done(brand.shop.post("/v1/postings/batch", {"lines": lines}))
    brand.earn(3)
    rows = sheet(brand.callers.member(7, Accept="text/csv").get("/v1/accounts/points/statement"))
    assert len(rows) == 2001 + 3
    assert int(rows[1][5]) + sum(int(row[3]) for row in rows[2:-1]) == int(rows[-1][5]) == 4003


def test_opening_and_every_line_make_the_closing_whatever_happened(brand: Brand, clock: Clock) -> None:
    start = datetime(2026, 5, 1, 4, tzinfo=UTC)
    clock.set(start)
    brand.set_asset("growth", debt_allowed=True, transferable=True, pending="2D")
    brand.earn(100, asset="growth")
    brand.earn(5, asset="growth", member_id=8)
    for day in range(1, 75):
        clock.set(start + timedelta(days=day))
        earned = brand.earn(10 + day % 7, asset="growth", validity=f"{1 + day % 9}D")
        if day % 3 == 0:
            brand.reverse(earned, asset="growth", amount=4)
        if day % 4 == 0:
            brand.send("transfers", asset="growth", amount=3, to_member_id=8)
        hold = brand.send("holds", asset="growth", amount=2, ttl_seconds=86_400)
        if day % 5 == 0 and hold.status_code == 201:
            brand.capture(hold.json or {}, amount=1)
        if day % 6 == 0:
            brand.send("postings", kind="spend", asset="growth", amount=5)
    told = months(brand, "2026-04", "2026-05", "2026-06", "2026-07", "2026-08", asset="growth")
    assert [closing for _, _, closing in told[:-1]] == [opening for opening, _, _ in told[1:]]
    assert {"earn", "reverse", "release", "expire", "hold", "hold_expired", "transfer_out"} <= {
        kind for kind, _ in brand.kinds("growth")
    }


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-1", "26-05", "2026-05-01", "now", ""])
def test_what_is_no_month_is_pointed_at(brand: Brand, month: str) -> None:
    answer = brand.shop.get("/v1/accounts/points/statement", member_id=7, month=month)
    assert answer.status_code == 422
    assert pointers(answer) == ["/query/month"]


def test_the_journal_is_read_page_by_page_newest_first(brand: Brand) -> None:
    lines = [{"member_id": 7, "asset": "points", "kind": "earn", "amount": n, "key": f"k{n}"} for n in range(1, 24)]
    done(brand.shop.post("/v1/postings/batch", {"lines": lines}))
    seen, query = [], {"member_id": 7, "limit": 5}
    while True:
        page = done(brand.shop.get("/v1/accounts/points/entries", **query))
        seen += [entry["seq"] for entry in page["entries"]]
        if page["next"] is None:
            break
        assert page["next"] == page["entries"][-1]["seq"]
        query["before"] = page["next"]
        brand.earn(1)
    assert seen == list(range(23, 0, -1))


def test_a_page_that_ends_exactly_at_the_beginning_is_followed_by_nothing(brand: Brand) -> None:
    brand.earn(1)
    brand.earn(2)
    page = done(brand.shop.get("/v1/accounts/points/entries", member_id=7, limit=2))
    rest = done(brand.shop.get("/v1/accounts/points/entries", member_id=7, limit=2, before=page["next"]))
    assert [entry["seq"] for entry in page["entries"]] == [2, 1]
    assert rest == {"entries": [], "next": None}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"before": 0}, {"after": 1}])
def test_pages_have_bounds(brand: Brand, query: dict[str, object]) -> None:
    answer = brand.shop.get("/v1/accounts/points/entries", member_id=7, **query)
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == [f"/query/{name}" for name in query]


def test_an_assets_totals_add_up(brand: Brand, clock: Clock) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    clock.set(start)
    brand.earn(100, asset="growth", validity="5D")
    owed = brand.earn(40, asset="growth", member_id=8)
    spent = brand.spend(30, asset="growth")
    brand.capture(brand.hold(20, asset="growth"), amount=15)
    brand.reverse(spent, asset="growth", amount=7)
    brand.spend(40, asset="growth", member_id=8)
    brand.reverse(owed, asset="growth", member_id=8)
    clock.set(start + timedelta(days=9))
    brand.earn(3, asset="growth")
    it = done(brand.callers.staff("finance").get("/v1/assets/growth/totals"))
    assert it["issued"] + it["reversed"] - it["redeemed"] - it["expired"] == it["outstanding"]
    assert it == {
        "asset": "growth",
        "members": 2,
        "issued": 143,
        "redeemed": 85,
        "expired": 62,
        "reversed": -33,
        "outstanding": -37,
        "debt": 40,
        "as_of": "2026-05-10T00:00:00Z",
    }


def test_totals_count_members_who_own_something_not_those_who_were_refused(brand: Brand) -> None:
    brand.earn(5)
    brand.send("postings", kind="spend", amount=9, member_id=8)
    assert done(brand.callers.system("read").get("/v1/assets/points/totals"))["members"] == 1


def test_totals_are_for_finance_and_marketers(brand: Brand) -> None:
    for role in ("finance", "marketer", "admin"):
        assert done(brand.callers.staff(role).get("/v1/assets/points/totals"))["outstanding"] == 0
    for caller in (brand.callers.staff("support"), brand.callers.member(7), brand.callers.system("ledger")):
        assert refused(caller.get("/v1/assets/points/totals")) == (403, "forbidden")
