"""What cron enqueues for the points service."""

from common.cron import Every
from common.queue import heavy

SCHEDULE = [
    *(
        Every("services.points.jobs.pull_feed", "points", seconds=5, args=(source,))
        for source in ("levels", "referrals", "redemption")
    ),
    Every("services.points.jobs.seal_entries", "points", seconds=2),
    Every("services.points.jobs.settle_due_accounts", heavy("points"), seconds=300),
    Every("services.points.jobs.forget_old_keys", heavy("points"), crontab="17 19 * * *"),
    Every("services.points.jobs.fold_figures", heavy("points"), seconds=10),
    Every("services.points.jobs.take_in_joined", heavy("points"), seconds=10),
    Every("services.points.jobs.level_budgets", "points", seconds=60),
    Every("services.points.jobs.expire_adjustments", "points", seconds=300),
    Every("services.points.jobs.resume_changesets", "points", seconds=30),
    Every("services.points.jobs.resume_code_sets", "points", seconds=30),
    Every("services.points.jobs.resume_backtests", "points", seconds=30),
]
