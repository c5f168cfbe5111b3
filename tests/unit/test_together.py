"""Laws of doing things together: every caller gets their own answer, whatever happens to their mates."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError, Event, Lock, Thread
from typing import Any

import pytest

from common.together import LARGEST_FLUSH, LEADERS, Together
from services.points.ledger.domain import Kind, Line, Outcome, Status
from tests.ledger import line


def outcome(it: Line) -> Outcome:
    return Outcome(it.posting_id, Status.POSTED, it.kind, it.member_id, it.asset_id, it.amount, 1, 0, 0, 0, 0)


def together(post: Callable[[Sequence[Line]], list[Outcome]], **more: Any) -> Together[Line, Outcome]:
    """Lines are of the same account when they are of the same member."""
    return Together(post, of=lambda it: it.member_id, **more)


class Ledger:
    """A slow post function that remembers its flushes; `poison` amounts and every n-th flush fail."""

    def __init__(self, *, seconds: float = 0.0, poison: frozenset[int] = frozenset(), every: int = 0) -> None:
        self.seconds, self.poison, self.every = seconds, poison, every
        self.flushes: list[int] = []
        self.posted: Counter[bytes] = Counter()
        self.at_once = self.most_at_once = 0
        self._lock = Lock()

    def __call__(self, lines: Sequence[Line]) -> list[Outcome]:
        with self._lock:
            self.flushes.append(len(lines))
            turn = len(self.flushes)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(self.seconds)
            if self.every and turn % self.every == 0:
                raise ConnectionError(f"flush {turn}")
            if bad := [it.amount for it in lines if it.amount in self.poison]:
                raise ValueError(f"poisoned by {bad}")
        finally:
            with self._lock:
                self.at_once -= 1
        with self._lock:
            self.posted.update(it.posting_id for it in lines)
        return [outcome(it) for it in lines]


def submit_all(poster: Together[Line, Outcome], lines: Sequence[Line], *, threads: int) -> list[Outcome | Exception]:
    def submit(it: Line) -> Outcome | Exception:
        try:
            return poster.submit(it)
        except (ValueError, ConnectionError) as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(submit, lines, timeout=60))


def lines(count: int) -> list[Line]:
    return [line(Kind.EARN, number, f"key {number}") for number in range(1, count + 1)]


def test_an_idle_ledger_posts_at_once_and_alone() -> None:
    ledger = Ledger()
    poster = together(ledger)
    for it in lines(3):
        assert poster.submit(it) == outcome(it)
    assert ledger.flushes == [1, 1, 1]


def test_everyone_gets_the_answer_of_their_own_line() -> None:
    ledger = Ledger(seconds=0.0005)
    wanted = lines(5000)
    answers = submit_all(together(ledger), wanted, threads=64)
    assert answers == [outcome(it) for it in wanted]
    assert sum(ledger.flushes) == 5000


def test_a_busy_ledger_posts_many_together_and_never_more_than_its_leaders_at_a_time() -> None:
    ledger = Ledger(seconds=0.01)
    submit_all(together(ledger), lines(640), threads=64)
    assert len(ledger.flushes) < 200
    assert max(ledger.flushes) > 5
    assert ledger.most_at_once <= LEADERS


def test_a_flush_has_a_limit() -> None:
    begun, go = Event(), Event()
    sizes: list[int] = []

    def post(flush: Sequence[Line]) -> list[Outcome]:
        sizes.append(len(flush))
        if len(sizes) == LEADERS:
            begun.set()
        go.wait(20)
        return [outcome(it) for it in flush]

    poster = together(post)
    wanted = lines(LEADERS + LARGEST_FLUSH + 10)
    threads = [Thread(target=poster.submit, args=(it,)) for it in wanted]
    for thread in threads[:LEADERS]:
        thread.start()
    assert begun.wait(20)
    for thread in threads[LEADERS:]:
        thread.start()
    while len(poster._queue) < LARGEST_FLUSH + 10:
        time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join(20)
    assert sum(sizes) == len(wanted)
    assert max(sizes) == LARGEST_FLUSH


def test_one_failing_line_does_not_fail_its_mates() -> None:
    poison = frozenset(range(50, 400, 50))
    wanted = lines(400)
    answers = submit_all(together(Ledger(seconds=0.002, poison=poison)), wanted, threads=64)
    for it, answer in zip(wanted, answers, strict=True):
        if it.amount in poison:
            assert isinstance(answer, ValueError)
            assert str(answer) == f"poisoned by [{it.amount}]"
        else:
            assert answer == outcome(it)


def test_the_same_key_twice_in_one_flush_is_posted_as_two_lines_for_the_ledger_to_replay() -> None:
    begun, go = Event(), Event()
    flushes: list[list[bytes]] = []

    def post(flush: Sequence[Line]) -> list[Outcome]:
        flushes.append([it.posting_id for it in flush])
        if len(flushes) == LEADERS:
            begun.set()
        go.wait(20)
        return [outcome(it) for it in flush]

    poster = together(post)
    leading = [Thread(target=poster.submit, args=(it,)) for it in lines(LEADERS)]
    for thread in leading:
        thread.start()
    assert begun.wait(20)
    twin = line(Kind.SPEND, 5, "twin")
    answers: list[Outcome] = []
    twins = [Thread(target=lambda: answers.append(poster.submit(twin))) for _ in range(4)]
    for thread in twins:
        thread.start()
    while len(poster._queue) < 4:
        time.sleep(0.001)
    go.set()
    for thread in (*leading, *twins):
        thread.join(20)
    assert answers == [outcome(twin)] * 4
    assert flushes[LEADERS] == [twin.posting_id] * 4


@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_no_leadership_is_lost_when_every_nth_flush_fails(every: int) -> None:
    ledger = Ledger(seconds=0.0003, every=every)
    poster = together(ledger)
    wanted = lines(1500)
    answers = submit_all(poster, wanted, threads=64)
    assert len(answers) == 1500
    for it, answer in zip(wanted, answers, strict=True):
        assert isinstance(answer, ConnectionError) or answer == outcome(it)
    assert poster._leaders == 0
    assert not poster._queue
    ledger.every = 0
    assert poster.submit(wanted[0]) == outcome(wanted[0])


def test_an_answered_line_was_posted_once_even_if_its_flush_had_to_be_repeated() -> None:
    ledger = Ledger(seconds=0.001, poison=frozenset({7, 77, 177}))
    wanted = lines(300)
    answers = submit_all(together(ledger), wanted, threads=32)
    answered = {it.posting_id for it, answer in zip(wanted, answers, strict=True) if isinstance(answer, Outcome)}
    assert ledger.posted == Counter(dict.fromkeys(answered, 1))


def test_an_account_that_cannot_be_had_is_waited_for_once_and_holds_up_no_other() -> None:
    waits: list[int] = []

    def post(flush: Sequence[Line]) -> list[Outcome]:
        if any(it.member_id == 13 for it in flush):
            waits.append(len(flush))
            time.sleep(0.05)
            raise TimeoutError("member 13 is locked")
        return [outcome(it) for it in flush]

    wanted = [line(Kind.EARN, 1, f"key {n}", member_id=13 if n % 2 else n) for n in range(64)]
    meeting = Barrier(64)
    poster = together(post, unavailable=(TimeoutError,))

    def submit(it: Line) -> Outcome | Exception:
        meeting.wait()
        try:
            return poster.submit(it)
        except TimeoutError as error:
            return error

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(submit, wanted))
    for it, answer in zip(wanted, answers, strict=True):
        assert isinstance(answer, TimeoutError) if it.member_id == 13 else answer == outcome(it)
    assert len(waits) < 16


def test_leaders_post_side_by_side() -> None:
    meeting = Barrier(LEADERS)

    def post(flush: Sequence[Line]) -> list[Outcome]:
        meeting.wait(20)
        return [outcome(it) for it in flush]

    answers = submit_all(together(post), lines(LEADERS), threads=LEADERS)
    assert [type(answer) for answer in answers] == [Outcome] * LEADERS
    with pytest.raises(BrokenBarrierError):
        meeting.wait(0.01)


def test_a_ledger_that_answers_too_few_lines_is_an_error_and_not_a_silence() -> None:
    with pytest.raises(ValueError, match="zip"):
        together(lambda flush: []).submit(line(Kind.EARN, 1))
