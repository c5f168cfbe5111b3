"""Tables of exchanges: partners with their terms, what was exchanged, and how much of each cap is used."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table

#: Whose window counts what all members exchange; no member has this id.
EVERYBODY = 0


class PartnerRow(Table, table=True):
    """Another program with which the brand exchanges points."""

    __tablename__ = "points_partners"

    program_id: int = columns.key(Integer)
    code: str = columns.key(Text)
    name_en: str = columns.words()
    name_zh: str = columns.words()
    asset: str = columns.words()
    key_id: str = columns.words()
    enabled: bool = Field(sa_column=Column(Boolean, nullable=False))
    set_by: str = columns.words()
    set_at: datetime = columns.made_at()


class PartnerTermsRow(Table, table=True):
    """The rate and caps of one direction; a direction without a row is closed."""

    __tablename__ = "points_partner_terms"
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "partner"],
            ["points_partners.program_id", "points_partners.code"],
            name="partner_terms_are_of_a_partner",
        ),
        CheckConstraint("direction IN ('in', 'out')", name="partner_terms_have_a_direction"),
        CheckConstraint("points > 0 AND units > 0", name="partner_terms_have_a_rate"),
        CheckConstraint(
            "most_per_member_day > 0 AND most_per_member_month > 0 AND most_per_day > 0",
            name="partner_terms_cap_some_points",
        ),
    )

    program_id: int = columns.key(Integer)
    partner: str = columns.key(Text)
    direction: str = columns.key(Text)
    points: int = columns.value()
    units: int = columns.value()
    most_per_member_day: int | None = columns.value(nullable=True)
    most_per_member_month: int | None = columns.value(nullable=True)
    most_per_day: int | None = columns.value(nullable=True)


class ExchangeRow(Table, table=True):
    """One exchange for ever, by the partner's own order, with the rate that decided it; `day` is a business day."""

    __tablename__ = "points_exchanges"
    __table_args__ = (
        UniqueConstraint("program_id", "id", name="exchanges_once_per_id"),
        CheckConstraint("direction IN ('in', 'out')", name="exchanges_have_a_direction"),
        CheckConstraint("points > 0 AND units > 0", name="exchanges_move_something"),
        CheckConstraint("points * rate_units = units * rate_points", name="exchanges_are_exact"),
        CheckConstraint("(reversed_at IS NULL) = (reversed_by IS NULL)", name="exchanges_reversed_name_who"),
        Index("points_exchanges_of_member", "program_id", "member_id", "id"),
    )

    program_id: int = columns.key(Integer)
    partner: str = columns.key(Text)
    partner_order_id: str = columns.key(Text)
    id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), nullable=False, server_default=text("uuidv7()")))
    member_id: int = columns.value()
    direction: str = columns.words()
    asset: str = columns.words()
    points: int = columns.value()
    units: int = columns.value()
    rate_points: int = columns.value()
    rate_units: int = columns.value()
    posting_id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), nullable=False))
    day: date = Field(sa_column=Column(Date, nullable=False))
    made_by: str = columns.words()
    made_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    reversed_by: str | None = Field(sa_column=Column(Text))
    reversed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))


class ExchangeWindowRow(Table, table=True):
    """Points exchanged and not reversed in a member's day or month, or (member 0) by everybody in a day."""

    __tablename__ = "points_exchange_windows"
    __table_args__ = (
        CheckConstraint("used >= 0", name="exchange_windows_use_no_less_than_nothing"),
        CheckConstraint("span IN ('day', 'month')", name="exchange_windows_have_a_span"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key(BigInteger)
    partner: str = columns.key(Text)
    direction: str = columns.key(Text)
    span: str = columns.key(Text)
    since: date = columns.key(Date)
    used: int = columns.value(default="0")


partners = core(PartnerRow)
terms = core(PartnerTermsRow)
exchanges = core(ExchangeRow)
windows = core(ExchangeWindowRow)
