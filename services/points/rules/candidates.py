"""What might be live: the live set with drafts in place of their rules, or joining them, and some rules left out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from common.errors import Refusal
from services.points.rules import repository
from services.points.rules.domain import Mode, NoDraft, PublishedRule, rule_of


class RuleNotLive(Refusal):
    """A rule that decides nothing now cannot be left out: `rule`."""

    code = "rule_not_live"


@dataclass(frozen=True, slots=True)
class Candidate:
    """The live set, what it might become, and how the rules of a group get along."""

    live: list[PublishedRule]
    rules: list[PublishedRule]
    groups: Mapping[str, Mode]


def candidate_of(
    session: Session, *, program_id: int, drafts: Collection[str] | None, retire: Collection[str] = ()
) -> Candidate:
    """The live set as it is now, and with those drafts (all there are when None) and without those of `retire`.

    Raises `UnknownRule`, `NoDraft`, `RuleNotLive`.
    """
    live = repository.live_rules(session, program_id)
    if drafts is None:
        drafts = [row.code for row in repository.list_rules(session, program_id) if row.draft is not None]
    codes = {one.code for one in live}
    for code in retire:
        if code not in codes:
            raise RuleNotLive(rule=code)
    changed = {code: _draft(session, program_id, code) for code in drafts}
    kept = [one for one in live if one.code not in changed and one.code not in retire]
    rules = sorted([*kept, *changed.values()], key=lambda one: one.code)
    return Candidate(live, rules, repository.group_modes(session, program_id))


def _draft(session: Session, program_id: int, code: str) -> PublishedRule:
    row = repository.get_rule(session, program_id, code)
    if row.draft is None:
        raise NoDraft(rule=code)
    return PublishedRule(code, None, None, rule_of(row.draft))
