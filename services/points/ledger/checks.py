"""The ledger's invariants (ledger.md §6), checked over a live database: what `verify` prints."""

from collections.abc import Iterable, Iterator

from sqlmodel import Session

from common.database import driver_connection
from common.service import Finding, examine
from services.points.ledger.chain import details, link, opening
from services.points.programs.validity import IDLE

_LOTS = "(SELECT coalesce(sum(a.lots[i]), 0) FROM generate_series(2, cardinality(a.lots), 2) i)"
_KEY = "program_id, member_id, asset_id"

# What the entries of a hold tell of it: begun by HOLD or by an EARN that was not available at once, ended once, by
# CAPTURE, VOID or time; a pending one also by reversals that took all of it. Its newest EARN or DEFER says how long it
# waits.
_TOLD_OF_HOLDS = f"""
SELECT *, CASE ending WHEN 4 THEN 1 WHEN 5 THEN 2 WHEN 7 THEN 3 WHEN 9 THEN 4
          ELSE (purpose = 1 AND captured = amount)::int END AS state
  FROM (SELECT {_KEY}, hold_id AS id, count(*) FILTER (WHERE kind IN (1, 3)) AS begun,
               (min(kind) = 1)::int AS purpose,
               max(lots) FILTER (WHERE kind = 3) AS lots, max(held_delta) FILTER (WHERE kind IN (1, 3)) AS amount,
               count(*) FILTER (WHERE kind IN (4, 5, 7, 9)) AS ended,
               max(kind) FILTER (WHERE kind IN (4, 5, 7, 9)) AS ending,
               coalesce(-sum(amount) FILTER (WHERE kind IN (4, 8)), 0) AS captured,
               max(meta ->> 'validity') FILTER (WHERE kind = 1) AS validity,
               ((array_agg(meta ->> 'available_at' ORDER BY seq DESC) FILTER (WHERE kind IN (1, 10)))[1])::timestamptz
                 AS waits_until
          FROM points_entries WHERE hold_id IS NOT NULL GROUP BY {_KEY}, hold_id) told"""

# Every limit of a period: of what is earned (side 1) or spent (2), since when all processes know it.
_LIMITS = """
SELECT s.program_id, s.id AS asset_id, side, period, most, p.time_zone AS zone,
       greatest(s.changed_at, p.changed_at) + interval '10 minutes' AS since
  FROM points_assets s JOIN points_programs p USING (program_id)
 CROSS JOIN LATERAL (
       SELECT 1, key, CAST(value AS bigint) FROM jsonb_each_text(s.earning_limits)
        UNION ALL SELECT 2, key, CAST(value AS bigint) FROM jsonb_each_text(s.spending_limits)) l (side, period, most)
 WHERE period <> 'posting' AND most IS NOT NULL"""

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
    "held = Σ what open holds have left": (
        "points_accounts",
        f"""SELECT {_KEY} FROM points_accounts a LEFT JOIN (
              SELECT {_KEY}, sum(amount - captured) AS s FROM points_holds WHERE state = 0 GROUP BY {_KEY}) h
             USING ({_KEY}) WHERE a.held <> coalesce(h.s, 0)""",
    ),
    "frozen is who was frozen last": (
        "points_accounts",
        f"""SELECT {_KEY} FROM points_accounts a LEFT JOIN (
              SELECT DISTINCT ON ({_KEY}) {_KEY}, kind FROM points_entries WHERE kind IN (11, 12)
               ORDER BY {_KEY}, seq DESC) f USING ({_KEY})
             WHERE a.frozen <> coalesce(f.kind = 11, false)""",
    ),
    "what lives until its account is idle has a day for that": (
        "points_accounts",
        f"""SELECT {_KEY} FROM points_accounts a WHERE a.idle_day IS NULL AND EXISTS (
              SELECT FROM generate_series(1, cardinality(a.lots), 2) i WHERE a.lots[i] = {IDLE})""",
    ),
    "a transfer gives to one what it takes from the other": (
        "points_entries",
        """SELECT program_id, posting_id FROM points_entries WHERE kind IN (13, 14)
            GROUP BY program_id, posting_id
           HAVING (count(*) FILTER (WHERE kind = 13), count(*) FILTER (WHERE kind = 14), sum(amount)) <> (1, 1, 0)""",
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
        f"""SELECT r.program_id, r.member_id, r.asset_id, r.reverses FROM (
              SELECT {_KEY}, reverses, sum(reversed) AS s FROM points_entries WHERE reverses IS NOT NULL
               GROUP BY {_KEY}, reverses) r
             LEFT JOIN points_entries e ON (e.program_id, e.member_id, e.asset_id, e.seq)
                                         = (r.program_id, r.member_id, r.asset_id, r.reverses)
             WHERE r.s > coalesce(CASE e.kind WHEN 15 THEN e.lots[cardinality(e.lots)] ELSE abs(e.amount) END, 0)""",
    ),
    "a redating moves lots from day to day, and nothing else": (
        "points_entries",
        """SELECT e.program_id, e.member_id, e.asset_id, e.seq FROM points_entries e LEFT JOIN points_entries o
                ON (o.program_id, o.member_id, o.asset_id, o.seq)
                 = (e.program_id, e.member_id, e.asset_id, e.reverses) AND o.kind = 15
             CROSS JOIN LATERAL (SELECT sum(e.lots[i]) AS moved FROM generate_series(2, cardinality(e.lots), 2) i) m
             WHERE e.kind IN (8, 15) AND 15 IN (e.kind, o.kind)
               AND (e.amount, e.held_delta, m.moved, e.hold_id IS NULL) IS DISTINCT FROM (0, 0, 0, true)""",
    ),
    "a posted posting has its entry and answers so, a refused one has none": (
        "points_postings",
        """SELECT p.program_id, p.member_id, p.asset_id, p.seq FROM points_postings p LEFT JOIN points_entries e
               ON (e.program_id, e.member_id, e.asset_id, e.seq) = (p.program_id, p.member_id, p.asset_id, p.seq)
              AND e.posting_id = p.id
             WHERE (p.status = 1) <> (e.seq IS NOT NULL)
                OR (p.balance_after, p.held_after, p.at, p.amount)
                   <> (e.balance_after, e.held_after, e.at, coalesce(nullif(e.amount, 0), e.held_delta))""",
    ),
    "nothing is earned or given beyond the most that a member may have": (
        "points_entries",
        # By the cap of today, so only of what came since it was set and every process knew it. What came back, or came
        # before the cap was lowered, may well lie above it.
        f"""SELECT {_KEY}, seq FROM points_entries e JOIN points_assets s USING (program_id)
             WHERE s.id = e.asset_id AND e.kind IN (1, 14) AND e.amount > 0 AND e.balance_after > s.most_per_member
               AND e.at > s.changed_at + interval '10 minutes'""",
    ),
    "what a member's cap or limit cut says so on its entry and in its answer": (
        "points_postings",
        # Answers of before there were limits do not say what cut: it was the balance.
        f"""SELECT {_KEY}, seq FROM (
              SELECT {_KEY}, seq, id, amount, wanted, coalesce(facts ->> 'capped', 'balance') AS capped
                FROM points_postings WHERE status = 1 AND wanted IS NOT NULL) p
              FULL JOIN (SELECT {_KEY}, seq, posting_id AS id, amount, CAST(meta ->> 'wanted' AS bigint) AS wanted,
                                meta ->> 'capped' AS capped
                           FROM points_entries WHERE kind = 1 AND meta ? 'capped') e USING ({_KEY}, seq, id)
             WHERE (p.wanted, p.capped) IS DISTINCT FROM (e.wanted, e.capped) OR e.amount >= e.wanted""",
    ),
    "no posting earns or spends more than its asset's limit": (
        "points_entries",
        f"""SELECT {_KEY}, seq FROM points_entries e JOIN points_assets s USING (program_id)
             WHERE s.id = e.asset_id AND e.at > s.changed_at + interval '10 minutes'
               AND CASE e.kind WHEN 1 THEN e.amount > CAST(s.earning_limits ->> 'posting' AS bigint)
                   ELSE e.held_delta - e.amount > CAST(s.spending_limits ->> 'posting' AS bigint) END
               AND e.kind IN (1, 2, 3)""",
    ),
    "no member earns or spends more within a period than the asset's limit": (
        "points_accounts",
        # Only of periods that began after the limit was set, and the program's zone. Net: less what was reversed since,
        # and of a hold what is open or was captured.
        f"""SELECT program_id, member_id, asset_id FROM (
              SELECT e.program_id, e.member_id, e.asset_id, side, period, most, since,
                     date_trunc(period, e.at, zone) AS began,
                     CASE e.kind WHEN 3 THEN CASE h.state WHEN 0 THEN h.amount ELSE h.captured END ELSE abs(e.amount)
                     END - coalesce(b.back, 0) AS net
                FROM ({_LIMITS}) l JOIN points_entries e USING (program_id, asset_id)
                LEFT JOIN points_holds h
                       ON e.kind = 3 AND (h.program_id, h.member_id, h.id) = (e.program_id, e.member_id, e.hold_id)
                LEFT JOIN (
                     SELECT r.program_id, r.member_id, r.asset_id, o.seq, o.hold_id, o.kind, sum(r.reversed) AS back
                       FROM points_entries r JOIN points_entries o
                            ON (o.program_id, o.member_id, o.asset_id, o.seq)
                             = (r.program_id, r.member_id, r.asset_id, r.reverses)
                      GROUP BY 1, 2, 3, 4, 5, 6) b
                       ON (b.program_id, b.member_id, b.asset_id) = (e.program_id, e.member_id, e.asset_id)
                          AND CASE e.kind WHEN 3 THEN b.kind = 4 AND b.hold_id = e.hold_id ELSE b.seq = e.seq END
               WHERE e.kind = side OR (side, e.kind) = (2, 3)) x
             WHERE began > since GROUP BY {_KEY}, side, period, most, began HAVING sum(net) > most""",
    ),
    "every hold is what its entries say": (
        "points_holds",
        f"""SELECT {_KEY} FROM points_holds h FULL JOIN ({_TOLD_OF_HOLDS}) e USING ({_KEY}, id)
             WHERE (h.purpose, h.amount, h.captured, h.state, 1, true)
                   IS DISTINCT FROM (e.purpose, e.amount, e.captured, e.state, e.begun, e.ended <= 1)
                OR CASE h.purpose WHEN 0 THEN h.lots IS DISTINCT FROM e.lots
                   ELSE (h.expires_at, h.validity, h.lots[2])
                        IS DISTINCT FROM (e.waits_until, e.validity, -e.amount) END""",
    ),
    "every entry has one fact in the feed": (
        "points_entries",
        f"""SELECT {_KEY}, seq FROM points_entries e FULL JOIN (
              SELECT program_id, member_id, pointer[1]::smallint AS asset_id, pointer[2] AS seq, count(*) AS n
                FROM points_outbox WHERE topic = 'ledger.entry' GROUP BY 1, 2, 3, 4) o USING ({_KEY}, seq)
             WHERE o.n IS DISTINCT FROM 1 OR e.kind IS NULL ORDER BY {_KEY}, seq""",
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
        yield examine(session, name, among=table, offenders=query)


def check_chain(session: Session) -> Iterable[Finding]:
    """Every entry's hash re-computes from the one before it, and every account's head is its last entry's."""
    checked, broken = 0, []
    for key, sound in _walk(session):
        checked += 1
        if not sound:
            broken.append("/".join(map(str, key)))
    yield Finding("every hash re-computes, the head is the last", checked, len(broken), "; ".join(broken[:3]))


# In plain tuples of the driver's binary form: rows with names cost more here than all hashing.
_LINKS = f"""
SELECT {_KEY}, e.seq, e.kind, e.amount, e.held_delta, e.balance_after, e.held_after,
       (extract(epoch FROM e.at) * 1000000)::bigint, uuid_send(e.posting_id), e.lots,
       e.cause, e.rule_version, e.reverses, e.reversed, uuid_send(e.hold_id), e.meta, e.hash,
       CASE WHEN e.seq = a.seq THEN a.head ELSE e.hash END
  FROM points_entries e JOIN points_accounts a USING ({_KEY}) ORDER BY {_KEY}, e.seq"""


def _walk(session: Session) -> Iterator[tuple[tuple[int, int, int, int], bool]]:
    account: tuple[int, int, int] | None = None
    previous = b""
    with driver_connection(session).cursor(name="links") as rows:
        rows.itersize = 10_000
        rows.execute(_LINKS, binary=True)
        for program, member, asset, seq, kind, amount, held_delta, balance, held, at_us, posting, moves, *more in rows:
            *told, hash_, head = more
            if account != (program, member, asset):
                account = program, member, asset
                previous = opening(*account)
            expected = link(
                previous,
                program_id=program,
                member_id=member,
                asset_id=asset,
                seq=seq,
                kind=kind,
                amount=amount,
                held_delta=held_delta,
                balance_after=balance,
                held_after=held,
                at_us=at_us,
                posting_id=posting,
                moves=moves,
                details=details(*told),
            )
            previous = hash_
            yield (*account, seq), expected == hash_ == head
