"""Where the environment, the secrets and the data folder of a stack come from."""

import stat
from pathlib import Path

import pytest

from deploy.local import data_folder, environment
from deploy.local.data_folder import FolderRefused
from deploy.local.logs import ProcessLog

SERVICES = ("gateway", "points")


def compose(operator: dict[str, str], port_base: int | None = None) -> dict[str, str]:
    return environment.compose(
        SERVICES, operator, secrets={"JIFEN_IDENTITY_SECRET": "ours"}, servers={}, port_base=port_base
    )


def test_without_variables_everything_is_embedded_on_the_usual_ports() -> None:
    wanted = environment.wanted(SERVICES, {})
    assert wanted.embedded_databases == SERVICES
    assert wanted.embedded_valkey
    assert compose({}) == {
        "JIFEN_ENV": "development",
        "JIFEN_LOG_FORMAT": "console",
        "JIFEN_IDENTITY_SECRET": "ours",
        "JIFEN_GATEWAY_URL": "http://127.0.0.1:8100",
        "JIFEN_POINTS_URL": "http://127.0.0.1:8101",
    }


def test_the_operators_own_servers_and_secrets_win() -> None:
    operator = {
        "JIFEN_POINTS_DATABASE_URL": "postgresql://db/points",
        "JIFEN_IDENTITY_SECRET": "theirs",
        "PATH": "/bin",
    }
    assert environment.wanted(SERVICES, operator).embedded_databases == ("gateway",)
    composed = compose(operator)
    assert composed["JIFEN_POINTS_DATABASE_URL"] == "postgresql://db/points"
    assert composed["JIFEN_IDENTITY_SECRET"] == "theirs"
    assert "LANG" not in composed


def test_a_port_base_moves_every_url() -> None:
    composed = compose({"JIFEN_POINTS_URL": "http://127.0.0.1:7777"}, port_base=9100)
    assert composed["JIFEN_GATEWAY_URL"] == "http://127.0.0.1:9100"
    assert composed["JIFEN_POINTS_URL"] == "http://127.0.0.1:9101"


def test_secrets_are_made_once_and_only_for_the_owners_eyes(tmp_path: Path) -> None:
    first = data_folder.load_secrets(tmp_path)
    assert set(first) == set(data_folder.SECRET_NAMES)
    assert all(len(secret) >= 32 for secret in first.values())
    assert len(set(first.values())) == len(first)
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600
    assert data_folder.load_secrets(tmp_path) == first


def test_a_strangers_folder_is_not_adopted(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("")
    with pytest.raises(FolderRefused, match="files of somebody else"):
        data_folder.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_folder_is_held_by_one_stack_at_a_time(tmp_path: Path) -> None:
    data_folder.prepare(tmp_path)
    with data_folder.locked(tmp_path):
        assert data_folder.is_locked(tmp_path)
        with pytest.raises(FolderRefused, match="already running"), data_folder.locked(tmp_path):
            pass
    assert not data_folder.is_locked(tmp_path)


def test_lines_are_put_together_from_chunks_per_process(tmp_path: Path) -> None:
    seen: list[str] = []
    log = ProcessLog("points.web", path=tmp_path / "points.web.log", echo=lambda name, line: seen.append(line))
    text = "积分 ok\n".encode()
    log(1, text[:2])
    log(2, b"other\nunfin")
    log(1, text[2:])
    log.close()
    assert seen == ["other", "积分 ok", "unfin"]
    assert (tmp_path / "points.web.log").read_text() == "other\n积分 ok\nunfin\n"
