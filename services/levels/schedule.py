"""What the cron process asks of levels, and how often. Imports nothing of the service: the cron stays small."""

from common.cron import Every
from common.queue import heavy

_JOBS = "services.levels.jobs"

SCHEDULE = [
    *(
        Every(f"{_JOBS}.pull_feed", "levels", seconds=5, args=(source,))
        for source in ("points", "referrals", "redemption")
    ),
    Every(f"{_JOBS}.advance_tiers", heavy("levels"), seconds=20),
    Every(f"{_JOBS}.grant_promotions", heavy("levels"), seconds=30),
    Every(f"{_JOBS}.grant_milestones", heavy("levels"), seconds=30),
    Every(f"{_JOBS}.tell_anniversaries", heavy("levels"), seconds=300),
    Every(f"{_JOBS}.refresh_boards", heavy("levels"), seconds=10),
    Every(f"{_JOBS}.forget_old_keys", heavy("levels"), crontab="23 19 * * *"),
    Every(f"{_JOBS}.close_boards", heavy("levels"), seconds=60),
]
