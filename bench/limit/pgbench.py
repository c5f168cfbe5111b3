"""The limit of single postings: pgbench calling the prototype's one function, in a database of its own."""

import re
import subprocess
from pathlib import Path

import psycopg

from bench.site import Site, WrongResults
from bench.wire import MEMBERS
from deploy.local.postgres import binaries

DATABASE = "limit"
CLIENTS = 16
# A lot of one day in 2030, as an asset of long validity makes it.
_LOT_DAY = 22_000
_FINGERPRINT = "sha256('fingerprint')"
_POST = f"ledger.post(1, gen_random_uuid(), {_FINGERPRINT}, {{member}}, 1::smallint, 1::smallint, 10, {_LOT_DAY})"
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)


def prepare(site: Site) -> None:
    """Install the prototype and let every member have an account."""
    site.create_database(DATABASE)
    schema = (Path(__file__).parent / "posting.sql").read_text()
    with psycopg.connect(site.database_url(DATABASE), autocommit=True) as connection:
        connection.execute(schema)
        connection.execute(f'ALTER DATABASE "{DATABASE}" SET search_path = ledger')
        connection.execute(f"SELECT {_POST.format(member='m')} FROM generate_series(1, {MEMBERS}) AS m")
    site.analyze(DATABASE)
    (site.folder / "post.pgbench").write_text(
        f"\\set member random(1, {MEMBERS})\nSELECT {_POST.format(member=':member')};\n"
    )


def measure(site: Site, *, seconds: float) -> float:
    """Postings a second, over prepared statements."""
    command = [str(binaries() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", "--jobs=1"]
    command += [f"--time={max(1, round(seconds))}", f"--file={site.folder / 'post.pgbench'}"]
    command.append(site.database_url(DATABASE))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rate, failed = _RATE.search(done.stdout), _FAILED.search(done.stdout)
    if done.returncode or not rate or (failed and int(failed[1])):
        raise WrongResults(f"pgbench: {done.stdout}{done.stderr}")
    return float(rate[1])


def verify(site: Site) -> None:
    """The prototype's own invariants; a wrong limit is no limit."""
    with psycopg.connect(site.database_url(DATABASE)) as connection:
        broken = connection.execute("SELECT * FROM ledger.check_invariants() WHERE violations > 0").fetchall()
    if broken:
        raise WrongResults(f"the prototype: {broken}")
