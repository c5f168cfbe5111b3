"""Tables of members and identities."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, text
from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table

#: Milliseconds since 2020 and twelve bits of a sequence: 53 bits, exact for every JSON reader until 2089. Not 1, 2, 3:
#: what somebody posted to a number that is nobody must not wait there for the next one who joins (ADR 16).
_NEXT_MEMBER_ID = text(
    "((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1577836800000) * 4096"
    " + nextval('levels_member_numbers') % 4096"
)


class MemberRow(Table, table=True):
    """One member."""

    __tablename__ = "levels_members"
    __table_args__ = (Index("levels_members_by_joining", "program_id", "joined_at"),)

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False, server_default=_NEXT_MEMBER_ID)
    )
    joined_at: datetime = Field(sa_column=columns.instant())


class IdentityRow(Table, table=True):
    """An identity leads to one member. Personal data: the value is never logged."""

    __tablename__ = "levels_identities"
    __table_args__ = (
        CheckConstraint("(type = 'wechat_openid') <= (app <> '')", name="openids_belong_to_an_app"),
        Index("levels_identities_by_member", "program_id", "member_id"),
    )

    program_id: int = Field(sa_column=columns.program_key())
    type: str = Field(sa_column=columns.text_key())
    app: str = Field(sa_column=columns.text_key())
    value: str = Field(sa_column=columns.text_key())
    member_id: int = Field(sa_column=columns.big())
    linked_at: datetime = Field(sa_column=columns.instant())


class IdentityConflictRow(Table, table=True):
    """An identity that came with one member but belongs to another: noticed once, a case for merging (G1)."""

    __tablename__ = "levels_identity_conflicts"
    __table_args__ = (CheckConstraint("member_id <> holder_id", name="identity_conflicts_are_between_two"),)

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    holder_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    type: str = Field(sa_column=columns.text_key())
    noticed_at: datetime = Field(sa_column=columns.instant())


members = core(MemberRow)
identities = core(IdentityRow)
identity_conflicts = core(IdentityConflictRow)
