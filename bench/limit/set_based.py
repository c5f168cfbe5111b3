"""The limit of batches: the ledger's own set-based statements, sent by psycopg with parameters made beforehand.

It includes: locking the accounts, looking up the keys, the clock, three writes with the outbox, the commit; two round
trips, pipelined, prepared, 1,000 lines a transaction. The rows it reads and writes are those of the load that it is the
limit of: the same tables, columns and indexes, the same members in the same order (without neighbours, so that every
flush touches as many pages), each entry with its lot. It does not include: HTTP, JSON, validation, the fold over the
rows and the making of array literals in Python, hashing (random bytes stand for hashes).

Until November 2026 it was unfair both ways: psycopg turned lists of bytes and texts into literals while the clock ran,
a third of its CPU, and members came in the order of their ids, which touches a tenth of the pages. Run it as
`python -m bench.limit.set_based <database url> <seconds>`; it prints lines a second.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bench.site import Site, WrongResults
from bench.wire import LINES, MEMBERS, every_member
from common.arrays import blobs, ids, lists, numbers, texts
from deploy.local.data_folder import REPOSITORY
from services.points.ledger import posting_sql as sql

DATABASE = "limit_points"
CONNECTIONS = 4
_LOT_DAY = 22_000
#: More flushes a second than PostgreSQL does on any two cores we know.
_MOST_PER_SECOND = 30
Columns = list[str]
Batch = list[int]


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
        for members in _batches():
            ones, heads = numbers([1] * LINES), blobs([os.urandom(32) for _ in members])
            connection.execute(sql.ADD_ACCOUNTS, [ones, numbers(members), ones, heads])
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
    batches, count = _batches(), int(seconds * _MOST_PER_SECOND)
    stocks = [list(_flushes(connections[0], batches[n::CONNECTIONS], count)) for n in range(CONNECTIONS)]
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


def _batches() -> list[Batch]:
    """All members, a thousand at a time, in the order in which the load comes to them."""
    members = list(itertools.islice(every_member("0"), MEMBERS))
    return [members[first : first + LINES] for first in range(0, MEMBERS, LINES)]


def _flushes(connection: psycopg.Connection, batches: Sequence[Batch], count: int) -> Iterator[list[Columns]]:
    """So many flushes over the batches, one after another; every account goes on at its seq."""
    reached: dict[int, int] = dict(connection.execute("SELECT member_id, seq FROM points_accounts").fetchall())
    for members in itertools.islice(itertools.cycle(batches), count):
        for member in members:
            reached[member] += 1
        yield _flush(members, seq=reached[members[0]])


def _flush(members: Batch, *, seq: int) -> list[Columns]:
    """The parameters of the five statements that post ten points to each of the members."""
    ones, theirs, in_order = _same(1), numbers(members), numbers(sorted(members))
    ten, zero, none = _same(10), _same(0), _same(None)
    balance, sequence = _same(10 * seq), _same(seq)
    posting_ids = ids([os.urandom(16) for _ in members])
    prints, hashes = blobs([os.urandom(32) for _ in members]), blobs([os.urandom(32) for _ in members])
    at, due = _same(1_790_000_000_000_000), _same(1_900_800_000_000_000)
    left, moves = lists([[_LOT_DAY, 10 * seq]] * LINES), lists([[_LOT_DAY, 10]] * LINES)
    causes, meta = texts(["system:load a-key-of-some-length"] * LINES), texts([None] * LINES)
    entry = [ones, theirs, ones, sequence, ones, ten, zero, balance, zero, posting_ids, at, causes]
    return [
        [ones, in_order, ones],
        [ones, posting_ids],
        [ones, in_order, ones, balance, zero, zero, sequence, at, due, hashes, left, zero, none],
        [*entry, none, none, none, none, moves, meta, hashes],
        [ones, posting_ids, prints, ones, ones, theirs, ones, ten, sequence, balance, zero, zero, at, none],
    ]


def _same(number: int | None) -> str:
    return numbers([number] * LINES)


if __name__ == "__main__":
    print(run(sys.argv[1], float(sys.argv[2])))
