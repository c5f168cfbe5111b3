"""What the cron process has redemption do."""

from services.redemption.orders.jobs import recover_orders
from services.redemption.schedule import SCHEDULE


def test_what_is_scheduled_is_a_job_of_ours() -> None:
    assert [entry.function for entry in SCHEDULE] == [f"{recover_orders.__module__}.{recover_orders.__qualname__}"]
    assert [(entry.queue, entry.seconds) for entry in SCHEDULE] == [("redemption", 5)]
