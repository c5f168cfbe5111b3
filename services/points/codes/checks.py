"""What must hold of codes: checked over a live database by `verify`."""

from common.service import Check, invariant

CHECKS: tuple[Check, ...] = (
    invariant(
        "sets have as many codes as are made",
        among="points_code_sets",
        offenders="SELECT s.program_id, s.code FROM points_code_sets s WHERE s.made <> (SELECT count(*)"
        " FROM points_codes c WHERE (c.program_id, c.code_set) = (s.program_id, s.code))",
    ),
    invariant(
        "codes are used as often as they were redeemed, and no more than they may be",
        among="points_codes",
        offenders="SELECT c.program_id, c.code_set, c.number FROM points_codes c JOIN points_code_sets s"
        " ON (s.program_id, s.code) = (c.program_id, c.code_set)"
        " LEFT JOIN (SELECT program_id, code_set, number, count(*) AS uses FROM points_code_uses GROUP BY 1, 2, 3) u"
        " ON (u.program_id, u.code_set, u.number) = (c.program_id, c.code_set, c.number)"
        " WHERE c.uses <> coalesce(u.uses, 0) OR c.uses > s.uses_per_code",
    ),
    invariant(
        "members redeem no more codes of a set than they may",
        among="points_code_uses",
        offenders="SELECT u.program_id, u.member_id, u.code_set FROM points_code_uses u JOIN points_code_sets s"
        " ON (s.program_id, s.code) = (u.program_id, u.code_set) WHERE u.nth > s.uses_per_member",
    ),
    invariant(
        "every use of a code is an event, and every such event a use",
        among="points_code_uses",
        offenders="SELECT coalesce(u.program_id, e.program_id), coalesce(u.id, e.id) FROM (SELECT program_id,"
        "  format('%s/%s/%s/%s', code_set, number, member_id, nth) AS id FROM points_code_uses) u FULL JOIN"
        " (SELECT program_id, id FROM points_events WHERE source = 'jifen:codes') e USING (program_id, id)"
        " WHERE u.id IS NULL OR e.id IS NULL",
    ),
)
