"""The levels service: its parts, put together."""

from common.service import Service
from services.levels import wakeups
from services.levels.anniversaries import routes as anniversaries_routes
from services.levels.badges import routes as badges_routes
from services.levels.checkins import routes as checkins_routes
from services.levels.checks import CHECKS
from services.levels.database import database, feed, keys
from services.levels.intake import SUBSCRIPTIONS
from services.levels.leaderboards import routes as leaderboards_routes
from services.levels.members import routes as members_routes
from services.levels.restorations import routes as restorations_routes
from services.levels.rewards import models as _rewards  # noqa: F401 - declares a table that only SQL texts name
from services.levels.tiers import routes as tiers_routes

database.after_commit(wakeups.enqueue_asked)

service = Service(
    name="levels",
    title="Jifen levels",
    database=database,
    feed=feed,
    keys=keys,
    routes=(
        members_routes.routes,
        anniversaries_routes.routes,
        tiers_routes.routes,
        checkins_routes.routes,
        restorations_routes.routes,
        badges_routes.routes,
        leaderboards_routes.routes,
    ),
    wakes={
        "points": frozenset(
            {"anniversary.reached", "birthday.reached", "reward.granted", "reward.reversed", "tier.changed"}
        ),
        "referrals": frozenset({"member.joined"}),
    },
    consumes=SUBSCRIPTIONS,
    checks=CHECKS,
)
