"""How much of what could be tried is tried: enough for every change, all of it under `make thorough`."""

import os

THOROUGH = "THOROUGH" in os.environ


def examples(count: int) -> int:
    """How many examples a property is given."""
    return count * 10 if THOROUGH else count
