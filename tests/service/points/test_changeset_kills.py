"""Workers killed with SIGKILL in the middle of a dry run, an apply and an undo: nothing is half done, all is redone."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from common import queue
from services.points import jobs
from services.points.database import database, transaction
from tests.care import Desk, MembersDouble, work_off
from tests.points import sql, wrong

LINES = 2_500
LAST_ACCOUNT = f"points_accounts WHERE member_id = {LINES}"


@contextmanager
def a_worker_stuck_at(rows: str, job: str, changeset_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs the job and waits for rows that we hold; what it did before is not committed."""
    code = f"from services.points import jobs; jobs.{job}(1, {changeset_id!r})"
    with database.engine.connect() as holder, holder.begin():
        holder.execute(text(f"SELECT FROM {rows} FOR UPDATE"))
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        try:
            wait_until_somebody_waits()
            yield process
        finally:
            process.kill()
            process.wait()


def wait_until_somebody_waits() -> None:
    """Until a backend waits for our lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with transaction() as session:
            if session.execute(waiting).scalar_one():
                return
        time.sleep(0.02)
    pytest.fail("nobody came to the rows that we hold")


def killed_at(rows: str, job: str, changeset_id: str) -> None:
    """Run the job in a process of its own and kill it when it waits for those rows."""
    queue.redis().flushall()
    with a_worker_stuck_at(rows, job, changeset_id) as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_a_killed_dry_run_apply_and_undo_are_done_again_whole(desk: Desk, levels_double: MembersDouble) -> None:
    desk.brand.earn(1, member_id=LINES)
    lines = [f"{member},points,10,goodwill" for member in range(1, LINES + 1)]
    made = desk.upload("\n".join(["member_id,asset,amount,reason", *lines]))

    killed_at(LAST_ACCOUNT, "check_changeset", made["id"])
    assert desk.changeset(made)["status"] == "checking"
    assert desk.changeset(made)["progress"] >= 50
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "checking", "the killed run's lease is alive for a while"
    sql("UPDATE points_changesets SET lease_until = now() - interval '1 second'")
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "checked"

    assert desk.act("approval", made).status_code == 202
    # Its sheet is dropped when everything is posted, right before the commit.
    killed_at("points_changeset_parts", "apply_changeset", made["id"])
    assert sql("SELECT count(*) FROM points_entries") == [(1,)]
    assert desk.changeset(made)["status"] == "approved"
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "applied"
    assert sql("SELECT count(*), sum(amount) FROM points_entries") == [(LINES + 1, LINES * 10 + 1)]

    assert desk.act("undo", made, by=desk.lin).status_code == 202
    assert desk.act("undo/approval", made).status_code == 202
    killed_at(LAST_ACCOUNT, "undo_changeset", made["id"])
    assert desk.changeset(made)["status"] == "undoing"
    assert sql("SELECT count(*) FROM points_entries") == [(LINES + 1,)]
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "undone"
    assert sql("SELECT sum(amount) FROM points_entries") == [(1,)]
    assert wrong() == []
