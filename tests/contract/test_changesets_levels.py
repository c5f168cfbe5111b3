"""What changesets build on, asked of the real levels service: the points client against levels' real app."""

# ruff: noqa: F811 - fixtures are asked for by name

from collections.abc import Iterator

import pytest

from common.service import Service
from services.points.changesets import clients
from services.points.changesets.clients import SubjectRefused
from tests.levels import Levels, levels, levels_migrated, unchecked  # noqa: F401 - fixtures
from tests.support import listening


@pytest.fixture
def listening_levels(levels: Levels, levels_migrated: Service) -> Iterator[Levels]:
    """Levels on a port of this machine."""
    with listening(levels_migrated):
        yield levels


def test_strangers_are_nobody_until_they_are_made(listening_levels: Levels) -> None:
    subjects = ["customer_id:00123", "wechat_openid/wx1:abc"]
    assert clients.resolve(1, subjects, create=False) == [None, None]
    made = clients.resolve(1, subjects, create=True)
    assert clients.resolve(1, subjects, create=True) == made == clients.resolve(1, subjects, create=False)
    assert clients.resolve(2, subjects, create=False) == [None, None]


def test_an_identity_that_lacks_its_app_is_refused_by_name(listening_levels: Levels) -> None:
    with pytest.raises(SubjectRefused, match="app") as refused:
        clients.resolve(1, ["customer_id:1", "wechat_openid:abc"], create=False)
    assert refused.value.subject == "wechat_openid:abc"


def test_members_exist_or_not(listening_levels: Levels) -> None:
    made = [member for member in clients.resolve(1, ["customer_id:1", "customer_id:2"], create=True) if member]
    assert clients.existing_members(1, [*made, 4711]) == set(made)
    assert clients.existing_members(2, made) == set()


def test_presence_is_asked_by_services_with_some_numbers(listening_levels: Levels) -> None:
    callers = listening_levels.callers
    assert callers.staff("admin").post("/v1/members/presence", {"member_ids": [1]}).status_code == 403
    service = callers.service("points")
    assert service.post("/v1/members/presence", {"member_ids": []}).status_code == 422
    assert service.post("/v1/members/presence", {"member_ids": [0]}).status_code == 422
    assert service.post("/v1/members/presence", {"member_ids": list(range(1, 1002))}).status_code == 422
