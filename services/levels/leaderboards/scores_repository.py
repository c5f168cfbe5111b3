"""The SQL that counts: orders, refunds and earnings become scores, each once, in a handful of statements a batch."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Session

from common.arrays import numbers, texts
from services.levels.leaderboards.domain import Earned, Gain, Paid, Refunded, Score

_ADD_ORDERS = text(
    "INSERT INTO levels_spend_orders AS o (program_id, member_id, order_id, day, paid_at, paid_fen, refunded_fen)"
    " SELECT p, m, i, d, a, f, coalesce((SELECT sum(r.fen) FROM levels_spend_refunds r"
    "  WHERE (r.program_id, r.member_id, r.order_id) = (p, m, i)), 0)"
    " FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:i AS text[]), CAST(:d AS date[]),"
    "  CAST(:a AS timestamptz[]), CAST(:f AS bigint[])) WITH ORDINALITY AS v(p, m, i, d, a, f, n)"
    " ORDER BY n ON CONFLICT DO NOTHING RETURNING program_id, member_id, day,"
    " greatest(paid_fen - refunded_fen, 0) AS gained, greatest(paid_at, (SELECT max(r.at) FROM levels_spend_refunds r"
    "  WHERE (r.program_id, r.member_id, r.order_id) = (o.program_id, o.member_id, o.order_id))) AS at"
)
# What a refund takes off is what it lowers the order's net by, never below zero, on the day of the order.
_ADD_REFUNDS = text(
    "WITH added AS (INSERT INTO levels_spend_refunds (program_id, member_id, order_id, refund_id, fen, at)"
    "  SELECT p, m, i, r, f, a FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:i AS text[]),"
    "   CAST(:r AS text[]), CAST(:f AS bigint[]), CAST(:a AS timestamptz[])) WITH ORDINALITY AS v(p, m, i, r, f, a, n)"
    "  ORDER BY n ON CONFLICT DO NOTHING RETURNING program_id, member_id, order_id, fen, at),"
    " summed AS (SELECT program_id, member_id, order_id, sum(fen)::bigint AS fen, max(at) AS at FROM added"
    "  GROUP BY 1, 2, 3)"
    " UPDATE levels_spend_orders o SET refunded_fen = o.refunded_fen + s.fen FROM summed s"
    " WHERE (o.program_id, o.member_id, o.order_id) = (s.program_id, s.member_id, s.order_id)"
    " RETURNING o.program_id, o.member_id, o.day, greatest(o.paid_fen - o.refunded_fen, 0)"
    "  - greatest(o.paid_fen - o.refunded_fen + s.fen, 0) AS gained, greatest(s.at, o.paid_at) AS at"
)
_MARK = text(
    "INSERT INTO levels_earned_marks AS k (program_id, member_id, seq)"
    " SELECT p, m, max(q) FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:q AS bigint[])) AS v(p, m, q)"
    " GROUP BY p, m ORDER BY p, m"
    " ON CONFLICT (program_id, member_id) DO UPDATE SET seq = greatest(k.seq, excluded.seq)"
)
_MARKS = text(
    "SELECT k.program_id, k.member_id, k.seq FROM levels_earned_marks k WHERE (k.program_id, k.member_id) IN"
    " (SELECT p, m FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[])) AS v(p, m))"
)
# What is to be told stands beside it, a row a page: a mark on each score would write every score twice.
# What is to be told stands beside it, a row a page: a mark on each score would write every score twice.
_ADD_SCORES = text(
    "WITH untold AS (INSERT INTO levels_board_untold (program_ids, member_ids, metrics, periods, starts)"
    "  VALUES (CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:k AS text[]), CAST(:e AS text[]), CAST(:d AS date[])))"
    " INSERT INTO levels_board_scores AS s (program_id, member_id, metric, period, starts_on, score, reached_at,"
    "  version)"
    " SELECT p, m, k, e, d, g, a, 1 FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:k AS text[]),"
    "  CAST(:e AS text[]), CAST(:d AS date[]), CAST(:g AS bigint[]), CAST(:a AS timestamptz[]))"
    "  AS v(p, m, k, e, d, g, a)"
    " ORDER BY p, m, k, e, d ON CONFLICT (program_id, member_id, metric, period, starts_on) DO UPDATE SET"
    " score = s.score + excluded.score, reached_at = greatest(s.reached_at, excluded.reached_at),"
    " version = s.version + 1"
)


def add_orders(session: Session, paid: Sequence[tuple[Paid, date]]) -> list[Gain]:
    """Count orders with their business days, each order id once; refunds that came before are taken off."""
    values = {
        "p": numbers([order.program_id for order, _ in paid]),
        "m": numbers([order.member_id for order, _ in paid]),
        "i": texts([order.order_id for order, _ in paid]),
        "d": texts([day.isoformat() for _, day in paid]),
        "a": texts([order.at.isoformat() for order, _ in paid]),
        "f": numbers([order.fen for order, _ in paid]),
    }
    return [_spend(row) for row in session.execute(_ADD_ORDERS, values)]


def add_refunds(session: Session, refunds: Sequence[Refunded]) -> list[Gain]:
    """Take refunds off the orders that are there, each refund id once; the others wait for their order."""
    values = {
        "p": numbers([refund.program_id for refund in refunds]),
        "m": numbers([refund.member_id for refund in refunds]),
        "i": texts([refund.order_id for refund in refunds]),
        "r": texts([refund.refund_id for refund in refunds]),
        "f": numbers([refund.fen for refund in refunds]),
        "a": texts([refund.at.isoformat() for refund in refunds]),
    }
    return [_spend(row) for row in session.execute(_ADD_REFUNDS, values)]


def take_new_earnings(session: Session, earned: Sequence[Earned]) -> list[Earned]:
    """Those entries that were not counted yet, and count them: each account's entries come in the order of seq."""
    keys = {"p": numbers([one.program_id for one in earned]), "m": numbers([one.member_id for one in earned])}
    marks: dict[tuple[int, int], int] = {(row[0], row[1]): row[2] for row in session.execute(_MARKS, keys)}
    new = []
    for one in earned:
        if one.seq > marks.get((one.program_id, one.member_id), 0):
            marks[one.program_id, one.member_id] = one.seq
            new.append(one)
    session.execute(_MARK, {**keys, "q": numbers([one.seq for one in earned])})
    return new


def add_scores(session: Session, added: Sequence[Score]) -> None:
    """Add to scores, and note that they are to be told."""
    session.execute(
        _ADD_SCORES,
        {
            "p": numbers([score.ranked.program_id for score in added]),
            "m": numbers([score.member_id for score in added]),
            "k": texts([score.ranked.metric for score in added]),
            "e": texts([score.ranked.period for score in added]),
            "d": texts([score.ranked.starts_on.isoformat() for score in added]),
            "g": numbers([score.score for score in added]),
            "a": texts([score.reached_at.isoformat() for score in added]),
        },
    )


def _spend(row: tuple[int, int, date, int, datetime]) -> Gain:
    program_id, member_id, day, gained, at = row
    return Gain(program_id, member_id, "spend", day, gained, at)
