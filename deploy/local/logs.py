"""What the processes say: each line with its process's name on our stdout, and as it came in a file per process."""

import logging
import os
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

FILE_LIMIT_BYTES = 10_000_000
COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)

Echo = Callable[[str, str], None]


def console_echo(names: list[str], *, quiet: bool, out: TextIO | None = None) -> Echo:
    """A function that prints `name | line`, aligned, in the name's colour where the terminal wants colour."""
    out = out or sys.stdout
    width = max(map(len, names))
    coloured = out.isatty() and not os.environ.get("NO_COLOR")
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}

    def echo(name: str, line: str) -> None:
        prefix = f"{name:<{width}} |"
        try:
            print(f"\033[{colours.get(name, 37)}m{prefix}\033[0m {line}" if coloured else f"{prefix} {line}", file=out)
            out.flush()
        except OSError:
            # Whoever read our output has gone away; the files still get every line.
            return

    def silence(name: str, line: str) -> None: ...

    return silence if quiet else echo


class ProcessLog:
    """Takes chunks of bytes as they come from the pipe of each process of this name, passes whole lines on."""

    def __init__(self, name: str, *, path: Path, echo: Echo) -> None:
        self.name = name
        self.path = path
        self._echo = echo
        self._file = RotatingFileHandler(path, maxBytes=FILE_LIMIT_BYTES, backupCount=1, encoding="utf-8", delay=True)
        self._unfinished: dict[int, bytes] = {}

    def __call__(self, pid: int, data: bytes) -> None:
        """Take what the process of this id has written."""
        *lines, rest = (self._unfinished.pop(pid, b"") + data).split(b"\n")
        if rest:
            self._unfinished[pid] = rest
        for line in lines:
            self._write(line)

    def close(self) -> None:
        """Pass on what ended without a line break, and close the file; a later line opens it again."""
        for line in self._unfinished.values():
            self._write(line)
        self._unfinished.clear()
        self._file.close()

    def _write(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        self._file.emit(logging.makeLogRecord({"msg": text}))
        self._echo(self.name, text)
