"""The levels service: its parts, put together."""

from common.service import Service
from services.levels import wakeups
from services.levels.badges import routes as badges_routes
from services.levels.badges import wordings as badges_wordings
from services.levels.checkins import routes as checkins_routes
from services.levels.checkins import wordings as checkins_wordings
from services.levels.checks import CHECKS
from services.levels.database import database, feed, keys
from services.levels.intake import SUBSCRIPTIONS
from services.levels.leaderboards import routes as leaderboards_routes
from services.levels.leaderboards import wordings as leaderboards_wordings
from services.levels.members import routes as members_routes
from services.levels.members import wordings as members_wordings
from services.levels.rewards import models as rewards_models  # noqa: F401 - declares tables
from services.levels.tiers import routes as tiers_routes
from services.levels.tiers import wordings as tiers_wordings

database.after_commit(wakeups.enqueue_asked)

service = Service(
    name="levels",
    title="Jifen levels",
    database=database,
    feed=feed,
    keys=keys,
    routes=(
        members_routes.routes,
        tiers_routes.routes,
        checkins_routes.routes,
        badges_routes.routes,
        leaderboards_routes.routes,
    ),
    wordings={
        **members_wordings.WORDINGS,
        **tiers_wordings.WORDINGS,
        **checkins_wordings.WORDINGS,
        **badges_wordings.WORDINGS,
        **leaderboards_wordings.WORDINGS,
    },
    wakes=("points", "referrals"),
    consumes=SUBSCRIPTIONS,
    checks=CHECKS,
)
