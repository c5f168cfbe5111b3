"""What every test may ask for."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from deploy.local.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.servers import throwaway_postgres, throwaway_valkey
from tests.thoroughness import examples

# Servers and neighbours make single examples slow; in CI the same examples every time, at home new ones.
settings.register_profile("jifen", deadline=None, max_examples=examples(50), derandomize="CI" in os.environ)
settings.load_profile("jifen")


def pytest_collection_finish() -> None:
    """Spare the collector what is loaded by now, as web processes do: it took a tenth of the suite's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


#: Whose tests start whole stacks.
_OF_STACKS = ("tests/chaos/test_feeds.py", "tests/e2e", "tests/openapi", "tests/stack")


@pytest.fixture(autouse=True, scope="module")
def operators_environment(request: pytest.FixtureRequest) -> Iterator[None]:
    """A stack finds the environment of an operator: not the servers that service tests of this process work on."""
    with pytest.MonkeyPatch.context() as patched:
        if request.path.relative_to(request.config.rootpath).as_posix().startswith(_OF_STACKS):
            for name in [name for name in os.environ if name.startswith("JIFEN_")]:
                patched.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for all tests of this process (with xdist: of each worker); it does not wait for the disk."""
    with throwaway_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedValkey]:
    """One Valkey for all tests of this process; it writes nothing to the disk."""
    with throwaway_valkey() as server:
        yield server


@pytest.fixture
def durable_postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of the test's own that survives `kill()`; `start()` brings it back."""
    with throwaway_postgres(durable=True) as server:
        yield server


@pytest.fixture
def durable_valkey() -> Iterator[EmbeddedValkey]:
    """A Valkey of the test's own that survives `kill()`; `start()` brings it back."""
    with throwaway_valkey(durable=True) as server:
        yield server
