"""`GET /feed`: the facts of this service in commit order, for its neighbours only."""

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, validate

from common.feed import Fact, page
from common.feed.producer import BadCursor
from common.http.callers import SERVICE
from common.http.fields import Instant, query_integer
from common.http.problems import edge_problem
from common.http.routes import Routes

if TYPE_CHECKING:
    from common.service import Service

MOST = 1000


class FeedQuery(Schema):
    """Where to go on, how much, and which topics (comma-separated; all when empty)."""

    after = fields.String(load_default="", validate=validate.Length(max=8192))
    limit = query_integer(1, MOST, load_default=500)
    topics = fields.String(load_default="")


class FactSchema(Schema):
    """One fact."""

    id = fields.Integer(required=True)
    topic = fields.String(required=True)
    program_id = fields.Integer(required=True)
    member_id = fields.Integer(required=True, allow_none=True)
    at = Instant(required=True)
    payload = fields.Dict(required=True)


class FeedPage(Schema):
    """Facts in commit order, and the cursor to send next."""

    facts = fields.List(fields.Nested(FactSchema), required=True)
    cursor = fields.String(required=True)
    more = fields.Boolean(required=True)


def feed_routes(service: "Service") -> Routes:
    """The feed endpoint of one service."""
    routes = Routes("feed", prefix="/", description="Facts for the neighbours")

    @routes.get("/feed", allow=(SERVICE,), query=FeedQuery, answer=FeedPage, ready=True)
    def read_feed(caller: object, query: dict[str, Any]) -> dict[str, Any]:
        """The facts behind a cursor."""
        topics = [topic for topic in query["topics"].split(",") if topic]
        try:
            with service.database.transaction() as session:
                found = page(
                    session,
                    service.feed,
                    after=query["after"],
                    limit=query["limit"],
                    topics=topics,
                    expand=service.expand,
                )
        except BadCursor as error:
            errors = [{"pointer": "/query/after", "detail": "This is not a cursor of this feed."}]
            raise edge_problem("invalid_request", errors=errors) from error
        return {"facts": list(map(_shown, found.facts)), "cursor": found.cursor, "more": found.more}

    return routes


def _shown(fact: Fact) -> dict[str, Any]:
    """As `FactSchema` shows it, which takes ten times as long; the database speaks UTC."""
    return {
        "id": fact.id,
        "topic": fact.topic,
        "program_id": fact.program_id,
        "member_id": fact.member_id,
        "at": fact.at.isoformat().replace("+00:00", "Z"),
        "payload": fact.payload,
    }
