"""The redemption service: its parts, put together."""

from common.service import Service
from services.redemption import checks
from services.redemption.catalog import routes as catalog_routes
from services.redemption.database import database, feed, keys
from services.redemption.orders import routes as orders_routes

service = Service(
    name="redemption",
    title="Jifen redemption",
    database=database,
    feed=feed,
    keys=keys,
    routes=(catalog_routes.routes, orders_routes.routes),
    wakes=dict.fromkeys(("points", "levels"), frozenset({"reward.granted", "reward.reversed"})),
    checks=checks.CHECKS,
)
