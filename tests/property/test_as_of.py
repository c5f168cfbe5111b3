"""An account as of any instant: the past is what a reader saw then, the future what settling then gives (§6.16)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.clock import business_day, epoch_day
from services.points.audit.jobs import seal_posted
from services.points.database import transaction
from services.points.jobs import settle_due_accounts
from services.points.ledger import account_use_cases as accounts
from services.points.ledger.account_schemas import AccountResponse
from services.points.ledger.domain import Outcome, Redating, Status
from tests.ledger import NOON, ZONE
from tests.points import Brand, Clock, wrong
from tests.support import Callers
from tests.thoroughness import examples

ASSETS = ("energy", "growth", "idle")
AMOUNTS = st.integers(1, 30)
HOURS = st.sampled_from([1, 5, 24, 49])
LOTS = st.sampled_from([None, "1D", "3D", "unlimited"])
STEPS = st.one_of(
    st.tuples(st.just("earn"), AMOUNTS, LOTS),
    st.tuples(st.just("await"), AMOUNTS, HOURS),
    st.tuples(st.just("defer"), st.integers(0, 5), HOURS),
    st.tuples(st.just("spend"), AMOUNTS),
    st.tuples(st.just("hold"), AMOUNTS, HOURS),
    st.tuples(st.just("capture"), st.integers(0, 5), st.integers(0, 3)),
    st.tuples(st.just("void"), st.integers(0, 5)),
    st.tuples(st.just("reverse"), st.integers(0, 9), AMOUNTS),
    st.tuples(st.just("give"), AMOUNTS),
    st.tuples(st.just("redate"), AMOUNTS, st.integers(0, 4), st.integers(0, 8)),
    st.tuples(st.just("restore"), st.integers(0, 3), st.integers(0, 9)),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("wait"), HOURS),
)
programs = count(100)


class Diary:
    """Does things to one account of member 7 and notes what a reader saw after each."""

    def __init__(self, callers: Callers, clock: Clock, asset: str) -> None:
        self.clock, self.asset, self.now = clock, asset, NOON
        clock.set(self.now)
        self.brand = Brand(callers, program_id=next(programs)).found()
        marketer = callers.staff("marketer", program_id=self.brand.program_id)
        settings = {"validity": "idle:2D" if asset == "idle" else "5D", "transferable": True, "grace_days": 1}
        body = {"name_en": "a", "name_zh": "a", "debt_allowed": asset == "growth", **settings}
        assert marketer.put(f"/v1/assets/{asset}", body).status_code == 200
        self.brand.earn(20, asset=asset, member_id=8)
        self.postings: list[dict[str, Any]] = []
        self.holds: list[dict[str, Any]] = []
        self.awaited: list[dict[str, Any]] = []
        self.redated: list[Outcome] = []
        self.seen: list[tuple[datetime, dict[str, Any]]] = []

    def look(self, as_of: datetime | None = None) -> dict[str, Any]:
        """The account as the wire shows it."""
        with transaction() as session:
            shown = accounts.show_account(
                session,
                program_id=self.brand.program_id,
                member_id=7,
                asset=self.asset,
                as_of=as_of,
                now=self.now,
            )
        return dict(AccountResponse().dump(shown))

    def do(self, what: str, *given: Any) -> None:
        """One step, a little later than the one before; refusals are part of life."""
        self.now += timedelta(minutes=7)
        self.clock.set(self.now)
        getattr(self, f"_{what}")(*given)
        self.seen.append((self.now, self.look()))

    def _earn(self, amount: int, validity: str | None) -> None:
        more = {"validity": validity} if validity else {}
        self.postings.append(self.brand.earn(amount, asset=self.asset, **more))

    def _await(self, amount: int, hours: int) -> None:
        available_at = (self.now + timedelta(hours=hours)).isoformat()
        made = self.brand.earn(amount, asset=self.asset, available_at=available_at)
        self.postings.append(made)
        self.awaited.append(made)

    def _defer(self, which: int, hours: int) -> None:
        for posting in self.awaited[which : which + 1]:
            self.brand.confirm(posting, available_at=(self.now + timedelta(hours=hours)).isoformat())

    def _spend(self, amount: int) -> None:
        answer = self.brand.send("postings", kind="spend", amount=amount, asset=self.asset)
        if answer.status_code == 201:
            self.postings.append(answer.json or {})

    def _hold(self, amount: int, hours: int) -> None:
        answer = self.brand.send("holds", amount=amount, asset=self.asset, ttl_seconds=hours * 3600)
        if answer.status_code == 201:
            self.holds.append(answer.json or {})

    def _capture(self, which: int, amount: int) -> None:
        for hold in self.holds[which : which + 1]:
            self.brand.capture(hold, **({"amount": amount} if amount else {}))

    def _void(self, which: int) -> None:
        for hold in self.holds[which : which + 1]:
            self.brand.void(hold)

    def _reverse(self, which: int, amount: int) -> None:
        for posting in self.postings[which : which + 1]:
            self.brand.reverse(posting, asset=self.asset, amount=amount, up_to=True)

    def _give(self, amount: int) -> None:
        self.brand.give(amount, 8, asset=self.asset)

    def _redate(self, amount: int, first: int, to: int) -> None:
        today = epoch_day(business_day(self.now, ZONE))
        outcome = self.brand.redate(amount, Redating(today + first, today + first + 2, today + to), self.asset)
        if outcome.status == Status.POSTED:
            self.redated.append(outcome)

    def _restore(self, which: int, amount: int) -> None:
        for redating in self.redated[which : which + 1]:
            self.brand.restore(redating, self.asset, amount=amount)

    def _sweep(self) -> None:
        settle_due_accounts()

    def _wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.clock.set(self.now)


@pytest.fixture
def diaries(points: Callers, clock: Clock) -> Iterator[Any]:
    """Opens a diary; what was written meanwhile passes every check."""
    yield lambda asset: Diary(points, clock, asset)
    # The worker of a house would have sealed while a long run was written.
    seal_posted()
    assert [it for it in wrong() if "within a day of its deadline" not in it.name] == []


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What waited came free a day before anybody noticed: its account lives from that day, then as later.
@example(asset="idle", steps=[("await", 1, 1), ("wait", 24), ("defer", 0, 1)])
@given(asset=st.sampled_from(ASSETS), steps=st.lists(STEPS, min_size=3, max_size=25))
def test_the_past_is_what_a_reader_saw_then(diaries: Any, asset: str, steps: list[tuple[Any, ...]]) -> None:
    diary = diaries(asset)
    for step in steps:
        diary.do(*step)
    diary.do("wait", 24 * 20)
    diary.do("sweep")
    diary.do("earn", 1, None)
    for instant, seen in diary.seen:
        assert diary.look(as_of=instant) == seen


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asset=st.sampled_from(ASSETS),
    steps=st.lists(STEPS, min_size=3, max_size=20),
    hours=st.lists(st.sampled_from([1, 6, 30, 70, 200]), min_size=1, max_size=3),
    settled=st.booleans(),
)
def test_a_projection_is_what_settling_then_gives(
    diaries: Any, asset: str, steps: list[tuple[Any, ...]], hours: list[int], settled: bool
) -> None:
    diary = diaries(asset)
    for step in steps:
        diary.do(*step)
    instants = [diary.now + timedelta(hours=sum(hours[: number + 1])) for number in range(len(hours))]
    projected = [diary.look(as_of=instant) for instant in instants]
    for instant, expected in zip(instants, projected, strict=True):
        diary.now = instant
        diary.clock.set(instant)
        if settled:
            settle_due_accounts()
        assert diary.look() == expected


def test_before_the_first_entry_there_was_nothing(diaries: Any) -> None:
    diary = diaries("energy")
    diary.do("earn", 5, None)
    assert diary.look(as_of=NOON)["balance"] == 0
    assert diary.look(as_of=diary.now)["balance"] == 5
