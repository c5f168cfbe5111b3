"""Does a large ledger post as fast as a small one? Two stacks side by side, measured in turns."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack

from bench import load
from bench.load import Load
from bench.site import Site, WrongResults, running_site
from bench.wire import LINES, Work
from deploy.local.data_folder import REPOSITORY

FEW = 100_000
CONNECTIONS = 64
_STOCK_PER_SECOND = 8000


def measure(
    *, entries: int, seconds: float, rounds: int, generator: ProcessPoolExecutor, advance: Callable[[], None]
) -> list[dict[str, float]]:
    """For each round `onto_few` and `onto_many`: single postings a second onto 100,000 and onto `entries` entries.

    `advance` is called 2 + 2 × `rounds` times. Both ledgers are verified afterwards.
    """
    with ExitStack() as open_sites:
        sites = {}
        for name, wanted in (("onto_few", FEW), ("onto_many", entries)):
            sites[name] = open_sites.enter_context(running_site())
            _fill(sites[name], wanted)
            advance()
        figures = []
        for _ in range(rounds):
            found = {}
            for name, site in sites.items():
                found[name] = _singles(site, seconds, generator)
                advance()
            figures.append(found)
        for site in sites.values():
            site.seal()
            site.verify()
    return figures


def _fill(site: Site, entries: int) -> None:
    missing = (entries - site.acknowledged) // LINES * LINES
    command = [sys.executable, "-m", "bench.filling", str(site.program_id), str(missing)]
    done = subprocess.run(command, cwd=REPOSITORY, env=site.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongResults(f"filling the ledger: {done.stderr}")
    site.acknowledged += missing
    site.analyze("points")


def _singles(site: Site, seconds: float, generator: ProcessPoolExecutor) -> float:
    work = Work(kind="single", count=int(seconds * _STOCK_PER_SECOND))
    asked = Load(door=site.gateway, work=work, connections=CONNECTIONS, seconds=seconds)
    answered = generator.submit(load.run, asked).result()
    site.acknowledged += answered.requests
    return answered.per_second
