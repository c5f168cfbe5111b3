"""The daily figures from the entries behind the rollup's cursor."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlmodel import Session

from services.points.figures import repository
from services.points.rebuild import Advance, Compared, Rebuild


def _steps(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM points_entries")).scalar_one())


def _build(session: Session, scratch: Mapping[str, str], advance: Advance) -> None:
    repository.fold_into(session, scratch["points_daily_figures"])
    advance(_steps(session))


_FIGURES = Compared(
    "points_daily_figures",
    ("program_id", "asset_id", "day", "kind", "by_hand"),
    ("credited", "debited", "held", "entries"),
)

REBUILD = Rebuild(name="figures", tables=(_FIGURES,), steps=_steps, build=_build)
