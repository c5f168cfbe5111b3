"""What the door itself refuses, before anything knows in which language to say so."""

from typing import Any


class TurnedAway(Exception):
    """A problem of the edge by its code and facts; worded when it is answered, in the caller's language."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts
