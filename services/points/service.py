"""The points service: its parts, put together."""

from common.feed import Subscription
from common.service import Service
from services.points.database import database, feed, keys
from services.points.intake import models as intake_models
from services.points.intake import routes as intake_routes
from services.points.intake import wordings as intake_wordings
from services.points.ledger import account_routes, checks, repository
from services.points.ledger import models as ledger_models
from services.points.ledger import routes as ledger_routes
from services.points.ledger import wordings as ledger_wordings
from services.points.programs import models as programs_models
from services.points.programs import routes as programs_routes
from services.points.programs import wordings as programs_wordings
from services.points.rewards import models as rewards_models
from services.points.rewards import use_cases as rewards
from services.points.rules import models as rules_models
from services.points.rules import routes as rules_routes
from services.points.rules import wordings as rules_wordings

#: Importing them declares their tables.
MODELS = (programs_models, ledger_models, rules_models, intake_models, rewards_models)

service = Service(
    name="points",
    title="Jifen points",
    database=database,
    feed=feed,
    keys=keys,
    routes=(
        programs_routes.routes,
        ledger_routes.routes,
        account_routes.routes,
        rules_routes.routes,
        intake_routes.routes,
    ),
    wordings={
        **programs_wordings.WORDINGS,
        **ledger_wordings.WORDINGS,
        **rules_wordings.WORDINGS,
        **intake_wordings.WORDINGS,
    },
    wakes=("levels", "referrals"),
    consumes=tuple(
        Subscription(source, {"reward.granted": rewards.apply_grants, "reward.reversed": rewards.reverse_grants})
        for source in ("levels", "referrals", "redemption")
    ),
    expand={"ledger.entry": repository.expand_entries},
    checks=(checks.check_figures, checks.check_chain),
)
