"""What cron enqueues for the points service."""

from common.cron import Every

SCHEDULE = [
    *(
        Every("services.points.jobs.pull_feed", "points", seconds=2, args=(source,))
        for source in ("levels", "referrals", "redemption")
    ),
    Every("services.points.jobs.settle_due_accounts", "points", seconds=300),
]
