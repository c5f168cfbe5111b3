"""What must be true of back-tests: a result is kept as it was found."""

from collections.abc import Iterator

from sqlmodel import Session

from common.service import Finding
from services.points.backtests import use_cases


def check_backtests(session: Session) -> Iterator[Finding]:
    """Every result still has its digest."""
    kept, altered = use_cases.altered_results(session)
    yield Finding("results of back-tests are as found", kept, len(altered), ", ".join(map(str, altered[:10])))
