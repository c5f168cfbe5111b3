"""docker-compose.yml is valid, and says the same as the process table of the local stack."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.settings import Settings
from deploy.local.data_folder import REPOSITORY, SECRET_NAMES
from deploy.local.environment import database_variable, url_variable
from deploy.local.processes import PACKAGES, PLATFORM, Process

FILE = REPOSITORY / "docker-compose.yml"
SERVERS = {"postgres", "valkey"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())


@pytest.fixture(scope="module")
def processes(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in compose["services"].items() if name not in SERVERS}


def test_the_file_is_valid_by_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_it_runs_the_processes_of_the_table_and_no_others(processes: dict[str, dict[str, Any]]) -> None:
    table = {it.name.replace(".", "-"): list(it.command) for it in PLATFORM.of_kind("migrate", "web", "worker")}
    assert {name: service["command"] for name, service in processes.items()} == table


def test_only_the_gateway_is_published(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["gateway-web"]


def test_every_process_waits_for_the_migration_and_the_migration_for_the_database(
    processes: dict[str, dict[str, Any]],
) -> None:
    assert processes["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name, service in processes.items():
        if name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_servers_and_web_processes_tell_their_health_on_their_own_port(compose: dict[str, Any]) -> None:
    assert all("healthcheck" in compose["services"][name] for name in SERVERS)
    for service in PACKAGES:
        web = compose["services"][f"{service}-web"]
        port = web["environment"][url_variable(service)].rpartition(":")[2]
        assert f"127.0.0.1:{port}/readyz" in web["healthcheck"]["test"][-1]


def test_the_environment_is_complete_and_carries_no_secret(processes: dict[str, dict[str, Any]]) -> None:
    required = {f"JIFEN_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    required |= {url_variable(service) for service in PACKAGES} | {database_variable(service) for service in PACKAGES}
    for service in processes.values():
        assert required | set(SECRET_NAMES) <= set(service["environment"])
        assert all(service["environment"][name].startswith(f"${{{name}:?") for name in SECRET_NAMES)


def test_the_databases_are_created_that_the_services_ask_for(compose: dict[str, Any]) -> None:
    created = re.findall(r"CREATE DATABASE (\w+);", compose["configs"]["databases"]["content"])
    assert created == list(PACKAGES)


def test_the_image_installs_by_hash_and_does_not_run_as_root() -> None:
    lines = (REPOSITORY / "deploy" / "Dockerfile").read_text().splitlines()
    assert any("--require-hashes" in line and "requirements.lock" in line for line in lines)
    assert "USER 10001" in lines


@pytest.mark.parametrize("package", PACKAGES.values())
def test_each_program_has_the_commands_that_the_table_calls(package: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", package, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    called = {it.command[3] for it in PLATFORM.processes if it.command[2] == package} | {"migrate"}
    offered = set(re.findall(r"^  (\w+)", result.stdout, re.MULTILINE))
    assert called <= offered


@pytest.mark.parametrize(
    "process", [it for it in PLATFORM.processes if it.name in {"cron", "migrate"}], ids=lambda it: it.name
)
def test_the_modules_that_a_process_names_exist(process: Process) -> None:
    missing = [module for module in process.command[2:] if importlib.util.find_spec(module) is None]
    assert missing == []
