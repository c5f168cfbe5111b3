"""One house for all stories of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House, running_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The running house."""
    folder: Path = tmp_path_factory.mktemp("house")
    with running_house(folder) as house:
        yield house
