"""CloudEvents intake over HTTP, and the question why."""

from hashlib import sha256
from typing import Any

from flask import Response

from common.clock import now
from common.errors import NotFound
from common.http.callers import MEMBER, SERVICE, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import retried, transaction
from services.points.intake import clients, schemas, use_cases
from services.points.intake.domain import Event
from services.points.intake.repository import Subject, canonical
from services.points.intake.results import as_json
from services.points.intake.use_cases import Taken

routes = Routes("intake", description="Outside events in, each once, and what came of them")


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
    members = _members(caller.program_id, [_subject(event["subject"]) for event in body])
    events = [_event(caller.program_id, event, members) for event in body]
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
    with transaction() as session:
        if query["source"] is not None:
            found = use_cases.show_event(
                session, program_id=caller.program_id, source=query["source"], event_id=query["id"]
            )
            if found is None or owner(caller, found.member_id) != found.member_id:
                raise NotFound()
            return {"events": [found]}
        if query["order_id"] is not None:
            # Staff and systems may ask about an order without knowing whose it is; members see theirs alone.
            asked = query["member_id"] if caller.kind != "member" else owner(caller, query["member_id"])
            found = use_cases.list_events_of_order(
                session,
                program_id=caller.program_id,
                order_id=query["order_id"],
                member_id=asked,
                limit=query["limit"],
            )
            return {"events": found}
        member_id = owner(caller, query["member_id"])
        return {
            "events": use_cases.list_events(
                session, program_id=caller.program_id, member_id=member_id, limit=query["limit"]
            )
        }


def _members(program_id: int, subjects: list[Subject]) -> dict[Subject, int]:
    """Who the subjects are; levels is asked outside any transaction, and only about those never seen here."""
    members = {subject: int(subject[2]) for subject in subjects if subject[0] == "member"}
    with transaction() as session:
        outside = [subject for subject in subjects if subject not in members]
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
    named = as_json({"source": taken.event.source, "id": taken.event.id, "replayed": taken.replayed})
    return f"{named[:-1]},{taken.result[1:]}"


def _event(program_id: int, event: dict[str, Any], members: dict[Subject, int]) -> Event:
    text = canonical(event["data"])
    content = canonical({"subject": event["subject"], "time": event["time"].isoformat(), "type": event["type"]})
    return Event(
        event["source"],
        event["id"],
        event["type"],
        members[_subject(event["subject"])],
        event["time"],
        event["data"],
        sha256(f"EVENT\n{program_id}\n{text}\n{content}".encode()).digest(),
        text,
    )
