"""Every SQL statement over earning rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.points.rules.domain import PublishedRule, Rule, UnknownRule
from services.points.rules.models import publications, rules, versions

_INSTANTS = ("starts_at", "ends_at")


def put_draft(session: Session, program_id: int, code: str, document: dict[str, Any]) -> None:
    """Create the rule or replace its draft; what is live stays live."""
    row = {"program_id": program_id, "code": code, "draft": _stored(document)}
    changes = {"draft": row["draft"], "changed_at": func.clock_timestamp()}
    session.execute(
        insert(rules).values(row).on_conflict_do_update(index_elements=["program_id", "code"], set_=changes)
    )


def drop_draft(session: Session, program_id: int, code: str) -> None:
    """The draft became a version; the rule has none any more."""
    mine = (rules.c.program_id == program_id, rules.c.code == code)
    session.execute(update(rules).where(*mine).values(draft=None))


def get_rule(session: Session, program_id: int, code: str, *, lock: bool = False) -> Row[Any]:
    """The rule's row; raises `UnknownRule`."""
    wanted = select(rules).where(rules.c.program_id == program_id, rules.c.code == code)
    row = session.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise UnknownRule(rule=code)
    return row


def list_rules(session: Session, program_id: int) -> Sequence[Row[Any]]:
    """The program's rules by code."""
    return session.execute(select(rules).where(rules.c.program_id == program_id).order_by(rules.c.code)).all()


def list_versions(session: Session, program_id: int, code: str) -> Sequence[Row[Any]]:
    """Every published version of a rule, newest first."""
    mine = select(versions).where(versions.c.program_id == program_id, versions.c.code == code)
    return session.execute(mine.order_by(versions.c.version.desc())).all()


def add_version(session: Session, program_id: int, code: str, document: dict[str, Any]) -> int:
    """Write the next version; returns its number. The caller holds the rule's lock."""
    last = select(func.coalesce(func.max(versions.c.version), 0)).where(
        versions.c.program_id == program_id, versions.c.code == code
    )
    number = int(session.execute(last).scalar_one()) + 1
    row = {"program_id": program_id, "code": code, "version": number, "document": document}
    session.execute(insert(versions).values(row))
    return number


def has_version(session: Session, program_id: int, code: str, version: int) -> bool:
    """Whether that version was ever published."""
    mine = select(versions.c.id).where(
        versions.c.program_id == program_id, versions.c.code == code, versions.c.version == version
    )
    return session.execute(mine).first() is not None


def make_live(session: Session, program_id: int, code: str, version: int | None, *, actor: str) -> None:
    """Let that version (or none) decide from now on, and note who said so."""
    mine = (rules.c.program_id == program_id, rules.c.code == code)
    session.execute(update(rules).where(*mine).values(live_version=version, changed_at=func.clock_timestamp()))
    row = {"program_id": program_id, "code": code, "version": version, "actor": actor}
    session.execute(insert(publications).values(row))


def live_rules(session: Session, program_id: int) -> list[PublishedRule]:
    """What decides now, by code."""
    joined = rules.join(
        versions,
        (versions.c.program_id == rules.c.program_id)
        & (versions.c.code == rules.c.code)
        & (versions.c.version == rules.c.live_version),
    )
    mine = select(versions).select_from(joined).where(rules.c.program_id == program_id).order_by(rules.c.code)
    return [PublishedRule(row.code, row.version, row.id, rule_of(row.document)) for row in session.execute(mine)]


def rule_of(document: dict[str, Any]) -> Rule:
    """The rule that a stored document says."""
    values = dict(document)
    for name in _INSTANTS:
        values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
    return Rule(**values)


def _stored(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if name in _INSTANTS and value else value for name, value in document.items()}
