"""Schemathesis over the merged OpenAPI: every endpoint of the house, through the gateway, as each kind of caller.

All checks are on: no 5xx, no undocumented status, content type or body, required headers, unsupported methods, negative
data refused, use after free, authentication enforced. It is a process of its own, as an operator would run it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House, running_house
from tests.servers import throwaway_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
# The password of the caller itself would change under the run.
_LEFT_OUT = "^/v1/sessions/current/password$"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A house that may be filled with nonsense."""
    limits = {"JIFEN_MEMBER_REQUESTS_PER_SECOND": "100000", "JIFEN_STAFF_REQUESTS_PER_SECOND": "100000"}
    with throwaway_folder() as folder, running_house(folder, **limits) as house:
        yield house


def caller(house: House, kind: str) -> str:
    """Who calls, as `hooks.AsCaller` takes it."""
    if kind == "system":
        return f"key {house.credentials.key_id} {house.credentials.key_secret}"
    person = house.staff("boss") if kind == "staff" else house.member("schema")
    return f"token {person.token}"


# The admin comes last: part of what the nonsense does in its name is to end keys and disable staff.
@pytest.mark.parametrize("kind", ["member", "system", "staff"])
def test_every_endpoint_keeps_its_promises(house: House, kind: str) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{house.gateway.url}/openapi.json", "--checks", "all", "--mode", "all"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "4", "--max-failures", "20"),
        *("--exclude-path-regex", _LEFT_OUT, "--seed", "20260503", "--no-color"),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
        "JIFEN_TEST_CALLER": caller(house, kind),
        "PYTHONPATH": str(HERE.parents[1]),
        "PYTHONWARNINGS": "default",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=house.stack.folder)
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]


def test_afterwards_every_invariant_holds(house: House) -> None:
    assert house.violations() == []
