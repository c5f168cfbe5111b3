"""Tables of changesets: each as a whole, what was uploaded, its lines, and what is wrong with them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field

from common.database import core
from services.points.database import Table


def _key(kind: Any = Integer) -> Any:
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


def _instant(*, default: bool = False) -> Any:
    given = text("clock_timestamp()") if default else None
    return Field(sa_column=Column(DateTime(timezone=True), nullable=not default, server_default=given))


def _text(*, nullable: bool = False) -> Any:
    return Field(sa_column=Column(Text, nullable=nullable))


def _number(*, nullable: bool = False, default: str | None = None) -> Any:
    given = text(default) if default is not None else None
    return Field(sa_column=Column(BigInteger, nullable=nullable, server_default=given))


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

    program_id: int = _key()
    id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), primary_key=True, server_default=text("uuidv7()")))
    kind: str = _text()
    name: str = _text()
    status: str = _text()
    parts: int = _number(default="0")
    uploaded_by: str = _text()
    uploaded_at: datetime = _instant(default=True)
    run: int = _number(default="0")
    lease_until: datetime | None = _instant()
    progress: int = _number(default="0")
    summary: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    checked_at: datetime | None = _instant()
    approved_by: str | None = _text(nullable=True)
    approved_at: datetime | None = _instant()
    applied_at: datetime | None = _instant()
    rejected_by: str | None = _text(nullable=True)
    decision_note: str | None = _text(nullable=True)
    undo_requested_by: str | None = _text(nullable=True)
    undo_requested_at: datetime | None = _instant()
    undo_approved_by: str | None = _text(nullable=True)
    undone_at: datetime | None = _instant()


class ChangesetPartRow(Table, table=True):
    """A sheet as uploaded; dropped once the changeset is applied or rejected, for it may name people."""

    __tablename__ = "points_changeset_parts"

    program_id: int = _key()
    changeset_id: uuid.UUID = _key(UUID(as_uuid=True))
    part: int = _key(SmallInteger)
    csv: str = _text()


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

    program_id: int = _key()
    changeset_id: uuid.UUID = _key(UUID(as_uuid=True))
    part: int = _key(SmallInteger)
    line: int = _key()
    member_id: int | None = _number(nullable=True)
    subject: str | None = _text(nullable=True)
    asset_id: int = Field(sa_column=Column(SmallInteger, nullable=False))
    amount: int = _number()
    reason: str = _text()
    validity: str | None = _text(nullable=True)
    note: str = _text()
    before: int | None = _number(nullable=True)
    after: int | None = _number(nullable=True)


class ChangesetFaultRow(Table, table=True):
    """What is wrong with a line, in the order in which it was found."""

    __tablename__ = "points_changeset_faults"

    program_id: int = _key()
    changeset_id: uuid.UUID = _key(UUID(as_uuid=True))
    number: int = _key()
    part: int = Field(sa_column=Column(SmallInteger, nullable=False))
    line: int = Field(sa_column=Column(Integer, nullable=False))
    column: str = _text()
    code: str = _text()
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


changesets = core(ChangesetRow)
parts = core(ChangesetPartRow)
lines = core(ChangesetLineRow)
faults = core(ChangesetFaultRow)
