"""What cron enqueues for this service."""

from common.cron import Every

SCHEDULE = [
    Every("services.referrals.jobs.pull_feed", "referrals", seconds=5, args=("points",)),
    Every("services.referrals.jobs.pull_feed", "referrals", seconds=5, args=("levels",)),
    Every("services.referrals.jobs.expire_groupbuys", "referrals", seconds=5),
    Every("services.referrals.jobs.forget_old_keys", "referrals", crontab="29 19 * * *"),
    Every("services.referrals.jobs.release_seats", "referrals", seconds=5),
]
