"""The environment that every process of a local stack gets, and which servers have to be embedded for it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEFAULT_PORT_BASE = 8100


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the operator's environment leaves to us."""

    embedded_databases: tuple[str, ...]
    embedded_valkey: bool


def wanted(services: Sequence[str], operator: Mapping[str, str]) -> Wanted:
    """The databases and the Valkey that no variable names: these are embedded."""
    return Wanted(
        embedded_databases=tuple(name for name in services if not operator.get(database_variable(name))),
        embedded_valkey=not operator.get("JIFEN_REDIS_URL"),
    )


def compose(
    services: Sequence[str],
    operator: Mapping[str, str],
    *,
    secrets: Mapping[str, str],
    servers: Mapping[str, str],
    port_base: int | None,
) -> dict[str, str]:
    """Every `JIFEN_*` variable of the stack; the operator's own win, except that a port base moves all URLs."""
    ours = {"JIFEN_ENV": "development", "JIFEN_LOG_FORMAT": "console", **secrets, **servers}
    ours |= urls(services, port_base=port_base or DEFAULT_PORT_BASE)
    theirs = {name: value for name, value in operator.items() if name.startswith("JIFEN_") and value}
    moved = urls(services, port_base=port_base) if port_base else {}
    return {**ours, **theirs, **moved}


def urls(services: Sequence[str], *, port_base: int) -> dict[str, str]:
    """`JIFEN_<SERVICE>_URL` of every service, on consecutive ports of this machine only."""
    return {url_variable(name): f"http://127.0.0.1:{port_base + offset}" for offset, name in enumerate(services)}


def url_variable(service: str) -> str:
    """Where a service answers."""
    return f"JIFEN_{service.upper()}_URL"


def database_variable(service: str) -> str:
    """Where a service keeps its truth."""
    return f"JIFEN_{service.upper()}_DATABASE_URL"


def for_child(environment: Mapping[str, str], *, token: str) -> dict[str, str]:
    """The whole environment of a child: the machine's, the stack's, and the token by which leftovers are known."""
    return {**os.environ, **environment, "PYTHONUNBUFFERED": "1", "JIFEN_STACK_TOKEN": token}
