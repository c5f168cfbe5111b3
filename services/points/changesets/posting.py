"""A changeset's line as a command of the ledger, and the ledger's no as a fault of the line."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from services.points.changesets import repository
from services.points.changesets.domain import Fault, Line
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind, Outcome
from services.points.ledger.use_cases import Command

_SCOPE = "changeset"


def command(row: Any, line: Line) -> Command:
    """What posts the line; its key names changeset, sheet and line, so that it is posted once for ever."""
    assert line.member_id is not None, "nobody's line cannot be posted"
    return Command(
        scope=_SCOPE,
        key=_key(row.id, line),
        kind=Kind.EARN if line.amount > 0 else Kind.SPEND,
        member_id=line.member_id,
        asset=line.asset,
        amount=abs(line.amount),
        validity=line.validity,
        whole=True,
        cause=f"changeset {row.id}",
        meta=_meta(row, line, row.uploaded_by, row.approved_by),
    )


def reversal(row: Any, line: Line) -> Command:
    """What takes back exactly what the line posted."""
    assert line.member_id is not None, "nobody's line was never posted"
    return Command(
        scope=f"{_SCOPE} undo",
        key=_key(row.id, line),
        kind=Kind.REVERSE,
        member_id=line.member_id,
        asset=line.asset,
        amount=abs(line.amount),
        reverses_posting=ledger.posting_id(row.program_id, _SCOPE, _key(row.id, line)),
        cause=f"changeset {row.id}",
        meta=_meta(row, line, row.undo_requested_by, row.undo_approved_by),
    )


def refused(line: Line, outcome: Outcome) -> Fault:
    """Why the ledger would not post the line."""
    refusal = ledger.refusal_of(outcome)
    return line.fault(refusal.code, "amount", **refusal.facts)


def opened_twice(session: Session, row: Any, *, known: Sequence[Fault] = ()) -> list[Fault]:
    """Opening balances of accounts that have one already; those that are `known` as duplicates are not said again."""
    said = {(fault.part, fault.line) for fault in known}
    return [
        Fault(part, line, "", "opened_already", {"changeset": name})
        for part, line, name in dict.fromkeys(repository.opened_twice(session, row))
        if (part, line) not in said
    ]


def _key(changeset_id: uuid.UUID, line: Line) -> str:
    return f"{line.member_id}/{changeset_id}/{line.part}/{line.line}"


def _meta(row: Any, line: Line, agent: str, approver: str | None) -> dict[str, Any]:
    """What the entry carries for ever: no notes, for those may be personal data."""
    meta = {"reason_code": line.reason, "agent": agent, "part": line.part, "line": line.line}
    return {**meta, "approved_by": approver} if approver else meta
