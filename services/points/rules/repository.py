"""Every SQL statement over earning rules."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.points.rules.domain import Mode, PublishedRule, UnknownRule, rule_of
from services.points.rules.models import groups, publications, rules, settings, versions


def put_draft(session: Session, program_id: int, code: str, document: dict[str, Any]) -> None:
    """Create the rule or replace its draft; what is live stays live."""
    row = {"program_id": program_id, "code": code, "draft": document}
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


def find_rules(session: Session, program_id: int, codes: Sequence[str], *, lock: bool) -> dict[str, Row[Any]]:
    """Those of the rules that exist, locked in order of code when wanted."""
    mine = select(rules).where(rules.c.program_id == program_id, rules.c.code.in_(codes)).order_by(rules.c.code)
    return {row.code: row for row in session.execute(mine.with_for_update() if lock else mine)}


def list_rules(session: Session, program_id: int) -> Sequence[Row[Any]]:
    """The program's rules by code."""
    return session.execute(select(rules).where(rules.c.program_id == program_id).order_by(rules.c.code)).all()


def list_versions(session: Session, program_id: int, code: str) -> Sequence[Row[Any]]:
    """Every version of a rule with who published it when, newest first."""
    # A version may be made live again later; it was published the first time.
    earlier = publications.alias("earlier")
    first = (
        select(func.min(earlier.c.id))
        .where(
            earlier.c.program_id == versions.c.program_id,
            earlier.c.code == versions.c.code,
            earlier.c.version == versions.c.version,
        )
        .scalar_subquery()
    )
    mine = (
        select(versions.c.id, versions.c.version, versions.c.document, publications.c.actor, publications.c.at)
        .select_from(versions)
        .join(publications, publications.c.id == first)
        .where(versions.c.program_id == program_id, versions.c.code == code)
    )
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


def find_version(session: Session, program_id: int, code: str, version: int) -> dict[str, Any] | None:
    """The document of that version, or None when it was never published."""
    mine = select(versions.c.document).where(
        versions.c.program_id == program_id, versions.c.code == code, versions.c.version == version
    )
    return session.scalars(mine).one_or_none()


def published_documents(session: Session, program_id: int, code: str) -> Sequence[dict[str, Any]]:
    """What each version of the rule says, the first one first."""
    mine = select(versions.c.document).where(versions.c.program_id == program_id, versions.c.code == code)
    return session.scalars(mine.order_by(versions.c.version)).all()


def every_version(session: Session) -> Sequence[Row[Any]]:
    """`program_id, code, version, document` of all that was ever published, of every program."""
    named = (versions.c.program_id, versions.c.code, versions.c.version, versions.c.document)
    return session.execute(select(*named).order_by(versions.c.id)).all()


def find_versions(session: Session, program_id: int, ids: Collection[int]) -> list[PublishedRule]:
    """Those of the versions with these ids that the program has."""
    mine = select(versions).where(versions.c.program_id == program_id, versions.c.id.in_(ids))
    return [PublishedRule(row.code, row.version, row.id, rule_of(row.document)) for row in session.execute(mine)]


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


def list_publications(session: Session, program_id: int, code: str) -> Sequence[Row[Any]]:
    """Which version (or none) was made live when and by whom, newest first."""
    mine = select(publications).where(publications.c.program_id == program_id, publications.c.code == code)
    return session.execute(mine.order_by(publications.c.id.desc())).all()


def known_codes(session: Session, program_id: int, codes: Sequence[str]) -> set[str]:
    """Those of the codes that are rules."""
    mine = select(rules.c.code).where(rules.c.program_id == program_id, rules.c.code.in_(codes))
    return set(session.scalars(mine))


def put_group(session: Session, program_id: int, code: str, mode: str, *, actor: str) -> Row[Any]:
    """Create the group or change its mode."""
    row = {"program_id": program_id, "code": code, "mode": mode, "changed_by": actor}
    changes = {"mode": mode, "changed_by": actor, "changed_at": func.clock_timestamp()}
    put = insert(groups).values(row).on_conflict_do_update(index_elements=["program_id", "code"], set_=changes)
    return session.execute(put.returning(groups)).one()


def group_modes(session: Session, program_id: int) -> dict[str, Mode]:
    """The mode of each of the program's groups."""
    return {row.code: row.mode for row in list_groups(session, program_id)}


def list_groups(session: Session, program_id: int) -> Sequence[Row[Any]]:
    """The program's groups by code."""
    return session.execute(select(groups).where(groups.c.program_id == program_id).order_by(groups.c.code)).all()


def put_second_person(session: Session, program_id: int, second_person: bool, *, actor: str) -> None:
    """Say whether a second person is needed in the program."""
    row = {"program_id": program_id, "second_person": second_person, "changed_by": actor}
    changes = {**row, "changed_at": func.clock_timestamp()}
    session.execute(insert(settings).values(row).on_conflict_do_update(index_elements=["program_id"], set_=changes))


def needs_second_person(session: Session, program_id: int) -> bool:
    """Whether a second person is needed in the program."""
    mine = select(settings.c.second_person).where(settings.c.program_id == program_id)
    return bool(session.scalar(mine))
