"""A ledger as simple as can be: an account is a list with one number, its last day, for every single point."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from common.clock import epoch_day, from_epoch_day
from services.points.programs.domain import Limits
from services.points.programs.validity import IDLE
from tests.ledger import digest

Name = tuple[int, int]
Answer = tuple[str, int, int, int]

#: For how many days an account whose points live until it is idle stays alive.
IDLE_DAYS = 2
#: For how many days pending points are good once they are available.
PENDING_DAYS = 2
GIVE_MOST, GIVE_MOST_PER_DAY = 25, 40
#: Stands among points that were taken for one that was not there.
OWED = -1


def is_whole(amount: int) -> bool:
    """Some earnings are not to be cut; which ones does not matter."""
    return amount % 4 == 0


@dataclass(frozen=True)
class Terms:
    """What an asset's settings say."""

    debt_allowed: bool = False
    grace_days: int = 0
    idle: bool = False
    transferable: bool = True
    most: int | None = None
    earning: Limits = field(default_factory=Limits)
    spending: Limits = field(default_factory=Limits)


@dataclass
class Waiting:
    """Points that cannot be spent: until `at` they are held, or pending."""

    at: int
    points: list[int]
    pending: bool = False


@dataclass
class Counted:
    """What counts against the limits of the day on which it was earned or spent."""

    side: str
    on: date
    amount: int


@dataclass
class Purse:
    """One account."""

    terms: Terms
    points: list[int] = field(default_factory=list)
    debt: int = 0
    frozen: bool = False
    idle_day: int = 0
    waiting: dict[str, Waiting] = field(default_factory=dict)
    taken: dict[str, list[int]] = field(default_factory=dict)
    earned: dict[str, tuple[int, int]] = field(default_factory=dict)
    redated: dict[str, tuple[int, list[int]]] = field(default_factory=dict)
    given: Counter[int] = field(default_factory=Counter)
    counted: dict[str, Counted] = field(default_factory=dict)
    captured: dict[str, str] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """Points that cannot be spent."""
        return sum(len(it.points) for it in self.waiting.values())

    @property
    def pending(self) -> int:
        """Those of them that are not available yet."""
        return sum(len(it.points) for it in self.waiting.values() if it.pending)

    @property
    def figures(self) -> tuple[int, int, int]:
        """Balance, held and debt."""
        return len(self.points) + self.held - self.debt, self.held, self.debt

    @property
    def dated(self) -> list[int]:
        """The points by the day on which they really die."""
        return [self.idle_day if day == IDLE else day for day in self.points]

    def credit(self, points: list[int]) -> None:
        """Debt first."""
        paid = min(self.debt, len(points))
        self.debt -= paid
        self.points = sorted(self.points + sorted(points)[paid:])

    def take(self, amount: int) -> list[int]:
        """Soonest first."""
        taken, self.points = self.points[:amount], self.points[amount:]
        return taken

    def back(self, points: list[int], today: int) -> list[int]:
        """Points that come back; those that died meanwhile get the grace there is."""
        grace = self.terms.grace_days
        return [today + grace if grace and day < today else day for day in points]

    def die(self, today: int) -> None:
        """End the points whose time has come."""
        self.points = [day for day, end in zip(self.points, self.dated, strict=True) if end >= today]

    def left(self, side: str, limits: Limits, day: date) -> int:
        """What the period around the day that has least left may still earn or spend."""
        mine = [it for it in self.counted.values() if it.side == side]
        used = {
            period: sum(it.amount for it in mine if _named(period, it.on) == _named(period, day))
            for period, _ in limits.periods
        }
        return max(0, min((most - used[period] for period, most in limits.periods), default=10**6))

    def give_back(self, key: str, amount: int) -> None:
        """What was earned or spent under the key comes to so much less."""
        original = self.captured.get(key, key)
        if original in self.counted:
            self.counted[original].amount -= amount

    def live(self, day: int) -> None:
        """Something was earned or spent."""
        if self.terms.idle:
            self.idle_day = max(self.idle_day, day + IDLE_DAYS)


@dataclass
class Oracle:
    """All accounts. Lines are `(kind, …)`, answers `(status, balance, held, debt)`, shared by all who share keys."""

    zone: str
    purses: dict[Name, Purse]
    answers: dict[str, tuple[Any, Answer]] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)

    def day(self, microseconds: int) -> int:
        """The business day of an instant."""
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        return epoch_day(instant.astimezone(ZoneInfo(self.zone)).date())

    def post(self, key: str, name: Name, body: tuple[Any, ...], *, now: int) -> Answer:
        """Post one line at that instant."""
        purse = self.settled(name, now=now)
        if key in self.answers:
            first, answer = self.answers[key]
            return answer if first == (name, body) else ("KEY_REUSED", *purse.figures)
        status = getattr(self, f"_{body[0]}")(purse, key, *body[1:], name=name, now=now)
        if status == "POSTED" and body[0] in ("earn", "pend", "spend", "adjust_down", "capture", "give"):
            purse.live(self.day(now))
        self.answers[key] = (name, body), (status, *purse.figures)
        return self.answers[key][1]

    def settled(self, name: Name, *, now: int) -> Purse:
        """The account after everything that time did to it, one thing after the other."""
        purse = self.purses[name]
        for key, it in sorted(purse.waiting.items(), key=lambda it: (it[1].at, digest(it[0]))):
            if it.at <= now:
                del purse.waiting[key]
                purse.die(self.day(it.at))
                if it.pending:
                    purse.live(self.day(it.at))
                    purse.credit(it.points)
                else:
                    purse.give_back(key, len(it.points))
                    purse.credit(purse.back(it.points, self.day(it.at)))
        purse.die(self.day(now))
        return purse

    def _earn(self, purse: Purse, key: str, amount: int, day: int, *, now: int, **_: Any) -> str:
        there = self._room(purse, key, amount, now)
        if isinstance(there, str):
            return there
        purse.earned[key] = day, there
        purse.credit([day] * there)
        return "POSTED"

    def _pend(self, purse: Purse, key: str, amount: int, available: int, *, now: int, **_: Any) -> str:
        day = self._lot_day(purse, available)
        if available <= now:
            return self._earn(purse, key, amount, day, now=now)
        there = self._room(purse, key, amount, now)
        if isinstance(there, str):
            return there
        purse.earned[key] = day, there
        if there:
            purse.waiting[key] = Waiting(available, [day] * there, pending=True)
        return "POSTED"

    def _room(self, purse: Purse, key: str, amount: int, now: int) -> int | str:
        """How much of an earning there is room for, or why there is none."""
        limits, day = purse.terms.earning, from_epoch_day(self.day(now))
        if amount > (limits.posting or amount):
            return "EARNING_TOO_LARGE"
        below_most = amount if purse.terms.most is None else purse.terms.most - purse.figures[0]
        there = max(0, min(amount, below_most, purse.left("earning", limits, day)))
        if there < amount and is_whole(amount):
            return "BALANCE_CAPPED" if below_most < amount else "EARNING_LIMITED"
        if there < amount:
            self.cut[key] = amount
        purse.counted[key] = Counted("earning", day, there)
        return there

    def _defer(self, purse: Purse, key: str, earning: str, available: int, **_: Any) -> str:
        it = purse.waiting.get(earning)
        if it is None or not it.pending:
            return "NOT_PENDING"
        day = self._lot_day(purse, available)
        it.at, it.points = available, [day] * len(it.points)
        purse.earned[earning] = day, purse.earned[earning][1]
        return "POSTED"

    def _spend(self, purse: Purse, key: str, amount: int, *, now: int, **_: Any) -> str:
        if refused := self._beyond(purse, amount, now) or self._cannot_give(purse, amount):
            return refused
        purse.taken[key] = purse.take(amount)
        self._count_spent(purse, key, amount, now)
        return "POSTED"

    def _adjust_down(self, purse: Purse, key: str, amount: int, *, now: int, **_: Any) -> str:
        """Customer service takes points: what is not there is owed, where the asset allows that."""
        there = min(amount, len(purse.points)) if purse.terms.debt_allowed else amount
        if refused := self._beyond(purse, amount, now) or self._cannot_give(purse, there):
            return refused
        self._count_spent(purse, key, amount, now)
        purse.taken[key] = purse.take(there) + [OWED] * (amount - there)
        purse.debt += amount - there
        return "POSTED"

    def _hold(self, purse: Purse, key: str, amount: int, ttl: int, *, now: int, **_: Any) -> str:
        if refused := self._beyond(purse, amount, now) or self._cannot_give(purse, amount):
            return refused
        purse.waiting[key] = Waiting(now + ttl, purse.take(amount))
        self._count_spent(purse, key, amount, now)
        return "POSTED"

    def _capture(self, purse: Purse, key: str, hold: str, amount: int, *, now: int, **_: Any) -> str:
        it = purse.waiting.get(hold)
        if it is None or it.pending:
            return "HOLD_IS_PENDING" if it else "HOLD_NOT_OPEN"
        if amount > len(it.points):
            return "HOLD_EXCEEDED"
        del purse.waiting[hold]
        amount = amount or len(it.points)
        purse.taken[key] = it.points[:amount]
        purse.captured[key] = hold
        purse.give_back(hold, len(it.points) - amount)
        purse.credit(purse.back(it.points[amount:], self.day(now)))
        return "POSTED"

    def _void(self, purse: Purse, key: str, hold: str, *, now: int, **_: Any) -> str:
        it = purse.waiting.get(hold)
        if it is None or it.pending:
            return "HOLD_IS_PENDING" if it else "HOLD_NOT_OPEN"
        del purse.waiting[hold]
        purse.give_back(hold, len(it.points))
        purse.credit(purse.back(it.points, self.day(now)))
        return "POSTED"

    def _reverse(self, purse: Purse, key: str, original: str, amount: int, up_to: bool, *, now: int, **_: Any) -> str:
        if original in purse.redated:
            return self._restore(purse, original, amount, up_to, now=now)
        if original in purse.taken:
            left = len(purse.taken[original])
        elif original in purse.earned:
            left = purse.earned[original][1]
        else:
            return "NOT_REVERSIBLE"
        amount = min(amount or left, left) if up_to else amount or left
        if not 0 < amount <= left:
            return "REVERSAL_EXCEEDED"
        purse.give_back(original, amount)
        if original in purse.taken:
            rest = purse.taken[original]
            purse.taken[original], back = rest[:-amount], rest[-amount:]
            there = [day for day in back if day != OWED]
            purse.credit([self.day(now) + PENDING_DAYS] * (amount - len(there)))
            purse.credit(purse.back(there, self.day(now)))
            return "POSTED"
        day, _left = purse.earned[original]
        purse.earned[original] = day, left - amount
        self._claw_back(purse, original, day, amount)
        return "POSTED"

    def _redate(
        self, purse: Purse, key: str, first: int, last: int, to: int, amount: int, *, now: int, **_: Any
    ) -> str:
        if to < self.day(now):
            return "DAY_PASSED"
        chosen = [day for day in purse.points if first <= day <= last][:amount]
        if len(chosen) < amount:
            return "LOTS_NOT_THERE"
        purse.redated[key] = to, chosen
        self._exchange(purse, chosen, [to] * amount)
        return "POSTED"

    def _restore(self, purse: Purse, original: str, amount: int, up_to: bool, *, now: int) -> str:
        to, days = purse.redated[original]
        wanted = amount or len(days)
        if not days or (wanted > len(days) and not up_to):
            return "REVERSAL_EXCEEDED"
        there = min(wanted, len(days), purse.points.count(to))
        if not there or (there < wanted and not up_to):
            return "LOTS_NOT_THERE"
        purse.redated[original] = to, days[:-there]
        self._exchange(purse, [to] * there, purse.back(days[-there:], self.day(now)))
        return "POSTED"

    def _exchange(self, purse: Purse, old: list[int], new: list[int]) -> None:
        for day in old:
            purse.points.remove(day)
        purse.points = sorted(purse.points + new)

    def _claw_back(self, purse: Purse, original: str, day: int, amount: int) -> None:
        if original in purse.waiting:
            it = purse.waiting[original]
            it.points = it.points[amount:]
            if not it.points:
                del purse.waiting[original]
            return
        own = [point for point in purse.points if point == day][:amount]
        for point in own:
            purse.points.remove(point)
        missing = amount - len(own) - len(purse.take(amount - len(own)))
        purse.debt += missing if purse.terms.debt_allowed else 0

    def _freeze(self, purse: Purse, key: str, **_: Any) -> str:
        before, purse.frozen = purse.frozen, True
        return "ALREADY_FROZEN" if before else "POSTED"

    def _unfreeze(self, purse: Purse, key: str, **_: Any) -> str:
        before, purse.frozen = purse.frozen, False
        return "POSTED" if before else "NOT_FROZEN"

    def _give(self, purse: Purse, key: str, to: int, amount: int, *, name: Name, now: int) -> str:
        receiver = self.settled((to, name[1]), now=now)
        today = self.day(now)
        if to == name[0]:
            return "TRANSFER_TO_SELF"
        if not purse.terms.transferable:
            return "TRANSFER_FORBIDDEN"
        if amount > GIVE_MOST:
            return "TRANSFER_CAPPED"
        if purse.given[today] + amount > GIVE_MOST_PER_DAY:
            return "TRANSFER_DAY_CAPPED"
        if refused := self._cannot_give(purse, amount):
            return refused
        if purse.terms.most is not None and receiver.figures[0] + amount > purse.terms.most:
            return "BALANCE_CAPPED"
        purse.given[today] += amount
        receiver.live(today)
        receiver.credit(purse.take(amount))
        return "POSTED"

    def _beyond(self, purse: Purse, amount: int, now: int) -> str | None:
        limits = purse.terms.spending
        if amount > (limits.posting or amount):
            return "SPENDING_TOO_LARGE"
        return "SPENDING_LIMITED" if amount > purse.left("spending", limits, from_epoch_day(self.day(now))) else None

    def _count_spent(self, purse: Purse, key: str, amount: int, now: int) -> None:
        purse.counted[key] = Counted("spending", from_epoch_day(self.day(now)), amount)

    def _cannot_give(self, purse: Purse, amount: int) -> str | None:
        if purse.frozen:
            return "ACCOUNT_FROZEN"
        return "INSUFFICIENT" if amount > len(purse.points) else None

    def _lot_day(self, purse: Purse, available: int) -> int:
        return IDLE if purse.terms.idle else self.day(available) + PENDING_DAYS


def _named(period: str, day: date) -> object:
    """The period around the day."""
    year, week, _ = day.isocalendar()
    return {"day": day, "week": (year, week), "month": (day.year, day.month), "year": day.year}[period]
