"""The hot path's SQL: lock and read, then one set-based write a table. Psycopg under the session's own transaction.

Two network round trips and the commit, whatever the number of lines: statements are pipelined. Arrays travel as text,
for psycopg would otherwise choose a new array type, and PostgreSQL a new plan, with the size of the numbers.
"""

_US = "(extract(epoch FROM {0}) * 1000000)::bigint"
_AT = "(timestamptz 'epoch' + {0} * interval '1 microsecond')"

# Locks either every account or none: waiting to insert a missing one while holding locks could deadlock.
LOCK_ACCOUNTS = f"""
WITH k AS MATERIALIZED (SELECT * FROM unnest(%s::int[], %s::bigint[], %s::smallint[]) AS k(p, m, s))
SELECT a.program_id, a.member_id, a.asset_id, a.balance, a.held, a.debt, a.seq,
       {_US.format("a.last_at")}, {_US.format("a.due_at")}, a.head, a.lots,
       a.frozen, a.idle_day
  FROM points_accounts a JOIN k ON (a.program_id, a.member_id, a.asset_id) = (k.p, k.m, k.s)
 WHERE NOT EXISTS (
       SELECT FROM k LEFT JOIN points_accounts x ON (x.program_id, x.member_id, x.asset_id) = (k.p, k.m, k.s)
        WHERE x.program_id IS NULL)
 ORDER BY a.program_id, a.member_id, a.asset_id
   FOR NO KEY UPDATE OF a"""

ADD_ACCOUNTS = """
INSERT INTO points_accounts (program_id, member_id, asset_id, head)
SELECT p, m, s, h FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::bytea[]) AS k(p, m, s, h)
 ORDER BY p, m, s
    ON CONFLICT DO NOTHING"""

FIND_POSTINGS = f"""
SELECT p.program_id, uuid_send(p.id), p.fingerprint, p.status, p.kind, p.member_id, p.asset_id, p.amount, p.seq,
       p.balance_after, p.held_after, p.debt_after, {_US.format("p.at")}, uuid_send(p.hold_id), p.wanted, p.facts
  FROM points_postings p
  JOIN unnest(%s::int[], %s::uuid[]) AS k(p, i) ON (p.program_id, p.id) = (k.p, k.i)"""

CLOCK = f"SELECT {_US.format('clock_timestamp()')}"

_HOLD = f"""
SELECT h.program_id, uuid_send(h.id), h.member_id, h.asset_id, h.amount, h.captured, {_US.format("h.expires_at")},
       h.state, h.lots, h.purpose, h.validity, h.grace_days FROM points_holds h"""

# Holds are read without a lock of their own: one changes only under its account's lock, and to wait for a hold of an
# account that is not locked (a line may name any) could deadlock.
FIND_HOLDS = f"""{_HOLD}
  JOIN unnest(%s::int[], %s::bigint[], %s::uuid[]) AS k(p, m, i)
    ON (h.program_id, h.member_id, h.id) = (k.p, k.m, k.i)"""

OPEN_HOLDS = f"""{_HOLD}
  JOIN unnest(%s::int[], %s::bigint[], %s::smallint[]) AS k(p, m, s)
    ON (h.program_id, h.member_id, h.asset_id) = (k.p, k.m, k.s)
 WHERE h.state = 0"""

# The lots of a captured hold are those of the hold itself: the capture's own entry only shows what it gave back.
FIND_ORIGINALS = """
SELECT e.program_id, e.member_id, e.asset_id, e.seq, e.kind, e.amount, uuid_send(e.posting_id),
       coalesce(h.lots, e.lots), uuid_send(e.hold_id),
       coalesce((SELECT sum(r.reversed)::bigint FROM points_entries r
                  WHERE (r.program_id, r.member_id, r.asset_id, r.reverses)
                      = (e.program_id, e.member_id, e.asset_id, e.seq)), 0)
  FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::bigint[], %s::uuid[]) AS k(p, m, s, q, i)
  LEFT JOIN points_postings t ON t.program_id = k.p AND t.id = k.i
  JOIN points_entries e
    ON (e.program_id, e.member_id, e.asset_id, e.seq) = (k.p, k.m, k.s, coalesce(nullif(k.q, 0), t.seq))
   AND (k.i IS NULL OR (t.member_id = k.m AND t.asset_id = k.s AND t.status = 1))
  LEFT JOIN points_holds h
    ON e.kind = 4 AND (h.program_id, h.member_id, h.id) = (e.program_id, e.member_id, e.hold_id)"""

# What was given away since the beginning of the payer's business day, under the payer's lock.
GIVEN = f"""
SELECT k.p, k.m, k.s, -coalesce(sum(e.amount), 0)::bigint
  FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::bigint[]) AS k(p, m, s, t)
  JOIN points_entries e
    ON (e.program_id, e.member_id, e.asset_id) = (k.p, k.m, k.s) AND e.kind = 13 AND e.at >= {_AT.format("k.t")}
 GROUP BY 1, 2, 3"""

WRITE_ACCOUNTS = f"""
UPDATE points_accounts a
   SET balance = k.b, held = k.h, debt = k.d, seq = k.q, last_at = {_AT.format("k.t")},
       due_at = {_AT.format("k.u")}, head = k.g, lots = k.l::bigint[], frozen = k.f::boolean, idle_day = k.i
  FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
              %s::bigint[], %s::bigint[], %s::bytea[], %s::text[], %s::int[], %s::int[])
       AS k(p, m, s, b, h, d, q, t, u, g, l, f, i)
 WHERE (a.program_id, a.member_id, a.asset_id) = (k.p, k.m, k.s)"""

ADD_ENTRIES = f"""
WITH added AS (
  INSERT INTO points_entries (program_id, member_id, asset_id, seq, kind, amount, held_delta, balance_after, held_after,
                              posting_id, at, cause, rule_version, reverses, reversed, hold_id, lots, meta, hash)
  SELECT p, m, s, q, k, a, d, b, h, i, {_AT.format("t")}, c, v, r, x, o, l::bigint[], j::jsonb, g
    FROM unnest(%s::int[], %s::bigint[], %s::smallint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[],
                %s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[],
                %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::bytea[])
         AS u(p, m, s, q, k, a, d, b, h, i, t, c, v, r, x, o, l, j, g)
  RETURNING program_id, member_id, asset_id, seq)
INSERT INTO points_outbox (topic, program_id, member_id, pointer)
SELECT 'ledger.entry', program_id, member_id, ARRAY[asset_id, seq] FROM added"""

ADD_POSTINGS = f"""
INSERT INTO points_postings (program_id, id, fingerprint, status, kind, member_id, asset_id, amount, seq,
                             balance_after, held_after, debt_after, at, hold_id)
SELECT p, i, f, z, k, m, s, a, q, b, h, d, {_AT.format("t")}, o
  FROM unnest(%s::int[], %s::uuid[], %s::bytea[], %s::smallint[], %s::smallint[], %s::bigint[], %s::smallint[],
              %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::uuid[])
       AS u(p, i, f, z, k, m, s, a, q, b, h, d, t, o)"""

NOTE_FACTS = """
UPDATE points_postings p SET wanted = k.w, facts = k.f::jsonb
  FROM unnest(%s::int[], %s::uuid[], %s::bigint[], %s::text[]) AS k(p, i, w, f)
 WHERE (p.program_id, p.id) = (k.p, k.i)"""

ADD_HOLDS = f"""
INSERT INTO points_holds (program_id, member_id, id, asset_id, amount, captured, state, expires_at, purpose,
                          grace_days, lots, reason, validity)
SELECT p, m, i, s, a, c, z, {_AT.format("t")}, u, g, l::bigint[], r, v
  FROM unnest(%s::int[], %s::bigint[], %s::uuid[], %s::smallint[], %s::bigint[], %s::bigint[], %s::smallint[],
              %s::bigint[], %s::smallint[], %s::smallint[], %s::text[], %s::text[], %s::text[])
       AS x(p, m, i, s, a, c, z, t, u, g, l, r, v)"""

CHANGE_HOLDS = f"""
UPDATE points_holds h SET state = k.z, captured = k.c, expires_at = {_AT.format("k.t")}, lots = k.l::bigint[]
  FROM unnest(%s::int[], %s::bigint[], %s::uuid[], %s::smallint[], %s::bigint[], %s::bigint[], %s::text[])
       AS k(p, m, i, z, c, t, l)
 WHERE (h.program_id, h.member_id, h.id) = (k.p, k.m, k.i) AND h.state = 0"""
