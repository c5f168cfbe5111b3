"""Every SQL statement over programs and assets."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from services.points.programs.domain import Asset, Limits, Program, UnknownAsset, UnknownProgram
from services.points.programs.models import assets, programs

_NAMES = [field.name for field in fields(Asset)]
_LIMITS = ("earning_limits", "spending_limits")


def get_program(session: Session, program_id: int) -> Program:
    """The program; raises `UnknownProgram`."""
    row = session.execute(select(programs).where(programs.c.program_id == program_id)).one_or_none()
    if row is None:
        raise UnknownProgram()
    return Program(row.program_id, row.name, row.time_zone, row.currency)


def put_program(session: Session, program: Program) -> None:
    """Insert or replace the program."""
    values = asdict(program)
    changes = {**values, "changed_at": text("clock_timestamp()")}
    session.execute(insert(programs).values(values).on_conflict_do_update(index_elements=["program_id"], set_=changes))


def list_assets(session: Session, program_id: int) -> list[Asset]:
    """The program's assets, in the order they were made."""
    mine = select(assets).where(assets.c.program_id == program_id).order_by(assets.c.id)
    return [_asset(row) for row in session.execute(mine)]


def get_asset(session: Session, program_id: int, code: str) -> Asset:
    """The asset of that code; raises `UnknownAsset`."""
    wanted = select(assets).where(assets.c.program_id == program_id, assets.c.code == code)
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise UnknownAsset(asset=code)
    return _asset(row)


def lock_program(session: Session, program_id: int) -> None:
    """Let one set-up of a program's assets happen at a time; raises `UnknownProgram`."""
    locked = select(programs.c.program_id).where(programs.c.program_id == program_id).with_for_update()
    if session.scalar(locked) is None:
        raise UnknownProgram()


def next_asset_id(session: Session, program_id: int) -> int:
    """The id of the program's next asset; the caller holds the program's lock."""
    last = select(func.coalesce(func.max(assets.c.id), 0)).where(assets.c.program_id == program_id)
    return int(session.execute(last).scalar_one()) + 1


def put_asset(session: Session, asset: Asset) -> None:
    """Insert the asset, or replace what may change of it."""
    values = asdict(asset)
    kept = ("program_id", "id", "code")
    changes = {name: value for name, value in values.items() if name not in kept}
    changes["changed_at"] = text("clock_timestamp()")
    session.execute(
        insert(assets).values(values).on_conflict_do_update(constraint="points_assets_once_per_code", set_=changes)
    )


def _asset(row: Row[Any]) -> Asset:
    values = {name: getattr(row, name) for name in _NAMES}
    limits = {name: Limits(**values[name]) for name in _LIMITS if values[name]}
    return Asset(**{**values, **limits})
