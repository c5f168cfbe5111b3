"""Doing together what many callers want each: whoever finds a free place leads, and does all that queued meanwhile.

There is no timer: an idle service does it at once, a busy one does as many together as came while it was busy. A
failing flush is repeated one by one, so that nobody suffers for a neighbour.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from threading import Event, Lock
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

#: At most this many flushes at a time: below it nobody waits, above it callers gather.
LEADERS = 3
LARGEST_FLUSH = 256


class _Ticket(Generic[Asked, Answer]):
    __slots__ = ("answers", "asked", "called", "done", "error", "heir")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        #: The one answer, once it is there.
        self.answers: list[Answer] = []
        self.error: Exception | None = None
        self.done = False
        self.heir = False
        self.called = Event()

    def call(self) -> None:
        """The answer is there."""
        self.done = True
        self.called.set()


class Together(Generic[Asked, Answer]):
    """Does what many callers ask, by `do`: a list of what is asked to the list of answers, all or none.

    `unavailable` are the errors by which it says that what is asked cannot be had now. Those who ask for the same by
    `of` (an account, say) then wait for it once, not one after the other.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Asked]], list[Answer]],
        *,
        of: Callable[[Asked], Hashable],
        unavailable: tuple[type[Exception], ...] = (),
    ) -> None:
        self._do = do
        self._of = of
        self._unavailable = unavailable
        self._lock = Lock()
        self._queue: deque[_Ticket[Asked, Answer]] = deque()
        self._leaders = 0

    def submit(self, asked: Asked) -> Answer:
        """Have it done; returns its answer, or raises what doing it raised."""
        ticket: _Ticket[Asked, Answer] = _Ticket(asked)
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
        return ticket.answers[0]

    def _lead(self) -> None:
        """Do what has queued, then hand the place to the first who waits; with nobody waiting, give it up."""
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

    def _flush(self, flush: list[_Ticket[Asked, Answer]]) -> None:
        try:
            for ticket, answer in zip(flush, self._do([ticket.asked for ticket in flush]), strict=True):
                ticket.answers = [answer]
        except Exception as error:  # noqa: BLE001 - handed to its caller, who raises it
            if len(flush) == 1:
                flush[0].error = error
                return
            same: dict[Hashable, list[_Ticket[Asked, Answer]]] = {}
            for ticket in flush:
                same.setdefault(self._of(ticket.asked), []).append(ticket)
            # What most wait for is the likeliest to be what cannot be had: it comes last.
            for tickets in sorted(same.values(), key=len):
                self._one_by_one(tickets)
                for ticket in tickets:
                    ticket.call()

    def _one_by_one(self, tickets: list[_Ticket[Asked, Answer]]) -> None:
        """Do what is asked of the same singly; when that cannot be had, it is the answer of all the rest."""
        for place, ticket in enumerate(tickets):
            try:
                [answer] = self._do([ticket.asked])
                ticket.answers = [answer]
            except self._unavailable as error:
                for waiting in tickets[place:]:
                    waiting.error = error
                return
            except Exception as error:  # noqa: BLE001 - handed to its caller, who raises it
                ticket.error = error
