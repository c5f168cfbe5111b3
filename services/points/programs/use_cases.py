"""Setting up a program and its assets."""

from sqlmodel import Session

from common import feed as facts
from services.points.database import feed
from services.points.programs import repository
from services.points.programs.domain import Asset, Program, UnknownAsset, check_validity


def configure_program(session: Session, *, program_id: int, name: str, time_zone: str, currency: str) -> Program:
    """Create or change the program; its neighbours learn of it by the fact `program.configured`."""
    program = Program(program_id, name, time_zone, currency)
    repository.put_program(session, program)
    payload = {"name": name, "time_zone": time_zone, "currency": currency}
    facts.append(session, feed, "program.configured", program_id=program_id, member_id=None, payload=payload)
    return program


def show_program(session: Session, *, program_id: int) -> Program:
    """The program as it stands; raises `UnknownProgram`."""
    return repository.get_program(session, program_id)


def configure_asset(
    session: Session, *, program_id: int, code: str, name_en: str, name_zh: str, debt_allowed: bool, validity: str
) -> Asset:
    """Create an asset or change it; lots already earned keep their day. Raises `UnknownProgram`, `BadValidity`."""
    check_validity(validity)
    repository.lock_program(session, program_id)
    try:
        asset_id = repository.get_asset(session, program_id, code).id
    except UnknownAsset:
        asset_id = repository.next_asset_id(session, program_id)
    asset = Asset(program_id, asset_id, code, name_en, name_zh, debt_allowed, validity)
    repository.put_asset(session, asset)
    return asset


def list_assets(session: Session, *, program_id: int) -> list[Asset]:
    """What members of the program can own."""
    return repository.list_assets(session, program_id)
