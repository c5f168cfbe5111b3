"""Table of refund requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Uuid
from sqlmodel import Field

from common.database import core
from services.referrals.database import Table, instant, optional_instant


class RefundRequestRow(Table, table=True):
    """One request; the key admits one an order."""

    __tablename__ = "referrals_groupbuy_refunds"
    __table_args__ = (
        CheckConstraint("amount_fen >= 0", name="groupbuy_refunds_are_not_negative"),
        CheckConstraint("state IN ('requested', 'done')", name="groupbuy_refunds_have_a_known_state"),
        CheckConstraint(
            "(state = 'done') = (done_at IS NOT NULL) AND (state = 'done') = (done_by IS NOT NULL)",
            name="groupbuy_refunds_are_done_by_somebody",
        ),
        Index("groupbuy_refunds_by_state", "program_id", "state", "requested_at", "order_id"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    order_id: str = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    amount_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    reason: str
    groupbuy: UUID | None = Field(sa_column=Column(Uuid, nullable=True))
    requested_at: datetime = Field(sa_column=instant())
    state: str
    done_at: datetime | None = Field(sa_column=optional_instant())
    done_by: str | None


refund_requests = core(RefundRequestRow)
