"""A ledger as simple as can be: an account is a list with one number, its last day, for every single point."""

from dataclasses import dataclass, field
from typing import Any

from tests.ledger import digest

Answer = tuple[str, int, int, int]


@dataclass
class Oracle:
    """One account. Lines are `(kind, …)`; answers are `(status, balance, held, debt)`, shared by all who share keys."""

    name: tuple[int, int]
    debt_allowed: bool
    answers: dict[str, tuple[Any, Answer]]
    points: list[int] = field(default_factory=list)
    debt: int = 0
    holds: dict[str, tuple[int, list[int]]] = field(default_factory=dict)
    taken: dict[str, list[int]] = field(default_factory=dict)
    earned: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """Points of open holds."""
        return sum(len(points) for _, points in self.holds.values())

    @property
    def figures(self) -> tuple[int, int, int]:
        """Balance, held and debt."""
        return len(self.points) + self.held - self.debt, self.held, self.debt

    def post(self, key: str, body: tuple[Any, ...], *, now: int, today: int) -> Answer:
        """Post one line at that instant."""
        self.let_time_pass(now=now, today=today)
        if key in self.answers:
            first, answer = self.answers[key]
            return answer if first == (self.name, body) else ("KEY_REUSED", *self.figures)
        status = getattr(self, f"_{body[0]}")(key, *body[1:], now=now)
        self.answers[key] = (self.name, body), (status, *self.figures)
        return self.answers[key][1]

    def let_time_pass(self, *, now: int, today: int) -> None:
        """End the holds and lots whose time has come."""
        for name, (deadline, points) in sorted(self.holds.items(), key=lambda it: (it[1][0], digest(it[0]))):
            if deadline <= now:
                del self.holds[name]
                self._credit(points)
        self.points = [day for day in self.points if day >= today]

    def _credit(self, points: list[int]) -> None:
        paid = min(self.debt, len(points))
        self.debt -= paid
        self.points = sorted(self.points + points[paid:])

    def _take(self, amount: int) -> list[int]:
        taken, self.points = self.points[:amount], self.points[amount:]
        return taken

    def _earn(self, key: str, amount: int, day: int, **_: int) -> str:
        self.earned[key] = day, amount
        self._credit([day] * amount)
        return "POSTED"

    def _spend(self, key: str, amount: int, **_: int) -> str:
        if amount > len(self.points):
            return "INSUFFICIENT"
        self.taken[key] = self._take(amount)
        return "POSTED"

    def _hold(self, key: str, amount: int, ttl: int, *, now: int) -> str:
        if amount > len(self.points):
            return "INSUFFICIENT"
        self.holds[key] = now + ttl, self._take(amount)
        return "POSTED"

    def _capture(self, key: str, hold: str, amount: int, **_: int) -> str:
        if hold not in self.holds:
            return "HOLD_NOT_OPEN"
        if amount > len(self.holds[hold][1]):
            return "HOLD_EXCEEDED"
        _, points = self.holds.pop(hold)
        amount = amount or len(points)
        self.taken[key] = points[:amount]
        self._credit(points[amount:])
        return "POSTED"

    def _void(self, key: str, hold: str, **_: int) -> str:
        if hold not in self.holds:
            return "HOLD_NOT_OPEN"
        self._credit(self.holds.pop(hold)[1])
        return "POSTED"

    def _reverse(self, key: str, original: str, amount: int, **_: int) -> str:
        if original in self.taken:
            left = self.taken[original]
            amount = amount or len(left)
            if not 0 < amount <= len(left):
                return "REVERSAL_EXCEEDED"
            self.taken[original], back = left[:-amount], left[-amount:]
            self._credit(back)
        elif original in self.earned:
            day, left_over = self.earned[original]
            amount = amount or left_over
            if not 0 < amount <= left_over:
                return "REVERSAL_EXCEEDED"
            self.earned[original] = day, left_over - amount
            own = [point for point in self.points if point == day][:amount]
            for point in own:
                self.points.remove(point)
            missing = amount - len(own) - len(self._take(amount - len(own)))
            self.debt += missing if self.debt_allowed else 0
        else:
            return "NOT_REVERSIBLE"
        return "POSTED"
