"""Passwords: argon2id hashes, computed aside so that a web process goes on answering meanwhile."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import gevent
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from gevent import monkey
from gevent.threadpool import ThreadPool

Result = TypeVar("Result")

# OWASP's second choice: 19 MiB and two passes, about 20 ms, so that a burst of sign-ins fits into memory.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _aside(lambda: _HASHER.hash(password))


def is_password(password: str, stored_hash: str | None) -> bool:
    """Whether the password fits; without a stored hash it takes as long and is false."""

    def verify() -> bool:
        try:
            return _HASHER.verify(stored_hash or _nobody(), password) and stored_hash is not None
        except VerificationError:
            return False

    return _aside(verify)


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")


def _aside(compute: Callable[[], Result]) -> Result:
    """Run it on a real thread when this process serves by greenlets: argon2 lets go of the interpreter, not of them."""
    if not monkey.is_module_patched("threading"):
        return compute()
    computed: Result = _pool().apply(compute)
    return computed


@lru_cache(maxsize=1)
def _pool() -> ThreadPool:
    return ThreadPool(2, hub=gevent.get_hub())
