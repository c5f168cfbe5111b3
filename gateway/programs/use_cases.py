"""Opening programs at the door."""

from dataclasses import replace

from sqlmodel import Session

from gateway.programs import repository
from gateway.programs.domain import Program, check


def create_program(session: Session, *, code: str, name: str, wechat_appid: str | None) -> Program:
    """The program of that code, made if there was none; name and appid are brought up to date. Raises `BadProgram`."""
    check(code, name, wechat_appid)
    repository.add_program(session, code, name, wechat_appid)
    program = repository.get_program(session, code)
    changed = replace(program, name=name, wechat_appid=wechat_appid or program.wechat_appid)
    repository.update_program(session, changed)
    return changed


def show_program(session: Session, *, code: str) -> Program:
    """The program of that code; raises `UnknownProgram`."""
    return repository.get_program(session, code)


def lock_program(session: Session, *, program_id: int) -> Program:
    """Let one change of the program's staff or keys happen at a time; raises `UnknownProgram`."""
    return repository.lock_program(session, program_id)
