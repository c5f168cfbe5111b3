"""Table of members."""

from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field

from common.database import core
from services.referrals.database import Table, optional_instant


class MemberRow(Table, table=True):
    """One member, projected from `member.joined` and the first `order.paid`."""

    __tablename__ = "referrals_members"

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    joined_at: datetime | None = Field(sa_column=optional_instant())
    first_paid_at: datetime | None = Field(sa_column=optional_instant())


members = core(MemberRow)
