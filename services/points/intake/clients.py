"""What intake asks of levels: who an outside identity is."""

import re
from collections.abc import Sequence

from common.service_client import Neighbour, NeighbourRefused
from services.points.intake.domain import SubjectRefused

_levels = Neighbour("levels", caller="points")
_WHICH = re.compile(r"^/identities/(\d+)/")


def resolve_members(program_id: int, subjects: Sequence[tuple[str, str, str]]) -> list[int]:
    """The member ids of `(type, app, value)`, made where there was none yet; at most 1,000. Safe to repeat.

    Raises `SubjectRefused` when levels cannot read one of them.
    """
    identities = [{"type": kind, "app": app, "value": value} for kind, app, value in subjects]
    for identity in identities:
        if not identity["app"]:
            del identity["app"]
    body = {"identities": identities, "create": True}
    try:
        answer = _levels.post("/v1/members/resolution", program_id=program_id, body=body, key="resolution")
    except NeighbourRefused as refused:
        error: dict[str, str] = next(iter(refused.problem.get("errors", [])), {})
        which = _WHICH.match(error.get("pointer", ""))
        if not which:
            raise
        kind, app, value = subjects[int(which[1])]
        raise SubjectRefused(
            subject=f"{kind}/{app}:{value}" if app else f"{kind}:{value}", reason=error["detail"]
        ) from refused
    return [member["member_id"] for member in answer["members"]]
