"""The points service: its parts, put together."""

from common.service import Service
from services.points.database import database, feed, keys
from services.points.ledger import account_routes, checks, repository
from services.points.ledger import models as ledger_models  # noqa: F401 - declares tables
from services.points.ledger import routes as ledger_routes
from services.points.ledger import wordings as ledger_wordings
from services.points.programs import models as programs_models  # noqa: F401 - declares tables
from services.points.programs import routes as programs_routes
from services.points.programs import wordings as programs_wordings

service = Service(
    name="points",
    title="Jifen points",
    database=database,
    feed=feed,
    keys=keys,
    routes=(programs_routes.routes, ledger_routes.routes, account_routes.routes),
    wordings={**programs_wordings.WORDINGS, **ledger_wordings.WORDINGS},
    wakes=("levels", "referrals"),
    expand={"ledger.entry": repository.expand_entries},
    checks=(checks.check_figures, checks.check_chain),
)
