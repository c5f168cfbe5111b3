"""The life of a back-test: asked for, replayed slice by slice, reported; or cancelled."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from services.points import wakeups
from services.points.audiences.use_cases import memberships
from services.points.backtests import domain, repository
from services.points.backtests.domain import Cursor, State, TooMuchToRemember
from services.points.backtests.memory import packed, unpack
from services.points.backtests.replay import begin, play, triggers
from services.points.backtests.report import Movement, digest, report
from services.points.backtests.sides import Recorded, Replay, Side
from services.points.intake import history
from services.points.intake.history_repository import Stretch
from services.points.programs.use_cases import program_book
from services.points.rules.candidates import candidate_of
from services.points.rules.domain import PublishedRule, Rule, RuleSet, document_of, rule_of

#: Events read at a time.
_CHUNK = 2_000
_MOST_SHOWN = 20
#: `json.loads` looks at the text's ends first; PostgreSQL sends none but JSON.
_decode = json.JSONDecoder().raw_decode
_MOST_KEPT = 1_000


def ask_for_backtest(
    session: Session,
    *,
    program_id: int,
    actor: str,
    now: datetime,
    days: int | None,
    since: datetime | None,
    until: datetime | None,
    drafts: Sequence[str],
    retire: Sequence[str],
) -> dict[str, Any]:
    """Note what is to be replayed: the rules as they are now, the events that are recorded by now.

    Raises `UnknownRule`, `NoDraft`, `RuleNotLive`, `TooManyBacktests`.
    """
    if repository.count_unfinished(session, program_id) >= domain.MOST_UNFINISHED:
        raise domain.TooManyBacktests(most=domain.MOST_UNFINISHED)
    zone = program_book(session, program_id).program.time_zone
    if since is None or until is None:
        since, until = domain.last_days(days or 1, now=now, time_zone=zone)
    candidate = candidate_of(session, program_id=program_id, drafts=drafts, retire=retire)
    limited = [one.rule for one in (*candidate.live, *candidate.rules)]
    window = domain.window(
        since,
        until,
        cap_periods=[*(cap.per for rule in limited for cap in rule.caps), *_counted(limited)],
        cooldown_hours=max([rule.frequency.cooldown_hours or 0 for rule in limited], default=0),
        time_zone=zone,
    )
    cursor = domain.beginning(window)
    backtest_id = repository.add_backtest(
        session,
        {
            "program_id": program_id,
            "asked_at": now,
            "actor": actor,
            "time_zone": zone,
            "since": window.since,
            "until": window.until,
            "warm_since": window.warm_since,
            "drafts": sorted(set(drafts)),
            "retired": sorted(set(retire)),
            "live": _documents(candidate.live, candidate.groups),
            "candidate": _documents(candidate.rules, candidate.groups),
            "state": State.QUEUED,
            "cursor_time": cursor.time,
            "cursor_source": cursor.source,
            "cursor_id": cursor.id,
        },
    )
    wakeups.ask(session, "run_backtest", program_id, backtest_id)
    return _shown(repository.get_backtest(session, program_id, backtest_id))


def _counted(rules: Iterable[Rule]) -> Iterator[str]:
    """The periods in which awards are counted."""
    return (times.per for rule in rules for times in rule.frequency.times)


def list_backtests(session: Session, *, program_id: int, before: int | None, limit: int) -> dict[str, Any]:
    """Back-tests, newest first."""
    rows = repository.list_backtests(session, program_id, before=before, limit=limit + 1)
    page = rows[:limit]
    return {"backtests": [_shown(row) for row in page], "next": page[-1].id if len(rows) > limit else None}


def show_backtest(session: Session, *, program_id: int, backtest_id: int) -> dict[str, Any]:
    """How far it has come, and what it found. Raises `UnknownBacktest`."""
    return _shown(repository.get_backtest(session, program_id, backtest_id))


def list_changes(session: Session, *, program_id: int, backtest_id: int) -> Sequence[Any]:
    """The largest changes of members, none before it is done. Raises `UnknownBacktest`."""
    row = repository.get_backtest(session, program_id, backtest_id)
    if row.state != State.DONE:
        return []
    return repository.list_changes(session, program_id, backtest_id, limit=_MOST_KEPT)


def cancel(session: Session, *, program_id: int, backtest_id: int) -> dict[str, Any]:
    """End it without a result. Raises `UnknownBacktest`, `BacktestEnded`."""
    row = repository.get_backtest(session, program_id, backtest_id, lock=True)
    if row.state in domain.ENDED:
        raise domain.BacktestEnded(backtest=backtest_id, state=row.state)
    repository.drop_small_changes(session, program_id, backtest_id, keep=0)
    repository.mark_ended(session, program_id, backtest_id, state=State.CANCELLED)
    return _shown(repository.get_backtest(session, program_id, backtest_id))


def list_stalled(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """Back-tests that nobody works on: `(program_id, id)`."""
    return [(row.program_id, row.id) for row in repository.list_stalled(session, now=now)]


def altered_results(session: Session) -> tuple[int, list[int]]:
    """How many results are kept, and the ids of those that are not what was found then: their digest says so."""
    altered, kept = [], 0
    for row in repository.list_results(session):
        kept += 1
        found = {name: value for name, value in row.result.items() if name != "digest"}
        if digest({"inputs": _inputs(row), "found": found}) != row.result["digest"]:
            altered.append(row.id)
    return kept, altered


def take_up(session: Session, *, program_id: int, backtest_id: int) -> bool:
    """Note that a worker begins a slice; false when there is nothing to do, or another worker does it.

    Committed before the slice, so that the next worker knows of one that died; after five deaths in a row it fails.
    """
    row = repository.claim_backtest(session, program_id, backtest_id)
    if row is None:
        return False
    if row.runs >= domain.MOST_RUNS:
        _fail(session, row, f"Its worker ended {row.runs} times in a row without an answer; ask for fewer days.")
        return False
    first = row.state == State.QUEUED
    events = history.count_events(session, _to_come(row, _replay_of(row), _cursor(row))) if first else None
    repository.mark_begun(session, program_id, backtest_id, events_all=events)
    return True


def replay_slice(
    session: Session, *, program_id: int, backtest_id: int, seconds: float, ticks: Callable[[], float]
) -> bool:
    """Go on for about so many seconds by the clock `ticks`; whether there is more to do.

    All of a slice is written in one transaction with its cursor, so a killed worker loses a slice and nothing else.
    """
    row = repository.claim_backtest(session, program_id, backtest_id)
    if row is None:
        return False
    began = ticks()
    replay = _replay_of(row)
    if row.memory:
        unpack(replay, row.memory)
    try:
        cursor, done, ended = _go_on(session, row, replay, lambda: ticks() - began >= seconds)
    except TooMuchToRemember as error:
        _fail(session, row, f"Too much to remember: {error}. Ask for fewer days.")
        return False
    if replay.members:
        repository.add_amounts(session, program_id, backtest_id, replay.members)
    worked_ms = int((ticks() - began) * 1000)
    repository.mark_slice(
        session, program_id, backtest_id, cursor=cursor, done=done, worked_ms=worked_ms, memory=packed(replay)
    )
    if ended:
        _finish(session, row, replay, row.events_done + done)
    return not ended


def _go_on(session: Session, row: Any, replay: Replay, enough: Callable[[], bool]) -> tuple[Cursor, int, bool]:
    """Replay chunk by chunk until it is enough or the end: the new cursor, how many events, whether it ended."""
    begun = cursor = _cursor(row)
    done, ended = 0, False
    while not ended and not (done and enough()):
        rows = history.read_events(session, _to_come(row, replay, cursor), limit=_CHUNK)
        events = [_recorded(*one) for one in rows]
        play(replay, events, _memberships(session, row.program_id, replay, events))
        ended = len(events) < _CHUNK
        done += len(events)
        if events:
            cursor = Cursor(events[-1].time, events[-1].source, events[-1].id)
    # Events of other types are summed too: what is not rewarded any more was awarded then.
    behind = replace(
        _to_come(row, replay, begun), types=None, upto=None if ended else (cursor.time, cursor.source, cursor.id)
    )
    for one in history.sum_awards(session, behind, since=row.since, time_zone=row.time_zone):
        replay.note_recorded(one.day.isoformat(), one.rule, one.asset, one.awards, int(one.amount))
    return cursor, done, ended


def _finish(session: Session, row: Any, replay: Replay, events: int) -> None:
    where = (session, row.program_id, row.id)
    movements = {one.asset: Movement(one.gaining, one.losing, one.same) for one in repository.sum_members(*where)}
    changes = [dict(one._mapping) for one in repository.list_changes(*where, limit=_MOST_SHOWN)]
    result = report(replay, inputs=_inputs(row), events=events, movements=movements, changes=changes)
    repository.drop_small_changes(*where, keep=_MOST_KEPT)
    repository.mark_ended(*where, state=State.DONE, result=result)


def _inputs(row: Any) -> dict[str, Any]:
    """What decides a result besides the events."""
    return {
        "program_id": row.program_id,
        "since": row.since.astimezone(UTC).isoformat(),
        "until": row.until.astimezone(UTC).isoformat(),
        "live": row.live,
        "candidate": row.candidate,
    }


def _fail(session: Session, row: Any, failure: str) -> None:
    repository.drop_small_changes(session, row.program_id, row.id, keep=0)
    repository.mark_ended(session, row.program_id, row.id, state=State.FAILED, failure=failure)


def _replay_of(row: Any) -> Replay:
    """The replay as it begins, from the sets as they were when it was asked for."""
    sides = [
        Side(RuleSet([_published(one) for one in kept["rules"]]), kept["groups"]) for kept in (row.live, row.candidate)
    ]
    return begin(*sides, program_id=row.program_id, time_zone=row.time_zone, since=row.since)


def _recorded(
    time: datetime, source: str, id: str, type: str, member_id: int, data: str, counted: bool, refunded: bool
) -> Recorded:
    return Recorded(time, source, id, type, member_id, _decode(data)[0], counted, refunded)


def _cursor(row: Any) -> Cursor:
    return Cursor(row.cursor_time, row.cursor_source, row.cursor_id)


def _to_come(row: Any, replay: Replay, cursor: Cursor) -> Stretch:
    """The events behind the cursor that the rules wait for."""
    place = (cursor.time, cursor.source, cursor.id)
    return Stretch(row.program_id, place, row.until, row.asked_at, types=tuple(triggers(replay)))


def _memberships(session: Session, program_id: int, replay: Replay, events: Sequence[Recorded]) -> Mapping[Any, Any]:
    if not (replay.live.rules.asks_about_members or replay.candidate.rules.asks_about_members):
        return {}
    asked: dict[int, list[datetime]] = {}
    for event in events:
        asked.setdefault(event.member_id, []).append(event.time)
    return memberships(session, program_id=program_id, asked=asked)


def _documents(rules: Sequence[PublishedRule], groups: Mapping[str, str]) -> dict[str, Any]:
    kept = [
        {"code": one.code, "version": one.version, "version_id": one.version_id, "document": document_of(one.rule)}
        for one in rules
    ]
    return {"rules": kept, "groups": dict(groups)}


def _published(kept: Mapping[str, Any]) -> PublishedRule:
    return PublishedRule(kept["code"], kept["version"], kept["version_id"], rule_of(kept["document"]))


def _shown(row: Any) -> dict[str, Any]:
    per_second = row.events_done * 1000 // row.worked_ms if row.worked_ms else None
    return {**row._mapping, "events": {"all": row.events_all, "done": row.events_done, "per_second": per_second}}
