"""Experiments over HTTP."""

from typing import Any

from common.clock import now
from common.http.callers import ANY_STAFF
from common.http.routes import Routes
from common.identity import Identity
from services.points.database import transaction
from services.points.experiments import schemas, use_cases
from services.points.experiments.wordings import WORDINGS

routes = Routes("experiments", wordings=WORDINGS, description="What came of each variant that a rule tried out")


@routes.get(
    "/rules/<code:code>/experiment",
    allow=(ANY_STAFF,),
    query=schemas.ExperimentQuery,
    answer=schemas.ExperimentResponse,
)
def show_experiment(caller: Identity, code: str, query: dict[str, Any]) -> dict[str, Any]:
    """Members, awards, conversions and spend of each variant, from the recorded events, and how sure the difference is.

    A member counts from the first event at which the rule's condition held, whatever their variant then gave.
    """
    with transaction() as session:
        found = use_cases.show_experiment(session, program_id=caller.program_id, code=code, now=now(), **query)
    return schemas.shown(found)
