"""Rings of rules whose awards cause the events that they reward. Pure.

What an award causes is known by words: an event about a balance, a grant or an award follows from any award; one named
after an asset (`growth.changed`) from awards of that asset; a tier or level from growth; a draw from energy.
"""

import re
from collections.abc import Sequence

from services.points.rules.decisions import PublishedRule
from services.points.rules.rule import Rule

_FOLLOWS_ANY = {"ledger", "entry", "entries", "balance", "posting", "reward", "rewards", "award", "awarded", "grant"}
_FOLLOWS = {
    "growth": {"tier", "tiers", "level", "levels", "levelup"},
    "points": {"point"},
    "energy": {"draw", "draws", "lottery"},
    "commission": {"payout", "withdrawal"},
}


def cycles(rules: Sequence[PublishedRule]) -> list[tuple[str, ...]]:
    """Each ring once, as the codes of its rules, sorted; a rule that causes its own trigger is a ring of one."""
    awards = [one for one in rules if one.rule.kind == "award"]
    after = {one.code: [two.code for two in awards if causes(one.rule, two.rule.trigger)] for one in awards}
    reached = {code: _reached(code, after) for code in after}
    rings = {
        tuple(sorted(other for other in reached[code] if code in reached[other]))
        for code in after
        if code in reached[code]
    }
    return sorted(rings)


def causes(rule: Rule, trigger: str) -> bool:
    """Whether an award of the rule leads to an event of that type."""
    words = set(re.split(r"[._-]+", trigger.lower()))
    named = set(re.split(r"[_-]+", rule.asset.lower()))
    return bool(words & (_FOLLOWS_ANY | named | _FOLLOWS.get(rule.asset, set())))


def _reached(code: str, after: dict[str, list[str]]) -> set[str]:
    """What follows from the rule's award, over any number of steps."""
    reached: set[str] = set()
    waiting = list(after[code])
    while waiting:
        following = waiting.pop()
        if following not in reached:
            reached.add(following)
            waiting += after[following]
    return reached
