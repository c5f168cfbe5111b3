"""The life of an earning rule: draft, simulate, publish, roll back, retire; and the stacking groups."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.points.audiences import use_cases as audiences
from services.points.audiences.domain import NOBODY
from services.points.programs.use_cases import program_book
from services.points.rules import domain, repository
from services.points.rules.candidates import candidate_of
from services.points.rules.domain import (
    Change,
    Facts,
    Membership,
    Mode,
    NoDraft,
    PublishedRule,
    Rule,
    RuleSet,
    SecondPersonNeeded,
    UnknownGroup,
    UnknownRule,
    decide_all,
    document_of,
    rule_of,
)
from services.points.rules.policy import check_policy
from services.points.rules.simulations import Simulation, for_anybody, of_variant, simulation

#: A published rule decides everywhere within this time (requirements G11: live within 60 s).
_REMEMBERED_SECONDS = 2.0
_live: dict[int, tuple[float, "LiveRules"]] = {}


@dataclass(frozen=True, slots=True)
class LiveRules:
    """What decides in a program: its live rules, and the modes of its stacking groups by code."""

    rules: RuleSet
    groups: dict[str, Mode]


def draft_rule(session: Session, *, program_id: int, code: str, document: dict[str, Any]) -> Any:
    """Write the rule's draft; nothing changes for members.

    Raises `UnknownAsset`, `UnknownGroup`, `UnknownRule` (in `applies_to`), `PolicyViolated`, and what `check` does.
    """
    rule = rule_of(document)
    _check(session, program_id, code, rule)
    repository.put_draft(session, program_id, code, document_of(rule))
    return repository.get_rule(session, program_id, code)


def simulate(
    session: Session,
    *,
    program_id: int,
    code: str,
    event_type: str,
    time: datetime,
    data: dict[str, Any],
    member: Membership | None,
    member_id: int | None,
) -> Simulation:
    """What one event would bring with the draft in place of its live version; nothing is written.

    The member is as described, or as `member_id` was at that time. Without a `member_id` nobody is held out.
    Raises `UnknownRule`, `NoDraft`.
    """
    trial = candidate_of(session, program_id=program_id, drafts=[code])
    rules = trial.rules if member_id is not None else [for_anybody(one) for one in trial.rules]
    if member_id is not None and member is None:
        member = audiences.memberships(session, program_id=program_id, asked={member_id: [time]})[member_id, time]
    facts = Facts(event_type, time, data, member or NOBODY)
    zone = program_book(session, program_id).program.time_zone
    who: dict[str, Any] = {"zone": zone, "program_id": program_id, "member_id": member_id or 0}
    draft = next(one for one in rules if one.code == code)
    met = rules if member_id is not None else [of_variant(one, 0) for one in rules]
    decisions = decide_all(met, trial.groups, facts, **who)
    tried = len(draft.rule.experiment.variants) if draft.rule.experiment else 0
    others = [one for one in met if one.code != code]
    variants = [decide_all([*others, of_variant(draft, number)], trial.groups, facts, **who) for number in range(tried)]
    return simulation(
        draft, decisions, rules, trial.groups, member=facts.member, time=time, zone=zone, variants=variants
    )


def publish(session: Session, *, program_id: int, code: str, actor: str) -> Any:
    """Make the draft a new immutable version and let it decide from now on. Raises as `publish_set`."""
    return publish_set(session, program_id=program_id, codes=[code], actor=actor)[0]


def publish_set(session: Session, *, program_id: int, codes: Sequence[str], actor: str) -> list[Any]:
    """Publish the drafts of several rules, all or none.

    Raises `UnknownRule`, `NoDraft`, `SecondPersonNeeded`, and as `draft_rule`.
    """
    _check_one_is_enough(session, program_id)
    proposed = propose(session, program_id=program_id, drafts=codes)
    return go_live(session, program_id=program_id, changes=proposed, actor=actor)


def roll_back(session: Session, *, program_id: int, code: str, version: int, actor: str) -> Any:
    """Let an earlier version decide again; what was awarded meanwhile keeps its own.

    Raises `UnknownRule`, `SecondPersonNeeded`, and as `draft_rule` when that version may not decide any more.
    """
    _check_one_is_enough(session, program_id)
    proposed = propose(session, program_id=program_id, rollbacks={code: version})
    return go_live(session, program_id=program_id, changes=proposed, actor=actor)[0]


def propose(
    session: Session,
    *,
    program_id: int,
    drafts: Sequence[str] = (),
    rollbacks: Mapping[str, int] | None = None,
    lock: bool = True,
) -> list[Change]:
    """What would go live of these drafts and earlier versions. Raises `UnknownRule`, `NoDraft`."""
    wanted: dict[str, int | None] = {**dict.fromkeys(drafts), **(rollbacks or {})}
    rows = repository.find_rules(session, program_id, list(wanted), lock=lock)
    modes = repository.group_modes(session, program_id)
    changes = []
    for code, version in wanted.items():
        if code not in rows:
            raise UnknownRule(rule=code)
        row = rows[code]
        document = row.draft if version is None else repository.find_version(session, program_id, code, version)
        if document is None:
            raise NoDraft(rule=code) if version is None else UnknownRule(rule=f"{code} version {version}")
        mode = modes.get(document["group"]) if document.get("group") else None
        changes.append(Change(code, version, document, row.live_version, mode))
    return changes


def check_changes(session: Session, *, program_id: int, changes: Iterable[Change]) -> None:
    """Refuse, as `draft_rule` does, what may not decide: program and policy may have changed since it was written."""
    for change in changes:
        _check(session, program_id, change.rule, rule_of(change.document))


def go_live(session: Session, *, program_id: int, changes: Sequence[Change], actor: str) -> list[Any]:
    """Let what was proposed decide from now on, all or none; drafts become versions. Raises as `check_changes`."""
    check_changes(session, program_id=program_id, changes=changes)
    published = []
    for change in changes:
        version = change.version
        if version is None:
            version = repository.add_version(session, program_id, change.rule, change.document)
            repository.drop_draft(session, program_id, change.rule)
        published.append(_make_live(session, program_id, change.rule, version, actor))
    return published


def require_second_person(session: Session, *, program_id: int, second_person: bool, actor: str) -> bool:
    """Say whether publications and rollbacks wait for a second person from now on."""
    repository.put_second_person(session, program_id, second_person, actor=actor)
    return second_person


def needs_second_person(session: Session, *, program_id: int) -> bool:
    """Whether publications and rollbacks wait for a second person."""
    return repository.needs_second_person(session, program_id)


def retire(session: Session, *, program_id: int, code: str, actor: str) -> Any:
    """Let the rule decide nothing any more; nobody waits for a second person to stop one. Raises `UnknownRule`."""
    repository.get_rule(session, program_id, code, lock=True)
    return _make_live(session, program_id, code, None, actor)


def list_rules(session: Session, *, program_id: int) -> Any:
    """Every rule with its draft and live version."""
    return repository.list_rules(session, program_id)


def show_rule(session: Session, *, program_id: int, code: str) -> dict[str, Any]:
    """A rule with all its versions, and with who made which live when, newest first. Raises `UnknownRule`."""
    row = repository.get_rule(session, program_id, code)
    return {
        **row._mapping,
        "versions": repository.list_versions(session, program_id, code),
        "history": repository.list_publications(session, program_id, code),
    }


def put_group(session: Session, *, program_id: int, code: str, mode: str, actor: str) -> Any:
    """Create a stacking group or change how its rules get along, for events from now on."""
    _live.pop(program_id, None)
    return repository.put_group(session, program_id, code, mode, actor=actor)


def list_groups(session: Session, *, program_id: int) -> Any:
    """The program's stacking groups."""
    return repository.list_groups(session, program_id)


def published_rules(session: Session) -> dict[tuple[int, str, int], Rule]:
    """Every version that was ever published, of every program, by program, code and version."""
    rows = repository.every_version(session)
    return {(row.program_id, row.code, row.version): rule_of(row.document) for row in rows}


def versions_by_id(session: Session, *, program_id: int, ids: Collection[int]) -> dict[int, PublishedRule]:
    """The versions that events name by these ids."""
    if not ids:
        return {}
    return {one.version_id: one for one in repository.find_versions(session, program_id, ids) if one.version_id}


def live_set(session: Session, program_id: int) -> LiveRules:
    """What decides now, at most two seconds old. Unchanged rules are the same value, compiled already."""
    read_at, live = _live.get(program_id, (float("-inf"), None))
    if live is None or time.monotonic() - read_at >= _REMEMBERED_SECONDS:
        found = _read_live(session, program_id)
        live = live if live == found else found
        _live[program_id] = (time.monotonic(), live)
    return live


def forget_rules() -> None:
    """Read the live rules anew at next use."""
    _live.clear()


def _read_live(session: Session, program_id: int) -> LiveRules:
    return LiveRules(RuleSet(repository.live_rules(session, program_id)), repository.group_modes(session, program_id))


def _check(session: Session, program_id: int, code: str, rule: Rule) -> None:
    program_book(session, program_id).asset(rule.asset)
    domain.check(rule)
    domain.check_same_experiment(rule, repository.published_documents(session, program_id, code))
    check_policy(code, rule)
    if rule.group is not None and rule.group not in repository.group_modes(session, program_id):
        raise UnknownGroup(group=rule.group)
    known = repository.known_codes(session, program_id, rule.applies_to)
    for other in rule.applies_to:
        if other not in known:
            raise UnknownRule(rule=other)


def _check_one_is_enough(session: Session, program_id: int) -> None:
    if repository.needs_second_person(session, program_id):
        raise SecondPersonNeeded()


def _make_live(session: Session, program_id: int, code: str, version: int | None, actor: str) -> Any:
    repository.make_live(session, program_id, code, version, actor=actor)
    _live.pop(program_id, None)
    return repository.get_rule(session, program_id, code)
