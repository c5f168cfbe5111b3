"""Tables of adjustments: each with who asked and who decided, what agents used of their day, and the settings."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class AdjustmentRow(Table, table=True):
    """One adjustment, or (`undoes`) the undoing of one. Ids are uuidv7: their order is that of asking.

    A redating has days: what ends from `from_on` to `until_on` ends on `to_on`; `moved` is for how many points that
    was done, or (`undoes`) undone.
    """

    __tablename__ = "points_adjustments"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="adjustments_move_something"),
        CheckConstraint("decided_by <> requested_by", name="adjustments_are_decided_by_a_second_person"),
        CheckConstraint(
            "status IN ('pending_approval', 'posted', 'rejected', 'expired', 'undone')",
            name="adjustments_have_a_status",
        ),
        CheckConstraint(
            "(status IN ('posted', 'undone')) = (posting_id IS NOT NULL)", name="adjustments_posted_name_their_posting"
        ),
        CheckConstraint(
            "(charged_to IS NULL) = (charged_on IS NULL)", name="adjustments_are_charged_to_somebody_on_a_day"
        ),
        CheckConstraint("validity IS NULL OR amount > 0", name="adjustments_only_credits_have_a_validity"),
        CheckConstraint("(status = 'undone') = (undone_by IS NOT NULL)", name="adjustments_undone_name_their_undoing"),
        CheckConstraint(
            "CASE WHEN to_on IS NULL THEN num_nonnulls(from_on, until_on, moved) = 0"
            " ELSE num_nulls(from_on, until_on) = 0 AND from_on <= until_on AND to_on NOT BETWEEN from_on AND until_on"
            " AND (amount > 0) = (undoes IS NULL) AND (moved IS NULL) = (posting_id IS NULL) END",
            name="adjustments_redate_to_another_day",
        ),
        Index("points_adjustments_newest", "program_id", "id"),
        Index("points_adjustments_of_agent", "program_id", "requested_by", "id"),
        Index(
            "points_adjustments_waiting",
            "expires_at",
            postgresql_where=text("status = 'pending_approval'"),
        ),
        Index(
            "adjustments_are_undone_once",
            "program_id",
            "member_id",
            "undoes",
            unique=True,
            postgresql_where=text("undoes IS NOT NULL AND status IN ('pending_approval', 'posted')"),
        ),
    )

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), primary_key=True, server_default=text("uuidv7()")))
    asset: str = columns.words()
    amount: int = Field(sa_column=Column(BigInteger, nullable=False))
    reason_code: str = columns.words()
    note: str = columns.words()
    evidence: str = columns.words()
    validity: str | None = columns.words(nullable=True)
    allow_debt: bool
    from_on: date | None = columns.value(Date, nullable=True)
    until_on: date | None = columns.value(Date, nullable=True)
    to_on: date | None = columns.value(Date, nullable=True)
    moved: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    status: str = columns.words()
    beyond: str | None = columns.words(nullable=True)
    requested_by: str = columns.words()
    requested_at: datetime = columns.instant()
    expires_at: datetime = columns.instant()
    decided_by: str | None = columns.words(nullable=True)
    decided_at: datetime | None = columns.instant(nullable=True)
    decision_note: str | None = columns.words(nullable=True)
    posted_at: datetime | None = columns.instant(nullable=True)
    posting_id: uuid.UUID | None = columns.value(UUID(as_uuid=True), nullable=True)
    charged_to: str | None = columns.words(nullable=True)
    charged_on: date | None = columns.value(Date, nullable=True)
    undoes: uuid.UUID | None = columns.value(UUID(as_uuid=True), nullable=True)
    undone_by: uuid.UUID | None = columns.value(UUID(as_uuid=True), nullable=True)


class AgentDayRow(Table, table=True):
    """What an agent has posted of an asset alone on a business day: the row that an agent's adjustments queue at."""

    __tablename__ = "points_agent_days"
    __table_args__ = (CheckConstraint("used >= 0", name="agent_days_use_no_less_than_nothing"),)

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    agent: str = Field(sa_column=Column(Text, primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    asset: str = Field(sa_column=Column(Text, primary_key=True))
    used: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))


class AdjustmentSettingsRow(Table, table=True):
    """A program's limits and reasons; none is stored until somebody sets them."""

    __tablename__ = "points_adjustment_settings"
    __table_args__ = (CheckConstraint("pending_days BETWEEN 1 AND 90", name="adjustment_requests_end"),)

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    limits: list[dict[str, Any]] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    reasons: list[dict[str, Any]] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    pending_days: int = Field(sa_column=Column(Integer, nullable=False, server_default="7"))
    changed_by: str = columns.words()
    changed_at: datetime = columns.made_at()


adjustments = core(AdjustmentRow)
agent_days = core(AgentDayRow)
settings = core(AdjustmentSettingsRow)
