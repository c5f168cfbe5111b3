"""Small programs in the place of the services: `python -m tests.stack.standins web points`, and tables of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

from deploy.local.postgres import binaries
from deploy.local.processes import Kind, Platform, Process

STANDIN = ("python", "-m", "tests.stack.standins")


def process(kind: str, service: str, *, mode: str = "") -> Process:
    """A row of a table of stand-ins; `mode` makes the program misbehave."""
    return Process(name=f"{service}.{kind}", kind=kind, service=service, command=(*STANDIN, mode or kind, service))


def platform(
    *processes: Process,
    services: tuple[str, ...] = ("gateway", "points"),
    preload: Mapping[Kind, tuple[str, ...]] | None = None,
) -> Platform:
    """A platform of two services, with processes replaced by name."""
    rows = [Process(name="migrate", kind="migrate", command=(*STANDIN, "migrate", "all"))]
    rows += [process("web", service) for service in services]
    rows += [process("worker", "points")]
    rows += [process("verify", service) for service in services]
    replaced = {row.name: row for row in (*rows, *processes)}
    return Platform(services=services, processes=tuple(replaced.values()), preload=preload or {})


GOOD = platform()
NURSED = platform(preload={"web": ("deploy.local.patched", "http.server"), "worker": ("json",)})
NURSED_BROKEN = platform(process("web", "points", mode="crash"), preload=NURSED.preload)
BROKEN_WEB = platform(process("web", "points", mode="crash"))
NEVER_READY = platform(process("web", "points", mode="unready"))
BROKEN_MIGRATION = platform(Process(name="migrate", kind="migrate", command=(*STANDIN, "crash", "migration")))
STUBBORN = platform(process("worker", "points", mode="stubborn"))
VIOLATED = platform(process("verify", "points", mode="violated"))
MUTE = platform(process("verify", "points", mode="crash"))


class Handler(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"pid": os.getpid(), "path": self.path}).encode())

    def log_message(self, format: str, *args: object) -> None: ...


def web(service: str, status: int = 200) -> None:
    """Answers like a service, and keeps a child as gunicorn does."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Handler.status = status
    address = urlsplit(os.environ[f"JIFEN_{service.upper()}_URL"])
    print(f"{service} listens: 积分", flush=True)
    HTTPServer((address.hostname, address.port), Handler).serve_forever()


def unready(service: str) -> None:
    web(service, status=503)


def worker(service: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("worker waits", file=sys.stderr, flush=True)
    while True:
        time.sleep(60)


def stubborn(service: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("I stay", flush=True)
    while True:
        time.sleep(60)


def crash(service: str) -> None:
    sys.exit(f"no such table: {service}_things")


def migrate(_: str) -> None:
    """Creates what Alembic would."""
    for service in ("gateway", "points"):
        url = os.environ[f"JIFEN_{service.upper()}_DATABASE_URL"].replace("+psycopg", "")
        sql = (
            "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY); "
            "INSERT INTO alembic_version VALUES ('0001') ON CONFLICT DO NOTHING"
        )
        subprocess.run([str(binaries() / "psql"), "-qX", "-d", url, "-c", sql], check=True, stderr=subprocess.DEVNULL)
    print("migrated", flush=True)


def verify(service: str) -> None:
    print(json.dumps([{"name": f"{service} sums", "checked": 12, "violations": 0, "detail": ""}]))


def violated(service: str) -> None:
    print(json.dumps([{"name": f"{service} sums", "checked": 12, "violations": 2, "detail": "accounts 4, 7"}]))
    sys.exit(1)


if __name__ == "__main__":
    command, name = sys.argv[1:]
    globals()[command](name)
