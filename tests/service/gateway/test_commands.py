"""The operator's commands."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from common.commands import run_checks
from common.migrations import drift
from common.service import Service
from gateway.commands import commands
from gateway.database import transaction
from tests.gateway import Key, People, http


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(commands, list(words), input=given)


def answer(*words: str, given: str | None = None) -> Any:
    result = run(*words, "--json", given=given)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_program_keeps_its_id(people: People) -> None:
    first = answer("create-program", "third", "--name", "Third")
    again = answer("create-program", "third", "--name", "Third!", "--wechat-appid", "wx00112233445566ff")
    assert (first["program_id"], first["wechat_appid"]) == (again["program_id"], None)
    assert (again["name"], again["wechat_appid"]) == ("Third!", "wx00112233445566ff")
    assert answer("create-program", "third", "--name", "Third")["wechat_appid"] == "wx00112233445566ff"


@pytest.mark.parametrize(
    "words", [("A b", "--name", "x"), ("x", "--name", " "), ("x", "--name", "x", "--wechat-appid", "1")]
)
def test_what_is_no_program_is_worded(people: People, words: tuple[str, ...]) -> None:
    result = run("create-program", *words)
    assert result.exit_code == 1
    assert "is not in its form" in result.output


def test_first_staff_signs_in_with_the_password_shown_once(door: str, people: People) -> None:
    made = answer("create-staff", "acme", "lin", "--role", "admin", "--role", "finance")
    body = {"program": "acme", "name": "lin", "password": made["password"]}
    assert http(door, "POST", "/v1/sessions/staff", body).json["roles"] == ["admin", "finance"]


def test_a_given_password_is_not_shown_and_a_second_time_is_the_way_back_in(door: str, people: People) -> None:
    words = ("create-staff", "acme", "lin", "--role", "admin", "--password-stdin")
    first = run(*words, given="first long password\n")
    assert "first long" not in first.output
    token = http(
        door, "POST", "/v1/sessions/staff", {"program": "acme", "name": "lin", "password": "first long password"}
    ).json["token"]
    assert answer(*words, given="second long password\n") == {"program_id": 1, "name": "lin", "roles": ["admin"]}
    old = http(door, "GET", "/v1/sessions/current", headers={"Authorization": f"Bearer {token}"})
    assert old.status == 401 or _ends(door, token)


def _ends(door: str, token: str) -> bool:
    import time

    time.sleep(2.2)
    return http(door, "GET", "/v1/sessions/current", headers={"Authorization": f"Bearer {token}"}).status == 401


def test_the_password_may_be_asked_for(people: People) -> None:
    result = run(
        "create-staff", "acme", "lin", "--role", "admin", "--prompt", given="a long password\na long password\n"
    )
    assert result.exit_code == 0
    assert "a long password" not in result.output


def test_a_key_is_the_same_key_the_next_time(door: str, people: People) -> None:
    made = answer("create-key", "acme", "demo", "--scope", "events", "--scope", "read")
    assert answer("create-key", "acme", "demo", "--scope", "read", "--scope", "events") == made
    key = Key(made["key_id"], made["secret"])
    assert http(door, "GET", "/v1/accounts", headers=key.sign("GET", "/v1/accounts")).status == 201
    other = run("create-key", "acme", "demo", "--scope", "ledger")
    assert (other.exit_code, "Another key is named demo" in other.output) == (1, True)


@pytest.mark.parametrize(
    "words", [("create-staff", "nobody", "lin", "--role", "admin"), ("create-key", "nobody", "k", "--scope", "read")]
)
def test_an_unknown_program_is_worded(people: People, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.exit_code, "There is no program nobody" in result.output) == (1, True)


def test_people_read_it_too(people: People) -> None:
    assert run("create-program", "third", "--name", "Third").output.splitlines()[1:] == ["code: third", "name: Third"]


def test_the_schema_is_what_is_declared(gateway_migrated: Service) -> None:
    assert drift(gateway_migrated.database) == []


def test_verify_finds_a_program_that_lost_its_admins(gateway_migrated: Service, people: People) -> None:
    people.hire("lin")
    people.hire("mei", "marketer", program_id=2)
    assert [(finding.checked, finding.violations) for finding in run_checks(gateway_migrated)] == [(1, 0)]
    with transaction() as session:
        session.execute(text("UPDATE gateway_staff SET disabled = true WHERE name = 'lin'"))
    found = run_checks(gateway_migrated)
    assert [(finding.violations, finding.detail) for finding in found] == [(1, "acme")]
