"""Every SQL statement over proposals."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.errors import NotFound
from services.points.proposals.models import proposals


def add_proposal(session: Session, values: dict[str, Any]) -> Row[Any]:
    """A new proposal, waiting."""
    return session.execute(insert(proposals).values(values).returning(proposals)).one()


def get_proposal(session: Session, program_id: int, proposal_id: uuid.UUID, *, lock: bool = False) -> Row[Any]:
    """One proposal; raises `NotFound`."""
    wanted = select(proposals).where(proposals.c.program_id == program_id, proposals.c.id == proposal_id)
    row = session.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise NotFound()
    return row


def list_proposals(session: Session, program_id: int, *, limit: int) -> Sequence[Row[Any]]:
    """The program's proposals, newest first."""
    mine = select(proposals).where(proposals.c.program_id == program_id)
    return session.execute(mine.order_by(proposals.c.id.desc()).limit(limit)).all()


def mark_decided(session: Session, row: Row[Any], *, state: str, by: str, at: datetime, note: str) -> Row[Any]:
    """A second person decided, or the first one withdrew it."""
    mine = (proposals.c.program_id == row.program_id, proposals.c.id == row.id)
    decided = {"state": state, "decided_by": by, "decided_at": at, "decision_note": note}
    return session.execute(update(proposals).where(*mine).values(decided).returning(proposals)).one()
