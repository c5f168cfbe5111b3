"""The ledger against an oracle of one number a point: every answer, balance and lot, in memory and on the database."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from random import Random
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from common.clock import epoch_day, from_epoch_day
from services.points.database import transaction
from services.points.ledger import lots, posting_sql, use_cases
from services.points.ledger.balances import present
from services.points.ledger.domain import Account, Kind, Line, Outcome, Status
from services.points.ledger.models import accounts, holds
from tests.ledger import DAY, NOW, SECOND, Shelf, digest, line
from tests.points import Brand, sql, wrong
from tests.property.oracle import Oracle

ZONES = ["Asia/Shanghai", "America/New_York", "America/Havana", "Asia/Kathmandu", "Pacific/Chatham", "UTC"]
AMOUNTS = st.integers(1, 40)
#: Member and asset; of asset 2 debt is allowed.
ACCOUNTS = [(7, 1), (7, 2), (8, 1)]
NAMES = st.sampled_from(ACCOUNTS)
PLACES = st.integers(0, 30)
#: `verify` knows the real time, and would call old open holds forgotten.
FAR_FROM_NOW = NOW + 27_000 * DAY


class LedgerMachine(RuleBasedStateMachine):
    """Posts lines in lists of 1 to 4, and compares answers and accounts with the oracle after each list."""

    programs = count(1)

    def __init__(self) -> None:
        super().__init__()
        self.program_id = next(self.programs)
        self.now = FAR_FROM_NOW
        self.queued: list[tuple[str, tuple[int, int], tuple[Any, ...]]] = []
        self.sent: list[tuple[str, tuple[int, int], tuple[Any, ...]]] = []
        answers: dict[str, Any] = {}
        self.oracles = {name: Oracle(name, name[1] == 2, answers) for name in ACCOUNTS}

    # What a subclass says about its ledger.
    def post(self, lines: Sequence[Line]) -> list[Outcome]:
        raise NotImplementedError

    def stored(self) -> dict[tuple[int, int], tuple[Account, list[tuple[datetime, int, list[int]]]]]:
        raise NotImplementedError

    @initialize(zone=st.sampled_from(ZONES), seconds=st.integers(0, 86_400 * 365), together=st.integers(1, 4))
    def begin(self, zone: str, seconds: int, together: int) -> None:
        self.zone, self.together = zone, together
        self.now += seconds * SECOND
        self.shelf = Shelf(zone)
        for name in ACCOUNTS:
            for days in (0, 1, 3):
                self.queue(name, "earn", 15, self.today + days)

    @property
    def instant(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now)

    @property
    def today(self) -> int:
        return epoch_day(self.instant.astimezone(ZoneInfo(self.zone)).date())

    @rule(name=NAMES, amount=AMOUNTS, days=st.integers(-1, 4))
    def earn(self, name: tuple[int, int], amount: int, days: int) -> None:
        self.queue(name, "earn", amount, self.today + days)

    @rule(name=NAMES, amount=AMOUNTS)
    def spend(self, name: tuple[int, int], amount: int) -> None:
        self.queue(name, "spend", amount)

    @rule(name=NAMES, amount=AMOUNTS, ttl=st.sampled_from([1, 7200, 86_400, 200_000]))
    def hold(self, name: tuple[int, int], amount: int, ttl: int) -> None:
        self.queue(name, "hold", amount, ttl * SECOND)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES, amount=st.just(0) | AMOUNTS)
    def capture(self, place: int, amount: int) -> None:
        key, name, _ = self.earlier(place, "hold")
        self.queue(name, "capture", key, amount)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES)
    def void(self, place: int) -> None:
        key, name, _ = self.earlier(place, "hold")
        self.queue(name, "void", key)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES, amount=st.just(0) | AMOUNTS, kinds=st.sampled_from([("earn",), ("spend", "capture")]))
    def reverse(self, place: int, amount: int, kinds: tuple[str, ...]) -> None:
        key, name, _ = self.earlier(place, *kinds)
        self.queue(name, "reverse", key, amount)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES, name=NAMES, kind=st.sampled_from(["capture", "reverse"]))
    def touch_what_may_be_anothers(self, place: int, name: tuple[int, int], kind: str) -> None:
        self.queue(name, kind, self.earlier(place)[0], 1)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES)
    def send_again(self, place: int) -> None:
        self.enqueue(*self.earlier(place))

    @precondition(lambda self: self.sent)
    @rule(place=PLACES, name=NAMES, amount=AMOUNTS)
    def use_a_key_again_for_something_else(self, place: int, name: tuple[int, int], amount: int) -> None:
        self.enqueue(self.earlier(place)[0], name, ("spend", 1000 + amount))

    @rule(seconds=st.sampled_from([1, 3600, 7200, 43_200, 86_400]))
    def let_time_pass(self, seconds: int) -> None:
        if self.queued:
            self.post_the_queue()
        self.now += seconds * SECOND
        self.compare_what_a_reader_sees()

    def post_the_queue(self) -> None:
        queued, self.queued = self.queued, []
        answers = self.post([self.line(*it) for it in queued])
        for (key, name, body), answer in zip(queued, answers, strict=True):
            expected = self.oracles[name].post(key, body, now=self.now, today=self.today)
            told = (answer.status.name, answer.balance, answer.held, answer.debt)
            assert told[0] == expected[0]
            assert answer.status == Status.KEY_REUSED or told == expected
        self.compare_what_is_stored({name for _, name, _ in queued})

    def teardown(self) -> None:
        if self.queued:
            self.post_the_queue()

    def compare_what_is_stored(self, names: set[tuple[int, int]]) -> None:
        stored = self.stored()
        for name in names:
            oracle, (account, _) = self.oracles[name], stored[name]
            oracle.let_time_pass(now=self.now, today=self.today)
            days, amounts = account.lots[::2], account.lots[1::2]
            assert (account.balance, account.held, account.debt) == oracle.figures
            assert dict(zip(days, amounts, strict=True)) == Counter(oracle.points)
            assert account.balance == sum(amounts) + account.held - account.debt
            assert account.available == sum(amounts) >= 0 == account.debt * sum(amounts)
            assert all(one < another for one, another in pairwise(days))
            assert len(days) <= lots.MOST_BUCKETS
            assert all(amount > 0 for amount in amounts)

    def compare_what_a_reader_sees(self) -> None:
        for name, (it, open_holds) in self.stored().items():
            seen = present("any", it.balance, it.held, it.debt, it.lots, open_holds, now=self.instant, zone=self.zone)
            oracle = self.oracles[name]
            oracle.let_time_pass(now=self.now, today=self.today)
            assert (seen.balance, seen.held, seen.debt) == oracle.figures
            assert seen.available == len(oracle.points)
            shown = {lot.on: lot.amount for lot in seen.lots}
            assert shown == Counter(from_epoch_day(day) for day in oracle.points)

    def queue(self, name: tuple[int, int], *body: Any) -> None:
        key = f"{self.program_id}-{len(self.sent)}"
        self.sent.append((key, name, body))
        self.enqueue(key, name, body)

    def enqueue(self, key: str, name: tuple[int, int], body: tuple[Any, ...]) -> None:
        """Post when enough are together; whatever the length of the lists, the answers are the same."""
        self.queued.append((key, name, body))
        if len(self.queued) >= self.together:
            self.post_the_queue()

    def earlier(self, place: int, *kinds: str) -> tuple[str, tuple[int, int], tuple[Any, ...]]:
        """One of the last lines sent, of these kinds if there are any."""
        wanted = [it for it in self.sent if it[2][0] in kinds] or self.sent
        return wanted[-1 - place % len(wanted)]

    def line(self, key: str, name: tuple[int, int], body: tuple[Any, ...]) -> Line:
        """The oracle's words as a line of the ledger."""
        kind, *rest = body
        member_id, asset_id = name
        given: dict[str, Any] = {"program_id": self.program_id, "member_id": member_id, "asset_id": asset_id}
        amount = 0
        if kind in ("capture", "void"):
            given["hold_id"], *rest = digest(rest[0]), *rest[1:]
        if kind == "reverse":
            given["reverses_posting"], *rest = digest(rest[0]), *rest[1:]
            given["debt_allowed"] = asset_id == 2
        if rest:
            amount, *rest = rest
        if kind == "earn":
            given["lot_day"] = rest[0]
        if kind == "hold":
            given["ttl_us"] = rest[0]
        return line(Kind[kind.upper()], amount, key, **given)


class LedgerInMemory(LedgerMachine):
    """The fold alone."""

    def post(self, lines: Sequence[Line]) -> list[Outcome]:
        return self.shelf.post(*lines, at=self.now)

    def stored(self) -> dict[tuple[int, int], tuple[Account, list[tuple[datetime, int, list[int]]]]]:
        found = {}
        for (_, *name), account in self.shelf.accounts.items():
            mine = [it for it in self.shelf.holds.values() if [it.member_id, it.asset_id] == name and it.state == 0]
            mine.sort(key=lambda it: (it.expires_at_us, it.id))
            open_holds = [(_instant(it.expires_at_us), it.amount, it.moves) for it in mine]
            found[name[0], name[1]] = account, open_holds
        return found


class LedgerOnTheDatabase(LedgerMachine):
    """The same through the use cases on PostgreSQL, with the database's clock in our hands."""

    clock: ClassVar[pytest.MonkeyPatch]

    def post(self, lines: Sequence[Line]) -> list[Outcome]:
        self.clock.setattr(posting_sql, "CLOCK", f"SELECT {self.now}::bigint")
        with transaction() as session:
            return use_cases.post(session, lines, zones={self.program_id: self.zone})

    def stored(self) -> dict[tuple[int, int], tuple[Account, list[tuple[datetime, int, list[int]]]]]:
        found = {}
        with transaction() as session:
            for row in session.execute(select(accounts).where(accounts.c.program_id == self.program_id)):
                mine = (holds.c.program_id == row.program_id, holds.c.member_id == row.member_id)
                mine += (holds.c.asset_id == row.asset_id, holds.c.state == 0)
                rows = session.execute(select(holds).where(*mine).order_by(holds.c.expires_at, holds.c.id))
                open_holds = [(it.expires_at, it.amount, it.lots) for it in rows]
                figures = (row.balance, row.held, row.debt, row.seq, 0, None, bytes(row.head), row.lots)
                account = Account(row.program_id, row.member_id, row.asset_id, *figures)
                found[row.member_id, row.asset_id] = account, open_holds
        return found


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


LedgerInMemory.TestCase.settings = settings(max_examples=120, stateful_step_count=40)
test_the_fold_agrees_with_the_oracle = LedgerInMemory.TestCase


def test_the_ledger_on_the_database_agrees_with_the_oracle(points: object, monkeypatch: pytest.MonkeyPatch) -> None:
    LedgerOnTheDatabase.clock = monkeypatch
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LedgerOnTheDatabase, settings=settings(max_examples=20, stateful_step_count=40)
    )
    assert wrong() == []


@pytest.mark.parametrize("seed", range(3))
def test_whatever_many_threads_send_at_once_each_key_has_one_effect_and_one_answer(brand: Brand, seed: int) -> None:
    """Eight shoppers over four members; each request is sent one to three times at once."""
    copies = ThreadPoolExecutor(24)

    def send(choose: Random, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        sent = [copies.submit(brand.send, path, key=key, **body) for _ in range(choose.randint(1, 3))]
        answers = [it.result() for it in sent]
        assert {answer.status_code for answer in answers} <= {200, 201, 409, 422}
        assert len({(answer.status_code, told(answer.json)) for answer in answers}) == 1
        return answers[0].json if answers[0].status_code < 400 else {}

    def shop(number: int) -> None:
        choose, holds_, postings = Random(seed * 100 + number), [], []
        for step in range(16):
            key, member = f"{number}-{step}", choose.randint(1, 4)
            kind = choose.choice(["earn", "earn", "spend", "spend", "hold", "capture", "void", "reverse", "taken key"])
            amount = choose.randint(1, 40)
            if kind in ("earn", "spend"):
                days = choose.choice(["unlimited", "1D", "9D"])
                more = {"validity": days} if kind == "earn" else {}
                body = {"member_id": member, "kind": kind, "amount": amount, "asset": "growth", **more}
                postings.append((member, send(choose, "postings", key, body)))
            elif kind == "hold":
                held = send(choose, "holds", key, {"member_id": member, "amount": amount, "asset": "growth"})
                holds_.append((member, held))
            elif kind in ("capture", "void") and holds_:
                member, held = choose.choice(holds_)
                if held:
                    ended = send(choose, f"holds/{held['hold_id']}/{kind}", key, {"member_id": member})
                    postings.append((member, ended))
            elif kind == "reverse" and postings:
                member, posting = choose.choice(postings)
                if posting:
                    body = {"member_id": member, "asset": "growth", "posting_id": posting["posting_id"]}
                    send(choose, "reversals", key, body)
            elif kind == "taken key":
                body = {"member_id": member, "kind": "earn", "amount": 1000, "asset": "growth"}
                send(choose, "postings", choose.choice(["taken-1", "taken-2"]), body)

    with copies, ThreadPoolExecutor(8) as shoppers:
        list(shoppers.map(shop, range(8)))
    assert wrong() == []
    twice = "SELECT posting_id FROM points_entries WHERE cause <> 'time' GROUP BY 1 HAVING count(*) > 1"
    assert sql(twice) == []
    assert sql("SELECT count(*) FROM points_postings WHERE status = 1") == sql(
        "SELECT count(*) FROM points_entries WHERE cause <> 'time'"
    )
    assert sql("SELECT count(*) FROM points_entries WHERE amount = 1000")[0][0] <= 2


def told(answer: Any) -> str:
    """What an answer says, but for whom it was said to and what has become of a hold since."""
    return str(sorted((name, it) for name, it in answer.items() if name not in ("request_id", "state", "captured")))


@given(st.lists(st.tuples(st.integers(0, 9), AMOUNTS), max_size=6), st.lists(st.integers(0, 60), max_size=5))
def test_a_taking_stretched_in_any_parts_sums_to_the_whole(taken: list[tuple[int, int]], parts: list[int]) -> None:
    moves = [number for day, amount in taken for number in (day, -amount)]
    whole = [day for day, amount in taken for _ in range(amount)]
    pieces, start = [], 0
    for part in [*parts, len(whole)]:
        pieces.append(lots.stretch(moves, start, part))
        assert lots.total(pieces[-1]) == min(part, max(0, len(whole) - start))
        start += part
    assert [day for piece in pieces for day, amount in lots.pairs(piece) for _ in range(amount)] == whole


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(0, 300), AMOUNTS), min_size=60, max_size=200),
    st.lists(st.integers(1, 200), max_size=20),
)
def test_merging_moves_points_to_later_days_only_and_loses_none(added: list[tuple[int, int]], taken: list[int]) -> None:
    buckets: list[int] = []
    points: list[int] = []
    for place, (day, amount) in enumerate(added):
        moves = lots.add(buckets, [day, amount])
        assert sum(moves[1::2]) == amount
        points = sorted(points + [day] * amount)
        if place % 10 == 9 and taken:
            wanted = min(taken.pop(), len(points))
            assert -lots.total(lots.take(buckets, wanted)) == wanted
            points = points[wanted:]
        after = [day for day, amount in lots.pairs(buckets) for _ in range(amount)]
        assert len(buckets) <= 2 * lots.MOST_BUCKETS
        assert len(after) == len(points)
        assert after == sorted(after)
        assert all(left >= right for left, right in zip(after, points, strict=True))
