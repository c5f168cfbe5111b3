"""SQL over the recorded events in the order of their time; and over what they were really awarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from common import arrays

#: An event's place in the order of time: its time, source and id.
Place = tuple[datetime, str, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events behind the place `after`, before `until` (and not behind `upto`), that were received before `known_at`.

    With `types`, only those.
    """

    program_id: int
    after: Place
    until: datetime
    known_at: datetime
    types: tuple[str, ...] | None = None
    upto: Place | None = None

    def named(self) -> dict[str, Any]:
        """The values that `_STRETCH` binds."""
        upto = self.upto or (None, None, None)
        return {
            "p": self.program_id,
            **dict(zip(("after_time", "after_source", "after_id"), self.after, strict=True)),
            **dict(zip(("upto_time", "upto_source", "upto_id"), upto, strict=True)),
            "until": self.until,
            "known_at": self.known_at,
            "types": None if self.types is None else arrays.texts(self.types),
        }


_STRETCH = """
   e.program_id = :p AND e.time < :until AND (e.time, e.source, e.id) > (:after_time, :after_source, :after_id)
   AND e.received_at < :known_at
   AND (CAST(:types AS text[]) IS NULL OR e.type = ANY(CAST(:types AS text[])))
   AND (CAST(:upto_time AS timestamptz) IS NULL
        OR (e.time, e.source, e.id) <= (CAST(:upto_time AS timestamptz), :upto_source, :upto_id))"""

# A payment or confirmation counted when its result gives no reason against it. Whether any refund of its order came is
# looked up order by order (OFFSET keeps it so) in an index of those alone: hashing them all for each page would cost
# more the longer it goes on.
_EVENTS = f"""
SELECT e.time, e.source, e.id, e.type, e.member_id, e.data::text AS data, e.result ->> 'reason' IS NULL AS counted,
       o.refunded IS NOT NULL AS refunded
  FROM (SELECT * FROM points_events e WHERE {_STRETCH} ORDER BY e.time, e.source, e.id LIMIT :limit) e
  LEFT JOIN LATERAL (
       SELECT true AS refunded FROM points_orders o
        WHERE e.type IN ('order.paid', 'order.confirmed') AND o.program_id = e.program_id
          AND o.member_id = e.member_id AND o.order_id = e.data ->> 'order_id' AND o.refunded_fen > 0
        OFFSET 0) o ON true
 ORDER BY e.time, e.source, e.id"""  # noqa: S608 - our own words only

# What late events changed of an award stands as `amended` with its own event. A refund counts when its order was
# paid in the counted time, as in a replay: orders of before cost the same whatever the rules say.
_AWARDS = f"""
WITH seen AS (
  SELECT e.program_id, e.member_id, e.time, e.type, e.data, e.result
    FROM points_events e WHERE {_STRETCH} AND e.time >= :since)
SELECT CAST(s.time AT TIME ZONE :zone AS date) AS day, d.rule, d.asset, count(*) AS awards, sum(d.amount) AS amount
  FROM seen s CROSS JOIN LATERAL jsonb_to_recordset(s.result -> 'decisions') AS d(rule text, asset text, amount bigint)
 WHERE d.amount > 0 GROUP BY 1, 2, 3
UNION ALL
SELECT CAST(s.time AT TIME ZONE :zone AS date), a.rule, d.asset, 0, sum(a."to" - a."from")
  FROM seen s CROSS JOIN LATERAL jsonb_to_recordset(s.result -> 'amended') AS a(rule text, "from" bigint, "to" bigint)
 CROSS JOIN LATERAL jsonb_to_recordset(s.result -> 'decisions') AS d(rule text, asset text)
 WHERE s.result ? 'amended' AND d.rule = a.rule GROUP BY 1, 2, 3
UNION ALL
SELECT CAST(s.time AT TIME ZONE :zone AS date), d.rule, d.asset, 0, -sum(d.amount)
  FROM seen s
 CROSS JOIN LATERAL (
       SELECT (SELECT b.time FROM points_events b
                WHERE b.program_id = o.program_id AND b.source = split_part(o.paid_event, ' ', 1)
                  AND b.id = split_part(o.paid_event, ' ', 2)) AS at
         FROM points_orders o
        WHERE o.program_id = s.program_id AND o.member_id = s.member_id AND o.order_id = s.data ->> 'order_id'
       OFFSET 0) paid
 CROSS JOIN LATERAL jsonb_to_recordset(s.result -> 'reversed') AS d(rule text, asset text, amount bigint)
 WHERE s.result -> 'reversed' <> '[]' AND paid.at >= :since AND d.amount > 0 GROUP BY 1, 2, 3"""  # noqa: S608 - our own


def count_events(session: Session, stretch: Stretch) -> int:
    """How many there are."""
    counted = text(f"SELECT count(*) FROM points_events e WHERE {_STRETCH}")  # noqa: S608 - our own words only
    return int(session.execute(counted, stretch.named()).scalar_one())


def read_events(session: Session, stretch: Stretch, *, limit: int) -> Sequence[Row[Any]]:
    """The first `limit` of them, by time, source and id."""
    return session.execute(text(_EVENTS), {**stretch.named(), "limit": limit}).all()


def sum_awards(session: Session, stretch: Stretch, *, since: datetime, time_zone: str) -> Sequence[Row[Any]]:
    """Awards by day, rule and asset; rows of what refunds took back have a negative amount."""
    return session.execute(text(_AWARDS), {**stretch.named(), "since": since, "zone": time_zone}).all()
