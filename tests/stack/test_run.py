"""The whole stack with stand-ins for the services: real processes, real kills."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from deploy.local import data_folder
from deploy.local.background import BackgroundStack, start_in_background
from deploy.local.data_folder import REPOSITORY
from deploy.local.embedded import EmbeddedPostgres, EmbeddedValkey
from deploy.local.hosting import is_alive
from deploy.local.leftovers import leftovers
from deploy.local.postgres import processes_of
from deploy.local.stack import StackFailed, StackOptions
from tests.servers import free_port_base, running_stack

pytestmark = pytest.mark.slow
STANDINS = "tests.stack.standins"
GOOD = f"{STANDINS}:GOOD"
#: Started each by itself, and forked from a nursery.
BOTH = pytest.mark.parametrize("table", ["GOOD", "NURSED"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stack"


@pytest.fixture
def table() -> str:
    return "GOOD"


@pytest.fixture
def stack(folder: Path, table: str) -> Iterator[BackgroundStack]:
    with running_stack(folder, platform=f"{STANDINS}:{table}") as stack:
        yield stack


def get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)


def token_of(folder: Path) -> str:
    note = data_folder.read_note(folder)
    assert note is not None
    return note.token


@contextmanager
def again_on(folder: Path) -> Iterator[BackgroundStack]:
    """A further start on a folder whose data stays."""
    stack = start_in_background(StackOptions(folder=folder, platform=GOOD, port_base=free_port_base(2)))
    try:
        yield stack
    finally:
        stack.stop()


def wait_until(true: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@BOTH
def test_the_stack_comes_up_with_its_servers_and_prefixed_logs(folder: Path, stack: BackgroundStack) -> None:
    assert get(stack.url("gateway"))["path"] == "/"
    assert get(f"{stack.url('points')}/readyz")["path"] == "/readyz"
    assert stack.env["JIFEN_POINTS_DATABASE_URL"].startswith("postgresql+psycopg://postgres@/points?host=")
    with Redis.from_url(stack.env["JIFEN_REDIS_URL"]) as redis:
        assert redis.ping()
    wait_until(lambda: "points.worker | worker waits" in stack.output())
    assert "points.web    | points listens: 积分" in stack.output()
    assert (folder / "logs" / "points.web.log").read_text() == "points listens: 积分\n"
    assert (folder / "stack.json").stat().st_mode & 0o077 == 0


@BOTH
def test_a_killed_process_comes_back_and_its_children_are_gone(stack: BackgroundStack) -> None:
    killed = stack.pid("points.web")
    assert killed is not None
    (child,) = psutil.Process(killed).children()
    worker = stack.kill("points.worker")
    stack.kill("points.web")
    assert stack.wait_until_back("points.web", killed_pid=killed) != killed
    stack.wait_until_back("points.worker", killed_pid=worker)
    assert not is_alive(child)
    assert "points.web    | ended (killed by SIGKILL); starting it again" in stack.output()


def test_killed_servers_come_back_with_their_data(stack: BackgroundStack) -> None:
    with Redis.from_url(stack.env["JIFEN_REDIS_URL"]) as redis:
        redis.set("kept", 1)
        redis.execute_command("WAITAOF", 1, 0, 5000)
        for name in ("postgres", "valkey"):
            stack.wait_until_back(name, killed_pid=stack.kill(name))
        assert redis.get("kept") == b"1"


@BOTH
def test_a_killed_process_leaves_nobody_uncollected(stack: BackgroundStack) -> None:
    killed = stack.kill("points.web")
    stack.wait_until_back("points.web", killed_pid=killed)
    family = psutil.Process(stack.supervisor_pid).children(recursive=True)
    wait_until(lambda: not any(it.is_running() and it.status() == psutil.STATUS_ZOMBIE for it in family))


@pytest.mark.parametrize("table", ["NURSED"])
def test_a_killed_nursery_is_replaced_when_it_is_needed(stack: BackgroundStack) -> None:
    nurseries = [it for it in psutil.Process(stack.supervisor_pid).children() if "deploy.local.nursery" in it.cmdline()]
    # Its children carry its command line; only the nurseries themselves have kept Python's name.
    for nursery in nurseries:
        if nursery.name().startswith("python"):
            nursery.kill()
    assert get(stack.url("points"))["path"] == "/"
    killed = stack.kill("points.web")
    assert stack.wait_until_back("points.web", killed_pid=killed) != killed


@pytest.mark.parametrize("table", ["NURSED"])
def test_a_nursed_process_is_known_by_its_name_and_has_a_session_of_its_own(stack: BackgroundStack) -> None:
    for name in ("points.web", "points.worker"):
        pid = stack.pid(name)
        assert pid is not None
        assert psutil.Process(pid).name() == name
        assert psutil.Process(pid).ppid() == stack.supervisor_pid
        assert os.getsid(pid) == pid


@BOTH
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_and_nothing_is_left(folder: Path, how: signal.Signals, table: str) -> None:
    with running_stack(folder, platform=f"{STANDINS}:{table}") as stack:
        token = token_of(folder)
        assert len(leftovers(folder, token=token)) >= 6
        supervisor = psutil.Process(stack.supervisor_pid)
        supervisor.send_signal(how)
        wait_until(lambda: not is_alive(supervisor))
        assert leftovers(folder, token=token) == []
        assert list(processes_of(folder / "postgres")) == []
        assert not (folder / "stack.json").exists()
        assert not data_folder.is_locked(folder)


def test_a_second_ctrl_c_does_not_wait_for_the_stubborn(folder: Path) -> None:
    with running_stack(folder, platform=f"{STANDINS}:STUBBORN") as stack:
        wait_until(lambda: "I stay" in stack.output())
        supervisor = psutil.Process(stack.supervisor_pid)
        supervisor.send_signal(signal.SIGINT)
        wait_until(lambda: "stopping" in stack.output())
        time.sleep(1)
        assert is_alive(supervisor)
        supervisor.send_signal(signal.SIGINT)
        wait_until(lambda: not is_alive(supervisor), seconds=5)
        assert stack.output().endswith("| stopped\n")


def test_a_stack_ends_with_the_process_that_holds_it(folder: Path) -> None:
    program = (
        "import sys, time; from tests.servers import *; from pathlib import Path\n"
        "with running_stack(Path(sys.argv[1]), platform=sys.argv[2]): print('up', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(folder), GOOD]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        token = token_of(folder)
        holder.kill()
    wait_until(lambda: not data_folder.is_locked(folder))
    assert leftovers(folder, token=token) == []


@BOTH
def test_leftovers_of_a_killed_supervisor_are_ended_by_the_next_start(folder: Path, table: str) -> None:
    port_base = free_port_base(2)
    with running_stack(folder, platform=f"{STANDINS}:{table}", port_base=port_base) as stack:
        token, first = token_of(folder), stack.pid("postgres")
        os.kill(stack.supervisor_pid, signal.SIGKILL)
        stack.stop()
        old = leftovers(folder, token=token)
        assert len(old) >= 7
        with running_stack(folder, platform=GOOD, port_base=port_base) as again:
            assert not any(is_alive(process) for process in old)
            assert again.pid("postgres") not in (None, first)
            assert "of a stack that was killed" in again.output()


def test_a_second_stack_on_the_same_folder_is_refused(folder: Path, stack: BackgroundStack) -> None:
    already = pytest.raises(StackFailed, match=rf"already running on .* \(process {stack.supervisor_pid}, http")
    with already, running_stack(folder, platform=GOOD):
        pass
    assert get(stack.url("gateway"))


def test_a_taken_port_is_named_with_who_holds_it_and_the_way_out(folder: Path) -> None:
    port_base = free_port_base(2)
    taken = socket.create_server(("127.0.0.1", port_base + 1))
    with taken, pytest.raises(StackFailed) as failure, running_stack(folder, platform=GOOD, port_base=port_base):
        pass
    assert f"port {port_base + 1} of points is taken by" in str(failure.value)
    assert f"(process {os.getpid()}): end that, or set JIFEN_POINTS_URL" in str(failure.value)
    assert "--port-base" in str(failure.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("BROKEN_WEB", "points.web did not come up: does not listen"),
        ("NURSED_BROKEN", "points.web did not come up: does not listen"),
        ("NEVER_READY", "points.web did not come up: /readyz answers 503"),
        ("BROKEN_MIGRATION", "migrate failed (exit status 1). It says:\nno such table: migration_things"),
    ],
)
def test_a_start_that_fails_says_what_and_why_and_leaves_nothing(folder: Path, table: str, message: str) -> None:
    platform = f"{STANDINS}:{table}"
    with pytest.raises(StackFailed) as failure, running_stack(folder, platform=platform, ready_seconds=3):
        pass
    assert message in str(failure.value)
    assert "Traceback" not in str(failure.value)
    assert list(processes_of(folder / "postgres")) == []
    if table in ("BROKEN_WEB", "NURSED_BROKEN"):
        assert "no such table: points_things" in str(failure.value)


def test_migrations_are_skipped_only_while_nothing_moved(folder: Path) -> None:
    with running_stack(folder, platform=GOOD) as stack:
        assert "| migrated" in stack.output()
        stack.stop()
        with again_on(folder) as again:
            assert "| migrated" not in again.output()
            with psycopg.connect(again.env["JIFEN_POINTS_DATABASE_URL"].replace("+psycopg", "")) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '0000'")
        with again_on(folder) as third:
            assert "| migrated" in third.output()


def test_outside_servers_are_used_and_none_is_embedded(
    folder: Path, postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> None:
    postgres.create_databases(["outside_gateway", "outside_points"])
    outside = {
        "JIFEN_GATEWAY_DATABASE_URL": postgres.url("outside_gateway"),
        "JIFEN_POINTS_DATABASE_URL": postgres.url("outside_points"),
        "JIFEN_REDIS_URL": valkey.url,
    }
    with running_stack(folder, platform=GOOD, variables=outside) as stack:
        assert stack.env.items() >= outside.items()
        assert stack.pid("postgres") is None
        assert not (folder / "postgres").exists()
        assert not (folder / "valkey").exists()
    assert postgres.query("SELECT version_num FROM alembic_version", database="outside_points") == "0001"
    assert valkey.pid is not None


def test_the_start_is_quick(folder: Path) -> None:
    with running_stack(folder, platform=GOOD) as stack:
        stack.stop()
        started_at = time.monotonic()
        with again_on(folder):
            assert time.monotonic() - started_at < 4
