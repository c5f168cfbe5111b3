"""A throw-away stack to measure: durable, on free ports, with an asset, ten live rules and 10,000 members."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg

from bench.wire import ASSET, LINES, MEMBERS, Door, line
from common.identity import HEADER, Identity, Kind, sign
from deploy.local.background import BackgroundStack, start_in_background
from deploy.local.data_folder import REPOSITORY, StackNote, read_note
from deploy.local.environment import database_variable
from deploy.local.processes import load_platform
from deploy.local.readiness import can_bind
from deploy.local.stack import StackOptions
from deploy.local.verification import ask
from gateway.auth import tokens
from gateway.auth.domain import Claims
from services.points.ledger.domain import Kind as Entry

POSTING_PLATFORM = "bench.platform:POSTING"
_DAY_SECONDS = 86_400
# One of ten awards; the other nine are asked and say no, as most rules of a program do most of the time.
_RULES = {f"rule{number}": ('data.channel == "mini-program" and data.paid_fen > 100', "5") for number in range(1, 10)}
_RULES["base"] = ("true", "data.paid_fen / 100")


class WrongResults(Exception):
    """What was measured did not do what it should have: its figures mean nothing."""


@dataclass
class Site:
    """A running stack, and what is needed to load it. `acknowledged` counts the postings that were answered."""

    folder: Path
    stack: BackgroundStack
    program_id: int
    gateway: Door
    points: Door
    acknowledged: int = field(default=0)

    @property
    def note(self) -> StackNote:
        """What the stack says about itself, with the environment of its processes."""
        note = read_note(self.folder)
        assert note is not None
        return note

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that belongs to the stack."""
        return {**os.environ, **self.note.environment}

    def database_url(self, name: str, *, scheme: str = "postgresql") -> str:
        """The URL of a database of any name on the stack's own server."""
        sockets = self.note.environment[database_variable("points")].partition("?")[2]
        return f"{scheme}://postgres@/{quote(name)}?{sockets}"

    def create_database(self, name: str) -> None:
        """An empty database beside those of the services."""
        with psycopg.connect(self.database_url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')

    def analyze(self, name: str) -> None:
        """Plans made on empty tables are four times slower (ledger.md): look at the full ones."""
        with psycopg.connect(self.database_url(name), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def entries(self) -> int:
        """How many entries the ledger has that somebody asked for; what expires, expires by itself."""
        with psycopg.connect(self.database_url("points")) as connection:
            row = connection.execute("SELECT count(*) FROM points_entries WHERE kind <> %s", [Entry.EXPIRE]).fetchone()
            return int(row[0]) if row else 0

    @property
    def marketer(self) -> dict[str, str]:
        """What the gateway would say of a marketer, for set-up."""
        return {HEADER: _identity(self.stack, self.program_id, "staff", "marketer")}

    def token(self, member_id: int) -> str:
        """A member's session token."""
        claims = Claims(Identity("member", self.program_id, str(member_id)), 0, int(time.time()) + _DAY_SECONDS)
        return tokens.issue(claims, secret=self.note.environment["JIFEN_SESSION_SECRET"])

    def call(self, service: str, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
        """Ask a service for something, past the gateway; raises `WrongResults` unless it is done."""
        address = urlsplit(self.stack.url(service))
        connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            answer = response.read()
            if response.status not in (200, 201):
                raise WrongResults(f"{method} {path}: {response.status} {answer[:500].decode(errors='replace')}")
        finally:
            connection.close()

    def run(self, module: str, *words: str) -> None:
        """Run a program of ours with the environment of the stack; raises `WrongResults` when it fails."""
        command = [sys.executable, "-m", module, *words]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise WrongResults(f"{module}: {done.stderr}")

    def seal(self) -> None:
        """Seal what was posted, as the worker does; it is left out here like every consumer of the feed."""
        command = [sys.executable, "-c", "from services.points.audit.jobs import seal_posted; seal_posted()"]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise WrongResults(f"sealing: {done.stderr}")

    def verify(self) -> int:
        """Run the points service's own `verify` on what is sealed; returns how many entries it went through.

        Raises `WrongResults` on any violation, and unless every acknowledged posting is there, once.
        """
        process = next(it for it in load_platform(POSTING_PLATFORM).of_kind("verify") if it.name == "points.verify")
        broken = [finding for finding in ask(process, self.note) if finding.violations]
        if broken:
            raise WrongResults("; ".join(f"{it.name}: {it.violations} violations, {it.detail}" for it in broken))
        found = self.entries()
        if found != self.acknowledged:
            raise WrongResults(f"{self.acknowledged} postings were acknowledged, {found} entries are there")
        return found


@contextmanager
def throwaway_folder() -> Iterator[Path]:
    """A folder that the database's account may pass under root, and that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="jifen-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_site(platform: str = POSTING_PLATFORM) -> Iterator[Site]:
    """A stack (of gateway and points, unless another is named) ready to be measured; stopped and removed afterwards."""
    with throwaway_folder() as folder:
        port_base = free_port_base(len(load_platform(platform).services))
        stack = start_in_background(StackOptions(folder=folder, platform=platform, port_base=port_base))
        try:
            yield _furnish(folder, stack)
        finally:
            stack.stop()


def free_port_base(count: int) -> int:
    """The first of `count` consecutive free ports, away from those that the system hands out by itself."""
    while True:
        base = random.randrange(12_000, 30_000)
        if all(can_bind(f"http://127.0.0.1:{port}") for port in range(base, base + count)):
            return base


def _furnish(folder: Path, stack: BackgroundStack) -> Site:
    environment = {**os.environ, **stack.env}
    program = _gateway_command(environment, "create-program", "bench", "--name", "Bench")
    scopes = ("--scope", "ledger", "--scope", "events", "--scope", "read", "--rate", "100000")
    key = _gateway_command(environment, "create-key", "bench", "load", *scopes)
    site = Site(
        folder=folder,
        stack=stack,
        program_id=program["program_id"],
        gateway=_door(stack.url("gateway"), key_id=key["key_id"], secret=key["secret"]),
        points=_door(stack.url("points"), identity=_identity(stack, program["program_id"], "system", "ledger")),
    )
    _configure(site)
    _load_members(site)
    site.analyze("points")
    return site


def _gateway_command(environment: dict[str, str], *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "gateway", *words, "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongResults(f"{' '.join(words)}: {done.stderr.strip()}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _door(url: str, **credentials: str) -> Door:
    address = urlsplit(url)
    return Door(host=address.hostname or "", port=address.port or 80, **credentials)


def _identity(stack: BackgroundStack, program_id: int, kind: Kind, role: str) -> str:
    """Who the gateway would say is calling; for set-up, and to measure the service without the gateway."""
    identity = Identity(kind, program_id, "load", frozenset([role]))
    return sign(identity, secret=stack.env["JIFEN_IDENTITY_SECRET"], life_seconds=_DAY_SECONDS)


def _configure(site: Site) -> None:
    staff = site.marketer
    asset = {"name_en": "Points", "name_zh": "积分", "validity": "12M_U"}
    site.call("points", "PUT", "/v1/program", {"name": "Bench"}, staff)
    site.call("points", "PUT", f"/v1/assets/{ASSET}", asset, staff)
    for code, (condition, formula) in _RULES.items():
        rule = {"name_en": code, "name_zh": code, "trigger": "order.paid", "asset": ASSET}
        site.call(
            "points", "PUT", f"/v1/rules/{code}/draft", {**rule, "condition": condition, "formula": formula}, staff
        )
        site.call(
            "points", "POST", f"/v1/rules/{code}/publication", None, {**staff, "Idempotency-Key": f"publish-{code}"}
        )


def _load_members(site: Site) -> None:
    system = {HEADER: site.points.identity}
    for first in range(1, MEMBERS + 1, LINES):
        lines = [{**line(member), "key": f"first-{member}"} for member in range(first, first + LINES)]
        site.call("points", "POST", "/v1/postings/batch", {"lines": lines}, system)
        site.acknowledged += LINES
