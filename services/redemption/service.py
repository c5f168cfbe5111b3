"""The redemption service: its parts, put together."""

from common.service import Service
from services.redemption import checks
from services.redemption.catalog import models as catalog_models  # noqa: F401 - declares tables
from services.redemption.catalog import routes as catalog_routes
from services.redemption.catalog import wordings as catalog_wordings
from services.redemption.database import database, feed, keys
from services.redemption.orders import models as orders_models  # noqa: F401 - declares tables
from services.redemption.orders import routes as orders_routes
from services.redemption.orders import wordings as orders_wordings

service = Service(
    name="redemption",
    title="Jifen redemption",
    database=database,
    feed=feed,
    keys=keys,
    routes=(catalog_routes.routes, orders_routes.routes),
    wordings={**catalog_wordings.WORDINGS, **orders_wordings.WORDINGS},
    wakes=("points", "levels"),
    checks=checks.CHECKS,
)
