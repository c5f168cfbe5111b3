"""Adjustments by hand as values: what somebody may post alone, and who must be the second person. Pure.

Requirements G7: a limit per adjustment and per business day; above it a second person approves, never the same one.
A limit belongs to a role and holds for each asset by itself, for 500 points are not 500 分 of credit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from common.errors import Refusal

#: Roles that may ask for an adjustment. Who has several has the largest limit of them.
AGENTS = ("customer_service", "admin")
#: Roles that approve whatever the amount; customer service approves what lies within their own limits.
APPROVERS = ("finance", "admin")


class UnknownReason(Refusal):
    """The program's list has no such reason code: `reason_code`, and `known` ones."""

    code = "unknown_reason"


class NotAwaiting(Refusal):
    """The adjustment does not wait for anybody any more: `state`."""

    code = "adjustment_not_pending"


class SamePerson(Refusal):
    """Who asked for it cannot be the second person, by whatever role."""

    code = "second_person_needed"


class BeyondAuthority(Refusal):
    """The approver's own limits are smaller than the adjustment: `amount`, `most` at once, `left` of today."""

    code = "approval_beyond_limit"


class NotUndoable(Refusal):
    """Only what was posted, and not undone or being undone yet, can be undone: `state`."""

    code = "adjustment_not_undoable"


class UndoOfAnUndo(NotUndoable):
    """It is an undoing itself."""


class UndoAskedFor(NotUndoable):
    """Somebody asked for it already, and a second person must decide."""


class PointsSpent(Refusal):
    """What was credited is partly gone and the asset allows no debt: `available`, `short_by`."""

    code = "points_already_spent"


class DebtNotAllowed(Refusal):
    """The asset cannot go into debt: `asset`."""

    code = "debt_not_allowed"


class UnknownLimitAsset(Refusal):
    """A limit names an asset that the program does not have: `asset`."""

    code = "asset_not_found"


class Status(StrEnum):
    """Where an adjustment stands; all but the first are for ever, but that a posted one can be undone once."""

    PENDING = "pending_approval"
    POSTED = "posted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why points are given or taken, as staff choose it from a list."""

    code: str
    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class Limit:
    """How much staff of a role post alone, of one asset or (`asset` None) of every other one."""

    role: str
    asset: str | None
    most_per_adjustment: int
    most_per_day: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A program's settings: limits, reasons, and for how many days a request waits for a second person."""

    limits: tuple[Limit, ...] = ()
    reasons: tuple[Reason, ...] = ()
    pending_days: int = 7


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one person may post of an asset: at once, and in a business day."""

    most_per_adjustment: int
    most_per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an agent asks for: `amount` signed, not 0. `validity` overrides the asset's for a credit.

    With days it is a redating: `amount` points of the lots that end from `from_on` to `until_on` end on `to_on`; the
    undoing of one has the same days and the opposite amount.
    """

    member_id: int
    asset: str
    amount: int
    reason_code: str
    note: str = ""
    evidence: str = ""
    validity: str | None = None
    allow_debt: bool = False
    from_on: date | None = None
    until_on: date | None = None
    to_on: date | None = None


#: What holds for a role until somebody sets it (requirements G7, by name).
DEFAULT_LIMITS = tuple(Limit(role, None, 500, 2_000) for role in AGENTS)
DEFAULT_REASONS = (
    Reason("goodwill", "Goodwill", "客户关怀"),
    Reason("compensation", "Compensation", "服务补偿"),
    Reason("missing_points", "Missing points", "漏积分补发"),
    Reason("correction", "Correction", "差错更正"),
    Reason("abuse", "Abuse", "违规扣回"),
    Reason("migration", "Migration", "历史迁移"),
)


def allowance(policy: Policy, roles: Collection[str], asset: str) -> Allowance | None:
    """What somebody with these roles may post of the asset alone; None for who may not adjust at all."""
    mine = [_limit(policy, role, asset) for role in AGENTS if role in roles]
    if not mine:
        return None
    return Allowance(max(one.most_per_adjustment for one in mine), max(one.most_per_day for one in mine))


def needs_second(allowed: Allowance | None, wanted: Wanted, *, used: int, undoing: bool) -> str | None:
    """Why nobody posts it alone: the limit that it exceeds, or `shortening`; None when a second person is not needed.

    Whoever shortens takes something that the member was promised, however little; to undo gives back what was.
    """
    shortens = wanted.from_on is not None and wanted.to_on is not None and wanted.to_on < wanted.from_on
    return beyond(allowed, wanted.amount, used=used) or ("shortening" if shortens and not undoing else None)


def beyond(allowed: Allowance | None, amount: int, *, used: int) -> str | None:
    """Which limit the amount exceeds after `used` of today, `adjustment` or `day`; None when it lies within both."""
    if allowed is None or abs(amount) > allowed.most_per_adjustment:
        return "adjustment"
    return "day" if used + abs(amount) > allowed.most_per_day else None


def check_second_person(requested_by: str, approver: str) -> None:
    """Raise `SamePerson`: people are known by their name, never by the role they act in (traps T37)."""
    if requested_by == approver:
        raise SamePerson()


def check_awaiting(status: str, expires_at: datetime, *, now: datetime) -> None:
    """Raise `NotAwaiting` unless a decision is awaited; the deadline counts also before the job has noted it."""
    if status != Status.PENDING:
        raise NotAwaiting(state=status)
    if expires_at <= now:
        raise NotAwaiting(state=Status.EXPIRED)


def check_reason(policy: Policy, code: str) -> None:
    """Raise `UnknownReason` unless the program's list has the code."""
    known = [reason.code for reason in policy.reasons]
    if code not in known:
        raise UnknownReason(reason_code=code, known=", ".join(known))


def _limit(policy: Policy, role: str, asset: str) -> Limit:
    """The one of the asset, else of every other asset, else what holds until somebody sets it."""
    given = {(limit.role, limit.asset): limit for limit in (*DEFAULT_LIMITS, *policy.limits)}
    return given.get((role, asset)) or given[role, None]
