"""Taking a set of rules out as one document, and bringing one in as drafts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from common.errors import FieldFault
from services.points.rules import sets
from services.points.rules import use_cases as rules
from services.points.rules.domain import rule_of
from services.points.rulesets import domain
from services.points.rulesets.domain import BadRuleSet, UnknownTemplate
from services.points.rulesets.templates import TEMPLATES


def export_set(session: Session, *, program_id: int, drafts: bool) -> dict[str, Any]:
    """Every live rule, or every draft, with the groups that they name, as one document."""
    documents = sets.current_documents(session, program_id=program_id, drafts=drafts)
    modes = {row.code: row.mode for row in rules.list_groups(session, program_id=program_id)}
    return domain.document_of(documents, modes)


def import_set(
    session: Session,
    *,
    program_id: int,
    rule_list: Sequence[Mapping[str, Any]],
    groups: Sequence[Mapping[str, Any]],
    replace_drafts: bool,
    actor: str,
) -> list[Any]:
    """Write all of a set's rules as drafts, and its groups where there are none of that code; nothing goes live.

    Raises `BadRuleSet` with every fault and its place: nothing is written then.
    """
    faults = [
        *_faults_of_groups(session, program_id, groups),
        *domain.repeated(rule_list, "/rules"),
        *_faults_of_rules(session, program_id, rule_list, groups, replace_drafts=replace_drafts),
    ]
    if faults:
        raise BadRuleSet(faults)
    known = {row.code for row in rules.list_groups(session, program_id=program_id)}
    for group in groups:
        if group["code"] not in known:
            rules.put_group(session, program_id=program_id, code=group["code"], mode=group["mode"], actor=actor)
    documents = {one["code"]: one["document"] for one in rule_list}
    return sets.write_drafts(session, program_id=program_id, documents=documents)


def list_templates() -> list[dict[str, Any]]:
    """The templates, with what each is for."""
    return [{"code": code, **template} for code, template in TEMPLATES.items()]


def show_template(code: str) -> dict[str, Any]:
    """The set of one template, ready to be imported. Raises `UnknownTemplate`."""
    if code not in TEMPLATES:
        raise UnknownTemplate(template=code)
    return dict(TEMPLATES[code]["set"])


def _faults_of_groups(session: Session, program_id: int, groups: Sequence[Mapping[str, Any]]) -> Iterator[FieldFault]:
    """A group that is there already keeps its mode: live rules stand in it."""
    yield from domain.repeated(groups, "/groups")
    modes = {row.code: row.mode for row in rules.list_groups(session, program_id=program_id)}
    for number, group in enumerate(groups):
        mode = modes.get(group["code"], group["mode"])
        if mode != group["mode"]:
            en = f"The group {group['code']} is in mode {mode} here; change one of the two first."
            yield FieldFault(f"/groups/{number}/mode", en, f"本方案的叠加组 {group['code']} 模式为 {mode},请先统一。")


def _faults_of_rules(
    session: Session,
    program_id: int,
    rule_list: Sequence[Mapping[str, Any]],
    groups: Sequence[Mapping[str, Any]],
    *,
    replace_drafts: bool,
) -> Iterator[FieldFault]:
    codes = [one["code"] for one in rule_list]
    brought = [group["code"] for group in groups]
    drafted = sets.current_documents(session, program_id=program_id, drafts=True)
    for number, one in enumerate(rule_list):
        place = f"/rules/{number}"
        if one["code"] in drafted and not replace_drafts:
            en = f"The rule {one['code']} has a draft here; publish it, or say replace_drafts."
            zh = f"规则 {one['code']} 已有草稿,请先发布,或设置 replace_drafts。"
            yield FieldFault(f"{place}/code", en, zh)
        rule = rule_of(one["document"])
        given: dict[str, Any] = {"code": one["code"], "rule": rule, "codes": codes, "groups": brought}
        for fault in sets.faults_of(session, program_id=program_id, **given):
            yield domain.at(f"{place}/document", fault)
