"""One batch of events on its way: what each decided, what is known of orders, claims and budgets, what is to post."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from services.points.budgets.domain import Pot, PotKey
from services.points.intake.claims import Window, forget_lost
from services.points.intake.domain import (
    KEPT,
    Award,
    Event,
    EventKey,
    Order,
    Refund,
    awaits,
    released_at,
    take_parts,
)
from services.points.intake.results import NONE_ASKED, Refusals, result_texts
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind, Line, Outcome, Status
from services.points.ledger.use_cases import Command
from services.points.programs.pending import awaited
from services.points.programs.use_cases import ProgramBook

OrderKey = tuple[int, str]
#: By event and rule: what an award came to, and why.
Cuts = dict[tuple[str, str], tuple[int, str]]


class Kept(Exception):
    """A refund was to take back an award that is available by now, of an asset that returns only what is pending.

    Nothing of the batch may stay; it is taken in anew, with the `award`, by event and rule, kept by its refunds.
    """

    def __init__(self, event: str, rule: str) -> None:
        super().__init__(event, rule)
        self.award = (event, rule)


class CutAndReversed(Exception):
    """The asset's bounds cut an award of which a refund of the same batch took a share: the share was of too much.

    Nothing of the batch may stay; it is taken in anew, with `amount` for the award of that event and rule.
    """

    def __init__(self, event: str, rule: str, amount: int, reason: str) -> None:
        super().__init__(event, rule, amount, reason)
        self.award, self.amount, self.reason = (event, rule), amount, reason


@dataclass(slots=True)
class Step:
    """One event: its order as far as known right then, what rules award for it, and what its result will say.

    `refunds` are those that this event lets take effect: its own, or for a payment those that came before it. `tells`
    are the orders for which this is what awards of them wait for. `decisions` are those that became `awards`, in the
    same order; `said` is what all other rules said.
    """

    event: Event
    order: Order | None = None
    refunded_fen: int = 0
    refunds: list[Refund] = field(default_factory=list)
    tells: list[Order] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    said: Refusals = NONE_ASKED
    reversed: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None

    def result(self) -> tuple[str, str]:
        """What came of it as JSON: as it is answered, and as it is kept."""
        return result_texts(self.event.member_id, self.said, self.decisions, self.reversed, self.reason)


@dataclass(slots=True)
class Batch:
    """What a batch of new events knows and gathers.

    By event and rule, `cuts` is what awards are known to be cut to by their asset's bounds, and why; `kept` are those
    of which this batch's refunds are known to take nothing. `known` orders stand in the database; `named` are those
    that each event names besides its own; `told` is when what other orders of the windows' claims wait for happened, by
    type of event. `shown` are the decisions in results by event and rule; `answered` is told, by posting id, how each
    line ended.
    """

    book: ProgramBook
    now: datetime
    cuts: Cuts = field(default_factory=dict)
    kept: Container[tuple[str, str]] = ()
    steps: list[Step] = field(default_factory=list)
    known: set[OrderKey] = field(default_factory=set)
    orders: dict[OrderKey, Order] = field(default_factory=dict)
    named: dict[EventKey, list[OrderKey]] = field(default_factory=dict)
    told: dict[OrderKey, Order] = field(default_factory=dict)
    windows: dict[tuple[int, str], Window] = field(default_factory=dict)
    pots: Mapping[PotKey, Pot] = field(default_factory=dict)
    shown: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    answered: dict[bytes, Callable[[Outcome], None]] = field(default_factory=dict)
    amended: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        """The program's time zone."""
        return self.book.program.time_zone

    @property
    def program_id(self) -> int:
        """Whose events these are."""
        return self.book.program.program_id


def earn(batch: Batch, award: Award, member_id: int, amount: int) -> None:
    """Post the award, or what it grew by; named and caused by its own event, pending as its rule says."""
    number = len(award.parts)
    award.parts.append(amount)
    source, event_id = award.event.split(" ", 1)
    command = Command(
        f"event:{source}",
        _key(event_id, award.rule, number),
        Kind.EARN,
        member_id,
        award.asset,
        amount,
        award.event,
        validity=award.validity,
        earned_at=award.at,
        available_at=_awaits(batch, award, member_id),
        rule_version=award.version_id,
        meta=award.meta,
    )
    line = ledger.line_of(batch.book, command, now=batch.now)
    batch.lines.append(line)
    batch.answered[line.posting_id] = partial(_earned, batch, award, member_id, number, amount)


def reverse(
    batch: Batch, award: Award, member_id: int, amount: int, by: Event, *, refund: bool = False
) -> dict[str, Any]:
    """Take back from the award's postings what is left of them, the last first; returns how the result shows it.

    A `refund` may be to take back only what is still pending.
    """
    shown = {"rule": award.rule, "asset": award.asset, "amount": amount, "reason": None}
    pending_only = refund and batch.book.asset(award.asset).returns == "pending"
    for number, part in take_parts(award, amount):
        command = Command(
            scope=f"event:{by.source}",
            key=f"{by.id} {award.rule} reversal {award.event} {number} {len(batch.lines)}",
            kind=Kind.REVERSE,
            member_id=member_id,
            asset=award.asset,
            amount=part,
            cause=by.cause,
            reverses_posting=_posting(batch, award, number),
            rule_version=award.version_id,
            up_to=True,
            pending_only=pending_only,
        )
        line = ledger.line_of(batch.book, command, now=batch.now)
        batch.lines.append(line)
        batch.answered[line.posting_id] = partial(_taken, batch, award, member_id, number, shown, part)
    return shown


def keep(award: Award) -> dict[str, Any]:
    """How the result shows that a refund takes nothing back of the award."""
    return {"rule": award.rule, "asset": award.asset, "amount": 0, "reason": KEPT}


def defer(batch: Batch, award: Award, order: Order, by: Event) -> None:
    """What it waits for has come, a confirmation or another event: it becomes available some days from then."""
    told_at, member_id = order.told_at(by.type), order.member_id
    if told_at is None or awaited(award.pending) != by.type:
        return
    until = released_at(award, told_at, time_zone=batch.zone)
    for number, part in enumerate(award.parts):
        if part:
            posting_id = _posting(batch, award, number)
            command = Command(
                scope=f"event:{by.source}",
                key=f"{by.id} {award.rule} confirmation {award.event} {number}",
                kind=Kind.DEFER,
                member_id=member_id,
                asset=award.asset,
                amount=0,
                cause=by.cause,
                hold_id=posting_id,
                rule_version=award.version_id,
                available_at=until,
            )
            batch.lines.append(ledger.line_of(batch.book, command, now=batch.now))


def shown_of(batch: Batch, award: Award) -> dict[str, Any]:
    """The decision in the result of this batch's event that became the award."""
    return batch.shown[award.event, award.rule]


def note_outcomes(batch: Batch, outcomes: Sequence[Outcome]) -> None:
    """Let every award know how its postings ended: what the ledger refused was neither given nor taken back."""
    for outcome in outcomes:
        if outcome.posting_id in batch.answered:
            batch.answered[outcome.posting_id](outcome)


def _earned(batch: Batch, award: Award, member_id: int, number: int, wanted: int, outcome: Outcome) -> None:
    lost, reason = wanted, f"ledger_refused: {outcome.status.name.lower()}"
    if outcome.status == Status.POSTED:
        if outcome.wanted is None:
            return
        lost, reason = wanted - outcome.amount, f"capped: {outcome.capped}"
        if award.parts[number] < wanted:
            raise CutAndReversed(award.event, award.rule, award.amount - lost, reason)
    award.parts[number] -= lost
    award.amount -= lost
    award.most = award.amount
    # What refunds of the same batch gave back already is not given back twice.
    if award.is_claim:
        given = forget_lost(batch.windows[member_id, award.rule], award, lost)
    else:
        given = min(lost, award.reversed)
        award.reversed -= given
    for span in award.spans:
        batch.pots[award.rule, span].give_back(member_id, lost - given)
    if (award.event, award.rule) in batch.shown:
        shown_of(batch, award).update(amount=award.amount, wanted=award.wanted, reason=reason)
    for note in batch.amended.get(award.event, ()):
        if note["rule"] == award.rule:
            note.update(to=award.amount, reason=reason)


def _taken(
    batch: Batch, award: Award, member_id: int, number: int, shown: dict[str, Any], part: int, outcome: Outcome
) -> None:
    if outcome.status == Status.NOT_PENDING:
        raise Kept(award.event, award.rule)
    if outcome.status != Status.POSTED:
        award.parts[number] += part
        shown["amount"] -= part
        shown["reason"] = f"ledger_refused: {outcome.status.name.lower()}"
        if not award.is_claim:
            # The next refund tries again, and gives back to the budgets what it takes then.
            again = min(part, award.reversed)
            award.reversed -= again
            for span in award.spans:
                batch.pots[award.rule, span].give_back(member_id, -again)
    elif -outcome.amount < part:
        # Spent points that may not become debt, or what staff took back before: the entry says which.
        shown["reason"] = f"not_all_there: {-outcome.amount} of {part}"


def _awaits(batch: Batch, award: Award, member_id: int) -> datetime | None:
    if award.pending == "none":
        return None
    key = (member_id, award.order_id or "")
    order = batch.orders.get(key) or batch.told.get(key)
    told_at = order.told_at(awaited(award.pending)) if order else None
    return awaits(award, told_at, time_zone=batch.zone)


def _posting(batch: Batch, award: Award, number: int) -> bytes:
    source, event_id = award.event.split(" ", 1)
    return ledger.posting_id(batch.program_id, f"event:{source}", _key(event_id, award.rule, number))


def _key(event_id: str, rule: str, number: int) -> str:
    """An award's first posting is named by event and rule, further ones are numbered; none of the parts has a space."""
    return f"{event_id} {rule} {number}" if number else f"{event_id} {rule}"
