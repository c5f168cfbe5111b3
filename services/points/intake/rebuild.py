"""The windows of capped rules from the claims and refunds that were folded into them."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlmodel import Session

from services.points.rebuild import Advance, Compared, Rebuild

_WINDOWS = """
INSERT INTO {0} (program_id, member_id, rule, total, newest_at)
SELECT c.program_id, c.member_id, c.rule, sum(c.amount - coalesce(r.given, 0)), max(c.at)
  FROM points_claims c LEFT JOIN (
       SELECT program_id, member_id, rule, event, sum(amount) AS given FROM points_claim_releases GROUP BY 1, 2, 3, 4) r
       USING (program_id, member_id, rule, event)
 GROUP BY 1, 2, 3"""


def _steps(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM points_claims")).scalar_one())


def _build(session: Session, scratch: Mapping[str, str], advance: Advance) -> None:
    session.execute(text(_WINDOWS.format(scratch["points_claim_windows"])))
    advance(_steps(session))


_WINDOW = Compared(
    "points_claim_windows",
    ("program_id", "member_id", "rule"),
    ("total", "newest_at"),
    # A window is locked before it is known whether anything will stand in it.
    where="newest_at IS NOT NULL OR total <> 0",
)

REBUILD = Rebuild(name="caps", tables=(_WINDOW,), steps=_steps, build=_build)
