"""Which processes make up the platform: plain data, for the local stack and for the tests that read it."""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["migrate", "web", "worker", "verify"]


@dataclass(frozen=True, kw_only=True)
class Process:
    """One program. `migrate` and `verify` run once and end, `web` and `worker` (also cron) are kept up.

    A first word `python` of the command stands for the interpreter of this environment. A `web` process answers on the
    URL of its `service`.
    """

    name: str
    command: tuple[str, ...]
    kind: Kind
    service: str = ""

    def arguments(self) -> list[str]:
        """The command to run, with `python` replaced by the interpreter we run under."""
        first, *rest = self.command
        return [sys.executable if first == "python" else first, *rest]

    @property
    def module(self) -> tuple[str, ...]:
        """The module and its words of a `python -m …`; empty for another program."""
        return self.command[2:] if self.command[:2] == ("python", "-m") else ()


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Services in the order of their ports (the first one is the door), and the processes that serve them.

    `preload` by kind: the modules that all processes of the kind load, in this order; a nursery loads them once.
    """

    services: tuple[str, ...]
    processes: tuple[Process, ...]
    preload: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)

    def of_kind(self, *kinds: Kind) -> list[Process]:
        """The processes of these kinds, in the order of the table."""
        return [process for process in self.processes if process.kind in kinds]


PACKAGES = {
    "gateway": "gateway",
    "points": "services.points",
    "levels": "services.levels",
    "referrals": "services.referrals",
    "redemption": "services.redemption",
}
WITH_WORKER = ("points", "levels", "referrals", "redemption")
WITH_HEAVY_WORKER = ("points", "levels")

PRELOAD: Mapping[Kind, tuple[str, ...]] = {
    # What gevent patches must be patched before anything is loaded that holds on to it.
    "web": (
        "deploy.local.patched",
        "gunicorn.app.wsgiapp",
        "gunicorn.workers.ggevent",
        "common.commands",
        "common.http.app",
        "common.service_client",
    ),
    "worker": (
        "common.commands",
        "common.worker",
        "common.service_client",
        "rq.cron",
        *(f"{PACKAGES[service]}.service" for service in WITH_WORKER),
    ),
}


def program(package: str, *words: str) -> tuple[str, ...]:
    """The command that runs a package's own program."""
    return ("python", "-m", package, *words)


PLATFORM = Platform(
    services=tuple(PACKAGES),
    processes=(
        Process(name="migrate", kind="migrate", command=program("deploy.local.migrate", *PACKAGES.values())),
        *(
            Process(name=f"{service}.web", kind="web", service=service, command=program(package, "web"))
            for service, package in PACKAGES.items()
        ),
        *(
            Process(name=f"{service}.worker", kind="worker", command=program(PACKAGES[service], "worker"))
            for service in WITH_WORKER
        ),
        *(
            Process(name=f"{service}.heavy", kind="worker", command=program(PACKAGES[service], "worker", "--heavy"))
            for service in WITH_HEAVY_WORKER
        ),
        Process(
            name="cron",
            kind="worker",
            command=program("common.cron", *(f"{PACKAGES[service]}.schedule" for service in WITH_WORKER)),
        ),
        *(
            Process(name=f"{service}.verify", kind="verify", command=program(package, "verify", "--json"))
            for service, package in PACKAGES.items()
        ),
    ),
    preload=PRELOAD,
)


def load_platform(reference: str) -> Platform:
    """The table behind `package.module:NAME`; tests name one of stand-ins."""
    module, _, name = reference.partition(":")
    platform = getattr(importlib.import_module(module), name)
    if not isinstance(platform, Platform):
        raise TypeError(f"{reference} is not a Platform")
    return platform
