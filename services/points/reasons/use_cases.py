"""The report on what staff gave and took, for finance and marketers."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.clock import business_day
from services.points.adjustments.use_cases import show_policy
from services.points.ledger.balances import month_bounds
from services.points.programs.use_cases import read_book
from services.points.reasons import domain, repository


def report(
    session: Session, *, program_id: int, first: str | None, last: str | None, asset: str | None, now: datetime
) -> dict[str, Any]:
    """What was posted by hand in these months, by month, asset, reason and agent, and in all by asset and reason.

    The last twelve months when none are named. Reasons that left the program's list keep their code for a name.
    Raises `UnknownAsset`, `BadMonths`.
    """
    book = read_book(session, program_id)
    if asset is not None:
        book.asset(asset)
    zone = book.program.time_zone
    first, last = domain.months(first, last, today=business_day(now, zone))
    begin, _ = month_bounds(first, zone)
    _, after = month_bounds(last, zone)
    rows = repository.sum_by_reason(session, program_id, first=begin, after=after, asset=asset, zone=zone)
    names = {one.code: one for one in show_policy(session, program_id=program_id).reasons}
    return {
        "first": first,
        "last": last,
        "as_of": now,
        "totals": [{"of": one, "name": names.get(one.reason_code)} for one in domain.totals(rows)],
        "rows": [{"of": one, "name": names.get(one.reason_code)} for one in rows],
    }
