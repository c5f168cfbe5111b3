"""What changesets ask of levels: whom identities lead to, and whether members exist."""

import re
from collections.abc import Sequence

from common.service_client import Neighbour, NeighbourRefused

MOST_AT_ONCE = 1000
_levels = Neighbour("levels", caller="points")
_WHICH = re.compile(r"^/identities/(\d+)/")


class SubjectRefused(Exception):
    """Levels cannot read one of the identities: `subject`, `reason`."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(reason)
        self.subject, self.reason = subject, reason


def resolve(program_id: int, subjects: Sequence[str], *, create: bool) -> list[int | None]:
    """The member each `type:value` or `type/app:value` leads to; with `create` strangers become members.

    At most 1,000 at once; safe to repeat. Raises `SubjectRefused`.
    """
    body = {"identities": [_identity(subject) for subject in subjects], "create": create}
    try:
        answer = _levels.post("/v1/members/resolution", program_id=program_id, body=body, key="resolution")
    except NeighbourRefused as refused:
        error: dict[str, str] = next(iter(refused.problem.get("errors", [])), {})
        which = _WHICH.match(error.get("pointer", ""))
        if not which:
            raise
        raise SubjectRefused(subjects[int(which[1])], error["detail"]) from refused
    return [member["member_id"] for member in answer["members"]]


def existing_members(program_id: int, member_ids: Sequence[int]) -> set[int]:
    """Those of the members that there are; at most 1,000 at once."""
    body = {"member_ids": list(member_ids)}
    answer = _levels.post("/v1/members/presence", program_id=program_id, body=body, key="presence")
    return set(answer["member_ids"])


def _identity(subject: str) -> dict[str, str]:
    named, _, value = subject.partition(":")
    kind, _, app = named.partition("/")
    return {"type": kind, "value": value, **({"app": app} if app else {})}
