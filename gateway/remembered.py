"""Rows that the hot path needs on every request, kept in memory for a moment.

What was changed elsewhere counts here after `FRESH_SECONDS`. One caller at a time loads anew while the others go on
with the value of before; when the database is away, that value stays good for `STALE_SECONDS`, because what the
database cannot say now it could not have changed either.
"""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

log = structlog.get_logger()

FRESH_SECONDS = 2.0
STALE_SECONDS = 60.0
MOST = 65_536

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """What `load(key)` said lately. `load` raises for what does not exist; that is not remembered."""

    def __init__(self, load: Callable[[Key], Value]) -> None:
        self._load = load
        self._known: dict[Key, tuple[Value, float]] = {}
        self._loading: set[Key] = set()

    def get(self, key: Key) -> Value:
        """The value, at most a moment old."""
        known = self._known.get(key)
        if known is None:
            return self._learn(key)
        value, learnt = known
        age = time.monotonic() - learnt
        if age < FRESH_SECONDS or (key in self._loading and age < STALE_SECONDS):
            return value
        self._loading.add(key)
        try:
            return self._learn(key)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            if age >= STALE_SECONDS:
                raise
            log.warning("remembered_while_database_away", error=type(error).__name__)
            return value
        finally:
            self._loading.discard(key)

    def forget(self, key: Key) -> None:
        """Ask anew at the next use; what this process changed itself counts at once."""
        self._known.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()

    def _learn(self, key: Key) -> Value:
        asked = time.monotonic()
        self._known_or_room()
        try:
            value = self._load(key)
        except LookupError:
            self._known.pop(key, None)
            raise
        self._known[key] = (value, asked)
        return value

    def _known_or_room(self) -> None:
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
