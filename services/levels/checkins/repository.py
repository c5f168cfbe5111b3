"""Every SQL statement over campaigns, check-ins and milestones."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer, Text, and_, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import Session

from common.arrays import values_of
from services.levels.checkins.domain import Campaign, CheckIn, Mark, Milestone, Reached, UnknownCampaign
from services.levels.checkins.models import campaigns, checkins, milestones, stocks
from services.levels.reward import from_json, to_json

# The last run of consecutive days: walked back from its end until a day is missing, so it costs the streak, not the
# history. Derived from rows whenever it is asked for, never stored (T6).
_LAST_RUN = text(
    "SELECT c.campaign, c.day AS run_start, l.run_end FROM"
    " (SELECT campaign, max(day) AS run_end FROM levels_checkins"
    "  WHERE program_id = :p AND member_id = :m AND (CAST(:c AS text) IS NULL OR campaign = :c)"
    "  GROUP BY campaign) l,"
    " LATERAL (SELECT campaign, day FROM levels_checkins d"
    "  WHERE program_id = :p AND member_id = :m AND campaign = l.campaign AND NOT EXISTS (SELECT FROM levels_checkins e"
    "   WHERE e.program_id = :p AND e.member_id = :m AND e.campaign = d.campaign AND e.day = d.day - 1)"
    "  ORDER BY day DESC LIMIT 1) c ORDER BY c.campaign"
)


def lock_campaign(session: Session, program_id: int, code: str) -> None:
    """Let one publication of a campaign happen at a time."""
    key = func.hashtextextended(f"levels campaign {program_id} {code}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def find_campaign(session: Session, program_id: int, code: str, version: int | None = None) -> Campaign | None:
    """A version of the campaign, the newest unless one is named; or None."""
    c = campaigns.c
    wanted = select(campaigns).where(c.program_id == program_id, c.code == code)
    if version is not None:
        wanted = wanted.where(c.version == version)
    row = session.execute(wanted.order_by(c.version.desc()).limit(1)).one_or_none()
    return _campaign(row) if row else None


def get_campaign(session: Session, program_id: int, code: str, version: int | None = None) -> Campaign:
    """A version of the campaign, the newest unless one is named; raises `UnknownCampaign`."""
    campaign = find_campaign(session, program_id, code, version)
    if campaign is None:
        raise UnknownCampaign(campaign=code)
    return campaign


def get_campaigns(session: Session, named: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Campaign]:
    """The newest version of each campaign `(program_id, code)`; raises `UnknownCampaign` for the first there is not."""
    c, wanted = campaigns.c, sorted(named)
    key = values_of(program_id=(Integer, [one[0] for one in wanted]), code=(Text, [one[1] for one in wanted]))
    mine = and_(c.program_id == key.c.program_id, c.code == key.c.code)
    newest = (
        select(campaigns)
        .ext(distinct_on(c.program_id, c.code))
        .join(key, mine)
        .order_by(c.program_id, c.code, c.version.desc())
    )
    found = {(row.program_id, row.code): _campaign(row) for row in session.execute(newest)}
    for one in wanted:
        if one not in found:
            raise UnknownCampaign(campaign=one[1])
    return found


def list_campaigns(session: Session, program_id: int) -> list[Campaign]:
    """The newest version of each campaign."""
    c = campaigns.c
    newest = (
        select(campaigns).ext(distinct_on(c.code)).where(c.program_id == program_id).order_by(c.code, c.version.desc())
    )
    return [_campaign(row) for row in session.execute(newest)]


def add_campaign(session: Session, program_id: int, campaign: Campaign, *, by: str, now: datetime) -> None:
    """Insert a version."""
    terms = {
        "name_en": campaign.name_en,
        "name_zh": campaign.name_zh,
        "cycle": campaign.cycle,
        "day_table": [to_json(reward) for reward in campaign.day_table],
        "milestones": [
            {**asdict(one), "reward": to_json(one.reward), "fallback": to_json(one.fallback)}
            for one in campaign.milestones
        ],
    }
    key = {"program_id": program_id, "code": campaign.code, "version": campaign.version}
    session.execute(insert(campaigns).values(**key, published_at=now, published_by=by, terms=terms))


def lock_stock(session: Session, program_id: int, campaign: str, streak: int) -> tuple[int, int]:
    """`(stock, taken)` of a milestone, locked; (0, 0) when it never had a stock."""
    c = stocks.c
    mine = select(c.stock, c.taken).where(c.program_id == program_id, c.campaign == campaign, c.streak == streak)
    row = session.execute(mine.with_for_update()).one_or_none()
    return (row.stock, row.taken) if row else (0, 0)


def put_stock(session: Session, program_id: int, campaign: str, streak: int, stock: int) -> None:
    """Set how many of a milestone's rewards there are; the caller has locked what there was."""
    row = {"program_id": program_id, "campaign": campaign, "streak": streak, "stock": stock}
    keys = ["program_id", "campaign", "streak"]
    session.execute(
        insert(stocks).values(**row, taken=0).on_conflict_do_update(index_elements=keys, set_={"stock": stock})
    )


def take_stock(session: Session, program_id: int, campaign: str, streak: int, amount: int) -> None:
    """Count `amount` rewards as given; the table refuses more than there are."""
    c = stocks.c
    mine = update(stocks).where(c.program_id == program_id, c.campaign == campaign, c.streak == streak)
    session.execute(mine.values(taken=c.taken + amount))


def find_enrolment(session: Session, program_id: int, member_id: int, campaign: str) -> date | None:
    """The day of the member's first check-in in the campaign, or None."""
    c = checkins.c
    mine = select(func.min(c.day)).where(c.program_id == program_id, c.member_id == member_id, c.campaign == campaign)
    enrolled_on: date | None = session.execute(mine).scalar_one()
    return enrolled_on


def find_run(session: Session, program_id: int, member_id: int, campaign: str) -> tuple[date | None, date | None]:
    """First and last day of the member's last run of consecutive days; (None, None) without any."""
    row = session.execute(_LAST_RUN, {"p": program_id, "m": member_id, "c": campaign}).one_or_none()
    return (row.run_start, row.run_end) if row else (None, None)


def list_runs(session: Session, program_id: int, member_id: int) -> list[tuple[str, date, date]]:
    """`(campaign, first day, last day)` of the member's last run in each campaign."""
    rows = session.execute(_LAST_RUN, {"p": program_id, "m": member_id, "c": None})
    return [(row.campaign, row.run_start, row.run_end) for row in rows]


def list_checkins(
    session: Session, program_id: int, member_id: int, campaign: str, first: date, last: date
) -> list[CheckIn]:
    """The member's check-ins from `first` to `last`, both included."""
    c = checkins.c
    mine = select(checkins).where(
        c.program_id == program_id, c.member_id == member_id, c.campaign == campaign, c.day.between(first, last)
    )
    return [_checkin(row) for row in session.execute(mine.order_by(c.day))]


def lock_due_milestones(session: Session, limit: int) -> list[Reached]:
    """Milestones reached and not handed out, in the order in which they were reached; a second job waits its turn."""
    c = milestones.c
    shown = (c.program_id, c.member_id, c.campaign, c.streak, c.version, c.day, c.at)
    due = select(*shown).where(c.granted_at.is_(None)).order_by(c.at, c.member_id).limit(limit)
    return [Reached(*row) for row in session.execute(due.with_for_update())]


def mark_granted(session: Session, granted: Iterable[Reached], *, gift: bool, now: datetime) -> None:
    """These milestones are handed out: the reward itself (`gift`) or its fallback."""
    c = milestones.c
    which = [(one.program_id, one.member_id, one.campaign, one.streak) for one in granted]
    key = tuple_(c.program_id, c.member_id, c.campaign, c.streak)
    session.execute(update(milestones).where(key.in_(which)).values(granted_at=now, gift=gift))


def list_milestones(session: Session, program_id: int, member_id: int, campaign: str) -> list[Mark]:
    """The milestones that the member has reached."""
    c = milestones.c
    mine = select(c.streak, c.day, c.gift).where(
        c.program_id == program_id, c.member_id == member_id, c.campaign == campaign
    )
    return [Mark(*row) for row in session.execute(mine.order_by(c.streak))]


def _campaign(row: Any) -> Campaign:
    terms = row.terms
    table = tuple(from_json(reward) for reward in terms["day_table"])
    marks = tuple(
        Milestone(one["streak"], from_json(one["reward"]), one["stock"], from_json(one["fallback"]))
        for one in terms["milestones"]
    )
    return Campaign(row.code, row.version, terms["name_en"], terms["name_zh"], terms["cycle"], table, marks)


def _checkin(row: Any) -> CheckIn:
    return CheckIn(row.program_id, row.member_id, row.campaign, row.day, row.at, row.version, from_json(row.reward))
