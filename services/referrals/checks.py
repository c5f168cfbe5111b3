"""The invariants of this service, checked on the live database by `verify` (architecture §6: 2, 5, 6)."""

from common.service import Check, invariant

CHECKS: tuple[Check, ...] = (
    invariant(
        "nobody is bound to themselves",
        "referrals_bindings",
        "SELECT program_id || ':' || member_id FROM referrals_bindings WHERE member_id = inviter_id",
    ),
    invariant(
        "every qualified binding granted both sides once, and still does; no other does",
        "referrals_bindings",
        """
        SELECT b.program_id || ':' || b.member_id || '-' || b.number
        FROM referrals_bindings b
        LEFT JOIN referrals_grants g
          ON g.program_id = b.program_id AND g.reversed_at IS NULL
          AND (g.member_id, g.grant_id) IN (
            (b.inviter_id, format('referrals:invitation:%s-%s:inviter', b.member_id, b.number)),
            (b.member_id, format('referrals:invitation:%s-%s:invitee', b.member_id, b.number)))
        GROUP BY b.program_id, b.member_id, b.number, b.state
        HAVING count(g.grant_id) <> CASE b.state WHEN 'qualified' THEN 2 ELSE 0 END
        """,
    ),
    invariant(
        "no inviter has more rewarded invitations in a month than the cap",
        "(SELECT DISTINCT program_id, inviter_id, campaign, counted_month FROM referrals_bindings"
        " WHERE state = 'qualified') months",
        """
        SELECT b.program_id || ':' || b.inviter_id || ' ' || b.campaign || ' ' || b.counted_month
        FROM referrals_bindings b
        JOIN referrals_invitation_campaigns c USING (program_id, version)
        WHERE b.state = 'qualified' AND c.code = b.campaign
        GROUP BY b.program_id, b.inviter_id, b.campaign, b.counted_month
        HAVING count(*) > max(c.monthly_cap)
        """,
    ),
    invariant(
        "no member has two bindings that count",
        "(SELECT DISTINCT program_id, member_id FROM referrals_bindings) members",
        """
        SELECT program_id || ':' || member_id FROM referrals_bindings
        WHERE state <> 'replaced' GROUP BY program_id, member_id HAVING count(*) > 1
        """,
    ),
    invariant(
        "no group has more seats than its size, and a filled one has exactly that many paid",
        "referrals_groupbuys",
        """
        SELECT g.program_id || ':' || g.id
        FROM referrals_groupbuys g
        JOIN referrals_groupbuy_campaigns c
          ON c.program_id = g.program_id AND c.code = g.campaign AND c.version = g.version
        LEFT JOIN referrals_groupbuy_seats s ON s.program_id = g.program_id AND s.group_id = g.id
        GROUP BY g.program_id, g.id, g.state, c.size
        HAVING count(s.number) <> c.size
          OR (count(*) FILTER (WHERE s.state = 'paid') = c.size) <> (g.state = 'filled')
        """,
    ),
    invariant(
        "every seat of a filled group was granted its rewards once",
        "referrals_groupbuys WHERE state = 'filled'",
        """
        SELECT s.program_id || ':' || s.group_id || ' seat ' || s.number
        FROM referrals_groupbuy_seats s
        JOIN referrals_groupbuys g ON g.program_id = s.program_id AND g.id = s.group_id AND g.state = 'filled'
        JOIN referrals_groupbuy_campaigns c
          ON c.program_id = g.program_id AND c.code = g.campaign AND c.version = g.version
        LEFT JOIN referrals_grants r
          ON r.program_id = s.program_id AND r.member_id = s.holder_id
          AND r.grant_id = format('referrals:groupbuy:%s:seat-%s', g.id, s.number)
        WHERE c.reward_on_fill <> '[]'
          AND (r.grant_id IS NULL OR (r.reversed_at IS NULL) <> (s.refunded_at IS NULL))
        """,
    ),
    invariant(
        "every paid seat of an expired group has its refund request",
        "referrals_groupbuys WHERE state = 'expired'",
        """
        SELECT s.program_id || ':' || s.group_id || ' seat ' || s.number
        FROM referrals_groupbuy_seats s
        JOIN referrals_groupbuys g ON g.program_id = s.program_id AND g.id = s.group_id AND g.state = 'expired'
        LEFT JOIN referrals_groupbuy_refunds r
          ON r.program_id = s.program_id AND r.order_id = s.order_id AND r.member_id = s.holder_id
        WHERE s.state = 'paid' AND r.order_id IS NULL
        """,
    ),
    invariant(
        "nothing that was asked back still pays for a seat of a group that can be filled",
        "referrals_groupbuy_refunds",
        """
        SELECT r.program_id || ':' || r.order_id
        FROM referrals_groupbuy_refunds r
        JOIN referrals_groupbuy_seats s
          ON s.program_id = r.program_id AND s.order_id = r.order_id AND s.holder_id = r.member_id
        JOIN referrals_groupbuys g ON g.program_id = s.program_id AND g.id = s.group_id
        WHERE g.state <> 'expired'
        """,
    ),
    invariant(
        "what was refunded of an order is the sum of its refunds",
        "referrals_orders",
        """
        SELECT o.program_id || ':' || o.order_id
        FROM referrals_orders o
        LEFT JOIN referrals_order_refunds r USING (program_id, order_id, member_id)
        GROUP BY o.program_id, o.order_id, o.member_id, o.refunded_fen
        HAVING coalesce(sum(r.refunded_fen), 0) <> o.refunded_fen
        """,
    ),
)
