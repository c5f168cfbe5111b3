"""What accounts have used of their limits, told by their entries."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from common.arrays import numbers
from services.points.ledger.books import AccountKey
from services.points.ledger.domain import Account
from services.points.ledger.limits import Tallies

# What a member has earned (side 1) or spent (2) since an instant, net, under the account's lock: since its first entry
# from then on, which the running search finds between the first and the last (`at` never decreases, seq has no gap).
# What a hold came to stands with the hold: all of it while it is open, else what was captured. Reversals count where
# their original did. Also the ids of the holds made since then.
_TALLIES = """
WITH RECURSIVE k AS MATERIALIZED (
  SELECT n, p, m, s, side, top, timestamptz 'epoch' + t * interval '1 microsecond' AS since
    FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::int[], %s::bigint[], %s::bigint[])
         WITH ORDINALITY AS k(p, m, s, side, top, t, n)),
search AS (
  SELECT n, 1::bigint AS low, top + 1 AS high FROM k
   UNION ALL
  SELECT n, CASE WHEN e.at < since THEN e.seq + 1 ELSE low END, CASE WHEN e.at < since THEN high ELSE e.seq END
    FROM search JOIN k USING (n) CROSS JOIN LATERAL (
         SELECT seq, at FROM points_entries
          WHERE (program_id, member_id, asset_id, seq) = (p, m, s, (low + high) / 2) OFFSET 0) e
   WHERE low < high),
f AS MATERIALIZED (SELECT k.*, (SELECT max(low) FROM search WHERE search.n = k.n) AS first FROM k),
mine AS MATERIALIZED (
  SELECT n, side, first, e.* FROM f CROSS JOIN LATERAL (
         SELECT seq, kind, amount, reversed, hold_id,
                CASE WHEN kind = 3 THEN (
                  SELECT CASE WHEN state <> 0 THEN captured
                         WHEN expires_at > timestamptz 'epoch' + %s::bigint * interval '1 microsecond' THEN h.amount
                         ELSE 0 END
                    FROM points_holds h WHERE (h.program_id, h.member_id, h.id) = (p, m, hold_id)) END AS came_to,
                CASE WHEN kind = 8 THEN (
                  SELECT o FROM points_entries o
                   WHERE (o.program_id, o.member_id, o.asset_id, o.seq) = (p, m, s, x.reverses)) END AS o
           FROM points_entries x
          WHERE (program_id, member_id, asset_id) = (p, m, s) AND seq >= first AND kind IN (1, 2, 3, 8) OFFSET 0) e)
SELECT f.n, f.first, array_remove(array_agg(CASE WHEN kind = 3 THEN uuid_send(hold_id) END), NULL),
       coalesce(sum(CASE
         WHEN mine.side = 1 AND kind = 1 OR mine.side = 2 AND kind = 2 THEN abs(amount)
         WHEN mine.side = 2 AND kind = 3 THEN came_to
         WHEN mine.side = (o).kind AND (o).seq >= mine.first THEN -reversed
         WHEN mine.side = 2 AND (o).kind = 4
              AND EXISTS (SELECT FROM mine h WHERE h.n = mine.n AND h.kind = 3 AND h.hold_id = (mine.o).hold_id)
           THEN -reversed
         ELSE 0 END), 0)::bigint
  FROM f LEFT JOIN mine USING (n) GROUP BY 1, 2"""


def read_tallies(
    connection: Connection[Any], tallies: Tallies, accounts: Mapping[AccountKey, Account], *, now_us: int
) -> None:
    """Fill open tallies with what their accounts' entries say by now."""
    asked = [(key, tally) for key, mine in tallies.items() for tally in mine]
    rows = [(*key, int(tally.side), accounts[key].seq, tally.start_us) for key, tally in asked]
    columns = [numbers(column) for column in zip(*rows, strict=True)] if rows else [numbers([])] * 6
    for number, first, holds, used in connection.execute(_TALLIES, (*columns, now_us), prepare=True, binary=True):
        _, tally = asked[number - 1]
        tally.first_seq, tally.holds, tally.used = first, set(holds), used
