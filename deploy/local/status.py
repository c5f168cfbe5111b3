"""What runs of a stack: each process with its id, memory and age."""

import time

import psutil
from rich.table import Table

from deploy.local.data_folder import StackNote
from deploy.local.hosting import is_alive
from deploy.local.processes import load_platform


def process_table(note: StackNote) -> tuple[Table, bool]:
    """A table of the stack's processes, and whether all of them are up."""
    expected = [process.name for process in load_platform(note.platform).of_kind("web", "worker")]
    servers = [name for name in note.pids if name not in expected]
    table = Table("process", "state", title=f"Stack of process {note.pid}", title_justify="left")
    for column in ("pid", "memory", "up for"):
        table.add_column(column, justify="right")
    all_up = True
    for name in (*servers, *expected):
        process = find(note.pids.get(name))
        all_up = all_up and process is not None
        if process is None:
            table.add_row(name, "[red]down[/red]", "", "", "")
        else:
            age_seconds = time.time() - process.create_time()
            table.add_row(name, "up", str(process.pid), f"{memory_bytes(process) / 1e6:.0f} MB", f"{age_seconds:.0f} s")
    return table, all_up


def find(pid: int | None) -> psutil.Process | None:
    """The living process of this id, or None."""
    if pid is None or not psutil.pid_exists(pid):
        return None
    process = psutil.Process(pid)
    return process if is_alive(process) else None


def memory_bytes(process: psutil.Process) -> int:
    """Proportional memory of a process and its children: shared pages are counted once, by their share."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            memory = member.memory_full_info()
            total += getattr(memory, "pss", None) or memory.uss
        except psutil.Error:
            continue
    return total
