"""The ledger's invariants (ledger.md §6), checked over a live database: what `verify` prints."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from common.service import Finding
from services.points.ledger.chain import link, opening
from services.points.ledger.fold import details

_LOTS = "(SELECT coalesce(sum(a.lots[i]), 0) FROM generate_series(2, cardinality(a.lots), 2) i)"
_KEY = "program_id, member_id, asset_id"

# Each: the invariant in words, how many things it looks at, and a query of offenders' keys.
_QUERIES: dict[str, tuple[str, str]] = {
    "balance = Σ amounts, held = Σ held, seq has no gap": (
        "points_accounts",
        f"""SELECT {_KEY} FROM points_accounts a FULL JOIN (
              SELECT {_KEY}, sum(amount) AS s, sum(held_delta) AS h, max(seq) AS top, count(*) AS n
                FROM points_entries GROUP BY {_KEY}) e USING ({_KEY})
             WHERE (a.balance, a.held, a.seq, a.seq)
                   IS DISTINCT FROM (coalesce(e.s, 0), coalesce(e.h, 0), coalesce(e.top, 0), coalesce(e.n, 0))""",
    ),
    "balance = Σ lots + held − debt, nothing below its floor": (
        "points_accounts",
        f"SELECT {_KEY} FROM points_accounts a WHERE {_LOTS} <> balance - held + debt OR (debt > 0 AND {_LOTS} > 0)"
        " OR balance - held + debt < 0",
    ),
    "lots are the sum of what every entry did to them": (
        "points_accounts",
        f"""SELECT {_KEY} FROM (
              SELECT {_KEY}, day, sum(amount) AS amount FROM (
                SELECT {_KEY}, e.lots[i] AS day, e.lots[i + 1] AS amount
                  FROM points_entries e, generate_series(1, cardinality(e.lots), 2) i) m
               GROUP BY {_KEY}, day HAVING sum(amount) <> 0) m
            FULL JOIN (
              SELECT {_KEY}, a.lots[i] AS day, a.lots[i + 1] AS amount
                FROM points_accounts a, generate_series(1, cardinality(a.lots), 2) i) l
            USING ({_KEY}, day) WHERE m.amount IS DISTINCT FROM l.amount""",
    ),
    "held = Σ open holds": (
        "points_accounts",
        f"""SELECT {_KEY} FROM points_accounts a LEFT JOIN (
              SELECT {_KEY}, sum(amount) AS s FROM points_holds WHERE state = 0 GROUP BY {_KEY}) h USING ({_KEY})
             WHERE a.held <> coalesce(h.s, 0)""",
    ),
    "running balances add up, time never goes back": (
        "points_entries",
        f"""SELECT {_KEY}, seq FROM (
              SELECT *, sum(amount) OVER w AS b, sum(held_delta) OVER w AS h, lag(at) OVER w AS before
                FROM points_entries WINDOW w AS (PARTITION BY {_KEY} ORDER BY seq)) e
             WHERE (b, h) <> (balance_after, held_after) OR at < before""",
    ),
    "Σ reversals ≤ the original": (
        "points_entries",
        f"""SELECT {_KEY}, r.reverses FROM (
              SELECT {_KEY}, reverses, sum(reversed) AS s FROM points_entries WHERE reverses IS NOT NULL
               GROUP BY {_KEY}, reverses) r
             LEFT JOIN points_entries e USING ({_KEY}) WHERE e.seq = r.reverses AND r.s > abs(e.amount)""",
    ),
    "a posted posting has its entry, a refused one has none": (
        "points_postings",
        """SELECT p.program_id, p.member_id, p.asset_id, p.seq FROM points_postings p LEFT JOIN points_entries e
               ON (e.program_id, e.member_id, e.asset_id, e.seq) = (p.program_id, p.member_id, p.asset_id, p.seq)
              AND e.posting_id = p.id WHERE (p.status = 1) <> (e.seq IS NOT NULL)""",
    ),
    "every entry has one fact in the feed": (
        "points_entries",
        f"""SELECT {_KEY}, seq FROM points_entries e FULL JOIN (
              SELECT program_id, member_id, pointer[1]::smallint AS asset_id, pointer[2] AS seq, count(*) AS n
                FROM points_outbox WHERE topic = 'ledger.entry' GROUP BY 1, 2, 3, 4) o USING ({_KEY}, seq)
             WHERE o.n IS DISTINCT FROM 1 OR e.kind IS NULL""",
    ),
    "every hold ends within a day of its deadline": (
        "points_holds",
        "SELECT program_id, member_id, asset_id FROM points_holds"
        " WHERE state = 0 AND expires_at < clock_timestamp() - interval '1 day'",
    ),
}


def check_figures(session: Session) -> Iterable[Finding]:
    """The invariants that one SQL statement each can decide."""
    for name, (table, query) in _QUERIES.items():
        checked = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        offenders = session.execute(text(f"SELECT *, count(*) OVER () FROM ({query}) q LIMIT 3")).all()
        yield Finding(
            name,
            checked,
            int(offenders[0][-1]) if offenders else 0,
            "; ".join("/".join(map(str, row[:-1])) for row in offenders),
        )


def check_chain(session: Session) -> Iterable[Finding]:
    """Every entry's hash re-computes from the one before it, and every account's head is its last entry's."""
    checked, broken = 0, []
    for row, sound in _walk(session):
        checked += 1
        if not sound:
            broken.append("/".join(map(str, (row.program_id, row.member_id, row.asset_id, row.seq))))
    yield Finding("every hash re-computes, the head is the last", checked, len(broken), "; ".join(broken[:3]))


def _walk(session: Session) -> Iterator[tuple[Any, bool]]:
    rows = session.execute(
        text(
            "SELECT e.*, a.head, (extract(epoch FROM e.at) * 1000000)::bigint AS at_us,"
            " (e.seq = a.seq) AS is_last FROM points_entries e"
            f" JOIN points_accounts a USING ({_KEY}) ORDER BY {_KEY}, e.seq"
        ),
        execution_options={"stream_results": True, "yield_per": 5000},
    )
    account: tuple[int, int, int] | None = None
    previous = b""
    for row in rows:
        key = (row.program_id, row.member_id, row.asset_id)
        if key != account:
            account, previous = key, opening(*key)
        expected = link(
            previous,
            program_id=row.program_id,
            member_id=row.member_id,
            asset_id=row.asset_id,
            seq=row.seq,
            kind=row.kind,
            amount=row.amount,
            held_delta=row.held_delta,
            balance_after=row.balance_after,
            held_after=row.held_after,
            at_us=row.at_us,
            posting_id=row.posting_id.bytes,
            moves=row.lots,
            details=details(
                row.cause,
                row.rule_version,
                row.reverses,
                row.reversed,
                row.hold_id.bytes if row.hold_id else None,
                row.meta,
            ),
        )
        previous = bytes(row.hash)
        yield row, expected == previous and (not row.is_last or bytes(row.head) == previous)
