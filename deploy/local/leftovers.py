"""Processes that a killed supervisor left behind: found by the token in their environment, and ended."""

import psutil  # type: ignore[import-untyped]

from deploy.local.hosting import is_alive, kill_all

GRACEFUL_SECONDS = 5.0


def end_processes_of(token: str) -> int:
    """End every process that was started with this token and return how many there were.

    Only the topmost ones are asked, as the others are their children. Those who do not follow in time are killed, which
    the servers' logs on disk survive.
    """
    found = [process for process in psutil.process_iter() if carries(process, token)]
    pids = {process.pid for process in found}
    for process in found:
        try:
            if process.ppid() not in pids:
                process.terminate()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs([process for process in found if is_alive(process)], timeout=GRACEFUL_SECONDS)
    kill_all(process for process in found if is_alive(process))
    return len(found)


def carries(process: psutil.Process, token: str) -> bool:
    """Whether the process was started with the token in its environment."""
    try:
        return bool(process.environ().get("JIFEN_STACK_TOKEN") == token)
    except (psutil.Error, OSError):
        return False
