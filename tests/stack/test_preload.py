"""What a nursery loads for its children is code and constants: nothing that must not cross a fork."""

import subprocess
import sys

import pytest

from deploy.local.processes import PRELOAD, Kind

LOADED = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
import psutil
from common.settings import settings
me = psutil.Process()
print(me.num_threads(), len(me.net_connections(kind="all")), settings.cache_info().currsize)
"""


@pytest.mark.parametrize("kind", sorted(PRELOAD))
def test_nothing_is_opened_started_or_read_from_the_environment(kind: Kind) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED, *PRELOAD[kind]], capture_output=True, text=True, check=True, env={}
    )
    assert loaded.stdout.split() == ["1", "0", "0"]
