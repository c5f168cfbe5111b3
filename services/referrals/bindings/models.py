"""Table of bindings."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, text
from sqlmodel import Field

from common.database import core
from services.referrals.bindings.domain import State
from services.referrals.database import Table, instant, optional_instant

_STATES = ", ".join(f"'{state}'" for state in State)


class BindingRow(Table, table=True):
    """One binding; the one with the highest number is the member's present one. The key admits one at a time."""

    __tablename__ = "referrals_bindings"
    __table_args__ = (
        CheckConstraint("member_id <> inviter_id", name="bindings_never_to_oneself"),
        CheckConstraint(f"state IN ({_STATES})", name="bindings_have_a_known_state"),
        CheckConstraint(
            "(state = 'qualified') = (counted_month IS NOT NULL)", name="bindings_count_for_a_month_while_qualified"
        ),
        CheckConstraint(
            "state NOT IN ('qualified', 'held', 'rejected', 'revoked') OR (order_id IS NOT NULL AND cause IS NOT NULL)",
            name="bindings_qualify_by_an_order",
        ),
        CheckConstraint(
            "state NOT IN ('held', 'rejected', 'revoked', 'void') OR reason IS NOT NULL",
            name="bindings_fail_for_a_reason",
        ),
        CheckConstraint("(reviewed_by IS NULL) = (review_note IS NULL)", name="bindings_are_reviewed_with_a_note"),
        # The velocity of an inviter, and the figures of their invitations.
        Index("bindings_of_an_inviter", "program_id", "inviter_id", "campaign", "bound_at"),
        Index(
            "bindings_against_the_monthly_cap",
            "program_id",
            "inviter_id",
            "campaign",
            "counted_month",
            postgresql_where=text("state = 'qualified'"),
        ),
        Index("bindings_by_state", "program_id", "state", "bound_at", "member_id", "number"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    inviter_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    campaign: str
    version: int
    code: str
    channel: str | None
    touch: str | None
    state: str
    reason: str | None
    bound_at: datetime = Field(sa_column=instant())
    protected_until: datetime = Field(sa_column=instant())
    order_id: str | None
    cause: str | None
    qualified_at: datetime | None = Field(sa_column=optional_instant())
    counted_month: date | None
    reviewed_by: str | None
    review_note: str | None


bindings = core(BindingRow)
