"""Tables of changesets: each as a whole, what was uploaded, its lines, and what is wrong with them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class ChangesetRow(Table, table=True):
    """One changeset. `run` counts the dry runs begun: one whose number is no longer the last writes nothing."""

    __tablename__ = "points_changesets"
    __table_args__ = (
        CheckConstraint("kind IN ('adjustment', 'opening')", name="changesets_are_of_a_kind"),
        CheckConstraint(
            "status IN ('draft', 'checking', 'checked', 'faulty', 'approved', 'applied', 'undo_requested', 'undoing',"
            " 'undone', 'rejected')",
            name="changesets_have_a_status",
        ),
        CheckConstraint("approved_by <> uploaded_by", name="changesets_are_approved_by_a_second_person"),
        CheckConstraint("undo_approved_by <> undo_requested_by", name="changesets_are_undone_by_a_second_person"),
        CheckConstraint(
            "status NOT IN ('approved', 'applied', 'undo_requested', 'undoing', 'undone') OR approved_by IS NOT NULL",
            name="changesets_are_applied_with_approval",
        ),
        CheckConstraint(
            "status NOT IN ('undoing', 'undone') OR undo_approved_by IS NOT NULL",
            name="changesets_are_undone_with_approval",
        ),
        Index(
            "points_changesets_working",
            "program_id",
            "id",
            postgresql_where=text("status IN ('checking', 'approved', 'undoing')"),
        ),
    )

    program_id: int = columns.key(Integer)
    id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), primary_key=True, server_default=text("uuidv7()")))
    kind: str = columns.words()
    name: str = columns.words()
    status: str = columns.words()
    parts: int = columns.value(default="0")
    uploaded_by: str = columns.words()
    uploaded_at: datetime = columns.made_at()
    run: int = columns.value(default="0")
    lease_until: datetime | None = columns.instant(nullable=True)
    progress: int = columns.value(default="0")
    summary: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    checked_at: datetime | None = columns.instant(nullable=True)
    approved_by: str | None = columns.words(nullable=True)
    approved_at: datetime | None = columns.instant(nullable=True)
    applied_at: datetime | None = columns.instant(nullable=True)
    rejected_by: str | None = columns.words(nullable=True)
    decision_note: str | None = columns.words(nullable=True)
    undo_requested_by: str | None = columns.words(nullable=True)
    undo_requested_at: datetime | None = columns.instant(nullable=True)
    undo_approved_by: str | None = columns.words(nullable=True)
    undone_at: datetime | None = columns.instant(nullable=True)


class ChangesetPartRow(Table, table=True):
    """A sheet as uploaded; dropped once the changeset is applied or rejected, for it may name people."""

    __tablename__ = "points_changeset_parts"

    program_id: int = columns.key(Integer)
    changeset_id: uuid.UUID = columns.key(UUID(as_uuid=True))
    part: int = columns.key(SmallInteger)
    csv: str = columns.words()


class ChangesetLineRow(Table, table=True):
    """One line as the dry run understood it. `subject` is dropped with the sheets."""

    __tablename__ = "points_changeset_lines"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="changeset_lines_move_something"),
        CheckConstraint("member_id IS NOT NULL OR subject IS NOT NULL", name="changeset_lines_are_somebodys"),
        Index(
            "points_changeset_lines_by_account",
            "program_id",
            "changeset_id",
            "member_id",
            "asset_id",
            "part",
            "line",
        ),
        Index("points_changeset_lines_of_account", "program_id", "member_id", "asset_id"),
    )

    program_id: int = columns.key(Integer)
    changeset_id: uuid.UUID = columns.key(UUID(as_uuid=True))
    part: int = columns.key(SmallInteger)
    line: int = columns.key(Integer)
    member_id: int | None = columns.value(nullable=True)
    subject: str | None = columns.words(nullable=True)
    asset_id: int = Field(sa_column=Column(SmallInteger, nullable=False))
    amount: int = columns.value()
    reason: str = columns.words()
    validity: str | None = columns.words(nullable=True)
    note: str = columns.words()
    before: int | None = columns.value(nullable=True)
    after: int | None = columns.value(nullable=True)


class ChangesetFaultRow(Table, table=True):
    """What is wrong with a line, in the order in which it was found."""

    __tablename__ = "points_changeset_faults"

    program_id: int = columns.key(Integer)
    changeset_id: uuid.UUID = columns.key(UUID(as_uuid=True))
    number: int = columns.key(Integer)
    part: int = Field(sa_column=Column(SmallInteger, nullable=False))
    line: int = Field(sa_column=Column(Integer, nullable=False))
    column: str = columns.words()
    code: str = columns.words()
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


changesets = core(ChangesetRow)
parts = core(ChangesetPartRow)
lines = core(ChangesetLineRow)
faults = core(ChangesetFaultRow)
