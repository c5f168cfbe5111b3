"""Statements, journals and totals over HTTP: opening + Σ entries = closing, page by page, month by month."""

from datetime import UTC, datetime, timedelta

import pytest

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
    brand = Brand(points, program_id=4, time_zone=time_zone)
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
