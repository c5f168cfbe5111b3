"""What `verify` asks of the levels database: the invariants of architecture §6 that concern it, one statement each.

Each statement returns the key of every offender; the finding names the first few.
"""

from common.service import Check, invariant

CHECKS: tuple[Check, ...] = (
    invariant(
        "every identity leads to a member of its program",
        among="levels_identities",
        offenders="SELECT i.program_id, i.type, i.member_id FROM levels_identities i WHERE NOT EXISTS"
        " (SELECT FROM levels_members m WHERE (m.program_id, m.member_id) = (i.program_id, i.member_id))",
    ),
    invariant(
        "every member has a standing",
        among="levels_members",
        offenders="SELECT m.program_id, m.member_id FROM levels_members m WHERE NOT EXISTS"
        " (SELECT FROM levels_standings s WHERE (s.program_id, s.member_id) = (m.program_id, m.member_id))",
    ),
    invariant(
        "birthdays are of members",
        among="levels_birthdays",
        offenders="SELECT b.program_id, b.member_id FROM levels_birthdays b WHERE NOT EXISTS"
        " (SELECT FROM levels_members m WHERE (m.program_id, m.member_id) = (b.program_id, b.member_id))",
    ),
    invariant(
        "every birthday and anniversary was told once a member and year",
        among="levels_anniversaries",
        offenders="SELECT coalesce(a.program_id, f.program_id), coalesce(a.member_id, f.member_id),"
        " coalesce(a.kind, f.kind), coalesce(a.year, f.year) FROM levels_anniversaries a FULL JOIN"
        " (SELECT program_id, member_id, split_part(topic, '.', 1) AS kind, (payload->>'year')::int AS year,"
        "  count(*) AS times FROM levels_outbox WHERE topic IN ('birthday.reached', 'anniversary.reached')"
        "  GROUP BY 1, 2, 3, 4) f ON (f.program_id, f.member_id, f.kind, f.year) ="
        " (a.program_id, a.member_id, a.kind, a.year) WHERE f.times IS DISTINCT FROM 1 OR a.year IS NULL",
    ),
    invariant(
        "no tier is lower than the growth gives",
        among="levels_standings",
        offenders="SELECT s.program_id, s.member_id, s.tier, s.growth FROM levels_standings s"
        " JOIN levels_ladders l ON (l.program_id, l.version) = (s.program_id, s.ladder_version)"
        " WHERE EXISTS (SELECT FROM jsonb_array_elements(l.tiers) above, jsonb_array_elements(l.tiers) own"
        "  WHERE own->>'code' = s.tier AND (above->>'growth')::bigint > (own->>'growth')::bigint"
        "  AND (above->>'growth')::bigint <= s.growth)",
    ),
    invariant(
        "a member's tier is what the last decision says, and decisions are without gaps",
        among="levels_tier_changes",
        offenders="SELECT s.program_id, s.member_id, s.tier FROM levels_standings s LEFT JOIN LATERAL"
        " (SELECT count(*) AS decisions, max(number) AS last FROM levels_tier_changes c"
        "  WHERE (c.program_id, c.member_id) = (s.program_id, s.member_id)) n ON true"
        " LEFT JOIN levels_tier_changes c ON (c.program_id, c.member_id, c.number)"
        "  = (s.program_id, s.member_id, n.last)"
        " WHERE n.decisions <> s.changes OR coalesce(n.last, 0) <> s.changes"
        " OR (s.changes > 0 AND c.to_tier IS DISTINCT FROM s.tier)",
    ),
    invariant(
        "a badge is held exactly while a grant of it stands",
        among="levels_member_badges",
        offenders="SELECT coalesce(h.program_id, g.program_id), coalesce(h.member_id, g.member_id),"
        " coalesce(h.badge, g.badge) FROM (SELECT * FROM levels_member_badges WHERE revoked_at IS NULL) h FULL JOIN"
        " (SELECT DISTINCT program_id, member_id, badge, period FROM levels_badge_grants WHERE revoked_at IS NULL) g"
        " ON (h.program_id, h.member_id, h.badge, h.period) = (g.program_id, g.member_id, g.badge, g.period)"
        " WHERE h.program_id IS NULL OR g.program_id IS NULL",
    ),
    invariant(
        "every badge that levels granted was put on",
        among="levels_grants",
        offenders="SELECT g.program_id, g.member_id, g.grant_id FROM levels_grants g,"
        " jsonb_array_elements(g.reward) part WHERE part->>'kind' = 'badge' AND NOT EXISTS (SELECT FROM"
        " levels_badge_grants b WHERE (b.program_id, b.member_id, b.grant_id, b.badge) ="
        " (g.program_id, g.member_id, g.grant_id, part->>'badge'))",
    ),
    invariant(
        "every check-in with a reward was granted once",
        among="levels_checkins",
        offenders="SELECT c.program_id, c.member_id, c.campaign, c.day FROM levels_checkins c WHERE c.reward <> '[]'"
        " AND NOT EXISTS (SELECT FROM levels_grants g WHERE (g.program_id, g.member_id, g.grant_id) = (c.program_id,"
        "  c.member_id, format('levels:checkin:%s:%s:%s', c.campaign, c.member_id, c.day)) AND g.reward = c.reward)",
    ),
    invariant(
        "every day that was restored stands as a check-in without a reward",
        among="levels_restored_days",
        offenders="SELECT r.program_id, r.member_id, r.campaign, r.day FROM levels_restored_days r"
        " LEFT JOIN levels_checkins c USING (program_id, member_id, campaign, day)"
        " WHERE c.reward IS DISTINCT FROM '[]'",
    ),
    invariant(
        "every milestone handed out was granted, none that is due",
        among="levels_milestones",
        offenders="SELECT m.program_id, m.member_id, m.campaign, m.streak FROM levels_milestones m"
        " WHERE (m.granted_at IS NOT NULL) <> EXISTS (SELECT FROM levels_grants g WHERE (g.program_id, g.member_id,"
        "  g.grant_id) = (m.program_id, m.member_id,"
        "  format('levels:streak:%s:%s:%s', m.campaign, m.member_id, m.streak)))",
    ),
    invariant(
        "milestone stock taken is what was given",
        among="levels_milestone_stocks",
        offenders="SELECT s.program_id, s.campaign, s.streak, s.taken FROM levels_milestone_stocks s WHERE s.taken <>"
        " (SELECT count(*) FROM levels_milestones m JOIN levels_checkin_campaigns c"
        "  ON (c.program_id, c.code, c.version) = (m.program_id, m.campaign, m.version),"
        "  jsonb_array_elements(c.terms->'milestones') one WHERE (m.program_id, m.campaign, m.streak) ="
        "  (s.program_id, s.campaign, s.streak) AND m.gift AND (one->>'streak')::int = m.streak"
        "  AND one->>'stock' IS NOT NULL)",
    ),
    invariant(
        "refunds of an order are the sum of its refunds",
        among="levels_spend_orders",
        offenders="SELECT o.program_id, o.member_id, o.order_id FROM levels_spend_orders o WHERE o.refunded_fen <>"
        " (SELECT coalesce(sum(r.fen), 0) FROM levels_spend_refunds r"
        "  WHERE (r.program_id, r.member_id, r.order_id) = (o.program_id, o.member_id, o.order_id))",
    ),
    invariant(
        "spend scores are the net of the orders, in every period",
        among="levels_board_scores",
        offenders="WITH counted AS (SELECT program_id, member_id, period, starts_on,"
        "  sum(greatest(paid_fen - refunded_fen, 0)) AS score FROM levels_spend_orders, LATERAL (VALUES ('day', day),"
        "  ('week', date_trunc('week', day::timestamp)::date), ('month', date_trunc('month', day::timestamp)::date),"
        "  ('all', DATE '1970-01-01')) AS p(period, starts_on) GROUP BY 1, 2, 3, 4)"
        " SELECT coalesce(s.program_id, c.program_id), coalesce(s.member_id, c.member_id),"
        "  coalesce(s.period, c.period), coalesce(s.starts_on, c.starts_on)"
        " FROM (SELECT * FROM levels_board_scores WHERE metric = 'spend') s FULL JOIN counted c"
        " ON (s.program_id, s.member_id, s.period, s.starts_on) = (c.program_id, c.member_id, c.period, c.starts_on)"
        " WHERE s.score IS DISTINCT FROM c.score",
    ),
    invariant(
        "earned points of the days sum to the weeks, months and all",
        among="levels_board_scores",
        offenders="WITH counted AS (SELECT program_id, member_id, kept.period, kept.starts_on, sum(score) AS score"
        "  FROM levels_board_scores d, LATERAL (VALUES"
        "  ('week', date_trunc('week', d.starts_on::timestamp)::date),"
        "  ('month', date_trunc('month', d.starts_on::timestamp)::date), ('all', DATE '1970-01-01'))"
        "  AS kept(period, starts_on) WHERE metric = 'points_earned' AND d.period = 'day' GROUP BY 1, 2, 3, 4)"
        " SELECT coalesce(s.program_id, c.program_id), coalesce(s.member_id, c.member_id),"
        "  coalesce(s.period, c.period), coalesce(s.starts_on, c.starts_on)"
        " FROM (SELECT * FROM levels_board_scores WHERE metric = 'points_earned' AND period <> 'day') s"
        " FULL JOIN counted c ON (s.program_id, s.member_id, s.period, s.starts_on)"
        "  = (c.program_id, c.member_id, c.period, c.starts_on) WHERE s.score IS DISTINCT FROM c.score",
    ),
    invariant(
        "every closed period was rewarded as its settlement says",
        among="levels_board_settlements",
        offenders="SELECT s.program_id, s.board, s.period, s.starts_on FROM levels_board_settlements s"
        " WHERE s.winners <> (SELECT count(*) FROM levels_board_results r JOIN levels_grants g"
        "  ON (g.program_id, g.member_id, g.grant_id) = (r.program_id, r.member_id,"
        "  format('levels:board:%s:%s:%s:%s', r.board, r.period, r.starts_on, r.member_id))"
        "  WHERE (r.program_id, r.board, r.period, r.starts_on) = (s.program_id, s.board, s.period, s.starts_on))",
    ),
)
