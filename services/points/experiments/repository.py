"""Every SQL statement over the recorded events of an experiment; nothing here changes anything."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from common import arrays
from services.points.experiments.domain import NOT_MET, Met, Study

# An event at which the rule was asked and its condition held: it wanted something, or was refused for another reason
# than those that no variant has a part in. Refusals are kept by reason, with the versions that said so (ADR 30).
_MET = """
WITH met AS MATERIALIZED (
  SELECT e.member_id, min(e.time) AS first_at, count(*) AS events,
         coalesce(sum(d.amount + CASE WHEN e.result ? 'amended' THEN (
           SELECT coalesce(sum(n."to" - n."from"), 0)
             FROM jsonb_to_recordset(e.result -> 'amended') AS n(rule text, "from" bigint, "to" bigint)
            WHERE n.rule = :rule) ELSE 0 END), 0) AS awarded
    FROM points_events e
    LEFT JOIN LATERAL (
         SELECT CAST(one ->> 'amount' AS bigint) AS amount FROM jsonb_array_elements(e.result -> 'decisions') one
          WHERE one ->> 'rule' = :rule AND CAST(one ->> 'version' AS int) = ANY(CAST(:numbers AS int[]))) d ON true
   WHERE e.program_id = :p AND e.time >= :since AND e.time < :until AND e.type = :trigger
     AND (d.amount IS NOT NULL OR EXISTS (
          SELECT FROM jsonb_each_text(e.result -> 'asked') q
           WHERE q.key <> ALL(CAST(:not_met AS text[])) AND string_to_array(q.value, ' ') && CAST(:ids AS text[])))
   GROUP BY e.member_id)"""

# As long as the goal has days; without a goal to the end. What was told twice counts once; said as "is none of these",
# for of "has no reason" the planner expects next to nothing, and would compare everybody with everybody.
_TIMELY = """
   e.program_id = :p AND e.time < :until AND e.time >= m.first_at
   AND coalesce(e.result ->> 'reason', '') <> ALL ('{order_already_paid,refund_already_known}')
   AND (CAST(:days AS int) IS NULL OR e.time <= m.first_at + make_interval(days => :days))"""

_MEMBERS = f"""{_MET},
paid AS (
  SELECT e.member_id, e.data ->> 'order_id' AS order_id, CAST(e.data ->> 'paid_fen' AS bigint) AS fen
    FROM points_events e JOIN met m USING (member_id) WHERE e.type = 'order.paid' AND {_TIMELY}),
refunded AS (
  SELECT e.member_id, e.data ->> 'order_id' AS order_id, sum(CAST(e.data ->> 'refunded_fen' AS bigint)) AS fen
    FROM points_events e JOIN met m USING (member_id) WHERE e.type = 'order.refunded' AND {_TIMELY} GROUP BY 1, 2),
spend AS (
  SELECT p.member_id, sum(p.fen - coalesce(r.fen, 0)) AS fen
    FROM paid p LEFT JOIN refunded r USING (member_id, order_id) GROUP BY 1),
back AS (
  SELECT e.member_id, sum(r.amount) AS amount
    FROM points_events e JOIN met m USING (member_id)
   CROSS JOIN LATERAL jsonb_to_recordset(e.result -> 'reversed') AS r(rule text, amount bigint)
   WHERE e.program_id = :p AND e.type = 'order.refunded' AND e.time >= :since AND e.time < :until AND r.rule = :rule
   GROUP BY 1)
SELECT m.member_id, m.first_at, m.events, CAST(m.awarded AS bigint), CAST(coalesce(b.amount, 0) AS bigint),
       CAST(coalesce(s.fen, 0) AS bigint)
  FROM met m LEFT JOIN spend s USING (member_id) LEFT JOIN back b USING (member_id)"""  # noqa: S608 - our own words only

_REACHED = f"""{_MET}
SELECT e.member_id, e.data FROM points_events e JOIN met m USING (member_id)
 WHERE e.program_id = :p AND e.type = :goal AND e.time > m.first_at AND e.time < :until
   AND e.time <= m.first_at + make_interval(days => :days)"""  # noqa: S608 - our own words only


def count_events(session: Session, study: Study, *, limit: int) -> int:
    """How many events the figures are made of, counted up to `limit`."""
    goal = [study.experiment.goal.event] if study.experiment.goal else []
    counted = text(
        "SELECT count(*) FROM (SELECT FROM points_events e WHERE e.program_id = :p AND e.time >= :since"
        " AND e.time < :until AND e.type = ANY(CAST(:types AS text[])) LIMIT :limit) c"
    )
    types = arrays.texts({study.trigger, "order.paid", "order.refunded", *goal})
    where = {"p": study.program_id, "since": study.since, "until": study.until}
    return int(session.execute(counted, {**where, "types": types, "limit": limit}).scalar_one())


def stream_met(session: Session, study: Study) -> Iterator[Met]:
    """Everybody who met the rule; the caller reads them to their end."""
    for row in _stream(session, _MEMBERS, study):
        yield Met._make(row)


def stream_reached(session: Session, study: Study) -> Iterator[tuple[int, dict[str, Any]]]:
    """`(member_id, data)` of every event of the goal's type and time; the caller reads them to their end."""
    for row in _stream(session, _REACHED, study):
        yield row.member_id, row.data


def _stream(session: Session, statement: str, study: Study) -> Iterator[Row[Any]]:
    goal = study.experiment.goal
    values = {
        "p": study.program_id,
        "rule": study.rule,
        "numbers": arrays.numbers(study.versions.values()),
        "ids": arrays.texts(map(str, study.versions)),
        "not_met": arrays.texts(NOT_MET),
        "trigger": study.trigger,
        "since": study.since,
        "until": study.until,
        "days": goal.days if goal else None,
        "goal": goal.event if goal else None,
    }
    yield from session.execute(text(statement), values, execution_options={"stream_results": True, "yield_per": 2_000})
