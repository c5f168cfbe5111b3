"""The limit of batches: the ledger's own set-based statements, sent by psycopg with columns made beforehand.

It includes: locking the accounts, looking up the keys, the clock, three writes with the outbox, the commit; two round
trips, pipelined, prepared, 1,000 lines a transaction. It does not include: HTTP, JSON, validation, the fold over the
rows and the making of columns in Python, hashing (random bytes stand for hashes). Run it as
`python -m bench.limit.set_based <database url> <seconds>`; it prints lines a second.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from bench.site import Site, WrongResults
from bench.wire import LINES, MEMBERS
from deploy.local.data_folder import REPOSITORY
from services.points.ledger import posting_sql as sql

DATABASE = "limit_points"
CONNECTIONS = 4
_LOT_DAY = 22_000
#: More flushes a second than PostgreSQL does on any two cores we know.
_MOST_PER_SECOND = 30
Columns = list[Any]


def prepare(site: Site) -> None:
    """Migrate a second points database and let every member have an account with one entry."""
    site.create_database(DATABASE)
    url = site.database_url(DATABASE, scheme="postgresql+psycopg")
    command = [sys.executable, "-m", "services.points", "migrate"]
    environment = {**site.environment, "JIFEN_POINTS_DATABASE_URL": url}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongResults(done.stderr)
    with psycopg.connect(site.database_url(DATABASE)) as connection:
        for first in range(1, MEMBERS + 1, LINES):
            members = range(first, first + LINES)
            heads = [os.urandom(32) for _ in members]
            keys = [_array([1] * LINES), _array(members), _array([1] * LINES)]
            connection.execute(sql.ADD_ACCOUNTS, [*keys, heads])
            _post(connection, _flush(members, seq=1))
    site.analyze(DATABASE)


def measure(site: Site, *, seconds: float) -> float:
    """Lines a second, measured in a process of its own."""
    command = [sys.executable, "-m", "bench.limit.set_based", site.database_url(DATABASE), str(seconds)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongResults(f"the set-based limit: {done.stderr}")
    return float(done.stdout)


def run(url: str, seconds: float) -> float:
    """Lines a second over all connections, each with members of its own."""
    connections = [psycopg.connect(url) for _ in range(CONNECTIONS)]
    share = MEMBERS // CONNECTIONS // LINES * LINES
    count = int(seconds * _MOST_PER_SECOND)
    stocks = [list(_flushes(connections[0], n * share + 1, share, count)) for n in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        began = time.perf_counter()
        flushed = list(threads.map(_work_off, connections, stocks, itertools.repeat(began + seconds)))
        return sum(flushed) * LINES / (time.perf_counter() - began)


def _work_off(connection: psycopg.Connection, stock: list[list[Columns]], deadline: float) -> int:
    done = 0
    for flush in stock:
        if time.perf_counter() >= deadline:
            break
        _post(connection, flush)
        done += 1
    return done


def _post(connection: psycopg.Connection, flush: list[Columns]) -> None:
    lock, find, accounts, entries, postings = flush
    with connection.pipeline():
        locked = connection.execute(sql.LOCK_ACCOUNTS, lock, prepare=True, binary=True)
        known = connection.execute(sql.FIND_POSTINGS, find, prepare=True, binary=True)
        clock = connection.execute(sql.CLOCK, prepare=True, binary=True)
    if len(locked.fetchall()) != LINES or known.fetchall() or not clock.fetchone():
        raise WrongResults("the set-based limit met other rows than it made")
    with connection.pipeline():
        connection.execute(sql.WRITE_ACCOUNTS, accounts, prepare=True)
        connection.execute(sql.ADD_ENTRIES, entries, prepare=True)
        connection.execute(sql.ADD_POSTINGS, postings, prepare=True)
    connection.commit()


def _flushes(connection: psycopg.Connection, first: int, share: int, count: int) -> Iterator[list[Columns]]:
    """So many flushes over the members from `first` on, a thousand after another; every account goes on at its seq."""
    query = "SELECT member_id, seq FROM points_accounts WHERE member_id >= %s AND member_id < %s"
    reached: dict[int, int] = dict(connection.execute(query, [first, first + share]).fetchall())
    for number in range(count):
        start = first + number * LINES % share
        members = range(start, start + LINES)
        for member in members:
            reached[member] += 1
        yield _flush(members, seq=reached[start])


def _flush(members: Sequence[int], *, seq: int) -> list[Columns]:
    """The parameters of the five statements that post ten points to each of the members."""
    ones, ids = _array([1] * LINES), _array(members)
    ten, zero, none = _array([10] * LINES), _array([0] * LINES), _array(["NULL"] * LINES)
    balance, sequence = _array([10 * seq] * LINES), _array([seq] * LINES)
    posting_ids = _array([os.urandom(16).hex() for _ in members])
    prints, hashes = [os.urandom(32) for _ in members], [os.urandom(32) for _ in members]
    at, due = _array([1_790_000_000_000_000] * LINES), _array([1_900_800_000_000_000] * LINES)
    lots = [f"{{{_LOT_DAY},{10 * seq}}}"] * LINES
    moves, causes, meta = [f"{{{_LOT_DAY},10}}"] * LINES, ["system:load a-key-of-some-length"] * LINES, [None] * LINES
    entry = [ones, ids, ones, sequence, ones, ten, zero, balance, zero, posting_ids, at, causes]
    return [
        [ones, ids, ones],
        [ones, posting_ids],
        [ones, ids, ones, balance, zero, zero, sequence, at, due, hashes, lots, zero, none],
        [*entry, none, none, none, none, moves, meta, hashes],
        [ones, posting_ids, prints, ones, ones, ids, ones, ten, sequence, balance, zero, zero, at, none],
    ]


def _array(items: Sequence[Any]) -> str:
    return "{" + ",".join(map(str, items)) + "}"


if __name__ == "__main__":
    print(run(sys.argv[1], float(sys.argv[2])))
