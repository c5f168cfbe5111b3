"""The invariants of capped claims, checked over a live database: what `verify` prints."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

from common.service import Finding

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
        f"""SELECT {_KEY}, event FROM (
              SELECT c.*, limits.value ->> 0 AS per, CAST(limits.value ->> 1 AS bigint) AS cap, p.time_zone AS zone
                FROM points_claims c JOIN points_programs p USING (program_id),
                     jsonb_array_elements(c.terms -> 'limits') limits) c
             WHERE amount > cap
                OR (per = 'day' AND cap < (SELECT sum(o.amount - o.reversed) FROM points_claims o
                     WHERE (o.program_id, o.member_id, o.rule) = (c.program_id, c.member_id, c.rule)
                       AND o.at >= date_trunc('day', c.at, zone) AND o.at <= c.at AND c.amount > c.reversed))
                OR (per = 'month' AND cap < (SELECT sum(o.amount - o.reversed) FROM points_claims o
                     WHERE (o.program_id, o.member_id, o.rule) = (c.program_id, c.member_id, c.rule)
                       AND o.at >= date_trunc('month', c.at, zone) AND o.at <= c.at AND c.amount > c.reversed))""",
    ),
}


def check_claims(session: Session) -> Iterable[Finding]:
    """Windows and claims add up, and caps hold."""
    for name, (table, query) in _QUERIES.items():
        checked = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        offenders = session.execute(text(f"SELECT *, count(*) OVER () FROM ({query}) q LIMIT 3")).all()
        yield Finding(
            name,
            checked,
            int(offenders[0][-1]) if offenders else 0,
            "; ".join("/".join(map(str, row[:-1])) for row in offenders),
        )
