"""What the cron process has this service do, and how often."""

from common.cron import Every

SCHEDULE = (Every("services.redemption.orders.jobs.recover_orders", queue="redemption", seconds=5),)
