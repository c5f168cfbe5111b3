"""Drives a ledger and its oracle with the same lines in any order, and compares every answer, balance and lot."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from common.clock import epoch_day, from_epoch_day
from services.points.ledger import lots
from services.points.ledger.balances import present
from services.points.ledger.domain import Account, Bounds, Gift, Hold, Kind, Line, Outcome, Pending, Redating, Status
from services.points.programs.domain import Limits
from services.points.programs.validity import IDLE
from tests.ledger import DAY, NOW, SECOND, Shelf, digest, line
from tests.property.oracle import GIVE_MOST, GIVE_MOST_PER_DAY, IDLE_DAYS, PENDING_DAYS, Oracle, Purse, Terms, is_whole

ZONES = ["Asia/Shanghai", "America/New_York", "America/Havana", "Asia/Kathmandu", "Pacific/Chatham", "UTC"]
AMOUNTS = st.integers(1, 40)
#: Of asset 2 debt is allowed and what comes back dead has two days of grace, asset 3 lives until it is idle, of asset 5
#: nobody may have more than 60, asset 6 is limited in all ways.
TERMS = {
    1: Terms(),
    2: Terms(debt_allowed=True, grace_days=2),
    3: Terms(idle=True),
    4: Terms(transferable=False),
    5: Terms(debt_allowed=True, most=60),
    6: Terms(
        debt_allowed=True,
        most=150,
        earning=Limits(posting=35, day=90, month=400, year=500),
        spending=Limits(posting=30, day=50, week=120),
    ),
}
#: Member and asset.
ACCOUNTS = [(7, 1), (7, 1), (8, 1), (7, 2), (8, 2), (7, 3), (8, 3), (7, 4), (8, 4), (7, 5), (8, 5), (7, 6), (8, 6)]
#: What is limited must be posted to often before a limit bites.
LIMITED = [(7, 6), (7, 6), (7, 6), (8, 6), (8, 5)]
NAMES = st.sampled_from(ACCOUNTS)
PLACES = st.integers(0, 30)
REVERSIBLE = st.sampled_from([("earn",), ("pend",), ("spend", "capture"), ("adjust_down",), ("redate",)])
DAYS = st.integers(-1, 5)
WAITS = st.sampled_from([0, 1, 7200, 86_400, 200_000])
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

    # What a subclass says about its ledger.
    def post(self, lines: Sequence[Line]) -> list[Outcome]:
        raise NotImplementedError

    def stored(self) -> dict[tuple[int, int], tuple[Account, list[Hold]]]:
        raise NotImplementedError

    @initialize(zone=st.sampled_from(ZONES), seconds=st.integers(0, 86_400 * 365), together=st.integers(1, 4))
    def begin(self, zone: str, seconds: int, together: int) -> None:
        self.zone, self.together = zone, together
        self.now += seconds * SECOND
        self.shelf = Shelf(zone)
        self.oracle = Oracle(zone, {name: Purse(TERMS[name[1]]) for name in ACCOUNTS})
        for name in sorted(set(ACCOUNTS)):
            for days in (0, 1, 3):
                self.queue(name, "earn", 15, IDLE if name[1] == 3 and days else self.today + days)

    @property
    def instant(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now)

    @property
    def today(self) -> int:
        return epoch_day(self.instant.astimezone(ZoneInfo(self.zone)).date())

    @rule(name=NAMES, amount=AMOUNTS, days=st.integers(-1, 4))
    def earn(self, name: tuple[int, int], amount: int, days: int) -> None:
        self.queue(name, "earn", amount, IDLE if name[1] == 3 and days > 0 else self.today + days)

    @rule(name=NAMES, amount=AMOUNTS, wait=WAITS)
    def earn_what_is_pending(self, name: tuple[int, int], amount: int, wait: int) -> None:
        self.queue(name, "pend", amount, self.now + wait * SECOND)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES, wait=WAITS)
    def defer(self, place: int, wait: int) -> None:
        key, name, _ = self.earlier(place, "pend")
        self.queue(name, "defer", key, self.now + wait * SECOND)

    @rule(name=NAMES, kind=st.sampled_from(["freeze", "unfreeze", "unfreeze"]))
    def freeze_or_unfreeze(self, name: tuple[int, int], kind: str) -> None:
        self.queue(name, kind)

    @rule(name=NAMES, to=st.sampled_from([7, 8]), amount=AMOUNTS)
    def give(self, name: tuple[int, int], to: int, amount: int) -> None:
        self.queue(name, "give", to, amount)

    @rule(name=NAMES, amount=AMOUNTS)
    def spend(self, name: tuple[int, int], amount: int) -> None:
        self.queue(name, "spend", amount)

    @rule(name=NAMES, amount=AMOUNTS)
    def adjust_down(self, name: tuple[int, int], amount: int) -> None:
        self.queue(name, "adjust_down", amount)

    @rule(name=NAMES, amount=AMOUNTS, first=DAYS, days=st.integers(0, 3), to=DAYS)
    def redate(self, name: tuple[int, int], amount: int, first: int, days: int, to: int) -> None:
        if not first <= to <= first + days:
            self.queue(name, "redate", self.today + first, self.today + first + days, self.today + to, amount)

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
    @rule(place=PLACES, amount=st.just(0) | AMOUNTS, kinds=REVERSIBLE, up_to=st.booleans())
    def reverse(self, place: int, amount: int, kinds: tuple[str, ...], up_to: bool) -> None:
        key, name, _ = self.earlier(place, *kinds)
        self.queue(name, "reverse", key, amount, up_to)

    @precondition(lambda self: self.sent)
    @rule(place=PLACES, name=NAMES, kind=st.sampled_from(["capture", "reverse"]))
    def touch_what_may_be_anothers(self, place: int, name: tuple[int, int], kind: str) -> None:
        self.queue(name, kind, self.earlier(place)[0], 1, *((False,) if kind == "reverse" else ()))

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
        answers = self.post([line_for(self.program_id, self.oracle, self.now, *it) for it in queued])
        for (key, name, body), answer in zip(queued, answers, strict=True):
            expected = self.oracle.post(key, name, body, now=self.now)
            told = (answer.status.name, answer.balance, answer.held, answer.debt)
            assert told[0] == expected[0]
            assert answer.status == Status.KEY_REUSED or told == expected
            assert answer.status == Status.KEY_REUSED or answer.wanted == self.oracle.cut.get(key)
        receivers = {(body[1], name[1]) for _, name, body in queued if body[0] == "give"}
        self.compare_what_is_stored({name for _, name, _ in queued} | receivers)

    def teardown(self) -> None:
        if self.queued:
            self.post_the_queue()

    def compare_what_is_stored(self, names: set[tuple[int, int]]) -> None:
        stored = self.stored()
        for name in names:
            oracle, (account, _) = self.oracle.settled(name, now=self.now), stored[name]
            days, amounts = account.lots[::2], account.lots[1::2]
            assert (account.balance, account.held, account.debt) == oracle.figures
            assert account.frozen == oracle.frozen
            assert account.idle_day == (oracle.idle_day or None)
            assert dict(zip(days, amounts, strict=True)) == Counter(oracle.points)
            assert account.balance == sum(amounts) + account.held - account.debt
            assert account.available == sum(amounts) >= 0 == account.debt * sum(amounts)
            assert all(one < another for one, another in pairwise(days))
            assert len(days) <= lots.MOST_BUCKETS
            assert all(amount > 0 for amount in amounts)

    def compare_what_a_reader_sees(self) -> None:
        for name, (it, open_holds) in self.stored().items():
            seen = present("any", it, open_holds, {}, at=self.instant, zone=self.zone)
            oracle = self.oracle.settled(name, now=self.now)
            assert (seen.balance, seen.held + seen.pending, seen.debt) == oracle.figures
            assert (seen.pending, seen.frozen) == (oracle.pending, oracle.frozen)
            assert seen.available == len(oracle.points)
            shown = {lot.on: lot.amount for lot in seen.lots}
            assert shown == Counter(from_epoch_day(day) for day in oracle.dated)

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


def line_for(program_id: int, oracle: Oracle, now: int, key: str, name: tuple[int, int], body: tuple[Any, ...]) -> Line:
    """The oracle's words as a line of the ledger."""
    kind, *rest = body
    member_id, asset_id = name
    terms = TERMS[asset_id]
    given: dict[str, Any] = {
        "program_id": program_id,
        "member_id": member_id,
        "asset_id": asset_id,
        "fingerprint": digest(repr((name, body))),
        "debt_allowed": terms.debt_allowed,
        "grace_days": terms.grace_days,
    }
    if kind in ("earn", "pend", "give"):
        limits = Limits() if kind == "give" else terms.earning
        given["bounds"] = Bounds(terms.most, limits, cuts=kind != "give" and not is_whole(rest[0]))
    elif kind in ("spend", "adjust_down", "hold"):
        given["bounds"] = Bounds(limits=terms.spending)
    if terms.idle and kind in ("earn", "pend", "spend", "adjust_down", "capture", "give"):
        given["idle_day"] = oracle.day(now) + IDLE_DAYS
    if kind in ("freeze", "unfreeze"):
        return line(Kind[kind.upper()], 0, key, **given)
    if kind in ("capture", "void", "defer"):
        given["hold_id"] = digest(rest.pop(0))
    if kind == "reverse":
        original, amount, given["up_to"] = rest
        given["lot_day"] = oracle.day(now) + PENDING_DAYS
        return line(Kind.REVERSE, amount, key, reverses_posting=digest(original), **given)
    if kind == "defer":
        return line(Kind.DEFER, 0, key, pending=Pending(rest[0], ""), **given)
    if kind == "give":
        to, amount = rest
        gift = Gift(to, terms.transferable, GIVE_MOST, GIVE_MOST_PER_DAY)
        return line(Kind.TRANSFER_OUT, amount, key, gift=gift, **given)
    if kind == "redate":
        return line(Kind.REDATE, rest.pop(), key, redating=Redating(*rest), **given)
    amount = rest[0] if rest else 0
    if kind == "adjust_down":
        return line(Kind.SPEND, amount, key, into_debt=terms.debt_allowed, **given)
    if kind == "earn":
        return line(Kind.EARN, amount, key, lot_day=rest[1], **given)
    if kind == "pend":
        validity = f"idle:{IDLE_DAYS}D" if terms.idle else f"{PENDING_DAYS}D"
        lot_day = IDLE if terms.idle else oracle.day(rest[1]) + PENDING_DAYS
        return line(Kind.EARN, amount, key, lot_day=lot_day, pending=Pending(rest[1], validity), **given)
    if kind == "hold":
        given["ttl_us"] = rest[1]
    return line(Kind[kind.upper()], amount, key, **given)


def walk(machine: LedgerMachine, choose: Random, *, steps: int, names: Sequence[tuple[int, int]] = ACCOUNTS) -> None:
    """A long way through the same steps, chosen evenly: Hypothesis tries short ones, and shrinks what it finds."""
    machine.begin(
        choose.choice(ZONES), choose.randrange(86_400 * 365), choose.randint(1, 4 if names is ACCOUNTS else 12)
    )
    for _ in range(steps):
        name, place, amount = choose.choice(names), choose.randrange(6), choose.randint(1, 40)
        wait = choose.choice([0, 1, 7200, 86_400, 200_000])
        step = choose.randrange(19)
        if step < 2:
            machine.earn(name, amount, choose.randint(-1, 4))
        elif step == 2:
            machine.earn_what_is_pending(name, amount, wait)
        elif step == 3:
            machine.spend(name, amount)
        elif step == 4:
            machine.hold(name, amount, choose.choice([1, 7200, 86_400, 200_000]))
        elif step == 5:
            machine.capture(place, choose.choice([0, amount]))
        elif step == 6:
            machine.void(place)
        elif step < 9:
            kinds = choose.choice([("earn",), ("pend",), ("spend", "capture"), ("adjust_down",), ("redate",)])
            machine.reverse(place, choose.choice([0, amount]), kinds, choose.random() < 0.5)
        elif step == 9:
            machine.defer(place, wait)
        elif step == 10:
            machine.give(name, choose.choice([7, 8]), amount)
        elif step == 11:
            machine.give(name, 15 - name[0], amount // 3 + 1)
        elif step == 12:
            machine.freeze_or_unfreeze(name, choose.choice(["freeze", "unfreeze", "unfreeze"]))
        elif step == 13:
            machine.send_again(place)
        elif step == 14:
            machine.adjust_down(name, amount)
        elif step < 17:
            machine.redate(name, amount, choose.randint(0, 2), choose.randint(0, 3), choose.randint(-1, 5))
        else:
            machine.let_time_pass(choose.choice([1, 3600, 7200, 43_200, 86_400]))
    machine.teardown()
