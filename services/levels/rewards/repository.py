"""Every SQL statement over grants."""

import json

from sqlalchemy import text
from sqlmodel import Session

from services.levels.reward import Grant, to_json

_ADD = text(
    "INSERT INTO levels_grants (program_id, member_id, grant_id, reward, cause, rule, at)"
    " SELECT p, m, g, r::jsonb, c, u, a FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:g AS text[]),"
    " CAST(:r AS text[]), CAST(:c AS text[]), CAST(:u AS text[]), CAST(:a AS timestamptz[])) AS v(p, m, g, r, c, u, a)"
    " ORDER BY p, m, g ON CONFLICT DO NOTHING RETURNING program_id, member_id, grant_id"
)


def add_grants(session: Session, grants: list[Grant]) -> list[Grant]:
    """Insert the grants; returns those that were not there yet, in the order given."""
    rows = session.execute(
        _ADD,
        {
            "p": [grant.program_id for grant in grants],
            "m": [grant.member_id for grant in grants],
            "g": [grant.grant_id for grant in grants],
            "r": [json.dumps(to_json(grant.reward)) for grant in grants],
            "c": [grant.cause for grant in grants],
            "u": [grant.rule for grant in grants],
            "a": [grant.at for grant in grants],
        },
    )
    missing = {(row.program_id, row.member_id, row.grant_id) for row in rows}
    added = []
    for grant in grants:
        key = (grant.program_id, grant.member_id, grant.grant_id)
        if key in missing:
            missing.remove(key)
            added.append(grant)
    return added
