"""Asking that rules go live, saying yes as a second person, or no.

What is approved is what was shown: the fingerprint of the proposal is compared with what would go live at that moment,
and everything goes live in the transaction of the approval (traps T36).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.points.proposals import domain, repository
from services.points.proposals.domain import State
from services.points.rules import use_cases as rules
from services.points.rules.domain import Change, NoDraft

_MOST_SHOWN = 100


def propose(
    session: Session,
    *,
    program_id: int,
    drafts: Sequence[str],
    rollbacks: Mapping[str, int],
    note: str,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    """Ask that these drafts and earlier versions go live together; nothing changes until a second person says yes.

    Raises `UnknownRule`, `NoDraft`, and what publishing them would refuse.
    """
    changes = rules.propose(session, program_id=program_id, drafts=drafts, rollbacks=rollbacks)
    rules.check_changes(session, program_id=program_id, changes=changes)
    row = repository.add_proposal(
        session,
        {
            "program_id": program_id,
            "changes": [asdict(change) for change in changes],
            "fingerprint": domain.fingerprint(changes),
            "note": note,
            "requested_by": actor,
            "requested_at": now,
        },
    )
    return dict(row._mapping)


def approve(
    session: Session, *, program_id: int, proposal_id: uuid.UUID, fingerprint: str, note: str, actor: str, now: datetime
) -> dict[str, Any]:
    """Let all of it go live now, as the second person, who names the fingerprint of what they were shown.

    Raises `NotFound`, `NotAwaiting`, `SamePerson`, `NotWhatWasShown`, `Outdated`, and what publishing would refuse; it
    then still waits.
    """
    row = repository.get_proposal(session, program_id, proposal_id, lock=True)
    domain.check_pending(row.state)
    domain.check_second_person(row.requested_by, actor)
    if fingerprint != row.fingerprint:
        raise domain.NotWhatWasShown()
    changes = _as_of_now(session, row, lock=True)
    if changes is None:
        raise domain.Outdated()
    rules.go_live(session, program_id=program_id, changes=changes, actor=actor)
    return dict(repository.mark_decided(session, row, state=State.APPROVED, by=actor, at=now, note=note)._mapping)


def reject(
    session: Session, *, program_id: int, proposal_id: uuid.UUID, note: str, actor: str, now: datetime
) -> dict[str, Any]:
    """Turn it down, or withdraw one's own; nothing goes live. Raises `NotFound`, `NotAwaiting`."""
    row = repository.get_proposal(session, program_id, proposal_id, lock=True)
    domain.check_pending(row.state)
    return dict(repository.mark_decided(session, row, state=State.REJECTED, by=actor, at=now, note=note)._mapping)


def show_proposal(session: Session, *, program_id: int, proposal_id: uuid.UUID) -> dict[str, Any]:
    """One proposal with everything that would go live. Raises `NotFound`."""
    return _shown(session, repository.get_proposal(session, program_id, proposal_id))


def list_proposals(session: Session, *, program_id: int) -> list[dict[str, Any]]:
    """The newest proposals."""
    return [_shown(session, row) for row in repository.list_proposals(session, program_id, limit=_MOST_SHOWN)]


def _shown(session: Session, row: Any) -> dict[str, Any]:
    """A proposal as it stands: one that waits may be outdated."""
    outdated = row.state == State.PENDING and _as_of_now(session, row, lock=False) is None
    return {**row._mapping, "state": State.OUTDATED if outdated else row.state}


def _as_of_now(session: Session, row: Any, *, lock: bool) -> list[Change] | None:
    """What would go live now; None when that is not what was asked for."""
    drafts = [change["rule"] for change in row.changes if change["version"] is None]
    rollbacks = {change["rule"]: change["version"] for change in row.changes if change["version"] is not None}
    try:
        changes = rules.propose(session, program_id=row.program_id, drafts=drafts, rollbacks=rollbacks, lock=lock)
    except NoDraft:
        # Somebody else let it go live meanwhile.
        return None
    return changes if domain.fingerprint(changes) == row.fingerprint else None
