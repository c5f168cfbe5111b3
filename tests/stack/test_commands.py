"""What a person gets from `python -m deploy.local verify | status | clean | demo` on a stack of stand-ins."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from click.testing import CliRunner

from deploy.local import data_folder
from deploy.local.__main__ import main
from deploy.local.background import BackgroundStack
from deploy.local.readiness import readiness
from tests.servers import free_port_base, running_stack

pytestmark = pytest.mark.slow
STANDINS = "tests.stack.standins"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("commands") / "stack"


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[BackgroundStack]:
    with running_stack(folder, platform=f"{STANDINS}:GOOD") as stack:
        yield stack


def call(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.local", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def pretend(folder: Path, platform: str) -> None:
    """Let the running stack be of another platform, as far as other commands can see."""
    note = data_folder.read_note(folder)
    assert note is not None
    note.platform = f"{STANDINS}:{platform}"
    data_folder.write_note(folder, note)


@pytest.mark.parametrize("command", ["run", "demo", "verify", "status", "clean"])
def test_every_command_explains_itself(command: str) -> None:
    result = call(command, "--help")
    assert result.returncode == 0
    assert "--data-dir" in result.stdout


@pytest.mark.parametrize(
    ("platform", "exit_status", "words"),
    [
        ("GOOD", 0, "2 invariants checked, all hold"),
        ("VIOLATED", 1, "accounts 4, 7"),
        ("MUTE", 2, "no such table: points_things"),
    ],
)
def test_verify_tells_what_holds_and_what_does_not(
    folder: Path, stack: BackgroundStack, platform: str, exit_status: int, words: str
) -> None:
    pretend(folder, platform)
    result = call("verify", "--data-dir", str(folder))
    assert result.returncode == exit_status
    assert words in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_status_shows_what_is_up_and_what_is_down(folder: Path, stack: BackgroundStack) -> None:
    result = call("status", "--data-dir", str(folder))
    assert result.returncode == 0
    for name in ("postgres", "valkey", "gateway.web", "points.worker"):
        assert name in result.stdout
    # A frozen supervisor restarts nothing, so the dead stay dead long enough to be seen.
    supervisor = psutil.Process(stack.supervisor_pid)
    supervisor.suspend()
    try:
        killed = stack.kill("points.worker", signal.SIGKILL)
        result = call("status", "--data-dir", str(folder))
    finally:
        supervisor.resume()
    assert result.returncode == 1
    assert "down" in result.stdout
    stack.wait_until_back("points.worker", killed_pid=killed)


def test_commands_without_a_stack_say_how_to_start_one(tmp_path: Path) -> None:
    for command in ("verify", "status"):
        result = call(command, "--data-dir", str(tmp_path))
        assert result.returncode == 1
        assert "start one with `make run`" in result.stderr


def test_clean_refuses_a_running_stack_and_a_strangers_folder(
    folder: Path, stack: BackgroundStack, tmp_path: Path
) -> None:
    result = call("clean", "--yes", "--data-dir", str(folder))
    assert result.returncode == 1
    assert "a stack is running" in result.stderr
    (tmp_path / "thesis.doc").write_text("")
    result = call("clean", "--yes", "--data-dir", str(tmp_path))
    assert result.returncode == 1
    assert (tmp_path / "thesis.doc").exists()


def test_clean_asks_and_then_removes_everything(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    data_folder.prepare(folder)
    command = [sys.executable, "-m", "deploy.local", "clean", "--data-dir", str(folder)]
    refused = subprocess.run(command, input="n\n", capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert folder.exists()
    subprocess.run(command, input="y\n", capture_output=True, text=True, check=True)
    assert not folder.exists()


def test_run_prints_its_urls_and_the_stop_is_clean(tmp_path: Path) -> None:
    port = free_port_base(2)
    command = [sys.executable, "-m", "deploy.local", "run", "--data-dir", str(tmp_path / "s"), "--port-base", str(port)]
    command += ["--platform", f"{STANDINS}:GOOD"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                running.send_signal(signal.SIGINT)
    output = "".join(lines)
    assert running.returncode == 0
    assert f"http://127.0.0.1:{port + 1}" in output
    assert "Traceback" not in output
    assert output.endswith("| stopped\n")


def test_demo_plays_on_a_running_platform_and_stops_it_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = []

    def run_demo(stack: BackgroundStack, *, full: bool) -> None:
        assert readiness(stack.url("gateway")) == ""
        played.append((stack, full))

    monkeypatch.setitem(sys.modules, "deploy.local.demo", SimpleNamespace(run_demo=run_demo))
    words = ["demo", "--exit", "--full", "--data-dir", str(tmp_path / "s"), "--platform", f"{STANDINS}:GOOD"]
    result = CliRunner().invoke(main, [*words, "--port-base", str(free_port_base(2))])
    assert result.exit_code == 0, result.output
    ((stack, full),) = played
    assert full
    assert not psutil.pid_exists(stack.supervisor_pid)
