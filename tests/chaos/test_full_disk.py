"""A full disk, as the kernel says it: what stands in a file's place is `/dev/full`, on which every write is ENOSPC.

So no small file system has to be mounted, and no account needs to be root. Who asks is told 503; what was acknowledged
is there when there is room again, and the same key gives the first answer or does it now.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from common.migrations import upgrade
from common.service import Service
from deploy.local.embedded import EmbeddedPostgres
from services.points.database import database
from tests.chaos.conftest import points_at
from tests.points import Brand, done, refused, sql, wrong
from tests.support import Callers

FULL = Path("/dev/full")


@pytest.fixture
def brand_on_its_own(points_migrated: Service, durable_postgres: EmbeddedPostgres) -> Iterator[Brand]:
    """Member 7 of a brand on a server of its own has a hundred points."""
    durable_postgres.create_databases(["points"])
    with points_at(durable_postgres.url("points")):
        upgrade(database, "services.points")
        brand = Brand(Callers(points_migrated)).found()
        brand.earn(100, key="before")
        yield brand


def fill(file: Path) -> None:
    """From now on there is no room for this file."""
    file.unlink(missing_ok=True)
    file.symlink_to(FULL)


def make_room(file: Path, server: EmbeddedPostgres) -> None:
    """The empty file is back, and belongs to the server's account."""
    file.unlink()
    file.touch(mode=0o600)
    owner = server.folder.stat()
    os.chown(file, owner.st_uid, owner.st_gid)


def assert_retryable(answer: TestResponse) -> None:
    """It could not be done now; the same may be sent again."""
    assert refused(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_table_that_cannot_grow_refuses_what_needs_it_and_nothing_else(
    brand: Brand, postgres: EmbeddedPostgres
) -> None:
    brand.earn(100)
    sql("TRUNCATE points_holds")
    table = postgres.folder / sql("SELECT pg_relation_filepath('points_holds')")[0][0]
    assert table.stat().st_size == 0
    database.dispose()
    fill(table)
    try:
        for _ in range(2):
            assert_retryable(brand.send("holds", amount=30, key="hold"))
        assert brand.figures() == (100, 100, 0, 0)
        assert brand.spend(1)["balance"] == 99
    finally:
        database.dispose()
        make_room(table, postgres)
    hold = done(brand.send("holds", amount=30, key="hold"))
    assert done(brand.send("holds", amount=30, key="hold"))["hold_id"] == hold["hold_id"]
    assert done(brand.capture(hold))["amount"] == 30
    assert brand.figures() == (69, 69, 0, 0)
    assert wrong() == []


@pytest.mark.slow
def test_a_log_that_cannot_grow_stops_the_server_and_loses_nothing_that_was_acknowledged(
    brand_on_its_own: Brand, durable_postgres: EmbeddedPostgres
) -> None:
    brand = brand_on_its_own
    at_present = durable_postgres.query("SELECT pg_walfile_name(pg_current_wal_lsn())")
    following = durable_postgres.folder / "pg_wal" / f"{int(at_present, 16) + 1:024X}"
    acknowledged = [f"n{number}" for number in range(20)]
    for key in acknowledged:
        done(brand.send("postings", kind="earn", amount=1, key=key))
    fill(following)
    durable_postgres.query("SELECT pg_switch_wal()")
    refused_meanwhile = ["m0", "m1", "m2"]
    for key in refused_meanwhile:
        assert_retryable(brand.send("postings", kind="earn", amount=1, key=key))
    assert "No space left on device" in durable_postgres.log_file.read_text()

    durable_postgres.kill()
    following.unlink()
    durable_postgres.start()
    assert brand.figures()[0] == 100 + len(acknowledged)
    for key in acknowledged:
        assert brand.send("postings", kind="earn", amount=1, key=key).headers["Idempotency-Replayed"] == "true"
    for key in refused_meanwhile:
        assert brand.send("postings", kind="earn", amount=1, key=key).headers.get("Idempotency-Replayed") is None
    assert brand.figures()[0] == 100 + len(acknowledged) + len(refused_meanwhile)
    assert wrong() == []
