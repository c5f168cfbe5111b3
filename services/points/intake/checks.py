"""The invariants of capped claims, checked over a live database: what `verify` prints."""

from collections.abc import Iterable

from sqlmodel import Session

from common.service import Finding, examine

_KEY = "program_id, member_id, rule"

# Each: the invariant in words, the table it looks at, and a query of offenders' keys.
_QUERIES: dict[str, tuple[str, str]] = {
    "a window's total is what its claims have net": (
        "points_claim_windows",
        f"""SELECT {_KEY} FROM points_claim_windows w FULL JOIN (
              SELECT {_KEY}, sum(amount - reversed) AS net, max(at) AS newest FROM points_claims GROUP BY {_KEY}) c
            USING ({_KEY})
             WHERE (w.total, w.newest_at) IS DISTINCT FROM (coalesce(c.net, 0), c.newest)""",
    ),
    "what refunds gave back of a claim is the sum of its releases": (
        "points_claims",
        f"""SELECT {_KEY}, event FROM points_claims c FULL JOIN (
              SELECT {_KEY}, event, sum(amount) AS given FROM points_claim_releases GROUP BY {_KEY}, event) r
            USING ({_KEY}, event)
             WHERE c.reversed IS DISTINCT FROM coalesce(r.given, 0)""",
    ),
    "no member has more of a capped rule than its caps": (
        "points_claims",
        # What the member had of the rule right after each claim, in each window that it falls into.
        f"""SELECT {_KEY}, event FROM (
              SELECT c.*, w.per, sum(c.amount - c.reversed) OVER (
                       PARTITION BY c.program_id, c.member_id, c.rule, w.per, w.start
                       ORDER BY c.at, c.event COLLATE "C") AS used
                FROM points_claims c JOIN points_programs p USING (program_id),
                     LATERAL (VALUES ('event', c.at), ('day', date_trunc('day', c.at, p.time_zone)),
                                     ('week', date_trunc('week', c.at, p.time_zone)),
                                     ('month', date_trunc('month', c.at, p.time_zone)),
                                     ('total', '-infinity')) AS w(per, start)) c,
              jsonb_array_elements(c.terms -> 'limits') AS limits
             WHERE limits ->> 0 = per
               AND (amount > CAST(limits ->> 1 AS bigint)
                    OR (per <> 'event' AND amount > reversed AND used > CAST(limits ->> 1 AS bigint)))""",
    ),
    "no member is awarded more often than a rule's times": (
        "points_claims",
        # How many awards stand in each window up to each claim.
        f"""SELECT {_KEY}, event FROM (
              SELECT c.*, w.per, count(*) FILTER (WHERE c.amount > c.reversed) OVER (
                       PARTITION BY c.program_id, c.member_id, c.rule, w.per, w.start
                       ORDER BY c.at, c.event COLLATE "C") AS standing
                FROM points_claims c JOIN points_programs p USING (program_id),
                     LATERAL (VALUES ('times day', date_trunc('day', c.at, p.time_zone)),
                                     ('times week', date_trunc('week', c.at, p.time_zone)),
                                     ('times month', date_trunc('month', c.at, p.time_zone)),
                                     ('times total', '-infinity')) AS w(per, start)) c,
              jsonb_array_elements(c.terms -> 'limits') AS limits
             WHERE limits ->> 0 = per AND amount > reversed AND standing > CAST(limits ->> 1 AS bigint)""",
    ),
    "between two awards of a member lies the rule's cool-down": (
        "points_claims",
        f"""SELECT {_KEY}, event FROM (
              SELECT c.*, at - lag(at) OVER (PARTITION BY {_KEY} ORDER BY at, event COLLATE "C") AS gap
                FROM points_claims c WHERE amount > reversed) c,
              jsonb_array_elements(c.terms -> 'limits') AS limits
             WHERE limits ->> 0 = 'cooldown' AND gap < make_interval(hours => CAST(limits ->> 1 AS int))""",
    ),
}


def check_claims(session: Session) -> Iterable[Finding]:
    """Windows and claims add up, and caps hold."""
    for name, (table, query) in _QUERIES.items():
        yield examine(session, name, among=table, offenders=query)
