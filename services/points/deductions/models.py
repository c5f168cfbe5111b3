"""Tables of deductions: the policy's versions, each order's deductions, and what refunds gave back of them.

Whether a deduction is open, captured, voided or expired is said by its hold in the ledger, and nowhere else.
"""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Integer, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import UUID
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class DeductionPolicyRow(Table, table=True):
    """One version of a program's policy; the newest is in force, the others stay with the deductions they made."""

    __tablename__ = "points_deduction_policies"
    __table_args__ = (
        CheckConstraint("points > 0 AND fen > 0", name="deduction_policies_have_a_rate"),
        CheckConstraint("most_percent BETWEEN 0 AND 100", name="deduction_policies_deduct_no_more_than_the_order"),
        CheckConstraint("most_points > 0", name="deduction_policies_cap_some_points"),
        CheckConstraint("least_cash_fen >= 0", name="deduction_policies_leave_cash"),
        CheckConstraint("step > 0 AND least_points > 0", name="deduction_policies_go_by_steps"),
    )

    program_id: int = columns.key(Integer)
    version: int = columns.key(Integer)
    asset: str = columns.words()
    points: int = columns.value()
    fen: int = columns.value()
    most_percent: int = columns.value(Integer)
    most_points: int | None = columns.value(nullable=True)
    least_cash_fen: int = columns.value()
    step: int = columns.value()
    least_points: int = columns.value()
    set_by: str = columns.words()
    set_at: datetime = columns.made_at()


class DeductionRow(Table, table=True):
    """A deduction from an order; `id` is its hold's. One that ended unused may be followed by the next attempt."""

    __tablename__ = "points_deductions"
    __table_args__ = (
        UniqueConstraint("program_id", "member_id", "order_id", "attempt", name="deductions_follow_each_other"),
        CheckConstraint("points > 0", name="deductions_take_points"),
        CheckConstraint("deducted_fen > 0 AND deducted_fen <= order_fen", name="deductions_stay_within_the_order"),
        CheckConstraint("refunded_fen BETWEEN 0 AND order_fen", name="deductions_refund_no_more_than_the_order"),
        CheckConstraint("returned_points BETWEEN 0 AND points", name="deductions_return_no_more_than_they_took"),
        CheckConstraint("returned_fen BETWEEN 0 AND deducted_fen", name="deductions_return_no_more_than_they_deducted"),
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), primary_key=True))
    order_id: str = columns.words()
    attempt: int = columns.value(Integer)
    policy_version: int = columns.value(Integer)
    asset: str = columns.words()
    order_fen: int = columns.value()
    points: int = columns.value()
    deducted_fen: int = columns.value()
    refunded_fen: int = columns.value(default="0")
    returned_points: int = columns.value(default="0")
    returned_fen: int = columns.value(default="0")
    made_by: str = columns.words()
    made_at: datetime = columns.made_at()


class DeductionRefundRow(Table, table=True):
    """One refund of an order, and what it gave back of the deduction."""

    __tablename__ = "points_deduction_refunds"
    __table_args__ = (
        CheckConstraint("refunded_fen > 0", name="deduction_refunds_refund_something"),
        CheckConstraint("points >= 0 AND deducted_fen >= 0 AND cash_fen >= 0", name="deduction_refunds_give_back"),
        CheckConstraint("deducted_fen + cash_fen = refunded_fen", name="deduction_refunds_add_up"),
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    deduction_id: uuid.UUID = Field(sa_column=Column(UUID(as_uuid=True), primary_key=True))
    refund_id: str = Field(sa_column=Column(Text, primary_key=True))
    refunded_fen: int = columns.value()
    points: int = columns.value()
    deducted_fen: int = columns.value()
    cash_fen: int = columns.value()
    made_by: str = columns.words()
    made_at: datetime = columns.made_at()


policies = core(DeductionPolicyRow)
deductions = core(DeductionRow)
refunds = core(DeductionRefundRow)
