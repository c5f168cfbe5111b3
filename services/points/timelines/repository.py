"""Every SQL statement of timelines and explanations. All of them read."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from common import arrays
from services.points.timelines.domain import Place

# Each source: its rank within an instant (what comes later is shown first), and rows `at, key, kind, doc` of a member
# not later than :at. `key` orders within an instant by bytes, so that a page ends at one and the same place everywhere.
_SOURCES: dict[int, str] = {
    1: """
        SELECT e.received_at AS at, e.source || ' ' || e.id AS key, 'event' AS kind,
               jsonb_build_object('source', e.source, 'id', e.id, 'type', e.type, 'time', e.time,
                                  'order_id', e.data -> 'order_id', 'decisions', e.result -> 'decisions',
                                  'asked', e.result -> 'asked', 'reversed', e.result -> 'reversed',
                                  'reason', e.result -> 'reason') AS doc
          FROM points_events e WHERE e.program_id = :p AND e.member_id = :m AND e.received_at <= :at""",
    2: """
        SELECT a.requested_at, a.id::text, 'adjustment_requested',
               jsonb_build_object('id', a.id, 'asset', a.asset, 'amount', a.amount, 'reason_code', a.reason_code,
                                  'agent', a.requested_by, 'note', a.note, 'evidence', a.evidence, 'beyond', a.beyond,
                                  'undoes', a.undoes, 'status', a.status, 'from_on', a.from_on, 'until_on', a.until_on,
                                  'to_on', a.to_on)
          FROM points_adjustments a
         WHERE a.program_id = :p AND a.member_id = :m AND a.requested_at <= :at""",
    3: """
        SELECT coalesce(a.decided_at, a.expires_at), a.id::text,
               CASE a.status WHEN 'rejected' THEN 'adjustment_rejected' WHEN 'expired' THEN 'adjustment_expired'
                             ELSE 'adjustment_approved' END,
               jsonb_build_object('id', a.id, 'asset', a.asset, 'amount', a.amount, 'reason_code', a.reason_code,
                                  'agent', a.requested_by, 'decided_by', a.decided_by, 'decision_note', a.decision_note)
          FROM points_adjustments a
         WHERE a.program_id = :p AND a.member_id = :m AND (a.decided_at IS NOT NULL OR a.status = 'expired')
           AND coalesce(a.decided_at, a.expires_at) <= :at""",
    4: """
        SELECT g.applied_at, g.grant_id, CASE WHEN g.refused IS NULL THEN 'grant' ELSE 'grant_refused' END,
               jsonb_build_object('id', g.grant_id, 'rule', g.rule, 'cause_text', g.cause, 'refused', g.refused,
                                  'parts', g.parts)
          FROM points_grants g WHERE g.program_id = :p AND g.member_id = :m AND g.applied_at <= :at""",
    # Within an account time never goes back, so its newest entries are found at its end.
    5: """
        SELECT e.at, lpad(e.asset_id::text, 5, '0') || '.' || lpad(e.seq::text, 19, '0'), 'entry',
               jsonb_build_object('asset', s.code, 'seq', e.seq, 'entry', e.kind, 'amount', e.amount,
                                  'held_delta', e.held_delta, 'balance_after', e.balance_after, 'cause_text', e.cause,
                                  'posting_id', e.posting_id, 'hold_id', e.hold_id, 'reverses', e.reverses,
                                  'rule_version', e.rule_version, 'meta', e.meta,
                                  'lots', CASE WHEN e.amount = 0 AND e.held_delta = 0 THEN e.lots END)
          FROM points_assets s CROSS JOIN LATERAL (
               SELECT * FROM points_entries n
                WHERE n.program_id = :p AND n.member_id = :m AND n.asset_id = s.id AND n.at <= :at
                  AND (n.at < :at OR :source > 5 OR :source = 5
                       AND lpad(n.asset_id::text, 5, '0') || '.' || lpad(n.seq::text, 19, '0') < :key COLLATE "C")
                ORDER BY n.seq DESC LIMIT :limit) e
         WHERE s.program_id = :p""",
}
_BRANCHES = " UNION ALL ".join(
    f"(SELECT at, {rank} AS source, key, kind, doc FROM ({query}) AS b(at, key, kind, doc)"  # noqa: S608 - our own words only
    f' WHERE (at, {rank}, key COLLATE "C") < (:at, :source, :key COLLATE "C")'
    f' ORDER BY at DESC, key COLLATE "C" DESC LIMIT :limit)'
    for rank, query in _SOURCES.items()
)
_NEWEST = 'at DESC, source DESC, key COLLATE "C" DESC'
_PAGE = text(f"SELECT * FROM ({_BRANCHES}) t ORDER BY {_NEWEST} LIMIT :limit")  # noqa: S608 - our own words only


def list_items(session: Session, program_id: int, member_id: int, *, before: Place, limit: int) -> Sequence[Row[Any]]:
    """What happened to a member before a place, newest first: `at, source, key, kind, doc`."""
    values = {"p": program_id, "m": member_id, "at": before.at, "source": before.source, "key": before.key}
    return session.execute(_PAGE, {**values, "limit": limit}).all()


def known_events(
    session: Session, program_id: int, member_id: int, keys: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Those of `(source, id)` that are events of the member."""
    rows = session.execute(
        text(
            "SELECT e.source, e.id FROM points_events e JOIN unnest(CAST(:s AS text[]), CAST(:i AS text[])) AS k(s, i)"
            " ON (e.source, e.id) = (k.s, k.i) WHERE e.program_id = :p AND e.member_id = :m"
        ),
        {
            "p": program_id,
            "m": member_id,
            "s": arrays.texts(key[0] for key in keys),
            "i": arrays.texts(key[1] for key in keys),
        },
    )
    return {(row.source, row.id) for row in rows}


def grants_of(session: Session, program_id: int, member_id: int, causes: Sequence[str]) -> dict[str, str]:
    """The grant that each of the causes handed out."""
    rows = session.execute(
        text(
            "SELECT cause, max(grant_id) FROM points_grants WHERE program_id = :p AND member_id = :m"
            " AND cause = ANY(CAST(:c AS text[])) GROUP BY cause"
        ),
        {"p": program_id, "m": member_id, "c": arrays.texts(causes)},
    )
    return {row[0]: row[1] for row in rows}


def events_of_order(session: Session, program_id: int, order_id: str) -> Sequence[Row[Any]]:
    """Everything that arrived about an order, of whichever member, in the order of the events' own times."""
    return session.execute(
        text(
            "SELECT source, id, type, member_id, time, received_at, data, result FROM points_events"
            " WHERE program_id = :p AND data ->> 'order_id' = :o ORDER BY time, received_at, source, id LIMIT 500"
        ),
        {"p": program_id, "o": order_id},
    ).all()


def earnings_of_causes(session: Session, program_id: int, causes: Sequence[tuple[int, str]]) -> Sequence[Row[Any]]:
    """What was earned for the events `(member, cause)`, and what was taken back of it, by whatever.

    Of a pending earning `waits` and `available_at` too.
    """
    return session.execute(
        text(
            "WITH earned AS (SELECT e.* FROM unnest(CAST(:m AS bigint[]), CAST(:c AS text[])) AS k(m, c)"
            " JOIN points_entries e ON e.program_id = :p AND e.member_id = k.m AND e.cause = k.c AND e.kind = 1),"
            " moved AS (SELECT * FROM earned UNION ALL SELECT r.* FROM earned e JOIN points_entries r"
            " ON (r.program_id, r.member_id, r.asset_id, r.reverses) ="
            " (e.program_id, e.member_id, e.asset_id, e.seq))"
            " SELECT e.member_id, s.code AS asset, e.kind, e.amount, e.cause, e.at,"
            " h.amount - h.captured AS waits, h.expires_at AS available_at"
            " FROM moved e JOIN points_assets s ON (s.program_id, s.id) = (e.program_id, e.asset_id)"
            " LEFT JOIN points_holds h ON e.kind = 1 AND (h.program_id, h.member_id, h.id) ="
            " (e.program_id, e.member_id, e.posting_id) AND h.state = 0"
            " ORDER BY e.member_id, e.asset_id, e.seq"
        ),
        {
            "p": program_id,
            "m": arrays.numbers(cause[0] for cause in causes),
            "c": arrays.texts(cause[1] for cause in causes),
        },
    ).all()
