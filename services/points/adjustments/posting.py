"""An adjustment as a command of the ledger, and the undoing of one."""

from typing import Any

from sqlmodel import Session

from common.clock import epoch_day
from services.points.adjustments import repository
from services.points.adjustments.domain import Status
from services.points.ledger.domain import Kind
from services.points.ledger.use_cases import Command, Redating


def command(row: Any) -> Command:
    """What posts an adjustment; its key names it, so that it is posted once for ever."""
    if row.to_on is not None:
        return _redating(row)
    return Command(
        scope="adjustment",
        key=f"{row.member_id}/{row.id}",
        kind=Kind.EARN if row.amount > 0 else Kind.SPEND,
        member_id=row.member_id,
        asset=row.asset,
        amount=abs(row.amount),
        validity=row.validity,
        whole=True,
        allow_debt=row.allow_debt,
        cause=f"adjustment {row.id}",
        meta=_meta(row),
    )


def _redating(row: Any) -> Command:
    return Command(
        scope="adjustment",
        key=f"{row.member_id}/{row.id}",
        kind=Kind.REDATE,
        member_id=row.member_id,
        asset=row.asset,
        amount=row.amount,
        redating=Redating(epoch_day(row.from_on), epoch_day(row.until_on), epoch_day(row.to_on)),
        cause=f"adjustment {row.id}",
        meta=_meta(row),
    )


def undoing(session: Session, row: Any) -> Command:
    """What takes back the adjustment that the row undoes, which is undone from now on."""
    # Only one undoing of a posted adjustment can wait or be posted, so it is posted still.
    original = repository.get_adjustment(session, row.program_id, row.undoes, lock=True)
    repository.change(session, original, status=Status.UNDONE.value, undone_by=row.id)
    return Command(
        scope="adjustment",
        key=f"{row.member_id}/{row.id}",
        kind=Kind.REVERSE,
        member_id=row.member_id,
        asset=row.asset,
        amount=abs(row.amount),
        reverses_posting=original.posting_id.bytes,
        up_to=row.to_on is not None,
        cause=f"adjustment {row.id}",
        meta=_meta(row),
    )


def _meta(row: Any) -> dict[str, Any]:
    """What the entry carries for ever: no notes, for those may be personal data."""
    meta = {"reason_code": row.reason_code, "agent": row.requested_by}
    return {**meta, "approved_by": row.decided_by} if row.decided_by else meta
