"""How long after its commit in points an earning counts in levels: probes, each by a member of its own.

A probe's clock starts when points has answered, which is right after the commit, and stops when another transaction
sees the member's score. Between two looks lie a few milliseconds, which count as lag.
"""

import itertools
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bench.site import Site, WrongResults
from bench.wire import line
from common.identity import HEADER

#: Members beyond those of the load.
_FIRST_MEMBER = 50_000_000
_BETWEEN_PROBES_SECONDS = 0.02
_BETWEEN_LOOKS_SECONDS = 0.003
_PATIENCE_SECONDS = 120.0

_SEEN = """
SELECT member_id FROM levels_board_scores
 WHERE program_id = %s AND metric = 'points_earned' AND period = 'all' AND member_id = ANY(%s)"""


def lags(site: Site, *, until: Callable[[], bool]) -> list[float]:
    """Post probes until `until`, and wait for all of them: the lag of each in seconds, sorted.

    Raises `WrongResults` when one has no effect within two minutes.
    """
    committed: dict[int, float] = {}
    members = itertools.count(_FIRST_MEMBER + secrets.randbelow(1 << 40))

    def probe() -> None:
        while not until():
            _post(site, member := next(members))
            committed[member] = time.perf_counter()
            time.sleep(_BETWEEN_PROBES_SECONDS)

    with ThreadPoolExecutor(1) as prober:
        probing = prober.submit(probe)
        found = _watch(site, committed, probing.done)
        probing.result()
    site.acknowledged += len(committed)
    return sorted(found)


def catch_up(site: Site) -> None:
    """Wait until levels has applied everything that was posted up to now."""
    once = iter((False, True))
    lags(site, until=lambda: next(once, True))


def _watch(site: Site, committed: dict[int, float], ended: Callable[[], bool]) -> list[float]:
    found: dict[int, float] = {}
    with psycopg.connect(site.database_url("levels"), autocommit=True) as connection:
        while not (ended() and len(found) == len(committed)):
            waiting = [member for member in list(committed) if member not in found]
            seen = connection.execute(_SEEN, [site.program_id, waiting]).fetchall()
            now = time.perf_counter()
            found |= {member: now - committed[member] for (member,) in seen}
            if waiting and now - committed[waiting[0]] > _PATIENCE_SECONDS:
                raise WrongResults(f"levels did not hear of an earning within {_PATIENCE_SECONDS:g} s")
            time.sleep(_BETWEEN_LOOKS_SECONDS)
    return list(found.values())


def _post(site: Site, member: int) -> None:
    key = {HEADER: site.points.identity, "Idempotency-Key": f"probe-{member}"}
    site.call("points", "POST", "/v1/postings", line(member), key)
