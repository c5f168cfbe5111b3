"""The gateway's commands: those of every service, and the operator's: programs, first staff, keys."""

import json
import secrets
import sys
import time
from typing import Any

import click

from common.commands import service_commands
from common.errors import Refusal
from gateway.database import transaction
from gateway.keys import use_cases as keys
from gateway.keys.domain import DEFAULT_RATE_PER_SECOND, SCOPES
from gateway.keys.verification import secret_of
from gateway.programs import use_cases as programs
from gateway.signing import authorization
from gateway.staff import use_cases as staff
from gateway.staff.domain import ROLES

commands = service_commands("gateway")

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")


@commands.command()
@click.argument("code")
@click.option("--name", required=True, help="The program's name, for people.")
@click.option("--wechat-appid", help="The mini-program its members sign in from.")
@_AS_JSON
def create_program(code: str, name: str, wechat_appid: str | None, as_json: bool) -> None:
    """Open a program, or bring the one of that CODE up to date; prints its id, always the same."""
    with _worded(), transaction() as session:
        program = programs.create_program(session, code=code, name=name, wechat_appid=wechat_appid)
    _say(
        as_json, program_id=program.program_id, code=program.code, name=program.name, wechat_appid=program.wechat_appid
    )


@commands.command()
@click.argument("program")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="May be given again.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--prompt", is_flag=True, help="Ask for the password.")
@_AS_JSON
def create_staff(
    program: str, name: str, roles: tuple[str, ...], password_stdin: bool, prompt: bool, as_json: bool
) -> None:
    """Make NAME staff of PROGRAM, with a password made up here and shown once unless one is given.

    If there is such a person, roles and password are set anew, they are enabled, and their tokens end.
    """
    given = _given_password(from_stdin=password_stdin, prompt=prompt)
    password = given or secrets.token_urlsafe(18)
    with _worded():
        password_hash = staff.hashed(password, name)
        with transaction() as session:
            program_id = programs.show_program(session, code=program).program_id
            person = staff.install(
                session, program_id=program_id, name=name, roles=frozenset(roles), password_hash=password_hash
            )
    shown = {} if given else {"password": password}
    _say(as_json, program_id=program_id, name=person.name, roles=sorted(person.roles), **shown)


@commands.command()
@click.argument("program")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="May be given again.")
@click.option("--rate", default=DEFAULT_RATE_PER_SECOND, show_default=True, help="Requests a second.")
@_AS_JSON
def create_key(program: str, name: str, scopes: tuple[str, ...], rate: int, as_json: bool) -> None:
    """Make an API key of PROGRAM, or show again the living one of that NAME with the same scopes and rate."""
    with _worded(), transaction() as session:
        program_id = programs.show_program(session, code=program).program_id
        key = keys.ensure_key(session, program_id=program_id, name=name, scopes=frozenset(scopes), rate_per_second=rate)
    _say(as_json, program_id=program_id, key_id=key.id, secret=secret_of(key), scopes=sorted(key.scopes))


def _given_password(*, from_stdin: bool, prompt: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if prompt:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return None


class _worded:
    """Refusals become a sentence on standard error and exit status 1."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Refusal):
            from common.http.problems import refusal_problem
            from gateway.service import service

            raise click.ClickException(refusal_problem(error, service.wordings).detail) from error


def _say(as_json: bool, **said: Any) -> None:
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    for name, value in said.items():
        if value is not None:
            click.echo(f"{name}: {' '.join(value) if isinstance(value, list) else value}")


@commands.command()
@click.argument("method")
@click.argument("target")
@click.option("--key", "key_id", required=True, envvar="KEY_ID", help="The API key's id.")
@click.option("--secret", required=True, envvar="KEY_SECRET", help="The API key's secret.")
@click.option("--body", default="", help="The body exactly as it will be sent.")
def sign(method: str, target: str, key_id: str, secret: str, body: str) -> None:
    """Print the Authorization header of one request of a system, e.g. for curl."""
    nonce = secrets.token_urlsafe(18)
    click.echo(authorization(method, target, body.encode(), key_id, secret, int(time.time()), nonce))
