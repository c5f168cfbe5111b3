"""Tables of audiences: tier changes, the lists of a program, and who stood in them from when to when."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, Text, text
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class TierChangeRow(Table, table=True):
    """One `tier.changed` of levels: since when a member's tier is which."""

    __tablename__ = "points_tier_changes"

    program_id: int = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    fact_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    before: str | None
    tier: str | None


class MemberListRow(Table, table=True):
    """One tag or segment of a program."""

    __tablename__ = "points_member_lists"
    __table_args__ = (CheckConstraint("kind IN ('tags', 'segments')", name="member_lists_have_a_known_kind"),)

    program_id: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    created_by: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = columns.made_at()


class ListStayRow(Table, table=True):
    """A member stood in a list from `since` until right before `until`; who put them in and who took them out."""

    __tablename__ = "points_list_stays"
    __table_args__ = (
        CheckConstraint("until IS NULL OR until >= since", name="list_stays_end_after_they_begin"),
        CheckConstraint("(until IS NULL) = (removed_by IS NULL)", name="list_stays_are_ended_by_somebody"),
        Index(
            "list_stays_are_open_once",
            "program_id",
            "kind",
            "code",
            "member_id",
            unique=True,
            postgresql_where=text("until IS NULL"),
        ),
    )

    program_id: int = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    since: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    until: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    added_by: str = Field(sa_column=Column(Text, nullable=False))
    removed_by: str | None


tier_changes = core(TierChangeRow)
member_lists = core(MemberListRow)
list_stays = core(ListStayRow)
