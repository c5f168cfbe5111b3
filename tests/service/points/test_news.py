"""What an account has behind a seq, waited for without holding anything; and a batch that has a key of its own."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session
from werkzeug.test import TestResponse

from services.points.ledger import teller, use_cases
from services.points.service import service
from tests.points import Brand, done, pointers, refused, wrong
from tests.support import Caller


class Waits:
    """Time for those who wait: what they sleep passes at once, and something may happen meanwhile."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.slept: list[float] = []
        self.meanwhile: Any = lambda: None
        patch.setattr(teller, "sleep", self._sleep)
        patch.setattr(teller, "monotonic", lambda: sum(self.slept))

    def _sleep(self, seconds: float) -> None:
        assert service.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # of a QueuePool
        self.slept.append(seconds)
        self.meanwhile()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    return Waits(monkeypatch)


def news(brand: Brand, after_seq: int, **more: Any) -> dict[str, Any]:
    """What member 7's points have behind the seq."""
    return done(brand.callers.member(7).get("/v1/accounts/points/entries", after_seq=after_seq, **more))


def seqs(page: dict[str, Any]) -> tuple[list[int], int]:
    """The page's entries and where to go on."""
    return [entry["seq"] for entry in page["entries"]], page["next"]


def test_news_come_oldest_first_and_say_where_to_go_on(brand: Brand, waits: Waits) -> None:
    assert seqs(news(brand, 0)) == ([], 0)
    for amount in (1, 2, 3):
        brand.earn(amount)
    assert seqs(news(brand, 0, limit=2, wait_seconds=10)) == ([1, 2], 2)
    assert seqs(news(brand, 2, limit=2)) == ([3], 3)
    assert seqs(news(brand, 9)) == ([], 9)
    assert waits.slept == []


def test_who_waits_is_answered_when_there_is_news(brand: Brand, waits: Waits) -> None:
    brand.earn(1)
    brand.earn(1, asset="growth")
    posted = [lambda: brand.earn(4, asset="growth"), lambda: brand.earn(4, member_id=8), lambda: brand.earn(5)]
    waits.meanwhile = lambda: posted.pop(0)()
    page = news(brand, 1, wait_seconds=10)
    assert (seqs(page), page["entries"][0]["amount"], posted) == (([2], 2), 5, [])


def test_who_waits_in_vain_is_answered_when_the_time_is_over(brand: Brand, waits: Waits) -> None:
    assert seqs(news(brand, 0, wait_seconds=3)) == ([], 0)
    assert sum(waits.slept) == 3
    assert max(waits.slept) <= 0.5


def test_in_a_crowd_nobody_waits(brand: Brand, waits: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd: list[tuple[list[int], int]] = []
    monkeypatch.setattr(teller, "_places_to_wait", teller.BoundedSemaphore(1))
    waits.meanwhile = lambda: crowd.append(seqs(news(brand, 0, wait_seconds=3)))
    news(brand, 0, wait_seconds=1)
    assert (waits.slept, crowd) == ([0.5, 0.5], [([], 0), ([], 0)])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"wait_seconds": 1}, "wait_seconds"),
        ({"after_seq": 0, "wait_seconds": 11}, "wait_seconds"),
        ({"after_seq": 0, "before": 5}, "before"),
    ],
)
def test_only_news_are_waited_for_and_not_for_long(brand: Brand, query: dict[str, int], field: str) -> None:
    answer = brand.shop.get("/v1/accounts/points/entries", member_id=7, **query)
    assert (refused(answer), pointers(answer)) == ((422, "invalid_request"), [f"/query/{field}"])


def batch(
    brand: Brand, amounts: list[int], key: str | None, *, atomic: bool = False, shop: Caller | None = None
) -> TestResponse:
    """Spend these amounts of member 7, each under its place as key."""
    line = {"member_id": 7, "asset": "points", "kind": "spend"}
    lines = [{**line, "key": f"{place}", "amount": amount} for place, amount in enumerate(amounts)]
    return (shop or brand.shop).post("/v1/postings/batch", {"atomic": atomic, "lines": lines}, key=key)


def test_a_batch_under_a_key_is_answered_as_it_was_first(brand: Brand) -> None:
    brand.earn(10)
    first = batch(brand, [5, 50], "b", atomic=True)
    assert [one["status"] for one in done(first)["results"]] == ["not_attempted", "insufficient_points"]
    brand.earn(100)
    again = batch(brand, [5, 50], "b", atomic=True)
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert refused(batch(brand, [5, 51], "b", atomic=True)) == (422, "idempotency_key_reused")
    assert refused(batch(brand, [5, 50], "b")) == (422, "idempotency_key_reused")
    assert brand.figures()[0] == 110
    assert [one["status"] for one in done(batch(brand, [5, 50], None, atomic=True))["results"]] == ["posted", "posted"]
    posted = done(batch(brand, [5, 50, 6], "c"))
    assert [one["replayed"] for one in posted["results"]] == [True, True, False]
    assert done(batch(brand, [5, 50, 6], "c")) == posted
    other = brand.callers.system("ledger", key_id="other")
    assert refused(batch(brand, [5, 41], "c")) == (422, "idempotency_key_reused")
    assert done(batch(brand, [5, 41], "c", shop=other))["posted"] == 2, "a key is its caller's"
    assert wrong() == []


def test_a_batch_under_a_key_is_tried_again_when_a_twin_posted_a_line_first(
    brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, failed = use_cases.post, []

    def after_a_twin(session: Session, *given: Any, **named: Any) -> Any:
        if not failed:
            failed.append("once")
            session.execute(text("INSERT INTO points_programs SELECT * FROM points_programs"))
        return post(session, *given, **named)

    brand.earn(10)
    monkeypatch.setattr(use_cases, "post", after_a_twin)
    assert (done(batch(brand, [5], "b"))["posted"], failed) == (1, ["once"])
    assert brand.figures()[0] == 5
