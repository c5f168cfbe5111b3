"""The merged OpenAPI as an admin of the staff meets it."""

import pytest

from tests.openapi.promises import broken_promises, house_for_nonsense

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_every_endpoint_keeps_its_promises_and_every_invariant_holds() -> None:
    with house_for_nonsense() as house:
        assert broken_promises(house, f"token {house.staff('boss').token}") == ""
        assert house.violations() == []
