"""Freezing and unfreezing: a line in the ledger like any other, with its agent and reason."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from common.clock import from_epoch_us
from common.identity import Identity
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind, Outcome, Status
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import ProgramBook, read_book

_ALREADY = {Kind.FREEZE: Status.ALREADY_FROZEN, Kind.UNFREEZE: Status.NOT_FROZEN}


@dataclass(frozen=True, slots=True)
class Frozen:
    """What became of one account; `changed` is false when it stood so already."""

    asset: str
    frozen: bool
    changed: bool
    posting_id: uuid.UUID | None
    at: datetime | None


def turn(
    session: Session,
    *,
    program_id: int,
    kind: Kind,
    asset: str,
    member_id: int,
    reason: str,
    by: Identity,
    now: datetime,
) -> dict[str, Any]:
    """Freeze or unfreeze one account. Raises `UnknownAsset`, and the ledger's refusal when it stands so already."""
    book = read_book(session, program_id)
    [outcome] = _post(session, book, kind, [asset], member_id=member_id, reason=reason, by=by, now=now)
    if outcome.status != Status.POSTED:
        raise ledger.refusal_of(outcome)
    return {"member_id": member_id, "account": _shown(kind, asset, outcome)}


def turn_all(
    session: Session, *, program_id: int, kind: Kind, member_id: int, reason: str, by: Identity, now: datetime
) -> dict[str, Any]:
    """The same with every account of the member, those of assets that nothing was earned of yet among them."""
    book = read_book(session, program_id)
    assets = sorted(book.by_code, key=lambda code: book.by_code[code].id)
    outcomes = _post(session, book, kind, assets, member_id=member_id, reason=reason, by=by, now=now)
    assert all(outcome.status in (Status.POSTED, _ALREADY[kind]) for outcome in outcomes), "freezing has one refusal"
    shown = [_shown(kind, asset, outcome) for asset, outcome in zip(assets, outcomes, strict=True)]
    return {"member_id": member_id, "accounts": shown}


def _post(
    session: Session,
    book: ProgramBook,
    kind: Kind,
    assets: list[str],
    *,
    member_id: int,
    reason: str,
    by: Identity,
    now: datetime,
) -> list[Outcome]:
    program_id, freezing = book.program.program_id, uuid.uuid4()
    commands = [
        Command(
            scope="freeze",
            key=f"{member_id}/{freezing}/{asset}",
            kind=kind,
            member_id=member_id,
            asset=asset,
            amount=0,
            cause=by.actor,
            reason=reason,
            meta={"agent": by.subject},
        )
        for asset in assets
    ]
    lines = [ledger.line_of(book, command, now=now) for command in commands]
    return ledger.post(session, lines, zones={program_id: book.program.time_zone})


def _shown(kind: Kind, asset: str, outcome: Outcome) -> Frozen:
    changed = outcome.status == Status.POSTED
    at = from_epoch_us(outcome.at_us) if changed else None
    posting_id = uuid.UUID(bytes=outcome.posting_id) if changed else None
    return Frozen(asset, kind == Kind.FREEZE, changed, posting_id, at)
