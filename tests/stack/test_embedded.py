"""The embedded servers keep what they acknowledged, and refuse what they cannot use."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from sqlalchemy import create_engine, text

from deploy.local.embedded import EmbeddedPostgres, EmbeddedServerError, EmbeddedValkey, start_postgres, start_valkey
from deploy.local.postgres import processes_of
from tests.servers import throwaway_folder


def dsn(server: EmbeddedPostgres, database: str = "postgres") -> str:
    return server.url(database, scheme="postgresql")


def test_sqlalchemy_reaches_a_created_database_by_its_url(postgres: EmbeddedPostgres) -> None:
    postgres.create_databases(["points", "levels"])
    postgres.create_databases(["points", "levels"])
    engine = create_engine(postgres.url("points"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar_one() == "points"
    engine.dispose()


def test_redis_reaches_valkey_by_its_url(valkey: EmbeddedValkey) -> None:
    with Redis.from_url(f"{valkey.url}?db=3") as redis:
        redis.set("积分", 7)
        assert redis.get("积分") == b"7"


def test_postgres_is_set_up_for_a_ledger(durable_postgres: EmbeddedPostgres) -> None:
    expected = {
        "server_version_num": "18",
        "data_checksums": "on",
        "synchronous_commit": "on",
        "fsync": "on",
        "checkpoint_timeout": "15min",
        "max_wal_size": "4GB",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "timezone": "UTC",
    }
    found = {name: durable_postgres.query(f"SHOW {name}") for name in expected}
    found["server_version_num"] = found["server_version_num"][:2]
    assert found == expected


def test_valkey_never_evicts_and_has_no_port(durable_valkey: EmbeddedValkey) -> None:
    with Redis.from_url(durable_valkey.url) as redis:
        settings = {name: redis.config_get(name)[name] for name in ("maxmemory-policy", "appendonly", "port")}
    assert settings == {"maxmemory-policy": "noeviction", "appendonly": "yes", "port": "0"}


@pytest.mark.slow
def test_committed_rows_survive_a_kill_and_nothing_of_the_old_server_remains(
    durable_postgres: EmbeddedPostgres,
) -> None:
    with psycopg.connect(dsn(durable_postgres), autocommit=True) as connection:
        connection.execute("CREATE TABLE entries (amount bigint)")
        connection.execute("INSERT INTO entries SELECT generate_series(1, 1000)")
        old_pid = durable_postgres.pid
        durable_postgres.kill()
    assert durable_postgres.pid is None
    assert list(processes_of(durable_postgres.folder)) == []

    durable_postgres.start()
    assert durable_postgres.pid not in (None, old_pid)
    assert durable_postgres.query("SELECT sum(amount) FROM entries") == "500500"


@pytest.mark.slow
def test_valkey_keeps_all_but_the_last_second_over_a_kill(durable_valkey: EmbeddedValkey) -> None:
    with Redis.from_url(durable_valkey.url) as redis:
        redis.set("kept", 1)
        time.sleep(1.5)
    durable_valkey.kill()
    durable_valkey.start()
    with Redis.from_url(durable_valkey.url) as redis:
        assert redis.get("kept") == b"1"


def test_a_second_server_on_the_same_folder_is_refused(
    durable_postgres: EmbeddedPostgres, durable_valkey: EmbeddedValkey
) -> None:
    with pytest.raises(EmbeddedServerError, match=rf"process {durable_postgres.pid}\) already runs"):
        start_postgres(durable_postgres.folder)
    with pytest.raises(EmbeddedServerError, match="already runs"):
        start_valkey(durable_valkey.folder)
    assert durable_postgres.query("SELECT 1") == "1"


def test_the_lock_of_a_dead_server_whose_number_a_stranger_got_is_no_obstacle(
    durable_postgres: EmbeddedPostgres,
) -> None:
    lock = durable_postgres.folder / "postmaster.pid"
    old_lock = lock.read_text()
    durable_postgres.kill()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        lock.write_text(old_lock.replace(old_lock.split()[0], str(stranger.pid), 1))
        durable_postgres.start()
        assert durable_postgres.query("SELECT 1") == "1"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_of_another_version_or_owner_is_named_and_not_touched(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 16, this is 18"):
        start_postgres(old)

    foreign = tmp_path / "letters"
    foreign.mkdir()
    (foreign / "dear.txt").write_text("…")
    with pytest.raises(EmbeddedServerError, match="not a PostgreSQL folder"):
        start_postgres(foreign)
    with pytest.raises(EmbeddedServerError, match="not Valkey's"):
        start_valkey(foreign)
    assert [path.name for path in foreign.iterdir()] == ["dear.txt"]


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match="cannot write"):
        start_postgres(tmp_path / "file" / "postgres", log_file=tmp_path / "log")


def test_a_failed_start_shows_the_last_words_of_the_server(tmp_path: Path) -> None:
    with throwaway_folder() as folder, pytest.raises(EmbeddedServerError, match="no_such_setting"):
        start_postgres(folder / "postgres", durable=False, settings={"no_such_setting": "1"})


def test_a_long_path_gets_a_short_socket_that_goes_away_again() -> None:
    with throwaway_folder() as folder:
        deep = folder / ("积分" * 20) / "postgres"
        server = start_postgres(deep, durable=False)
        try:
            assert server.query("SELECT 1") == "1"
            assert server.sockets != deep
            assert server.sockets.stat().st_mode & 0o077 == 0
        finally:
            server.stop()
        assert not server.sockets.exists()


def others_can_run_python() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        command = [sys.executable, "-c", ""]
        return subprocess.run(command, user=65534, group=65534, extra_groups=[], check=False, cwd="/").returncode == 0
    except PermissionError:
        return False


@pytest.mark.skipif(
    "not others_can_run_python()", reason="needs root, and a Python that is not in root's private folder"
)
def test_an_ordinary_account_can_run_both_servers() -> None:
    program = (
        "import sys; from pathlib import Path; from deploy.local.embedded import *\n"
        "folder = Path(sys.argv[1]); postgres = start_postgres(folder / 'postgres', durable=False)\n"
        "valkey = start_valkey(folder / 'valkey'); print(postgres.query('SELECT 1')); valkey.stop(); postgres.stop()"
    )
    with throwaway_folder() as folder:
        os.chown(folder, 65534, 65534)
        result = subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            user=65534,
            group=65534,
            extra_groups=[],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(folder)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.stdout, result.returncode) == ("1\n", 0), result.stderr
