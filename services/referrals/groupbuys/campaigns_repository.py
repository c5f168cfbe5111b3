"""Every SQL statement over group-buy campaigns."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session

from services.referrals.groupbuys.domain import Campaign, Terms, UnknownCampaign
from services.referrals.groupbuys.models import campaigns


def get_campaign(session: Session, program_id: int, code: str, version: int | None = None) -> Campaign:
    """That version of the campaign, the newest when none is named; raises `UnknownCampaign`."""
    wanted = select(campaigns).where(campaigns.c.program_id == program_id, campaigns.c.code == code)
    if version is not None:
        wanted = wanted.where(campaigns.c.version == version)
    row = session.execute(wanted.order_by(campaigns.c.version.desc()).limit(1)).one_or_none()
    if row is None:
        raise UnknownCampaign(campaign=code)
    return _campaign(row)


def list_campaigns(session: Session, program_id: int) -> list[Campaign]:
    """The newest version of each campaign, by code."""
    newest = (
        select(campaigns)
        .ext(distinct_on(campaigns.c.code))
        .where(campaigns.c.program_id == program_id)
        .order_by(campaigns.c.code, campaigns.c.version.desc())
    )
    return [_campaign(row) for row in session.execute(newest)]


def lock_campaign(session: Session, program_id: int, code: str) -> None:
    """Let one set-up of this campaign happen at a time, also the first one."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"groupbuy:{program_id}:{code}", 0))))


def add_campaign(session: Session, campaign: Campaign, *, created_by: str, now: datetime) -> None:
    """Insert one version."""
    key = {"program_id": campaign.program_id, "code": campaign.code, "version": campaign.version}
    made = {"created_by": created_by, "created_at": now}
    session.execute(insert(campaigns).values(**key, **asdict(campaign.terms), **made))


def _campaign(row: Row[Any]) -> Campaign:
    terms = Terms(**{field.name: row._mapping[field.name] for field in fields(Terms)})
    return Campaign(row.program_id, row.code, row.version, terms)
