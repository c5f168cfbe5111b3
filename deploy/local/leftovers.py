"""Processes that a killed supervisor left behind: found by marks that outlive it, and ended."""

from pathlib import Path

import psutil

from deploy.local.hosting import is_alive, kill_all, wait_until_gone

GRACEFUL_SECONDS = 5.0


def end_leftovers(folder: Path, *, token: str) -> int:
    """End everything that a former stack on this data folder left running, and return how many processes there were.

    The topmost ones are asked and have some seconds; those who do not follow, and what they leave behind, are killed,
    which the servers' logs on disk survive.
    """
    found = leftovers(folder, token=token)
    topmost = [process for process in found if process.ppid() not in {parent.pid for parent in found}]
    for process in topmost:
        process.terminate()
    wait_until_gone(topmost, seconds=GRACEFUL_SECONDS)
    kill_all(process for process in found if is_alive(process))
    return len(found)


def leftovers(folder: Path, *, token: str) -> list[psutil.Process]:
    """The living processes of the stack that was started with this token on this data folder.

    The servers write their titles over their environment, but no other program works in their data folders.
    """
    servers = {"postgres": folder / "postgres", "valkey-server": folder / "valkey"}
    found = []
    for process in psutil.process_iter():
        try:
            home = servers.get(process.name())
            if (home and Path(process.cwd()) == home) or process.environ().get("JIFEN_STACK_TOKEN") == token:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
