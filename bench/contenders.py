"""Who runs against whom: each measures itself once for some seconds and returns a figure, more being better.

A figure is of postings, lines, events or entries a second. Every posting made here is counted, for `verify` to find.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import psutil

from bench import load
from bench.limit import pgbench, set_based
from bench.load import Answered, Load
from bench.site import Site, WrongResults
from bench.wire import LINES, Door, Kind, Work
from deploy.local.data_folder import REPOSITORY

SINGLE_CONNECTIONS = 64
BATCH_CONNECTIONS = 4
#: Requests built for one second of load: more than the platform answers; a load that runs out of them just ends.
STOCK_PER_SECOND: dict[Kind, int] = {
    "single": 8000,
    "hot": 8000,
    "batch": 60,
    "event": 40,
    "balance": 8000,
    "bare": 8000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """`run` measures; `what` and `connections` are for the reader; `prepare` is called once before the first round."""

    what: str
    connections: str
    run: Callable[["Measuring"], float]
    prepare: Callable[[Site], None] | None = None


@dataclass(kw_only=True)
class Measuring:
    """One round on a site. `extra` takes figures that come along with a contender's own."""

    site: Site
    seconds: float
    generator: ProcessPoolExecutor
    extra: dict[str, float] = field(default_factory=dict)

    def send(self, door: Door, kind: Kind, *, connections: int, per_second: float | None = None) -> Answered:
        """Load the platform from the generator's process, and count what was acknowledged."""
        work = Work(kind=kind, count=int(self.seconds * (per_second or STOCK_PER_SECOND[kind])))
        asked = Load(door=door, work=work, connections=connections, seconds=self.seconds, per_second=per_second)
        answered = self.generator.submit(load.run, asked).result()
        self.site.acknowledged += answered.requests * work.postings
        return answered


def generator_process() -> ProcessPoolExecutor:
    """One process that sends; the harness around it only waits."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _singles(it: Measuring) -> float:
    gateway, points = (_cpu_seconds(it.site, name) for name in ("gateway.web", "points.web"))
    answered = it.send(it.site.gateway, "single", connections=SINGLE_CONNECTIONS)
    # What the door costs, measured by the same load: requests are the same, so they cancel out.
    gateway, points = (
        _cpu_seconds(it.site, n) - before for n, before in (("gateway.web", gateway), ("points.web", points))
    )
    it.extra["gateway_cpu"] = gateway / points
    return answered.per_second


def _singles_direct(it: Measuring) -> float:
    return it.send(it.site.points, "single", connections=SINGLE_CONNECTIONS).per_second


def _singles_inside(it: Measuring) -> float:
    cooperative = [sys.executable, "-m", "gevent.monkey", "--module", "bench.inside"]
    command = [*cooperative, str(it.site.program_id), str(it.seconds)]
    done = subprocess.run(command, cwd=REPOSITORY, env=it.site.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongResults(f"postings without HTTP: {done.stderr}")
    answer = json.loads(done.stdout)
    it.site.acknowledged += answer["postings"]
    return float(answer["postings"] / answer["seconds"])


def _hot(it: Measuring) -> float:
    return it.send(it.site.gateway, "hot", connections=SINGLE_CONNECTIONS).per_second


def _batches(it: Measuring) -> float:
    return LINES * it.send(it.site.gateway, "batch", connections=BATCH_CONNECTIONS).per_second


def _events(it: Measuring) -> float:
    return LINES * it.send(it.site.gateway, "event", connections=BATCH_CONNECTIONS).per_second


def _balances(it: Measuring) -> float:
    return it.send(it.site.gateway, "balance", connections=SINGLE_CONNECTIONS).per_second


def _bare(it: Measuring) -> float:
    return it.send(it.site.gateway, "bare", connections=SINGLE_CONNECTIONS).per_second


def _of_backtests(which: str) -> Callable[[Measuring], float]:
    def measure(it: Measuring) -> float:
        command = [sys.executable, "-m", "bench.backtest", which, str(it.seconds)]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=it.site.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise WrongResults(f"{which}: {done.stderr}")
        return float(json.loads(done.stdout))

    return measure


def _verify(it: Measuring) -> float:
    it.site.seal()
    began = time.perf_counter()
    return it.site.verify() / (time.perf_counter() - began)


def _cpu_seconds(site: Site, name: str) -> float:
    """User and system time that the process and its children have used up to now."""
    process = psutil.Process(site.note.pids[name])
    times = [it.cpu_times() for it in (process, *process.children(recursive=True))]
    return float(sum(it.user + it.system for it in times))


#: `verify` stands last: it checks what all the others have posted, and is itself measured doing so.
CONTENDERS: dict[str, Contender] = {
    "pgbench": Contender(
        what="pgbench, one PL/pgSQL call a posting",
        connections=str(pgbench.CLIENTS),
        run=lambda it: pgbench.measure(it.site, seconds=it.seconds),
        prepare=pgbench.prepare,
    ),
    "singles": Contender(what="singles, gateway", connections=str(SINGLE_CONNECTIONS), run=_singles),
    "direct": Contender(what="singles, points directly", connections=str(SINGLE_CONNECTIONS), run=_singles_direct),
    "inside": Contender(what="singles, without HTTP", connections="64 callers", run=_singles_inside),
    "hot": Contender(what="singles, one member, gateway", connections=str(SINGLE_CONNECTIONS), run=_hot),
    "set_based": Contender(
        what="the set-based SQL alone",
        connections=str(set_based.CONNECTIONS),
        run=lambda it: set_based.measure(it.site, seconds=it.seconds),
        prepare=set_based.prepare,
    ),
    "batches": Contender(what="batches of 1,000, gateway", connections=str(BATCH_CONNECTIONS), run=_batches),
    "events": Contender(what="events by 1,000, gateway", connections=str(BATCH_CONNECTIONS), run=_events),
    "engine": Contender(
        what="the bare expression engine, by CPU", connections="1 process", run=_of_backtests("engine")
    ),
    "backtest": Contender(
        what="a back-test of two rules, by CPU", connections="1 process", run=_of_backtests("backtest")
    ),
    "bare": Contender(what="a bare Flask route, gateway", connections=str(SINGLE_CONNECTIONS), run=_bare),
    "balances": Contender(what="balances, gateway", connections=str(SINGLE_CONNECTIONS), run=_balances),
    "verify": Contender(what="verify", connections="1", run=_verify),
}
