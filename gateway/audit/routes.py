"""The audit over HTTP."""

from typing import Any

from common.http.callers import staff
from common.http.routes import Routes
from common.identity import Identity
from gateway.audit import use_cases
from gateway.audit.schemas import AuditQuery, AuditResponse
from gateway.audit.use_cases import AuditPage
from gateway.database import transaction

routes = Routes("audit", description="What staff did")


@routes.get("/audit", allow=(staff("admin"),), query=AuditQuery, answer=AuditResponse)
def list_records(caller: Identity, query: dict[str, Any]) -> AuditPage:
    """Every request of staff that could change something, in any service, the newest first, the refused too."""
    with transaction() as session:
        return use_cases.list_records(session, program_id=caller.program_id, **query)
