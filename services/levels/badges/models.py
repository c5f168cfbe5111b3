"""Tables of badges."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, SmallInteger
from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class BadgeRow(Table, table=True):
    """One badge of the catalogue."""

    __tablename__ = "levels_badges"
    __table_args__ = (CheckConstraint("period IN ('ever', 'year', 'month', 'day')", name="badges_know_their_period"),)

    program_id: int = Field(sa_column=columns.program_key())
    code: str = Field(sa_column=columns.text_key())
    name_en: str = Field(sa_column=columns.name())
    name_zh: str = Field(sa_column=columns.name())
    series: str | None = Field(sa_column=columns.name(nullable=True))
    level: int | None = Field(sa_column=Column(SmallInteger))
    icon: str | None = Field(sa_column=columns.name(nullable=True))
    criteria_en: str = Field(sa_column=columns.name())
    criteria_zh: str = Field(sa_column=columns.name())
    slot: str | None = Field(sa_column=columns.name(nullable=True))
    period: str = Field(sa_column=columns.name())
    changed_by: str = Field(sa_column=columns.name())
    changed_at: datetime = Field(sa_column=columns.instant())


class MemberBadgeRow(Table, table=True):
    """A badge on a member, once per period; `revoked_at` hides it."""

    __tablename__ = "levels_member_badges"

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    badge: str = Field(sa_column=columns.text_key())
    period: str = Field(sa_column=columns.text_key())
    earned_at: datetime = Field(sa_column=columns.instant())
    revoked_at: datetime | None = Field(sa_column=columns.instant(nullable=True))


class BadgeGrantRow(Table, table=True):
    """History: which grant gave a badge, and who took it back. Never deleted."""

    __tablename__ = "levels_badge_grants"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(revoked_at, revoked_by, reason) IN (0, 3)", name="badge_revocations_say_who_and_why"
        ),
    )

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    grant_id: str = Field(sa_column=columns.text_key())
    badge: str = Field(sa_column=columns.text_key())
    period: str = Field(sa_column=columns.name())
    cause: str = Field(sa_column=columns.name())
    at: datetime = Field(sa_column=columns.instant())
    revoked_at: datetime | None = Field(sa_column=columns.instant(nullable=True))
    revoked_by: str | None = Field(sa_column=columns.name(nullable=True))
    reason: str | None = Field(sa_column=columns.name(nullable=True))


badges = core(BadgeRow)
member_badges = core(MemberBadgeRow)
badge_grants = core(BadgeGrantRow)
