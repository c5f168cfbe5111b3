"""The gateway's own service: its parts, put together."""

from common.service import Service
from gateway.audit import routes as audit_routes
from gateway.auth import routes as auth_routes
from gateway.auth import wordings as auth_wordings
from gateway.checks import CHECKS
from gateway.database import database, feed, keys
from gateway.keys import routes as keys_routes
from gateway.keys import wordings as keys_wordings
from gateway.programs import models as programs_models  # noqa: F401 - declares tables
from gateway.programs import wordings as programs_wordings
from gateway.staff import routes as staff_routes
from gateway.staff import wordings as staff_wordings

service = Service(
    name="gateway",
    title="Jifen gateway",
    database=database,
    feed=feed,
    keys=keys,
    routes=(auth_routes.routes, staff_routes.routes, keys_routes.routes, audit_routes.routes),
    wordings={
        **auth_wordings.WORDINGS,
        **keys_wordings.WORDINGS,
        **programs_wordings.WORDINGS,
        **staff_wordings.WORDINGS,
    },
    checks=CHECKS,
)
