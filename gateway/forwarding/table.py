"""Which address belongs to which service. What is not listed is not forwarded."""

PREFIXES: dict[str, tuple[str, ...]] = {
    "points": (
        "/v1/program",
        "/v1/assets",
        "/v1/accounts",
        "/v1/postings",
        "/v1/holds",
        "/v1/reversals",
        "/v1/transfers",
        "/v1/events",
        "/v1/returns",
        "/v1/rules",
        "/v1/liability",
        "/v1/trial-balance",
        "/v1/deduction-policy",
        "/v1/deductions",
        "/v1/partners",
        "/v1/exchanges",
        "/v1/codes",
        "/v1/code-sets",
        "/v1/rule-groups",
        "/v1/rule-publications",
        "/v1/rule-settings",
        "/v1/rule-proposals",
        "/v1/rule-set",
        "/v1/rule-templates",
        "/v1/rule-analysis",
        "/v1/backtests",
        "/v1/audiences",
        "/v1/adjustments",
        "/v1/adjustment-reasons",
        "/v1/adjustment-limits",
        "/v1/adjustment-report",
        "/v1/changesets",
        "/v1/freezes",
        "/v1/unfreezes",
        "/v1/timeline",
        "/v1/explanations",
        # Of /v1/audit the rest is the gateway's own: what staff did.
        "/v1/audit/head",
        "/v1/audit/heads",
        "/v1/audit/keys",
        "/v1/audit/inclusion",
        "/v1/audit/consistency",
        "/v1/audit/receipts",
    ),
    "levels": ("/v1/members", "/v1/tiers", "/v1/checkins", "/v1/badges", "/v1/leaderboards"),
    "referrals": ("/v1/invitations", "/v1/bindings", "/v1/groupbuys"),
    "redemption": ("/v1/items", "/v1/redemptions"),
}
_SERVICE = {prefix: service for service, prefixes in PREFIXES.items() for prefix in prefixes}


def service_for(path: str) -> tuple[str, str] | None:
    """The service and the prefix of a path; the longest prefix wins, cut at slashes only. None for our own."""
    while path:
        service = _SERVICE.get(path)
        if service is not None:
            return service, path
        path = path.rpartition("/")[0]
    return None
