"""Showing a member's timeline, and explaining what became of an order."""

from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from services.points.intake import use_cases as intake
from services.points.ledger.balances import by_day
from services.points.ledger.domain import Kind
from services.points.programs.use_cases import read_book
from services.points.timelines import domain, findings, repository
from services.points.timelines.domain import Place
from services.points.timelines.findings import Entry, OrderEvent

#: What of an entry's details belongs to its story.
_OF_META = (
    "reason_code",
    "agent",
    "approved_by",
    "reason",
    "to_member_id",
    "from_member_id",
    "available_at",
    "uncollected",
    "wanted",
    "capped",
    "factor",
    "campaign",
    "variant",
    "exchange",
)
_LATEST = Place(datetime(2200, 1, 1, tzinfo=UTC), 99, "")


def timeline(
    session: Session, *, program_id: int, member_id: int, after: str | None, limit: int, for_staff: bool
) -> dict[str, Any]:
    """A page of what happened to a member, newest first, each item with its cause; `next` is where to go on.

    Members see neither who of the staff did something nor what they wrote. Raises `BadPlace`.
    """
    before = domain.place_of(after) if after else _LATEST
    rows = repository.list_items(session, program_id, member_id, before=before, limit=limit)
    causes = [row.doc["cause_text"] for row in rows if row.doc.get("cause_text")]
    events = repository.known_events(session, program_id, member_id, domain.event_keys(causes))
    grants = repository.grants_of(session, program_id, member_id, causes)
    docs = intake.in_full(session, program_id=program_id, kept=[row.doc for row in rows])
    items = [_item(row, doc, events, grants) for row, doc in zip(rows, docs, strict=True)]
    if not for_staff:
        items = [domain.for_members(item) for item in items]
    last = rows[-1] if len(rows) == limit else None
    return {"items": items, "next": Place(last.at, last.source, last.key).text() if last else None}


def explain(session: Session, *, program_id: int, order_id: str, member_id: int | None, now: datetime) -> Any:
    """What became of an order and why: its events, every rule considered, and the next step for who is asked."""
    zone = read_book(session, program_id).program.time_zone
    rows = repository.events_of_order(session, program_id, order_id)
    results = intake.in_full(session, program_id=program_id, kept=[row.result for row in rows])
    causes = [(row.member_id, f"{row.source} {row.id}") for row in rows]
    events = [
        OrderEvent(f"{row.source} {row.id}", row.type, row.member_id, row.time, row.data, result)
        for row, result in zip(rows, results, strict=True)
    ]
    entries = [
        Entry(row.member_id, row.asset, Kind(row.kind), row.amount, row.cause, row.at, row.waits, row.available_at)
        for row in repository.earnings_of_causes(session, program_id, causes)
    ]
    found = findings.explain(order_id, events, entries, asked=member_id, now=now, zone=zone)
    told = [{**row._mapping, "result": result} for row, result in zip(rows, results, strict=True)]
    return {
        "order_id": order_id,
        "member_id": found.member_id,
        "verdict": found.verdict,
        "findings": found.findings,
        "totals": found.totals,
        "events": told if member_id is None or not found.elsewhere else [],
    }


def _item(row: Any, doc: dict[str, Any], events: set[tuple[str, str]], grants: dict[str, str]) -> dict[str, Any]:
    cause_text = doc.pop("cause_text", None)
    item: dict[str, Any] = {"at": row.at, "kind": row.kind}
    if row.kind == "entry":
        meta = doc.pop("meta") or {}
        doc["entry"] = Kind(doc["entry"]).name.lower()
        if moves := doc.pop("lots"):
            doc["lots"] = by_day(moves)
        item |= {name: meta[name] for name in _OF_META if name in meta}
    if cause_text is not None:
        item["cause"] = domain.cause_of(cause_text, events=events, grants=grants if row.kind == "entry" else {})
    return {**doc, **item}
