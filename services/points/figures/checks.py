"""The invariants of the rollup (ledger.md §6.13): what `verify` prints."""

from collections.abc import Iterable
from typing import Any

from sqlmodel import Session

from common.service import Finding
from services.points.figures import repository


def check_figures(session: Session) -> Iterable[Finding]:
    """The rollup is what the entries behind its cursor say, and the trial balance is zero."""
    checked, wrong = repository.differences(session)
    yield Finding("daily figures = the entries folded so far", checked, len(wrong), _keys(wrong, 5))
    checked, wrong = repository.imbalances(session)
    yield Finding("the trial balance is zero", checked, len(wrong), _keys(wrong, 2))


def _keys(rows: list[Any], width: int) -> str:
    return "; ".join("/".join(map(str, row[:width])) for row in rows[:3])
