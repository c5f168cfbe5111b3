"""The slice of the levels service that sign-in uses: whose identity is this?"""

from functools import lru_cache
from typing import Any

from common.service_client import Neighbour
from gateway.auth.domain import ExternalIdentity


def resolve_member(program_id: int, identity: ExternalIdentity) -> int:
    """The member of this identity, made if there was none. Raises `NeighbourUnavailable`, `NeighbourRefused`."""
    named: dict[str, Any] = {"type": identity.type, "app": identity.app, "value": identity.value}
    if identity.union is not None:
        named["union"] = identity.union
    body = {"identities": [named], "create": True}
    answer = _levels().post("/v1/members/resolution", program_id=program_id, body=body)
    return int(answer["members"][0]["member_id"])


@lru_cache(maxsize=1)
def _levels() -> Neighbour:
    return Neighbour("levels", caller="gateway")
