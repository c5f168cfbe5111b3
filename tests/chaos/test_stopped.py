"""A process that stops in the middle of a transaction (SIGSTOP, a swapping machine) stops nobody for long."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.points import Brand, done, refused, sql, wrong

pytestmark = pytest.mark.slow

#: Takes what the account has, and stops before it commits. The server's patience is shortened: so is our wait.
_HOLDER = """
import os, signal
import common.database as house
house._LIMITS = house._LIMITS.replace("session_timeout=20s", "session_timeout=5s")
from sqlalchemy import text
from services.points.database import transaction
with transaction() as session:
    session.execute(text("UPDATE points_accounts SET balance = 0, lots = '{}' WHERE member_id = 7"))
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def wait_until_stopped(process: "subprocess.Popen[bytes]") -> None:
    """Until the process has stopped, with its locks."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the holder ended instead of stopping"
        if psutil.Process(process.pid).status() == psutil.STATUS_STOPPED:
            return
        time.sleep(0.02)
    pytest.fail("nobody stopped")


def test_a_stopped_holder_of_a_lock_costs_others_seconds_and_loses_what_it_did(brand: Brand) -> None:
    brand.earn(10)
    brand.earn(10, member_id=8)
    with subprocess.Popen([sys.executable, "-c", _HOLDER], stderr=subprocess.PIPE) as holder:
        try:
            wait_until_stopped(holder)
            began = time.monotonic()
            answer = brand.send("postings", kind="spend", amount=1, key="k")
            assert refused(answer) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert 2.5 < time.monotonic() - began < 6, "within the time-out of locks"
            assert brand.spend(1, member_id=8)["balance"] == 9
            assert done(brand.send("postings", kind="spend", amount=1, key="k"))["balance"] == 9
            assert time.monotonic() - began < 12, "the server gives up who is idle in a transaction"
            holder.send_signal(signal.SIGCONT)
            _, said = holder.communicate(timeout=30)
        finally:
            holder.kill()
    assert holder.returncode == 1
    assert b"IdleInTransactionSessionTimeout" in said or b"OperationalError" in said, said.decode()
    assert brand.figures() == (9, 9, 0, 0)
    assert sql("SELECT count(*) FROM points_entries") == [(3 + 1,)]
    assert wrong() == []
