"""Several rules at once: what they say, what is wrong with those from elsewhere, and writing them as drafts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from common.errors import FieldFault
from services.points.audiences import use_cases as audiences
from services.points.audiences.domain import ListKind
from services.points.programs.use_cases import program_book
from services.points.rules import domain, repository
from services.points.rules.domain import BadRule, Rule, document_of, rule_of
from services.points.rules.policy import policy_faults


def faults_of(
    session: Session, *, program_id: int, code: str, rule: Rule, codes: Collection[str], groups: Collection[str]
) -> Iterator[FieldFault]:
    """Everything at once that `draft_rule` would refuse, by field; `codes` and `groups` come with the rule.

    Also the tags and segments of its audience that the program does not keep: a draft may name them beforehand, a rule
    that comes from elsewhere means lists of there. Which tiers there are is for levels to say.
    """
    if rule.asset not in program_book(session, program_id).by_code:
        yield _missing("/asset", "asset", "资产", rule.asset)
    yield from domain.faults(rule)
    try:
        domain.check_same_experiment(rule, repository.published_documents(session, program_id, code))
    except BadRule as refused:
        yield from refused.faults
    yield from policy_faults(rule)
    if rule.group is not None and rule.group not in (*groups, *repository.group_modes(session, program_id)):
        yield _missing("/group", "stacking group", "叠加组", rule.group)
    known = {*codes, *repository.known_codes(session, program_id, rule.applies_to)}
    for number, other in enumerate(rule.applies_to):
        if other not in known:
            yield _missing(f"/applies_to/{number}", "rule", "规则", other)
    lists: tuple[tuple[ListKind, str, Sequence[str]], ...] = (
        ("tags", "标签", rule.audience.tags),
        ("segments", "分群", rule.audience.segments),
    )
    for kind, zh, named in lists:
        kept = {row.code for row in audiences.list_lists(session, program_id=program_id, kind=kind)} if named else set()
        for number, name in enumerate(named):
            if name not in kept:
                yield _missing(f"/audience/{kind}/{number}", kind.removesuffix("s"), zh, name)


def write_drafts(session: Session, *, program_id: int, documents: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Write several drafts that `faults_of` found nothing wrong with, by code; they may name each other."""
    for code, document in documents.items():
        repository.put_draft(session, program_id, code, document_of(rule_of(document)))
    return [repository.get_rule(session, program_id, code) for code in documents]


def current_documents(session: Session, *, program_id: int, drafts: bool) -> dict[str, dict[str, Any]]:
    """What every live rule says, or every draft, by code; names of later days have their defaults."""
    if drafts:
        found = {row.code: rule_of(row.draft) for row in repository.list_rules(session, program_id) if row.draft}
    else:
        found = {one.code: one.rule for one in repository.live_rules(session, program_id)}
    return {code: document_of(rule) for code, rule in found.items()}


def _missing(pointer: str, en: str, zh: str, name: str) -> FieldFault:
    return FieldFault(pointer, f"The program has no {en} {name}; set it up first.", f"本方案没有{zh} {name},请先创建。")
