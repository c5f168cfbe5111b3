"""A set of rules that waits for a second person: what is asked, what was shown, who may say yes. Pure."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from hashlib import sha256

from common.errors import Refusal
from services.points.rules.domain import Change


class NotAwaiting(Refusal):
    """The proposal does not wait for anybody any more: `state`."""

    code = "proposal_not_pending"


class SamePerson(Refusal):
    """Who asked for it cannot be the second person, by whatever role."""

    code = "second_person_needed"


class Outdated(Refusal):
    """What would go live now is not what was asked for: a draft, a live version or a group's mode has changed."""

    code = "proposal_outdated"


class NotWhatWasShown(Refusal):
    """The approval names another fingerprint than the proposal's."""

    code = "proposal_fingerprint_differs"


class State(StrEnum):
    """Where a proposal stands; one that waits is outdated as soon as something of it changes, and not before."""

    PENDING = "pending_approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    OUTDATED = "outdated"


def fingerprint(changes: Iterable[Change]) -> str:
    """The SHA-256 of everything that decides what goes live, as hex: documents, what they replace, groups' modes."""
    kept = sorted((asdict(change) for change in changes), key=lambda change: str(change["rule"]))
    return sha256(json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def check_pending(state: str) -> None:
    """Raise `NotAwaiting` unless a decision is awaited."""
    if state != State.PENDING:
        raise NotAwaiting(state=state)


def check_second_person(requested_by: str, approver: str) -> None:
    """Raise `SamePerson`: people are known by their name, never by the role they act in (traps T37, ADR 22)."""
    if requested_by == approver:
        raise SamePerson()
