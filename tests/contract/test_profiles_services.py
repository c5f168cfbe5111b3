"""A member's profile, asked of the real services: the gateway's questions against the four real apps."""

# ruff: noqa: F811 - fixtures are asked for by name

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from common.identity import Identity
from common.service import Service
from common.settings import settings
from gateway.application import create_own_app
from tests.levels import Levels, levels, levels_migrated, unchecked  # noqa: F401 - fixtures
from tests.points import Brand, brand  # noqa: F401 - fixtures
from tests.redemption import Mall, mall, redemption, redemption_migrated  # noqa: F401 - fixtures
from tests.referrals import Referrals, referrals, referrals_migrated  # noqa: F401 - fixtures
from tests.service.conftest import points, points_migrated, servers  # noqa: F401 - fixtures
from tests.support import Caller, listening


@pytest.fixture
def member(
    levels: Levels,
    referrals: Referrals,
    brand: Brand,
    points_migrated: Service,
    mall: Mall,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[int]:
    """A member who did something in every service, all four of which are on ports of this machine."""
    member_id, friend = levels.join("00123"), levels.join("00124")
    brand.earn(500, member_id=member_id)
    brand.hold(30, member_id=member_id)
    referrals.campaign()
    referrals.groupbuy_campaign()
    referrals.bind(member_id, referrals.code(friend))
    referrals.open(member_id)
    mall.put_item(price=10)
    mall.points.give(member_id, 100)
    assert mall.redeem(member_id).status_code == 201
    with ExitStack() as up:
        for service in (levels.service, referrals.service, points_migrated, mall.service):
            up.enter_context(listening(service))
        for name in ("SESSION", "KEY_ENCRYPTION"):
            monkeypatch.setenv(f"JIFEN_{name}_SECRET", f"the {name} secret of tests, long enough")
        settings.cache_clear()
        yield member_id
    settings.cache_clear()


def test_h3_every_service_tells_customer_service_its_part(member: int) -> None:
    caller = Identity("staff", 1, "lin", frozenset({"customer_service"}))
    answer = Caller(create_own_app().test_client(), caller).get(f"/v1/profiles/{member}")
    assert answer.status_code == 200, answer.text
    assert answer.json["missing"] == []
    parts = answer.json["parts"]
    assert parts["member"]["member_id"] == member
    assert {"tier", "badges", "streaks"} <= parts["member"].keys()
    owned = {it["asset"]: (it["balance"], it["available"], it["held"]) for it in parts["accounts"]}
    assert owned["points"] == (500, 470, 30)
    assert [(it["asset"], it["amount"]) for it in parts["holds"]] == [("points", 30)]
    assert [(it["entry"], it["cause"]["kind"]) for it in parts["timeline"]] == [("hold", "system"), ("earn", "system")]
    assert [(it["item"], it["state"]) for it in parts["redemptions"]] == [("mug", "completed")]
    assert parts["relations"]["invited_by"]["invitee_id"] == member
    assert parts["relations"]["invited"] == []
    assert [(it["campaign"], it["state"], it["head_id"]) for it in parts["groupbuys"]] == [("tea", "open", member)]
