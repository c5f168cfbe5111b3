"""One house for all stories of this folder."""

from collections.abc import Iterator

import pytest

from tests.house import House, running_house
from tests.servers import throwaway_folder


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The running house."""
    with throwaway_folder() as folder, running_house(folder) as house:
        yield house
