"""CloudEvents intake over HTTP, and the question why."""

import uuid
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from typing import Any

from flask import Response

from common.clock import now
from common.errors import NotFound
from common.http.callers import MEMBER, SERVICE, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import rehearsal, retried, transaction
from services.points.intake import clients, returns, schemas, use_cases
from services.points.intake.domain import Event
from services.points.intake.repository import Subject, canonical
from services.points.intake.use_cases import Taken
from services.points.intake.wordings import WORDINGS

routes = Routes("intake", wordings=WORDINGS, description="Outside events in, each once, and what came of them")


@routes.post(
    "/events",
    allow=(system("events"), SERVICE),
    body=schemas.EventSchema,
    most=schemas.MOST_EVENTS,
    one_of=schemas.EVENT_DOCUMENT,
    answer=schemas.EventResults,
    ready=True,
)
def take_in(caller: Identity, body: list[dict[str, Any]]) -> Response:
    """Take in one CloudEvent, or an array of up to 1,000, in their order.

    An event's `source` and `id` name it for ever: sent again, it gives its first result; with another content it is
    refused and nothing of the request is taken in.
    """
    subjects = [_subject(event["subject"]) for event in body]
    members = _members(caller.program_id, subjects)
    events = [_event(caller.program_id, event, members[who]) for event, who in zip(body, subjects, strict=True)]
    results = retried(
        lambda session: use_cases.take_in(session, program_id=caller.program_id, events=events, now=now())
    )
    # The texts are those that were stored: to dump a thousand results again costs as much as to decide them.
    return Response(f'{{"results":[{",".join(map(_answer, results))}]}}', content_type="application/json")


@routes.get(
    "/events",
    allow=(MEMBER, staff("customer_service"), staff("marketer"), system("read")),
    query=schemas.EventsQuery,
    answer=schemas.StoredEvents,
)
def list_events(caller: Identity, query: dict[str, Any]) -> dict[str, Any]:
    """Why, and why not: events with the decision of every rule that was asked."""
    program_id, order_id, limit = caller.program_id, query["order_id"], query["limit"]
    with transaction() as session:
        if query["source"] is not None:
            event = use_cases.show_event(session, program_id=program_id, source=query["source"], event_id=query["id"])
            if event is None or owner(caller, event["member_id"]) != event["member_id"]:
                raise NotFound()
            return {"events": [event]}
        if order_id is not None:
            # Staff and systems may ask about an order without knowing whose it is; members see theirs alone.
            asked = query["member_id"] if caller.kind != "member" else owner(caller, query["member_id"])
            of_order = {"order_id": order_id, "member_id": asked, "limit": limit}
            return {"events": use_cases.list_events_of_order(session, program_id=program_id, **of_order)}
        member_id = owner(caller, query["member_id"])
        return {"events": use_cases.list_events(session, program_id=program_id, member_id=member_id, limit=limit)}


@routes.post(
    "/returns/simulation",
    allow=(staff("customer_service"), system("events"), SERVICE),
    body=schemas.ReturnRequest,
    answer=schemas.ReturnResponse,
)
def simulate_return(caller: Identity, body: dict[str, Any]) -> returns.Trial:
    """What a refund of an order would take back, to the point: as the event would, and nothing is written."""
    who, name = _subject(body["subject"]), f"simulation-{uuid.uuid4()}"
    data = {name: body[name] for name in ("order_id", "refund_id", "refunded_fen")}
    data["refund_id"] = data["refund_id"] or name
    told = {"source": "simulation", "id": name, "type": "order.refunded", "time": body["time"] or now(), "data": data}
    event = _event(caller.program_id, {**told, "subject": body["subject"]}, _known(caller.program_id, who))
    return retried(
        lambda session: returns.try_return(session, program_id=caller.program_id, event=event, now=now()),
        unit=rehearsal,
    )


def _known(program_id: int, subject: Subject) -> int:
    """Who the subject is; raises `NotFound` for one never seen here, for to ask levels could make a member."""
    if subject[0] == "member":
        return int(subject[2])
    with transaction() as session:
        known, _ = use_cases.unknown_subjects(session, program_id=program_id, subjects=[subject])
    if subject not in known:
        raise NotFound()
    return known[subject]


def _members(program_id: int, subjects: list[Subject]) -> dict[Subject, int]:
    """Who the subjects are; levels is asked outside any transaction, and only about those never seen here."""
    members = {subject: int(subject[2]) for subject in subjects if subject[0] == "member"}
    outside = [subject for subject in subjects if subject not in members]
    if not outside:
        return members
    with transaction() as session:
        known, unknown = use_cases.unknown_subjects(session, program_id=program_id, subjects=outside)
    if unknown:
        answered = dict(zip(unknown, clients.resolve_members(program_id, unknown), strict=True))
        with transaction() as session:
            use_cases.remember_subjects(session, program_id=program_id, members=answered)
        known |= answered
    return members | known


def _subject(text: str) -> Subject:
    named, _, value = text.partition(":")
    kind, _, app = named.partition("/")
    return kind, app, value


def _answer(taken: Taken) -> str:
    replayed = "true" if taken.replayed else "false"
    source, event_id = quoted(taken.event.source), quoted(taken.event.id)
    return f'{{"source":{source},"id":{event_id},"replayed":{replayed},{taken.result[1:]}'


def _event(program_id: int, event: dict[str, Any], member_id: int) -> Event:
    text, time = canonical(event["data"]), event["time"]
    subject, kind = quoted(event["subject"]), quoted(event["type"])
    content = f'{text}\n{{"subject":{subject},"time":"{time.isoformat()}","type":{kind}}}'
    fingerprint = sha256(f"EVENT\n{program_id}\n{content}".encode()).digest()
    return Event(event["source"], event["id"], event["type"], member_id, time, event["data"], fingerprint, text)
