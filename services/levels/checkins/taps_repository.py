"""The SQL of checking in: many members' taps at a time, each statement for all of them."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from common.arrays import numbers, texts
from services.levels.checkins.domain import CheckIn, Reached, Tap
from services.levels.reward import from_json, to_json

# The last run of consecutive days is walked back from its end until a day is missing: see `repository.find_run`.
_LOOK = text(
    "SELECT v.p, v.m, v.c, t.at, t.version, t.reward, e.enrolled_on, e.run_end, r.run_start"
    " FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:c AS text[]), CAST(:d AS date[])) AS v(p, m, c, d)"
    " LEFT JOIN levels_checkins t ON (t.program_id, t.member_id, t.campaign, t.day) = (v.p, v.m, v.c, v.d),"
    " LATERAL (SELECT min(day) AS enrolled_on, max(day) AS run_end FROM levels_checkins"
    "  WHERE (program_id, member_id, campaign) = (v.p, v.m, v.c)) e"
    " LEFT JOIN LATERAL (SELECT day AS run_start FROM levels_checkins s"
    "  WHERE (program_id, member_id, campaign) = (v.p, v.m, v.c) AND NOT EXISTS (SELECT FROM levels_checkins b"
    "   WHERE (b.program_id, b.member_id, b.campaign) = (v.p, v.m, v.c) AND b.day = s.day - 1)"
    "  ORDER BY day DESC LIMIT 1) r ON true"
)
_ADD = text(
    "INSERT INTO levels_checkins (program_id, member_id, campaign, day, at, version, reward)"
    " SELECT p, m, c, d, a, n, r::jsonb FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:c AS text[]),"
    "  CAST(:d AS date[]), CAST(:a AS timestamptz[]), CAST(:n AS int[]), CAST(:r AS text[])) AS v(p, m, c, d, a, n, r)"
    " ORDER BY p, m, c ON CONFLICT DO NOTHING RETURNING program_id, member_id, campaign"
)
_ADD_MILESTONES = text(
    "INSERT INTO levels_milestones (program_id, member_id, campaign, streak, version, day, at)"
    " SELECT p, m, c, s, n, d, a FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:c AS text[]),"
    "  CAST(:s AS int[]), CAST(:n AS int[]), CAST(:d AS date[]), CAST(:a AS timestamptz[])) AS v(p, m, c, s, n, d, a)"
    " ORDER BY p, m, c, s ON CONFLICT DO NOTHING RETURNING streak"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a member's campaign: the day's check-in, the first day of all, the ends of the last run."""

    checkin: CheckIn | None
    enrolled_on: date | None
    run_start: date | None
    run_end: date | None


def look(session: Session, taps: Collection[Tap], days: dict[int, date]) -> dict[Tap, Seen]:
    """What is known of each of the taps, on its program's business day."""
    named = {**_taps(taps), "d": texts([days[tap.program_id].isoformat() for tap in taps])}
    return {Tap(row.p, row.m, row.c): _seen(row, days[row.p]) for row in session.execute(_LOOK, named)}


def add_checkins(session: Session, new: Sequence[CheckIn]) -> set[Tap]:
    """Insert the check-ins in key order; returns those that are new, waiting for a twin in flight to say so."""
    rows = session.execute(
        _ADD,
        {
            **_taps([one.tap for one in new]),
            "d": texts([one.day.isoformat() for one in new]),
            "a": texts([one.at.isoformat() for one in new]),
            "n": numbers([one.version for one in new]),
            "r": texts([json.dumps(to_json(one.reward)) for one in new]),
        },
    )
    return {Tap(*row) for row in rows}


def add_milestones(session: Session, reached: Sequence[Reached]) -> bool:
    """Note milestones as reached and due, those that were not yet, in key order; whether any was new."""
    rows = session.execute(
        _ADD_MILESTONES,
        {
            **_taps([Tap(one.program_id, one.member_id, one.campaign) for one in reached]),
            "s": numbers([one.streak for one in reached]),
            "n": numbers([one.version for one in reached]),
            "d": texts([one.day.isoformat() for one in reached]),
            "a": texts([one.at.isoformat() for one in reached]),
        },
    )
    return bool(rows.all())


def _taps(taps: Iterable[Tap]) -> dict[str, str]:
    every = list(taps)
    return {
        "p": numbers([tap.program_id for tap in every]),
        "m": numbers([tap.member_id for tap in every]),
        "c": texts([tap.campaign for tap in every]),
    }


def _seen(row: Any, day: date) -> Seen:
    checkin = None
    if row.at is not None:
        checkin = CheckIn(row.p, row.m, row.c, day, row.at, row.version, from_json(row.reward))
    return Seen(checkin, row.enrolled_on, row.run_start, row.run_end)
