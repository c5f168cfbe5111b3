"""The life of an earning rule: draft, simulate, publish, roll back, retire."""

import time
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.points.programs.use_cases import program_book
from services.points.rules import domain, repository
from services.points.rules.domain import Decision, NoDraft, PublishedRule, UnknownRule

#: A published rule decides everywhere within this time (requirements G11: live within 60 s).
_REMEMBERED_SECONDS = 2.0
_live: dict[int, tuple[float, list[PublishedRule]]] = {}


def draft_rule(session: Session, *, program_id: int, code: str, document: dict[str, Any]) -> Any:
    """Write the rule's draft; nothing changes for members.

    Raises `UnknownAsset`, `BadExpression`, `ForbiddenTrigger`, `BadValidity`.
    """
    rule = domain.Rule(**document)
    program_book(session, program_id).asset(rule.asset)
    domain.check(rule)
    repository.put_draft(session, program_id, code, document)
    return repository.get_rule(session, program_id, code)


def simulate(
    session: Session, *, program_id: int, code: str, event_type: str, time: datetime, data: dict[str, Any]
) -> Decision:
    """What the draft would decide for one event; nothing is written. Raises `UnknownRule`, `NoDraft`."""
    row = repository.get_rule(session, program_id, code)
    if row.draft is None:
        raise NoDraft(rule=code)
    rule = repository.rule_of(row.draft)
    if rule.trigger != event_type:
        return Decision(code, None, None, rule.asset, 0, "other_trigger", rule.validity)
    zone = program_book(session, program_id).program.time_zone
    return domain.decide(rule, domain.context_of(event_type, time, data, zone), time, code=code)


def publish(session: Session, *, program_id: int, code: str, actor: str) -> Any:
    """Make the draft a new immutable version and let it decide from now on. Raises `UnknownRule`, `NoDraft`."""
    row = repository.get_rule(session, program_id, code, lock=True)
    if row.draft is None:
        raise NoDraft(rule=code)
    domain.check(repository.rule_of(row.draft))
    version = repository.add_version(session, program_id, code, row.draft)
    repository.drop_draft(session, program_id, code)
    return _make_live(session, program_id, code, version, actor)


def roll_back(session: Session, *, program_id: int, code: str, version: int, actor: str) -> Any:
    """Let an earlier version decide again; what was awarded meanwhile keeps its own. Raises `UnknownRule`."""
    repository.get_rule(session, program_id, code, lock=True)
    if not repository.has_version(session, program_id, code, version):
        raise UnknownRule(rule=f"{code} version {version}")
    return _make_live(session, program_id, code, version, actor)


def retire(session: Session, *, program_id: int, code: str, actor: str) -> Any:
    """Let the rule decide nothing any more. Raises `UnknownRule`."""
    repository.get_rule(session, program_id, code, lock=True)
    return _make_live(session, program_id, code, None, actor)


def list_rules(session: Session, *, program_id: int) -> Any:
    """Every rule with its draft and live version."""
    return repository.list_rules(session, program_id)


def show_rule(session: Session, *, program_id: int, code: str) -> dict[str, Any]:
    """A rule with all its versions, newest first. Raises `UnknownRule`."""
    row = repository.get_rule(session, program_id, code)
    return {**row._mapping, "versions": repository.list_versions(session, program_id, code)}


def live_rules(session: Session, program_id: int) -> list[PublishedRule]:
    """What decides now, at most two seconds old."""
    read_at, found = _live.get(program_id, (float("-inf"), []))
    if time.monotonic() - read_at >= _REMEMBERED_SECONDS:
        found = repository.live_rules(session, program_id)
        _live[program_id] = (time.monotonic(), found)
    return found


def forget_rules() -> None:
    """Read the live rules anew at next use."""
    _live.clear()


def _make_live(session: Session, program_id: int, code: str, version: int | None, actor: str) -> Any:
    repository.make_live(session, program_id, code, version, actor=actor)
    _live.pop(program_id, None)
    return repository.get_rule(session, program_id, code)
