"""A member's whole profile."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.errors import NotFound
from gateway.profiles import clients
from gateway.profiles.domain import Missing, holds_of, parts_of, questions, questions_about_holds


@dataclass(frozen=True, slots=True)
class Profile:
    """All that is known of a member, part by part; a part that is `missing` is None."""

    member_id: int
    as_of: datetime
    parts: dict[str, Any]
    missing: list[Missing]


def profile(member_id: int, *, headers: dict[str, str], until: float, now: datetime) -> Profile:
    """Ask everybody at once, then points for holds where there are some. Raises `NotFound` when levels knows nobody."""
    asked = clients.ask(questions(member_id), headers=headers, until=until)
    by_part = {question.part: said for question, said in asked.items()}
    if by_part["member"].status == 404:
        raise NotFound()
    parts, missing = parts_of(asked)
    held = clients.ask(questions_about_holds(member_id, by_part["accounts"]), headers=headers, until=until)
    _, unheld = parts_of(held)
    holds = holds_of(held) if by_part["accounts"].worked else None
    return Profile(member_id, now, {**parts, "holds": holds}, [*missing, *unheld])
