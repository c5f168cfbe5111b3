"""What finance asks of the journal, and keeping the rollup that answers it, one function a sentence."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from common.clock import business_day
from common.feed import Fact
from services.points.figures import domain, repository
from services.points.figures.domain import Balanced, Day, Rate
from services.points.programs.use_cases import program_book, read_book

#: What the rollup takes from our own feed.
TOPICS = ("ledger.entry", "program.configured")
#: An entry is a pointer there: thousands of them are one statement.
_FACTS_A_PAGE = 5000
#: What is shown when nobody says which days.
_USUAL_DAYS = 30


def fold(session: Session) -> bool:
    """Fold the next entries of our own feed into the rollup; whether more stand ready.

    A program that was set up or changed has all its days cut anew, for they are those of its zone as it is now.
    """
    page = repository.next_facts(session, TOPICS, limit=_FACTS_A_PAGE)
    if page is None:
        return False
    told = [fact for fact in page.facts if fact.topic == "ledger.entry"]
    repository.add_entries(session, [_pointer(fact) for fact in told])
    for program_id in sorted({fact.program_id for fact in page.facts if fact.topic == "program.configured"}):
        repository.unlimited(session)
        repository.refold(session, program_id=program_id)
    return page.more


def rebuild(session: Session) -> tuple[int, str]:
    """Make the whole rollup anew from the entries; returns how many rows it has, and their digest."""
    repository.unlimited(session)
    return repository.refold(session), repository.digest(session)


def liability(
    session: Session,
    *,
    program_id: int,
    asset: str,
    first: date | None,
    last: date | None,
    rate: Rate | None,
    now: datetime,
) -> dict[str, Any]:
    """An asset day by day: what was issued, redeemed, expired, and what was outstanding when the day closed.

    The last 30 days when none are named. Money only with a rate. Raises `UnknownAsset`, `BadRange`.
    """
    book = program_book(session, program_id)
    asset_id = book.asset(asset).id
    last = last or max(business_day(now, book.program.time_zone), first or date.min)
    first = first or last - timedelta(days=_USUAL_DAYS - 1)
    domain.check_range(first, last)
    sums = [one for _, one in repository.sums(session, program_id, asset_id)]
    shown = [_shown(day, rate) for day in domain.days(sums, first=first, last=last)]
    return {"asset": asset, "first": first, "last": last, "rate": rate, "as_of": now, "days": shown}


def trial_balance(session: Session, *, program_id: int, now: datetime) -> dict[str, Any]:
    """Every asset's accounts, the members' and the program's own, of one instant; they add up to zero.

    To be asked in one snapshot. Raises `UnknownProgram`.
    """
    book = read_book(session, program_id)
    owned = repository.balances(session, program_id)
    sums = repository.sums(session, program_id)
    assets = [
        Balanced(
            asset.code,
            *owned.get(asset.id, (0, 0)),
            domain.flows(one for asset_id, one in sums if asset_id == asset.id),
        )
        for asset in book.by_code.values()
    ]
    return {"as_of": now, "balanced": not any(asset.difference for asset in assets), "assets": assets}


def _shown(day: Day, rate: Rate | None) -> dict[str, Any]:
    moved = {name: getattr(day.flows, name) for name in day.flows.__dataclass_fields__}
    return {
        "day": day.day,
        **moved,
        "pending": day.pending,
        "held": day.held,
        "outstanding": day.outstanding,
        "liability_fen": rate.worth(day.outstanding) if rate else None,
    }


def _pointer(fact: Fact) -> repository.Pointer:
    return fact.program_id, fact.member_id or 0, fact.payload["asset_id"], fact.payload["seq"]
