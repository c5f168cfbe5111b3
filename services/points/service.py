"""The points service: its parts, put together."""

from common.feed import Apply, Subscription
from common.service import Service
from services.points import wakeups
from services.points.adjustments import checks as adjustments_checks
from services.points.adjustments import routes as adjustments_routes
from services.points.audiences import checks as audiences_checks
from services.points.audiences import routes as audiences_routes
from services.points.audiences import use_cases as audiences
from services.points.audit import checks as audit_checks
from services.points.audit import routes as audit_routes
from services.points.backtests import analysis_routes
from services.points.backtests import checks as backtests_checks
from services.points.backtests import routes as backtests_routes
from services.points.budgets import checks as budgets_checks
from services.points.budgets import models as _budgets  # noqa: F401 - declares a table that only SQL texts name
from services.points.changesets import checks as changesets_checks
from services.points.changesets import routes as changesets_routes
from services.points.codes import checks as codes_checks
from services.points.codes import routes as codes_routes
from services.points.database import database, feed, keys
from services.points.deductions import checks as deductions_checks
from services.points.deductions import routes as deductions_routes
from services.points.exchanges import checks as exchanges_checks
from services.points.exchanges import routes as exchanges_routes
from services.points.experiments import checks as experiments_checks
from services.points.experiments import routes as experiments_routes
from services.points.figures import checks as figures_checks
from services.points.figures import rebuild as figures_rebuild
from services.points.figures import routes as figures_routes
from services.points.freezes import routes as freezes_routes
from services.points.intake import checks as intake_checks
from services.points.intake import rebuild as intake_rebuild
from services.points.intake import routes as intake_routes
from services.points.ledger import account_routes, checks, hold_routes, repository
from services.points.ledger import rebuild as ledger_rebuild
from services.points.ledger import routes as ledger_routes
from services.points.programs import routes as programs_routes
from services.points.proposals import routes as proposals_routes
from services.points.reasons import routes as reasons_routes
from services.points.rewards import use_cases as rewards
from services.points.rules import checks as rules_checks
from services.points.rules import routes as rules_routes
from services.points.rulesets import routes as rulesets_routes
from services.points.timelines import routes as timelines_routes
from services.points.triggers import use_cases as triggers

#: What `replay` computes anew from the journal and compares.
REBUILDS = (ledger_rebuild.REBUILD, intake_rebuild.REBUILD, figures_rebuild.REBUILD)

_GRANTS: dict[str, Apply] = {"reward.granted": rewards.apply_grants, "reward.reversed": rewards.reverse_grants}

database.after_commit(wakeups.enqueue_asked)

service = Service(
    name="points",
    title="Jifen points",
    database=database,
    feed=feed,
    keys=keys,
    routes=(
        programs_routes.routes,
        ledger_routes.routes,
        hold_routes.routes,
        account_routes.routes,
        audiences_routes.routes,
        rules_routes.routes,
        experiments_routes.routes,
        proposals_routes.routes,
        rulesets_routes.routes,
        backtests_routes.routes,
        analysis_routes.routes,
        intake_routes.routes,
        audit_routes.routes,
        adjustments_routes.routes,
        changesets_routes.routes,
        freezes_routes.routes,
        timelines_routes.routes,
        reasons_routes.routes,
        figures_routes.routes,
        deductions_routes.routes,
        exchanges_routes.routes,
        codes_routes.routes,
    ),
    # Itself too: the audit log follows our own feed.
    wakes={
        "levels": frozenset({"program.configured", "ledger.entry", "order.paid", "order.refunded"}),
        "referrals": frozenset({"program.configured", "order.paid", "order.refunded"}),
        "points": frozenset({"ledger.entry"}),
    },
    consumes=(
        Subscription(
            "levels",
            {
                **_GRANTS,
                "tier.changed": audiences.learn_tiers,
                "birthday.reached": triggers.take_reached,
                "anniversary.reached": triggers.take_reached,
            },
        ),
        Subscription("referrals", _GRANTS),
        Subscription("redemption", _GRANTS),
    ),
    expand={"ledger.entry": repository.expand_entries},
    checks=(
        checks.check_figures,
        figures_checks.check_figures,
        deductions_checks.check_deductions,
        exchanges_checks.check_exchanges,
        checks.check_chain,
        audit_checks.check_log,
        audiences_checks.check_stays,
        budgets_checks.check_budgets,
        intake_checks.check_claims,
        rules_checks.check_rules,
        adjustments_checks.check_adjustments,
        changesets_checks.check_changesets,
        backtests_checks.check_backtests,
        *codes_checks.CHECKS,
        experiments_checks.check_experiments,
    ),
)
