"""Every SQL statement over invitation campaigns and codes."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, Row, Text, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import Session

from common.arrays import values_of
from services.referrals.invitations.domain import Campaign, Invitation, Terms, UnknownCampaign
from services.referrals.invitations.models import campaigns, invitations


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
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"invitation:{program_id}:{code}", 0))))


def add_campaign(session: Session, campaign: Campaign, *, created_by: str, now: datetime) -> None:
    """Insert one version."""
    key = {"program_id": campaign.program_id, "code": campaign.code, "version": campaign.version}
    made = {"created_by": created_by, "created_at": now}
    session.execute(insert(campaigns).values(**key, **asdict(campaign.terms), **made))


def add_invitation(session: Session, invitation: Invitation, now: datetime) -> bool:
    """Insert the member's invitation; false when there is one already, or the code is taken."""
    row = insert(invitations).values(**asdict(invitation), created_at=now)
    return session.execute(row.on_conflict_do_nothing().returning(invitations.c.code)).first() is not None


def find_invitation(session: Session, program_id: int, member_id: int, campaign: str) -> Invitation | None:
    """The member's invitation in the campaign."""
    mine = select(invitations).where(
        invitations.c.program_id == program_id,
        invitations.c.member_id == member_id,
        invitations.c.campaign == campaign,
    )
    row = session.execute(mine).one_or_none()
    return _invitation(row) if row else None


def find_by_code(session: Session, program_id: int, code: str) -> Invitation | None:
    """The invitation of that code."""
    named = select(invitations).where(invitations.c.program_id == program_id, invitations.c.code == code)
    row = session.execute(named).one_or_none()
    return _invitation(row) if row else None


def list_invitations(session: Session, program_id: int, member_id: int) -> list[Invitation]:
    """The member's invitations, oldest first."""
    mine = select(invitations).where(invitations.c.program_id == program_id, invitations.c.member_id == member_id)
    ordered = mine.order_by(invitations.c.created_at, invitations.c.campaign)
    return [_invitation(row) for row in session.execute(ordered)]


def lock_invitations(session: Session, keys: Iterable[tuple[int, int, str]]) -> None:
    """Lock `(program_id, member_id, campaign)` in key order: whoever counts against an inviter's limits holds this."""
    wanted = sorted(set(keys))
    key = values_of(
        program_id=(Integer, [k[0] for k in wanted]),
        member_id=(BigInteger, [k[1] for k in wanted]),
        campaign=(Text, [k[2] for k in wanted]),
    )
    table = invitations.c
    same = and_(
        table.program_id == key.c.program_id, table.member_id == key.c.member_id, table.campaign == key.c.campaign
    )
    ordered = select(table.code).join(key, same).order_by(table.program_id, table.member_id, table.campaign)
    session.execute(ordered.with_for_update(of=invitations, key_share=True)).all()


def _campaign(row: Row[Any]) -> Campaign:
    terms = Terms(**{field.name: row._mapping[field.name] for field in fields(Terms)})
    return Campaign(row.program_id, row.code, row.version, terms)


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(row.program_id, row.member_id, row.campaign, row.code)
