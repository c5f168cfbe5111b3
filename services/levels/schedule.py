"""What the cron process asks of levels, and how often. Imports nothing of the service: the cron stays small."""

from common.cron import Every

_JOBS = "services.levels.jobs"

SCHEDULE = [
    *(
        Every(f"{_JOBS}.pull_feed", queue="levels", seconds=2, args=(source,))
        for source in ("points", "referrals", "redemption")
    ),
    Every(f"{_JOBS}.advance_tiers", queue="levels", seconds=20),
    Every(f"{_JOBS}.grant_promotions", queue="levels", seconds=30),
    Every(f"{_JOBS}.grant_milestones", queue="levels", seconds=30),
    Every(f"{_JOBS}.tell_anniversaries", queue="levels", seconds=300),
    Every(f"{_JOBS}.refresh_boards", queue="levels", seconds=10),
    Every(f"{_JOBS}.forget_old_keys", queue="levels", crontab="23 19 * * *"),
    Every(f"{_JOBS}.close_boards", queue="levels", seconds=60),
]
