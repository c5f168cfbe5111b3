"""What intake asks of levels: who an outside identity is."""

from collections.abc import Sequence

from common.service_client import Neighbour

_levels = Neighbour("levels", caller="points")


def resolve_members(program_id: int, subjects: Sequence[tuple[str, str, str]]) -> list[int]:
    """The member ids of `(type, app, value)`, made where there was none yet; at most 1,000. Safe to repeat."""
    identities = [{"type": kind, "app": app, "value": value} for kind, app, value in subjects]
    for identity in identities:
        if not identity["app"]:
            del identity["app"]
    body = {"identities": identities, "create": True}
    answer = _levels.post("/v1/members/resolution", program_id=program_id, body=body, key="resolution")
    return [member["member_id"] for member in answer["members"]]
