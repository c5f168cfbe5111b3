"""The merged OpenAPI as a brand's system, which signs each request meets it."""

import pytest

from tests.openapi.promises import broken_promises, house_for_nonsense
from tests.thoroughness import THOROUGH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200 if THOROUGH else 900)]


def test_every_endpoint_keeps_its_promises_and_every_invariant_holds() -> None:
    with house_for_nonsense() as house:
        assert broken_promises(house, "system", f"key {house.credentials.key_id} {house.credentials.key_secret}") == ""
        assert house.violations() == []
