"""T25: elsewhere timers live in memory and die with the process. Here they are rows, found by whoever sweeps next."""

from common.queue import redis
from services.referrals.jobs import expire_groupbuys, release_seats
from tests.referrals import Referrals


def test_a_group_expires_after_every_queue_was_lost(referrals: Referrals) -> None:
    referrals.groupbuy_campaign()
    group = referrals.open(1).json["id"]
    referrals.take_and_pay(2, group, "o2")
    redis().flushall()
    referrals.service.database.dispose()
    referrals.later(days=30)
    release_seats()
    expire_groupbuys()
    assert referrals.group(group)["state"] == "expired"
    assert [request["order_id"] for request in referrals.requests()] == ["o2"]
