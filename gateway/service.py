"""The gateway's own service: its parts, put together."""

from common.service import Service
from gateway.audit import routes as audit_routes
from gateway.auth import routes as auth_routes
from gateway.checks import CHECKS
from gateway.database import database, feed, keys
from gateway.keys import routes as keys_routes
from gateway.profiles import routes as profiles_routes
from gateway.staff import routes as staff_routes

service = Service(
    name="gateway",
    title="Jifen gateway",
    database=database,
    feed=feed,
    keys=keys,
    routes=(
        auth_routes.routes,
        staff_routes.routes,
        keys_routes.routes,
        audit_routes.routes,
        profiles_routes.routes,
    ),
    checks=CHECKS,
)
