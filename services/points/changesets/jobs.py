"""What the worker does for changesets. Each step is a transaction; a job that is killed is begun again by the cron."""

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice

import structlog

from common.clock import now
from common.errors import NeighbourUnavailable
from services.points import wakeups
from services.points.changesets import applying, clients, domain, dry_run, sheet, use_cases
from services.points.changesets.clients import MOST_AT_ONCE, SubjectRefused
from services.points.changesets.domain import Fault, Kind, Line, LinesRefused
from services.points.changesets.dry_run import Run
from services.points.database import transaction

log = structlog.get_logger()

_JOBS = {"checking": "check_changeset", "approved": "apply_changeset", "undoing": "undo_changeset"}


def resume() -> None:
    """Ask again for a job for every changeset that waits for one."""
    with transaction() as session:
        for program_id, changeset_id, status in use_cases.working(session):
            wakeups.ask(session, _JOBS[status], program_id, str(changeset_id))


def check(program_id: int, changeset_id: uuid.UUID) -> None:
    """The dry run. When levels does not answer it is left as it is, and begun again when its lease has run out."""
    with transaction() as session:
        run = dry_run.begin(session, program_id=program_id, changeset_id=changeset_id, now=now())
    if run is None:
        return
    try:
        lines, faults = _read(run)
        faults += _find_members(run, lines)
    except NeighbourUnavailable as error:
        log.warning("dry_run_waits", cause=repr(error.__cause__))
        return
    wrong = {(fault.part, fault.line) for fault in faults}
    sound = [line for line in lines if (line.part, line.line) not in wrong]
    faults += domain.duplicates(sound, run.row.kind)
    done = 0
    for chunk in dry_run.in_chunks(run, sound):
        done += len(chunk)
        with transaction() as session:
            faults += dry_run.rehearse(session, run, chunk, now=now())
        with transaction() as session:
            if not dry_run.go_on(session, run, progress=50 + 50 * done // len(sound)):
                return
    with transaction() as session:
        dry_run.finish(session, run, sound, faults, now=now())


def apply(program_id: int, changeset_id: uuid.UUID) -> None:
    """Make strangers members and open accounts, then post every line or none."""
    try:
        _make_members(program_id, changeset_id)
    except NeighbourUnavailable as error:
        log.warning("apply_waits", cause=repr(error.__cause__))
        return
    after, more = None, True
    while more:
        with transaction() as session:
            after = applying.open_accounts(session, program_id=program_id, changeset_id=changeset_id, after=after)
        more = after is not None
    try:
        with transaction() as session:
            applying.apply(session, program_id=program_id, changeset_id=changeset_id, now=now())
    except LinesRefused as refused:
        with transaction() as session:
            applying.note_refused(session, program_id=program_id, changeset_id=changeset_id, faults=refused.faults)


def undo(program_id: int, changeset_id: uuid.UUID) -> None:
    """Reverse every line or none."""
    try:
        with transaction() as session:
            applying.undo(session, program_id=program_id, changeset_id=changeset_id, now=now())
    except LinesRefused as refused:
        with transaction() as session:
            applying.note_refused(session, program_id=program_id, changeset_id=changeset_id, faults=refused.faults)


def _read(run: Run) -> tuple[list[Line], list[Fault]]:
    lines: list[Line] = []
    faults: list[Fault] = []
    for part, csv in run.sheets:
        read = sheet.read(part, csv, run.terms)
        lines += read.lines
        faults += read.faults
    if len(lines) > domain.MOST_LINES:
        first = lines[domain.MOST_LINES]
        return [], [first.fault("too_many_lines", most=domain.MOST_LINES, lines=len(lines))]
    if not lines and not faults:
        faults.append(Fault(1, 1, "", "no_lines"))
    return lines, faults


def _find_members(run: Run, lines: list[Line]) -> list[Fault]:
    """Whom identities lead to and whether members exist, a thousand at a time; strangers may get opening balances."""
    whom = _resolve(run, list(dict.fromkeys(line.subject for line in lines if line.subject)))
    there: set[int] = set()
    for some in _at_a_time(dict.fromkeys(line.member_id for line in lines if line.member_id)):
        there |= clients.existing_members(run.row.program_id, some)
        with transaction() as session:
            dry_run.go_on(session, run, progress=25)
    faults = []
    for line in lines:
        if line.subject:
            found = whom[line.subject]
            if isinstance(found, str):
                faults.append(line.fault("identity_refused", "identity", reason=found))
            elif found is None and run.row.kind != Kind.OPENING:
                faults.append(line.fault("unknown_member", "identity"))
            line.member_id = found if isinstance(found, int) else None
        elif line.member_id not in there:
            faults.append(line.fault("unknown_member", "member_id"))
    return faults


def _resolve(run: Run, subjects: list[str]) -> dict[str, int | str | None]:
    """Member, None for a stranger, or why levels cannot read the identity: then none of its type."""
    whom: dict[str, int | str | None] = {}
    waiting = subjects
    while waiting:
        some, waiting = waiting[:MOST_AT_ONCE], waiting[MOST_AT_ONCE:]
        try:
            whom.update(zip(some, clients.resolve(run.row.program_id, some, create=False), strict=True))
        except SubjectRefused as refused:
            kind = refused.subject.partition(":")[0]
            unreadable = {one: refused.reason for one in (*some, *waiting) if one.partition(":")[0] == kind}
            whom.update(unreadable)
            waiting = [one for one in (*some, *waiting) if one not in unreadable]
        with transaction() as session:
            dry_run.go_on(session, run, progress=10)
    return whom


def _make_members(program_id: int, changeset_id: uuid.UUID) -> None:
    which = {"program_id": program_id, "changeset_id": changeset_id}
    while True:
        with transaction() as session:
            unknown = applying.strangers(session, program_id=program_id, changeset_id=changeset_id)
        if not unknown:
            return
        made = clients.resolve(program_id, unknown, create=True)
        members = {subject: member for subject, member in zip(unknown, made, strict=True) if member is not None}
        assert len(members) == len(unknown), f"levels makes members of all strangers: {which}"
        with transaction() as session:
            applying.note_members(session, program_id=program_id, changeset_id=changeset_id, members=members)


def _at_a_time(members: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(members)
    while some := list(islice(waiting, MOST_AT_ONCE)):
        yield some
