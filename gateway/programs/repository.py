"""Every SQL statement over programs."""

from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.programs.domain import Program, UnknownProgram
from gateway.programs.models import programs

_COLUMNS = (programs.c.program_id, programs.c.code, programs.c.name, programs.c.wechat_appid)


def get_program(session: Session, code: str) -> Program:
    """The program of that code; raises `UnknownProgram`."""
    return _one(session, select(*_COLUMNS).where(programs.c.code == code), code)


def lock_program(session: Session, program_id: int) -> Program:
    """The program, with everybody else who locks it waiting; raises `UnknownProgram`."""
    mine = select(*_COLUMNS).where(programs.c.program_id == program_id).with_for_update()
    return _one(session, mine, str(program_id))


def add_program(session: Session, code: str, name: str, wechat_appid: str | None) -> None:
    """A new program, unless there is one of that code."""
    made = insert(programs).values(code=code, name=name, wechat_appid=wechat_appid)
    session.execute(made.on_conflict_do_nothing(index_elements=["code"]))


def update_program(session: Session, program: Program) -> None:
    """Write what may change of it: name and appid."""
    mine = update(programs).where(programs.c.program_id == program.program_id)
    session.execute(mine.values(name=program.name, wechat_appid=program.wechat_appid))


def _one(session: Session, wanted: Select[Any], named: str) -> Program:
    row: Row[Any] | None = session.execute(wanted).one_or_none()
    if row is None:
        raise UnknownProgram(program=named)
    return Program(row.program_id, row.code, row.name, row.wechat_appid)
