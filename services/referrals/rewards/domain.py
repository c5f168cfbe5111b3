"""What is handed out, as a value: the list of parts of docs/facts.md, each of one kind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: E.g. `[{"kind": "asset", "asset": "points", "amount": 50}, {"kind": "badge", "badge": "streak-7"}]`.
Reward = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Grant:
    """One handing out to one member. `cause` is the natural key of the event behind it, `rule` what decided it."""

    program_id: int
    member_id: int
    grant_id: str
    reward: Reward
    cause: str
    rule: str
    at: datetime
