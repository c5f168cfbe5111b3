"""The referrals service: its parts, put together."""

from common.service import Service
from services.referrals.bindings import routes as bindings_routes
from services.referrals.checks import CHECKS
from services.referrals.database import database, feed, keys
from services.referrals.groupbuys import routes as groupbuys_routes
from services.referrals.invitations import routes as invitations_routes
from services.referrals.refunds import routes as refunds_routes
from services.referrals.subscriptions import SUBSCRIPTIONS

service = Service(
    name="referrals",
    title="Jifen referrals",
    database=database,
    feed=feed,
    keys=keys,
    routes=(invitations_routes.routes, bindings_routes.routes, groupbuys_routes.routes, refunds_routes.routes),
    wakes=dict.fromkeys(("points", "levels"), frozenset({"reward.granted", "reward.reversed"})),
    consumes=SUBSCRIPTIONS,
    checks=CHECKS,
)
