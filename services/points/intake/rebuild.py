"""Caps and budgets from the stored events alone: claims folded again, their releases and windows, what pots gave.

What cannot be told from events is not compared: how budgets are cut into slots, what a budget had for a claim when it
was decided (`most`), and what is left of each of its postings (`parts`). `recount` says where an event's own account
is taken, for the order of arrival decided.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from common import arrays
from services.points.intake.recount import Award, Recount, Told, binds, recount
from services.points.rebuild import Advance, Compared, Rebuild
from services.points.rules import use_cases as rules
from services.points.rules.domain import Rule

_AT_ONCE = 10_000

# An event with a reason changed nothing; one without decision nor order has nothing to say here.
_EVENTS = """
SELECT e.program_id, e.member_id, p.time_zone, e.source || ' ' || e.id, e.type, e.time, e.received_at, d.wanting,
       coalesce(e.result -> 'amended', '[]'), e.result -> 'reversed',
       CASE WHEN o.is THEN e.data ->> 'order_id' END,
       CASE e.type WHEN 'order.paid' THEN CAST(e.data ->> 'paid_fen' AS bigint) END,
       CASE e.type WHEN 'order.refunded' THEN e.data ->> 'refund_id' END,
       CASE e.type WHEN 'order.refunded' THEN CAST(e.data ->> 'refunded_fen' AS bigint) ELSE 0 END
  FROM points_events e JOIN points_programs p USING (program_id)
 CROSS JOIN LATERAL (SELECT e.type IN ('order.paid', 'order.confirmed', 'order.refunded') AS is) o
 CROSS JOIN LATERAL (
       SELECT coalesce(jsonb_agg(one), '[]') AS wanting FROM jsonb_array_elements(e.result -> 'decisions') one
        WHERE CAST(one ->> 'amount' AS bigint) > 0 OR one ? 'wanted') d
 WHERE e.program_id = ANY(CAST(:programs AS int[])) AND e.result ->> 'reason' IS NULL
   AND (o.is OR d.wanting <> '[]')
 ORDER BY e.program_id, e.member_id, e.time, e.source, e.id"""

_ADD_CLAIMS = """
INSERT INTO {0} (program_id, member_id, rule, event, at, wanted, amount, reversed, terms)
SELECT p, m, r, e, w, f, a, v, jsonb_build_object('version', n)
  FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:r AS text[]), CAST(:e AS text[]),
              CAST(:w AS timestamptz[]), CAST(:f AS bigint[]), CAST(:a AS bigint[]), CAST(:v AS bigint[]),
              CAST(:n AS int[])) AS k(p, m, r, e, w, f, a, v, n)"""

_ADD_RELEASES = """
INSERT INTO {0} (program_id, member_id, rule, event, refund, at, event_at, part, whole, amount)
SELECT p, m, r, e, u, w, v, f, h, a
  FROM unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:r AS text[]), CAST(:e AS text[]), CAST(:u AS text[]),
              CAST(:w AS timestamptz[]), CAST(:v AS timestamptz[]), CAST(:f AS bigint[]), CAST(:h AS bigint[]),
              CAST(:a AS bigint[])) AS k(p, m, r, e, u, w, v, f, h, a)"""

_ADD_POTS = """
INSERT INTO {0} (program_id, rule, span, used)
SELECT p, r, w, u FROM unnest(CAST(:p AS int[]), CAST(:r AS text[]), CAST(:w AS text[]), CAST(:u AS bigint[]))
    AS k(p, r, w, u)"""

_ADD_WINDOWS = """
INSERT INTO {0} (program_id, member_id, rule, total, newest_at)
SELECT program_id, member_id, rule, sum(amount - reversed), max(at) FROM {1} GROUP BY 1, 2, 3"""

#: A member, and what their events say.
_Counted = tuple[int, int, Recount]


def _steps(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM points_events")).scalar_one())


def _build(session: Session, scratch: Mapping[str, str], advance: Advance) -> None:
    left = _steps(session)
    pots: dict[tuple[int, str, str], int] = {}
    done: list[_Counted] = []
    for program_id, member_id, events, counted in _members(session):
        for (rule, span), used in counted.pots.items():
            pots[program_id, rule, span] = pots.get((program_id, rule, span), 0) + used
        done.append((program_id, member_id, counted))
        if len(done) == _AT_ONCE:
            _write(session, scratch, done)
            done = []
        left -= events
        advance(events)
    _write(session, scratch, done)
    _write_pots(session, scratch, pots)
    session.execute(text(_ADD_WINDOWS.format(scratch["points_claim_windows"], scratch["points_claims"])))
    # Events that have nothing to say were left out.
    advance(left)


def _members(session: Session) -> Iterator[tuple[int, int, int, Recount]]:
    """Every member with events that count, how many they are, and what they say."""
    versions: dict[int, dict[tuple[str, int], Rule]] = {}
    for (program_id, code, version), rule in rules.published_rules(session).items():
        if binds(rule):
            versions.setdefault(program_id, {})[code, version] = rule
    rows = session.execute(
        text(_EVENTS),
        {"programs": arrays.numbers(versions)},
        execution_options={"stream_results": True, "yield_per": _AT_ONCE},
    )
    for (program_id, member_id, zone), mine in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
        told = [Told(*row[3:]) for row in mine]
        yield program_id, member_id, len(told), recount(told, versions[program_id], time_zone=zone)


def _write(session: Session, scratch: Mapping[str, str], done: list[_Counted]) -> None:
    claims = [(program_id, member_id, award) for program_id, member_id, one in done for award in one.claims]
    if claims:
        columns = {
            **_names(claims),
            "f": arrays.numbers(award.wanted for *_, award in claims),
            "a": arrays.numbers(award.amount for *_, award in claims),
            "v": arrays.numbers(award.released for *_, award in claims),
            "n": arrays.numbers(award.version for *_, award in claims),
        }
        session.execute(text(_ADD_CLAIMS.format(scratch["points_claims"])), columns)
    given = [(program_id, member_id, *release) for program_id, member_id, one in done for release in one.releases]
    if given:
        columns = {
            **_names([(program_id, member_id, back.award) for program_id, member_id, back, _ in given]),
            "u": arrays.texts(back.refund for *_, back, _ in given),
            "w": arrays.texts(back.at.isoformat() for *_, back, _ in given),
            "v": arrays.texts(back.award.at.isoformat() for *_, back, _ in given),
            "f": arrays.numbers(back.part for *_, back, _ in given),
            "h": arrays.numbers(back.whole for *_, back, _ in given),
            "a": arrays.numbers(amount for *_, amount in given),
        }
        session.execute(text(_ADD_RELEASES.format(scratch["points_claim_releases"])), columns)


def _names(awards: list[tuple[int, int, Award]]) -> dict[str, Any]:
    return {
        "p": arrays.numbers(program_id for program_id, _, _ in awards),
        "m": arrays.numbers(member_id for _, member_id, _ in awards),
        "r": arrays.texts(award.rule for *_, award in awards),
        "e": arrays.texts(award.event for *_, award in awards),
        "w": arrays.texts(award.at.isoformat() for *_, award in awards),
    }


def _write_pots(session: Session, scratch: Mapping[str, str], pots: Mapping[tuple[int, str, str], int]) -> None:
    columns = {
        "p": arrays.numbers(program_id for program_id, _, _ in pots),
        "r": arrays.texts(rule for _, rule, _ in pots),
        "w": arrays.texts(span for _, _, span in pots),
        "u": arrays.numbers(pots.values()),
    }
    session.execute(text(_ADD_POTS.format(scratch["points_budget_slots"])), columns)


_CLAIM = Compared(
    "points_claims",
    ("program_id", "member_id", "rule", "event"),
    ("at", "wanted", "amount", "reversed", "terms ->> 'version'"),
)
_RELEASE = Compared(
    "points_claim_releases",
    ("program_id", "member_id", "rule", "event", "refund"),
    ("at", "event_at", "part", "whole", "amount"),
)
_WINDOW = Compared(
    "points_claim_windows",
    ("program_id", "member_id", "rule"),
    ("total", "newest_at"),
    # A window is locked before it is known whether anything will stand in it.
    where="newest_at IS NOT NULL OR total <> 0",
)
# How a pot is cut into slots is an arrangement; what they gave together is the figure.
_POT = Compared("points_budget_slots", ("program_id", "rule", "span"), ("sum(used)",), grouped=True)

REBUILD = Rebuild(name="caps and budgets", tables=(_CLAIM, _RELEASE, _WINDOW, _POT), steps=_steps, build=_build)
