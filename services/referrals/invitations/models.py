"""Tables of invitation campaigns and codes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.referrals.database import Table, instant, optional_instant


class CampaignRow(Table, table=True):
    """One version of a campaign; rows are only ever added."""

    __tablename__ = "referrals_invitation_campaigns"
    __table_args__ = (
        CheckConstraint("trigger = 'first_paid_order'", name="invitation_campaigns_reward_taking_part"),
        CheckConstraint("minimum_paid_fen >= 1", name="invitation_campaigns_reward_paid_orders"),
        CheckConstraint(
            "protect_days >= 0 AND hourly_limit >= 1 AND monthly_cap >= 1", name="invitation_campaigns_have_limits"
        ),
        CheckConstraint("ends_at > starts_at", name="invitation_campaigns_end_after_they_start"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    trigger: str
    minimum_paid_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    inviter_reward: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    invitee_reward: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    protect_days: int
    hourly_limit: int
    monthly_cap: int
    starts_at: datetime | None = Field(sa_column=optional_instant())
    ends_at: datetime | None = Field(sa_column=optional_instant())
    created_by: str
    created_at: datetime = Field(sa_column=instant())


class InvitationRow(Table, table=True):
    """A member's code in a campaign."""

    __tablename__ = "referrals_invitations"
    __table_args__ = (
        UniqueConstraint("program_id", "code", name="invitations_once_per_code"),
        CheckConstraint("code ~ '^[2-9A-HJKMNP-Z]{8}$'", name="invitations_have_readable_codes"),
    )

    program_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    campaign: str = Field(primary_key=True)
    code: str
    created_at: datetime = Field(sa_column=instant())


campaigns = core(CampaignRow)
invitations = core(InvitationRow)
