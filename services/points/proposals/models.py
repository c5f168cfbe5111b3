"""The table of proposals."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import UUID, CheckConstraint, Column, DateTime, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.points.database import Table


class RuleProposalRow(Table, table=True):
    """What somebody asked to let go live, exactly as it was shown, and what a second person decided."""

    __tablename__ = "points_rule_proposals"
    __table_args__ = (
        CheckConstraint("state IN ('pending_approval', 'approved', 'rejected')", name="proposals_have_a_state"),
        CheckConstraint(
            "(state = 'pending_approval') = (decided_by IS NULL)", name="proposals_are_decided_by_somebody"
        ),
        CheckConstraint(
            "state <> 'approved' OR decided_by <> requested_by", name="proposals_are_approved_by_a_second_person"
        ),
    )

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    id: uuid.UUID = Field(sa_column=Column(UUID, primary_key=True, server_default=text("uuidv7()")))
    state: str = Field(sa_column=Column(Text, nullable=False, server_default="pending_approval"))
    changes: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    note: str = Field(sa_column=Column(Text, nullable=False))
    requested_by: str = Field(sa_column=Column(Text, nullable=False))
    requested_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    decided_by: str | None = Field(sa_column=Column(Text))
    decided_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    decision_note: str | None = Field(sa_column=Column(Text))


proposals = core(RuleProposalRow)
