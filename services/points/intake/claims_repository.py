"""Every SQL statement over claims and their windows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from common import arrays
from services.points.intake.claims import Given, Window
from services.points.intake.domain import Award

WindowKey = tuple[int, str]


def lock_windows(session: Session, program_id: int, keys: Iterable[WindowKey]) -> dict[WindowKey, Window]:
    """The windows `(member_id, rule)`, made when there are none, and locked, both in key order."""
    named = sorted(keys)
    values = {"p": program_id, **_keys(named)}
    session.execute(text(_ADD_WINDOWS), values)
    rows = session.execute(text(_LOCK_WINDOWS), values)
    windows = [Window(*row) for row in rows]
    return {(window.member_id, window.rule): window for window in windows}


def read_moves(
    session: Session, program_id: int, windows: Mapping[WindowKey, Window], named: Mapping[WindowKey, Iterable[str]]
) -> None:
    """Fill the windows with their claims and refunds from `start` on, and with the claims named by their events."""
    asked = _asked(windows, named)
    values = {
        "p": program_id,
        **_keys(asked),
        "w": arrays.texts(row[2] for row in asked),
        "e": arrays.texts(row[3] for row in asked),
        "a": arrays.numbers(row[4] for row in asked),
    }
    for row in session.execute(text(_READ_CLAIMS), values):
        windows[row.member_id, row.rule].awards[row.event] = _award(row)
    for row in session.execute(text(_READ_RELEASES), values):
        given = Given(row.refund, row.at, row.event, row.event_at, row.part, row.whole, row.amount)
        windows[row.member_id, row.rule].releases[given.key] = given


def put_windows(session: Session, program_id: int, windows: Mapping[WindowKey, Window]) -> None:
    """Write back the windows with all that was read or added: claims, refunds, and the windows' own figures."""
    every = list(windows.values())
    values = {
        "p": program_id,
        **_keys(list(windows)),
        "n": arrays.texts(window.newest.isoformat() if window.newest else None for window in every),
        "t": arrays.numbers(window.total for window in every),
        "x": arrays.numbers(window.widest for window in every),
        "c": arrays.numbers(window.cooldown_hours for window in every),
    }
    session.execute(text(_PUT_WINDOWS), values)
    claims = [(window, award) for window in every for award in window.awards.values()]
    releases = [(window, given) for window in every for given in window.releases.values()]
    session.execute(text(_PUT_CLAIMS), {"p": program_id, **_claim_columns(claims)})
    if releases:
        session.execute(text(_PUT_RELEASES), {"p": program_id, **_release_columns(releases)})


_KEYS = "unnest(CAST(:m AS bigint[]), CAST(:r AS text[])"

_ADD_WINDOWS = f"""
INSERT INTO points_claim_windows (program_id, member_id, rule)
SELECT :p, m, r FROM {_KEYS}) AS k(m, r) ORDER BY m, r ON CONFLICT DO NOTHING"""  # noqa: S608 - our own words only

_LOCK_WINDOWS = f"""
SELECT q.member_id, q.rule, q.total, q.newest_at, q.widest, q.cooldown_hours FROM points_claim_windows q
  JOIN {_KEYS}) AS k(m, r) ON (q.member_id, q.rule) = (k.m, k.r)
 WHERE q.program_id = :p ORDER BY q.member_id, q.rule FOR NO KEY UPDATE OF q"""  # noqa: S608 - our own words only

_ASKED = f"{_KEYS}, CAST(:w AS timestamptz[]), CAST(:e AS text[]), CAST(:a AS bigint[])) AS k(m, r, w, e, a)"

_READ_CLAIMS = f"""
SELECT DISTINCT ON (q.member_id, q.rule, q.event) q.* FROM points_claims q
  JOIN {_ASKED} ON (q.member_id, q.rule) = (k.m, k.r) AND (q.at >= k.w AND q.amount >= k.a OR q.event = k.e)
 WHERE q.program_id = :p"""  # noqa: S608 - our own words only

_READ_RELEASES = f"""
SELECT DISTINCT ON (q.member_id, q.rule, q.event, q.refund) q.* FROM points_claim_releases q
  JOIN {_ASKED} ON (q.member_id, q.rule) = (k.m, k.r) AND (q.at >= k.w OR q.event_at >= k.w OR q.event = k.e)
 WHERE q.program_id = :p"""  # noqa: S608 - our own words only

_PUT_WINDOWS = f"""
UPDATE points_claim_windows q SET total = k.t, newest_at = k.n, widest = k.x, cooldown_hours = k.c
  FROM {_KEYS}, CAST(:n AS timestamptz[]), CAST(:t AS bigint[]), CAST(:x AS smallint[]), CAST(:c AS smallint[]))
       AS k(m, r, n, t, x, c)
 WHERE q.program_id = :p AND (q.member_id, q.rule) = (k.m, k.r)"""  # noqa: S608 - our own words only

_PUT_CLAIMS = f"""
INSERT INTO points_claims (program_id, member_id, rule, event, at, wanted, most, amount, reversed, parts, terms)
SELECT :p, m, r, e, w, f, t, a, v, x::bigint[], j::jsonb
  FROM {_KEYS}, CAST(:e AS text[]), CAST(:w AS timestamptz[]), CAST(:f AS bigint[]), CAST(:t AS bigint[]),
       CAST(:a AS bigint[]), CAST(:v AS bigint[]), CAST(:x AS text[]), CAST(:j AS text[]))
       AS k(m, r, e, w, f, t, a, v, x, j)
    ON CONFLICT (program_id, member_id, rule, event) DO UPDATE
   SET most = excluded.most, amount = excluded.amount, reversed = excluded.reversed, parts = excluded.parts
 WHERE (points_claims.most, points_claims.amount, points_claims.reversed, points_claims.parts)
       IS DISTINCT FROM (excluded.most, excluded.amount, excluded.reversed, excluded.parts)"""  # noqa: S608 - our own words only

_PUT_RELEASES = f"""
INSERT INTO points_claim_releases (program_id, member_id, rule, event, refund, at, event_at, part, whole, amount)
SELECT :p, m, r, e, u, w, v, f, h, a
  FROM {_KEYS}, CAST(:e AS text[]), CAST(:u AS text[]), CAST(:w AS timestamptz[]), CAST(:v AS timestamptz[]),
       CAST(:f AS bigint[]), CAST(:h AS bigint[]), CAST(:a AS bigint[])) AS k(m, r, e, u, w, v, f, h, a)
    ON CONFLICT (program_id, member_id, rule, event, refund) DO UPDATE SET amount = excluded.amount
 WHERE points_claim_releases.amount <> excluded.amount"""  # noqa: S608 - our own words only


def _asked(
    windows: Mapping[WindowKey, Window], named: Mapping[WindowKey, Iterable[str]]
) -> list[tuple[int, str, str | None, str | None, int]]:
    """By instant and least amount, or by event: which claims are asked for; and their releases, whatever they gave."""
    asked: list[tuple[int, str, str | None, str | None, int]] = []
    for key, window in windows.items():
        if window.start is not None:
            asked.append((*key, window.start.isoformat(), None, 0))
        if window.counts_for_ever:
            asked.append((*key, "-infinity", None, 1))
        asked += [(*key, None, event, 0) for event in named.get(key, ())]
    return asked


def _award(row: Row[Any]) -> Award:
    terms = dict(row.terms)
    terms["limits"] = tuple((per, amount) for per, amount in terms["limits"])
    return Award(
        row.event,
        row.at.astimezone(UTC),
        row.rule,
        wanted=row.wanted,
        most=row.most,
        amount=row.amount,
        reversed=row.reversed,
        parts=list(row.parts),
        **terms,
    )


def _claim_columns(claims: Sequence[tuple[Window, Award]]) -> dict[str, str]:
    return {
        **_keys([(window.member_id, window.rule) for window, _ in claims]),
        "e": arrays.texts(award.event for _, award in claims),
        "w": arrays.texts(award.at.isoformat() for _, award in claims),
        "f": arrays.numbers(award.wanted for _, award in claims),
        "t": arrays.numbers(award.most for _, award in claims),
        "a": arrays.numbers(award.amount for _, award in claims),
        "v": arrays.numbers(award.reversed for _, award in claims),
        "x": arrays.texts("{" + ",".join(map(str, award.parts)) + "}" for _, award in claims),
        "j": arrays.texts(json.dumps(_terms(award), separators=(",", ":")) for _, award in claims),
    }


def _release_columns(releases: Sequence[tuple[Window, Given]]) -> dict[str, str]:
    return {
        **_keys([(window.member_id, window.rule) for window, _ in releases]),
        "e": arrays.texts(given.event for _, given in releases),
        "u": arrays.texts(given.refund for _, given in releases),
        "w": arrays.texts(given.at.isoformat() for _, given in releases),
        "v": arrays.texts(given.event_at.isoformat() for _, given in releases),
        "f": arrays.numbers(given.part for _, given in releases),
        "h": arrays.numbers(given.whole for _, given in releases),
        "a": arrays.numbers(given.amount for _, given in releases),
    }


def _terms(award: Award) -> dict[str, Any]:
    """What a later posting of the same award needs to know; it never changes."""
    terms = {
        "version": award.version,
        "version_id": award.version_id,
        "asset": award.asset,
        "pending": award.pending,
        "validity": award.validity,
        "limits": list(award.limits),
        "spans": award.spans,
        "meta": award.meta,
        "order_id": award.order_id,
    }
    return {name: value for name, value in terms.items() if value or name in ("limits", "version", "version_id")}


def _keys(rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    return {"m": arrays.numbers(row[0] for row in rows), "r": arrays.texts(row[1] for row in rows)}
