"""Who a member was at an instant, as rules ask it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from common.errors import Refusal

ListKind = Literal["tags", "segments"]
LIST_KINDS: tuple[ListKind, ...] = ("tags", "segments")

#: Lists are kept by hand or by the brand's systems; a program that needs more has made a list per member.
MOST_LISTS = 1_000


class UnknownList(Refusal):
    """There is no such tag or segment: `kind`, `code`."""

    code = "member_list_not_found"


class TooManyLists(Refusal):
    """The program has as many lists as it may: `most`."""

    code = "too_many_member_lists"


class AddedAndRemoved(Refusal):
    """One request adds and removes the same member: `member_id`."""

    code = "added_and_removed"


@dataclass(frozen=True, slots=True)
class Membership:
    """What a member was at an instant: their tier's code (None: none yet), and the lists they stood in."""

    tier: str | None = None
    tags: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()


#: Somebody of whom nothing is known.
NOBODY = Membership()


@dataclass(frozen=True, slots=True)
class TierChange:
    """From `at` on the member's tier is `tier` (None: none), right before it was `before`.

    `fact_id` orders changes of the same instant.
    """

    program_id: int
    member_id: int
    at: datetime
    fact_id: int
    before: str | None
    tier: str | None


@dataclass(frozen=True, slots=True)
class Stay:
    """A member stood in a list from `since` until right before `until` (None: still does)."""

    kind: ListKind
    code: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is kept of one member: tier changes `(at, before, tier)` by instant, and stays in lists."""

    tiers: list[tuple[datetime, str | None, str | None]] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)


def membership_at(history: History, at: datetime) -> Membership:
    """Who the member was at `at`: the last tier change not after it, and the lists joined and not yet left.

    Before the first change that is known, what that one changed from.
    """
    tier = history.tiers[0][1] if history.tiers else None
    for since, _, code in history.tiers:
        if since > at:
            break
        tier = code
    inside = [stay for stay in history.stays if stay.since <= at and (stay.until is None or at < stay.until)]
    if tier is None and not inside:
        return NOBODY
    return Membership(
        tier,
        frozenset(stay.code for stay in inside if stay.kind == "tags"),
        frozenset(stay.code for stay in inside if stay.kind == "segments"),
    )


def memberships_at(
    histories: Mapping[int, History], asked: Mapping[int, Sequence[datetime]]
) -> dict[tuple[int, datetime], Membership]:
    """`membership_at` for every `(member_id, instant)` asked about."""
    return {
        (member_id, at): membership_at(histories[member_id], at) if member_id in histories else NOBODY
        for member_id, instants in asked.items()
        for at in instants
    }


def check_apart(add: Sequence[int], remove: Sequence[int]) -> None:
    """Raise `AddedAndRemoved` for a member whom one request adds and removes."""
    if both := set(add) & set(remove):
        raise AddedAndRemoved(member_id=min(both))
