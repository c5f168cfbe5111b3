"""Schemathesis over the merged OpenAPI: every endpoint of the house, through the gateway, as one kind of caller.

All checks are on: no 5xx, no undocumented status, content type or body, required headers, unsupported methods, negative
data refused, use after free, authentication enforced. It is a process of its own, as an operator would run it. Each
kind of caller has a house of its own, so that the kinds can run beside each other, and calls what it may call. That the
rest is refused, and that all who may call something can, is `tests/service/test_caller_matrix.py`.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.house import House, running_house
from tests.servers import throwaway_folder
from tests.thoroughness import THOROUGH, examples

HERE = Path(__file__).parent
#: Of several that may call something the first tries it.
KINDS = ("member", "system", "staff")
# The password of the caller itself would change under the run.
_LEFT_OUT = "/v1/sessions/current/password"


@contextmanager
def house_for_nonsense() -> Iterator[House]:
    """A house that may be filled with nonsense, as fast as it comes."""
    limits = {"JIFEN_MEMBER_REQUESTS_PER_SECOND": "100000", "JIFEN_STAFF_REQUESTS_PER_SECOND": "100000"}
    with throwaway_folder() as folder, running_house(folder, **limits) as house:
        # The services build their parts of the document when it is first asked for; Schemathesis would wait 10 s only.
        _document(house)
        yield house


def _document(house: House) -> Any:
    with urllib.request.urlopen(f"{house.gateway.url}/openapi.json", timeout=120) as answer:
        return json.load(answer)


def _callable(house: House, kind: str) -> list[str]:
    """The operations that this kind of caller tries, as `METHOD /path`: one kind each, all that may if `THOROUGH`."""
    found = []
    for path, operations in _document(house)["paths"].items():
        for method, operation in operations.items():
            if method == "parameters" or path == _LEFT_OUT:
                continue
            may = [one for one in KINDS if not operation["security"] or {one: []} in operation["security"]]
            if kind in (may if THOROUGH else may[:1]):
                found.append(f"{method.upper()} {path}")
    return found


def broken_promises(house: House, kind: str, caller: str) -> str:
    """What the run found, empty when every endpoint kept its promises; the caller as `hooks.AsCaller` takes it."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{house.gateway.url}/openapi.json", "--checks", "all", "--mode", "all"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(examples(6)), "--max-failures", "20"),
        *("--seed", "20260503", "--no-color"),
        *(word for operation in _callable(house, kind) for word in ("--include-name", operation)),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
        "JIFEN_TEST_CALLER": caller,
        "PYTHONPATH": str(HERE.parents[1]),
        "PYTHONWARNINGS": "default",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=house.stack.folder)
    return "" if done.returncode == 0 else done.stdout[-12_000:] + done.stderr[-2_000:]
