"""The ledger's tables. Every key starts with program and member, so that the tables can be distributed by member.

`points_accounts` is the only row a posting contends on: none of its mutable columns is indexed, so updates stay HOT.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class AccountRow(Table, table=True):
    """One member's account of one asset. balance = Σ lots + held − debt.

    A frozen one spends, holds and gives nothing. `idle_day` is the last epoch day of its lots that live until it is
    idle.
    """

    __tablename__ = "points_accounts"
    __table_args__ = (
        CheckConstraint("held >= 0", name="accounts_hold_nothing_negative"),
        CheckConstraint("debt >= 0", name="accounts_debt_is_not_credit"),
        CheckConstraint("balance - held + debt >= 0", name="accounts_never_below_floor"),
        {"postgresql_with": {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.02}},
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    asset_id: int = columns.key(SmallInteger)
    balance: int = columns.value(default="0")
    held: int = columns.value(default="0")
    debt: int = columns.value(default="0")
    seq: int = columns.value(default="0")
    last_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, server_default="epoch"))
    due_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    head: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    lots: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False, server_default="{}"))
    frozen: bool = columns.value(Boolean, default="false")
    idle_day: int | None = columns.value(Integer, nullable=True)


class EntryRow(Table, table=True):
    """One line of the journal, append-only."""

    __tablename__ = "points_entries"
    __table_args__ = (
        CheckConstraint("(reverses IS NULL) = (reversed IS NULL)", name="entries_reversals_name_their_original"),
        Index(
            "points_entries_reversals",
            "program_id",
            "member_id",
            "asset_id",
            "reverses",
            postgresql_where=text("reverses IS NOT NULL"),
        ),
        # What a member gave away today: kind 13 is TRANSFER_OUT.
        Index("points_entries_given", "program_id", "member_id", "asset_id", "at", postgresql_where=text("kind = 13")),
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    asset_id: int = columns.key(SmallInteger)
    seq: int = columns.key()
    kind: int = columns.value(SmallInteger)
    amount: int = columns.value()
    held_delta: int = columns.value()
    balance_after: int = columns.value()
    held_after: int = columns.value()
    posting_id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    cause: str = Field(sa_column=Column(Text, nullable=False))
    rule_version: int | None = columns.value(nullable=True)
    reverses: int | None = columns.value(nullable=True)
    reversed: int | None = columns.value(nullable=True)
    hold_id: uuid.UUID | None = Field(sa_column=Column(UUID(as_uuid=True)))
    lots: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    meta: dict[str, Any] | None = Field(sa_column=Column(JSONB))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PostingRow(Table, table=True):
    """The answer to one idempotency or natural key: what makes a retry find the first answer."""

    __tablename__ = "points_postings"
    __table_args__ = (CheckConstraint("wanted > amount", name="postings_are_cut_to_less"),)

    program_id: int = columns.key(Integer)
    id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), primary_key=True))
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int = columns.value(SmallInteger)
    kind: int = columns.value(SmallInteger)
    member_id: int = columns.value()
    asset_id: int = columns.value(SmallInteger)
    amount: int = columns.value()
    seq: int = columns.value()
    balance_after: int = columns.value()
    held_after: int = columns.value()
    debt_after: int = columns.value()
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    hold_id: uuid.UUID | None = Field(sa_column=Column(UUID(as_uuid=True)))
    #: What was to be earned, where the asset's bounds left room for less.
    wanted: int | None = columns.value(nullable=True)
    #: The numbers behind a refusal, or which setting cut what was wanted.
    facts: dict[str, Any] | None = columns.document(nullable=True)


class HoldRow(Table, table=True):
    """Lots that cannot be spent yet; state 0 open, 1 captured, 2 voided, 3 expired, 4 released.

    Purpose 0 reserves them for a spending; 1 is a pending earning (its id is the earning's posting id, `captured` is
    what reversals took of it, `validity` counts from the day on which it becomes available).
    """

    __tablename__ = "points_holds"
    __table_args__ = (
        CheckConstraint("captured BETWEEN 0 AND amount", name="holds_capture_no_more_than_held"),
        CheckConstraint("state BETWEEN 0 AND 4", name="holds_end_once"),
        CheckConstraint("purpose BETWEEN 0 AND 1", name="holds_have_a_purpose"),
        CheckConstraint("(purpose = 1) = (validity IS NOT NULL)", name="holds_of_pending_know_their_validity"),
        CheckConstraint("purpose = 1 OR state < 4", name="holds_release_what_was_pending"),
        Index(
            "points_holds_open",
            "program_id",
            "member_id",
            "asset_id",
            "expires_at",
            postgresql_where=text("state = 0"),
        ),
        {"postgresql_with": {"fillfactor": 80}},
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), primary_key=True))
    asset_id: int = columns.value(SmallInteger)
    amount: int = columns.value()
    captured: int = columns.value(default="0")
    state: int = columns.value(SmallInteger)
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    lots: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False, server_default=""))
    purpose: int = columns.value(SmallInteger, default="0")
    validity: str | None = Field(sa_column=Column(Text))
    grace_days: int = columns.value(SmallInteger, default="0")


accounts = core(AccountRow)
entries = core(EntryRow)
postings = core(PostingRow)
holds = core(HoldRow)
