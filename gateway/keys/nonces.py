"""Nonces count once: a copied request is refused although its signature is genuine.

Redis remembers the nonces of each key in one set per minute of their timestamps, until those have left the window.
While it is away this process remembers for itself, so the door stays open; a copy sent to another process, or just
before Redis went, could then pass, and finds at a service the idempotency key that every request moving value carries.
"""

import time
from collections.abc import Sequence
from threading import Lock
from typing import Any

import structlog
from redis.exceptions import RedisError

from common.queue import redis
from gateway.keys.domain import WINDOW_SECONDS, NonceUsed
from gateway.signing import Signed

log = structlog.get_logger()

AWAY_SECONDS = 1.0
_MINUTE = 60
_KEEP_SECONDS = 2 * WINDOW_SECONDS + _MINUTE
# One call claims many nonces: SADD says for each whether it is new.
_SCRIPT = """
local new = {}
for i, key in ipairs(KEYS) do
  new[i] = redis.call('SADD', key, ARGV[i + 1])
  redis.call('EXPIRE', key, ARGV[1])
end
return new
"""


class _Claim:
    __slots__ = ("fresh", "nonce", "set_name")

    def __init__(self, signed: Signed) -> None:
        self.set_name = f"jifen:nonces:{signed.key_id}:{signed.timestamp // _MINUTE}"
        self.nonce = signed.nonce
        self.fresh: bool | None = None


class Nonces:
    """Everybody's claims, worked off in batches: who comes while Redis is being asked is in the next call to it."""

    def __init__(self) -> None:
        self._waiting: list[_Claim] = []
        self._asking = Lock()
        self._away_until = 0.0
        self._own: dict[str, set[str]] = {}

    def claim(self, signed: Signed) -> None:
        """Use the nonce up; raises `NonceUsed` when it was."""
        claim = _Claim(signed)
        self._waiting.append(claim)
        with self._asking:
            if claim.fresh is None:
                # Who is about to come this turn comes along: saves a third of the calls when it is busy, and no time.
                time.sleep(0)
                batch, self._waiting = self._waiting, []
                self._settle(batch)
        if not claim.fresh:
            raise NonceUsed()

    def forget(self) -> None:
        """Remember nothing here, and ask Redis again at once, e.g. between tests."""
        self._own.clear()
        self._away_until = 0.0

    def _settle(self, batch: Sequence[_Claim]) -> None:
        for claim, fresh in zip(batch, self._ask(batch), strict=True):
            claim.fresh = fresh

    def _ask(self, batch: Sequence[_Claim]) -> list[bool]:
        if time.monotonic() < self._away_until:
            return [self._remember(claim) for claim in batch]
        try:
            names, values = [claim.set_name for claim in batch], [claim.nonce for claim in batch]
            answer: Any = redis().eval(_SCRIPT, len(names), *names, _KEEP_SECONDS, *values)
        except RedisError as error:
            log.warning("nonces_remembered_here", error=type(error).__name__)
            self._away_until = time.monotonic() + AWAY_SECONDS
            return [self._remember(claim) for claim in batch]
        # What was seen here while Redis was away still counts.
        return [
            bool(new) and claim.nonce not in self._own.get(claim.set_name, ())
            for new, claim in zip(answer, batch, strict=True)
        ]

    def _remember(self, claim: _Claim) -> bool:
        if claim.set_name not in self._own:
            self._drop_old()
        seen = self._own.setdefault(claim.set_name, set())
        fresh = claim.nonce not in seen
        seen.add(claim.nonce)
        return fresh

    def _drop_old(self) -> None:
        oldest = (time.time() - _KEEP_SECONDS) // _MINUTE
        self._own = {name: seen for name, seen in self._own.items() if int(name.rpartition(":")[2]) >= oldest}


#: The nonces this process has to do with.
nonces = Nonces()
