"""The ledger against an oracle of one number a point: every answer, balance and lot, in memory and on the database."""

from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from common.database import driver_connection
from services.points.database import transaction
from services.points.ledger import lots, posting_sql, use_cases
from services.points.ledger.domain import Account, Hold, Line, Outcome
from services.points.ledger.present_repository import list_accounts
from tests.points import wrong
from tests.property.ledger_machine import ACCOUNTS, AMOUNTS, LIMITED, LedgerMachine, walk
from tests.thoroughness import examples


class LedgerInMemory(LedgerMachine):
    """The fold alone."""

    def post(self, lines: Sequence[Line]) -> list[Outcome]:
        return self.shelf.post(*lines, at=self.now)

    def stored(self) -> dict[tuple[int, int], tuple[Account, list[Hold]]]:
        found = {}
        for (_, *name), account in self.shelf.accounts.items():
            mine = [it for it in self.shelf.holds.values() if [it.member_id, it.asset_id] == name and it.state == 0]
            found[name[0], name[1]] = deepcopy((account, mine))
        return found


class LedgerOnTheDatabase(LedgerMachine):
    """The same through the use cases on PostgreSQL, with the database's clock in our hands."""

    clock: ClassVar[pytest.MonkeyPatch]

    def post(self, lines: Sequence[Line]) -> list[Outcome]:
        self.clock.setattr(posting_sql, "CLOCK", f"SELECT {self.now}::bigint")
        with transaction() as session:
            return use_cases.post(session, lines, zones={self.program_id: self.zone})

    def stored(self) -> dict[tuple[int, int], tuple[Account, list[Hold]]]:
        with transaction() as session:
            members = sorted({member_id for member_id, _ in ACCOUNTS})
            connection = driver_connection(session)
            read = [it for member in members for it in list_accounts(connection, [(self.program_id, member)])[0]]
        return {(account.member_id, account.asset_id): (account, holds) for account, holds in read}


LedgerInMemory.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=30)
test_the_fold_agrees_with_the_oracle = LedgerInMemory.TestCase


def test_the_ledger_on_the_database_agrees_with_the_oracle(points: object, monkeypatch: pytest.MonkeyPatch) -> None:
    LedgerOnTheDatabase.clock = monkeypatch
    run_state_machine_as_test(LedgerOnTheDatabase, settings=settings(max_examples=examples(10), stateful_step_count=30))
    assert wrong() == []


@pytest.mark.parametrize("seed", range(40))
def test_long_walks_of_the_fold_agree_with_the_oracle(seed: int) -> None:
    walk(LedgerInMemory(), Random(seed), steps=200, names=LIMITED if seed % 4 == 0 else ACCOUNTS)


def test_long_walks_on_the_database_agree_with_the_oracle(points: object, monkeypatch: pytest.MonkeyPatch) -> None:
    LedgerOnTheDatabase.clock = monkeypatch
    for seed in range(3):
        walk(LedgerOnTheDatabase(), Random(1000 + seed), steps=200, names=LIMITED if seed == 0 else ACCOUNTS)
    assert wrong() == []


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


@settings(max_examples=examples(20))
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
