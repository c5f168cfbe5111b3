"""The report by reason over HTTP, as JSON or, with `Accept: text/csv`, as a spreadsheet."""

from typing import Any

from common.clock import now
from common.http.callers import staff, system
from common.http.routes import Routes
from common.http.spreadsheets import csv_answer, wants_csv
from common.identity import Identity
from services.points.database import database
from services.points.reasons import schemas, use_cases
from services.points.reasons.wordings import WORDINGS

routes = Routes("reasons", wordings=WORDINGS, description="What staff gave and took by hand, by reason")


@routes.get(
    "/adjustment-report",
    allow=(staff("finance"), staff("marketer"), system("read")),
    query=schemas.ReasonsReportQuery,
    answer=schemas.ReasonsReportResponse,
)
def show_report(caller: Identity, query: dict[str, Any]) -> Any:
    """What adjustments and changesets gave and took, by reason: how often and how much, by month and agent.

    With `Accept: text/csv` the rows come as a spreadsheet, headed in the language of Accept-Language.
    """
    with database.reading() as session:
        shown = use_cases.report(session, program_id=caller.program_id, now=now(), **query)
    return csv_answer("adjustments", schemas.COLUMNS, schemas.sheet(shown["rows"])) if wants_csv() else shown
