"""Requests of a route with `once` that are in flight together, answered by one transaction: a quick yes to them all.

Whoever is not plainly the first to send a key, or is refused, is left to the plain way, which does and stores the same
one request at a time (`answer_once`). So there is one meaning of a key, and this module only saves time: a request by
itself costs a dozen statements, and a hundred together not one more.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import Table, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from common.arrays import blobs, numbers, texts
from common.database import Database
from common.errors import Busy, Refusal
from common.identity import Identity
from common.together import Together


@dataclass(frozen=True, slots=True)
class Sent:
    """A request in order: who sent it, under which key, its fingerprint and what its body says."""

    caller: Identity
    key: str
    fingerprint: bytes
    body: dict[str, Any]

    @property
    def scope(self) -> tuple[int, str, str]:
        """What its key belongs to, within the route."""
        return self.caller.program_id, self.caller.actor, self.key


#: One result for each request, in a transaction; raises what any of them is refused with.
View = Callable[[Session, Sequence[Sent]], list[Any]]


class Crowd:
    """Answers what is in flight of one route: `show` makes the text of a result, as the plain way would."""

    def __init__(
        self, database: Database, keys: Table, *, route: str, view: View, show: Callable[[Any], str], status: int
    ) -> None:
        self._database = database
        self._route = route
        self._view = view
        self._show = show
        self._status = status
        self._claim = text(_CLAIM.format(keys.name))
        self._store = text(_STORE.format(keys.name))
        self._together: Together[Sent, str | None] = Together(
            self._answer, of=lambda sent: (sent.caller.program_id, sent.caller.subject), unavailable=(Busy,)
        )

    def answer(self, sent: Sent) -> str | None:
        """The text of its first answer; None when the plain way has to say. Raises `Busy`."""
        return self._together.submit(sent)

    def _answer(self, asked: Sequence[Sent]) -> list[str | None]:
        try:
            with self._database.transaction() as session:
                first = self._claimed(session, asked)
                answers = dict(zip(first, map(self._show, self._view(session, list(first.values()))), strict=True))
                self._keep(session, answers)
        except Refusal:
            if len(asked) > 1:
                raise  # each is then asked by itself, and only whoever is refused goes the plain way
            return [None]
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise Busy() from error
            raise
        return [answers[one.scope] if first.get(one.scope) is one else None for one in asked]

    def _claimed(self, session: Session, asked: Sequence[Sent]) -> dict[tuple[int, str, str], Sent]:
        """Those whose keys nobody sent before, in the order asked; a twin in flight is waited for."""
        once: dict[tuple[int, str, str], Sent] = {}
        for one in asked:
            once.setdefault(one.scope, one)
        named = {**_scopes(once), "r": self._route, "f": blobs([one.fingerprint for one in once.values()])}
        new = {(row[0], row[1], row[2]) for row in session.execute(self._claim, named)}
        return {scope: one for scope, one in once.items() if scope in new}

    def _keep(self, session: Session, answers: dict[tuple[int, str, str], str]) -> None:
        if answers:
            told = {**_scopes(answers), "r": self._route, "s": self._status, "b": json.dumps(list(answers.values()))}
            session.execute(self._store, told)


_CLAIM = """
INSERT INTO {0} (program_id, caller, route, key, fingerprint)
SELECT p, c, :r, k, f FROM unnest(CAST(:p AS int[]), CAST(:c AS text[]), CAST(:k AS text[]), CAST(:f AS bytea[]))
    AS v(p, c, k, f) ORDER BY p, c, k
    ON CONFLICT DO NOTHING RETURNING program_id, caller, key"""

# The answers travel as one JSON array: in an array literal every quote of theirs would have to be escaped.
_STORE = """
UPDATE {0} t SET status = :s, media_type = 'application/json', body = v.b
  FROM ROWS FROM (unnest(CAST(:p AS int[]), CAST(:c AS text[]), CAST(:k AS text[])),
                  jsonb_array_elements_text(CAST(:b AS jsonb))) AS v(p, c, k, b)
 WHERE (t.program_id, t.caller, t.route, t.key) = (v.p, v.c, :r, v.k)"""


def _scopes(named: dict[tuple[int, str, str], Any]) -> dict[str, str]:
    return {
        "p": numbers([program_id for program_id, _, _ in named]),
        "c": texts([caller for _, caller, _ in named]),
        "k": texts([key for _, _, key in named]),
    }
