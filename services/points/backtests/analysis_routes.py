"""The static check of rules over HTTP, for marketers: what would go wrong, said while they edit."""

from typing import Any

from common.clock import now
from common.http.callers import staff
from common.http.routes import Routes
from common.identity import Identity
from services.points.backtests import analyses
from services.points.backtests.analyses import Analysis
from services.points.backtests.analysis_schemas import AnalysisRequest, AnalysisResponse
from services.points.database import transaction

routes = Routes("rule-analysis", description="The rules checked before anything happens")

_MARKETERS = (staff("marketer"),)


@routes.get("/rule-analysis", allow=_MARKETERS, answer=AnalysisResponse)
def analyse_live_rules(caller: Identity) -> Analysis:
    """What is wrong with the rules that decide now."""
    with transaction() as session:
        return analyses.analyse_rules(session, program_id=caller.program_id, drafts=(), retire=(), now=now())


@routes.post("/rule-analysis", allow=_MARKETERS, body=AnalysisRequest, answer=AnalysisResponse)
def analyse_candidate(caller: Identity, body: dict[str, Any]) -> Analysis:
    """What would be wrong with the rules if drafts were published; nothing is written.

    Stacking without bounds, the same question twice, rules that can never award, awards that grow without a cap, awards
    worth more than their order, audiences that nobody is in, loops between reward and trigger, and what the platform
    forbids.
    """
    with transaction() as session:
        return analyses.analyse_rules(session, program_id=caller.program_id, now=now(), **body)
