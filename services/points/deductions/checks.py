"""The invariants of deductions: what `verify` prints."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding
from services.points.deductions import repository


def check_deductions(session: Session) -> Iterable[Finding]:
    """Every deduction is a hold of its points, and gave back what the ledger reversed."""
    checked = repository.count(session)
    for name, wrong in (
        ("every deduction is a hold of its points", repository.unheld(session)),
        ("deductions gave back what their refunds say and the ledger reversed", repository.wrongly_returned(session)),
    ):
        yield Finding(name, checked, len(wrong), "; ".join("/".join(map(str, row)) for row in wrong[:3]))
