"""What must hold of earning rules."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

from common.errors import Refusal
from common.service import Finding
from services.points.rules.domain import rule_of
from services.points.rules.panel import formula_text


def check_rules(session: Session) -> Iterable[Finding]:
    """What is live was published, versions are numbered without gaps, and every version can still be read."""
    lost = session.execute(
        text(
            "SELECT r.program_id, r.code FROM points_rules r WHERE r.live_version IS NOT NULL AND NOT EXISTS"
            " (SELECT FROM points_rule_versions v"
            " WHERE (v.program_id, v.code, v.version) = (r.program_id, r.code, r.live_version))"
        )
    ).all()
    gaps = session.execute(
        text(
            "SELECT program_id, code FROM points_rule_versions GROUP BY program_id, code"
            " HAVING min(version) <> 1 OR max(version) <> count(*)"
        )
    ).all()
    versions = session.execute(
        text("SELECT program_id, code, version, document FROM points_rule_versions ORDER BY id")
    ).all()
    unread = [f"program {p} {code} version {version}" for p, code, version, doc in versions if not _reads(doc)]
    named = [", ".join(f"program {p} {code}" for p, code in some[:5]) for some in (lost, gaps)]
    yield Finding("live rules were published", len(versions), len(lost), named[0])
    yield Finding("rule versions are numbered without gaps", len(versions), len(gaps), named[1])
    yield Finding("rule versions can be read", len(versions), len(unread), ", ".join(unread[:5]))


def _reads(document: dict[str, object]) -> bool:
    try:
        formula_text(rule_of(document))
    except (Refusal, TypeError, ValueError, AttributeError):
        return False
    return True
