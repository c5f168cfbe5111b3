"""Micro-batching of single postings: whoever finds a free place leads and posts all that has queued meanwhile.

There is no timer: an idle ledger posts at once, a busy one posts as many together as came while it was busy. A failing
flush is repeated line by line, so that nobody suffers for a neighbour; lines of an account that somebody keeps locked
wait for it once, not one after the other.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock

from services.points.ledger.domain import Line, Outcome

Post = Callable[[Sequence[Line]], list[Outcome]]

#: At most this many flushes at a time: below it nobody waits, above it lines gather.
LEADERS = 3
LARGEST_FLUSH = 256


class _Ticket:
    __slots__ = ("called", "done", "error", "heir", "line", "outcome")

    def __init__(self, line: Line) -> None:
        self.line = line
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self.done = False
        self.heir = False
        self.called = Event()

    def call(self) -> None:
        """The answer is there."""
        self.done = True
        self.called.set()


class Poster:
    """Posts lines of many callers together; `post` runs a list of lines in one transaction of its own.

    `unavailable` are the errors by which it says that an account, or the database, cannot be had now.
    """

    def __init__(self, post: Post, *, unavailable: tuple[type[Exception], ...] = ()) -> None:
        self._post = post
        self._unavailable = unavailable
        self._lock = Lock()
        self._queue: deque[_Ticket] = deque()
        self._leaders = 0

    def submit(self, line: Line) -> Outcome:
        """Post the line; returns its outcome, or raises what its posting raised."""
        ticket = _Ticket(line)
        with self._lock:
            self._queue.append(ticket)
            leads = self._leaders < LEADERS
            self._leaders += leads
        if leads:
            self._lead()
        while not ticket.done or ticket.heir:
            ticket.called.wait()
            ticket.called.clear()
            if ticket.heir:
                ticket.heir = False
                self._lead()
        if ticket.error is not None:
            raise ticket.error
        assert ticket.outcome is not None
        return ticket.outcome

    def _lead(self) -> None:
        """Post what has queued, then hand the place to the first who waits; with nobody waiting, give it up."""
        with self._lock:
            flush = [self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_FLUSH))]
        if flush:
            self._flush(flush)
        with self._lock:
            for ticket in flush:
                ticket.call()
            heir = next((ticket for ticket in self._queue if not ticket.heir), None)
            if heir is None:
                self._leaders -= 1
            else:
                heir.heir = True
                heir.called.set()

    def _flush(self, flush: list[_Ticket]) -> None:
        try:
            for ticket, outcome in zip(flush, self._post([ticket.line for ticket in flush]), strict=True):
                ticket.outcome = outcome
        except Exception as error:  # noqa: BLE001 - handed to its caller, who raises it
            if len(flush) == 1:
                flush[0].error = error
                return
            accounts: dict[tuple[int, int, int], list[_Ticket]] = {}
            for ticket in flush:
                accounts.setdefault(ticket.line.account, []).append(ticket)
            # The account that most wait for is the likeliest to be the one that cannot be had: it comes last.
            for tickets in sorted(accounts.values(), key=len):
                self._one_by_one(tickets)
                for ticket in tickets:
                    ticket.call()

    def _one_by_one(self, tickets: list[_Ticket]) -> None:
        """Post the lines of one account singly; when the account cannot be had, that is the answer of all the rest."""
        for place, ticket in enumerate(tickets):
            try:
                ticket.outcome = self._post([ticket.line])[0]
            except self._unavailable as error:
                for waiting in tickets[place:]:
                    waiting.error = error
                return
            except Exception as error:  # noqa: BLE001 - handed to its caller, who raises it
                ticket.error = error
