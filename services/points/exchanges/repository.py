"""Every SQL statement over partners, exchanges and the windows of their caps."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common.errors import NotFound
from services.points.exchanges.domain import Cap, Direction, Exchange, Partner, Terms, UnknownPartner
from services.points.exchanges.models import EVERYBODY, exchanges, partners, terms, windows

_TERMS = [one.name for one in fields(Terms)]
_OF_EXCHANGE = [one.name for one in fields(Exchange) if one.name not in ("direction", "replayed")]
_WINDOW = ("program_id", "member_id", "partner", "direction", "span", "since")


def get_partner(session: Session, program_id: int, code: str, *, key_id: str | None) -> Partner:
    """One partner; with `key_id` only if that key acts for it. Raises `UnknownPartner`."""
    found = list_partners(session, program_id, key_id=key_id, code=code)
    if not found:
        raise UnknownPartner(partner=code)
    return found[0]


def list_partners(session: Session, program_id: int, *, key_id: str | None, code: str | None = None) -> list[Partner]:
    """The program's partners by code; with `key_id` those for which that key acts."""
    mine = select(partners).where(partners.c.program_id == program_id)
    if key_id is not None:
        mine = mine.where(partners.c.key_id == key_id)
    of_them = select(terms).where(terms.c.program_id == program_id)
    if code is not None:
        mine, of_them = mine.where(partners.c.code == code), of_them.where(terms.c.partner == code)
    by_partner: dict[str, dict[Direction, Terms]] = {}
    for row in session.execute(of_them):
        kept = Terms(**{name: getattr(row, name) for name in _TERMS})
        by_partner.setdefault(row.partner, {})[Direction(row.direction)] = kept
    return [
        Partner(
            code=row.code,
            name_en=row.name_en,
            name_zh=row.name_zh,
            asset=row.asset,
            key_id=row.key_id,
            enabled=row.enabled,
            terms=by_partner.get(row.code, {}),
        )
        for row in session.execute(mine.order_by(partners.c.code))
    ]


def put_partner(session: Session, program_id: int, partner: Partner, actor: str) -> str:
    """Write the partner and its terms; returns the asset that it has, which the first writing decided."""
    values = {**asdict(partner), "program_id": program_id, "set_by": actor}
    values.pop("terms")
    changes = {name: values[name] for name in ("name_en", "name_zh", "key_id", "enabled", "set_by")}
    row = insert(partners).values(values)
    row = row.on_conflict_do_update(
        index_elements=["program_id", "code"], set_={**changes, "set_at": func.clock_timestamp()}
    )
    asset: str = session.execute(row.returning(partners.c.asset)).scalar_one()
    session.execute(delete(terms).where(terms.c.program_id == program_id, terms.c.partner == partner.code))
    own = {"program_id": program_id, "partner": partner.code}
    session.execute(
        insert(terms).values(
            [{**own, "direction": direction.value, **asdict(one)} for direction, one in partner.terms.items()]
        )
    )
    return asset


def find_order(session: Session, program_id: int, partner: str, partner_order_id: str) -> Exchange | None:
    """The exchange that the partner's order made, or None."""
    row = session.execute(
        select(exchanges).where(
            exchanges.c.program_id == program_id,
            exchanges.c.partner == partner,
            exchanges.c.partner_order_id == partner_order_id,
        )
    ).one_or_none()
    return None if row is None else _exchange(row)


def add_exchange(session: Session, **values: Any) -> Exchange | None:
    """A new exchange; None when a twin has just made the order's (it waits for the twin to end)."""
    made = insert(exchanges).values(values).on_conflict_do_nothing().returning(exchanges)
    row = session.execute(made).one_or_none()
    return None if row is None else _exchange(row)


def get_exchange(
    session: Session,
    program_id: int,
    exchange_id: uuid.UUID,
    *,
    member_id: int | None = None,
    key_id: str | None = None,
    lock: bool = False,
) -> Exchange:
    """One exchange: of that member, of a partner for which that key acts, where they are named. Raises `NotFound`."""
    mine = select(exchanges).where(
        exchanges.c.id == exchange_id, *_seen(program_id, member_id=member_id, key_id=key_id)
    )
    row = session.execute(mine.with_for_update() if lock else mine).one_or_none()
    if row is None:
        raise NotFound()
    return _exchange(row)


def list_exchanges(
    session: Session,
    program_id: int,
    *,
    member_id: int | None,
    key_id: str | None,
    partner: str | None,
    after: uuid.UUID | None,
    limit: int,
) -> list[Exchange]:
    """Exchanges, newest first, behind `after`; with each filter that is given."""
    mine = select(exchanges).where(*_seen(program_id, member_id=member_id, key_id=key_id))
    if partner is not None:
        mine = mine.where(exchanges.c.partner == partner)
    if after is not None:
        mine = mine.where(exchanges.c.id < after)
    return [_exchange(row) for row in session.execute(mine.order_by(exchanges.c.id.desc()).limit(limit))]


def mark_reversed(session: Session, exchange: Exchange, actor: str, now: datetime) -> Exchange:
    """Write that it was reversed; the caller holds its lock."""
    mine = (
        exchanges.c.program_id == exchange.program_id,
        exchanges.c.partner == exchange.partner,
        exchanges.c.partner_order_id == exchange.partner_order_id,
    )
    changed = update(exchanges).where(*mine).values(reversed_by=actor, reversed_at=now)
    return _exchange(session.execute(changed.returning(exchanges)).one())


def lock_windows(session: Session, exchange: Exchange) -> dict[Cap, int]:
    """What is used of every cap that the exchange counts in, locked; everybody's window last, for all meet there."""
    keys = _windows_of(exchange)
    named = [dict(zip(_WINDOW, key, strict=True)) for key in keys.values()]
    session.execute(insert(windows).values(named).on_conflict_do_nothing())
    columns = [windows.c[name] for name in _WINDOW]
    wanted = select(*columns, windows.c.used).where(tuple_(*columns).in_(list(keys.values())))
    locked = session.execute(wanted.order_by(windows.c.member_id.desc(), windows.c.span).with_for_update())
    used = {tuple(row[:-1]): row.used for row in locked}
    return {cap: used[key] for cap, key in keys.items()}


def add_used(session: Session, exchange: Exchange, points: int) -> None:
    """Count the points (below 0: free them) in every cap of the exchange; the caller holds the windows' locks."""
    columns = [windows.c[name] for name in _WINDOW]
    mine = tuple_(*columns).in_(list(_windows_of(exchange).values()))
    session.execute(update(windows).where(mine).values(used=windows.c.used + points))


def _exchange(row: Row[Any]) -> Exchange:
    return Exchange(direction=Direction(row.direction), **{name: getattr(row, name) for name in _OF_EXCHANGE})


def _windows_of(exchange: Exchange) -> Mapping[Cap, tuple[int, int, str, str, str, date]]:
    of, day = (exchange.partner, exchange.direction.value), exchange.day
    return {
        Cap.MEMBER_DAY: (exchange.program_id, exchange.member_id, *of, "day", day),
        Cap.MEMBER_MONTH: (exchange.program_id, exchange.member_id, *of, "month", day.replace(day=1)),
        Cap.DAY: (exchange.program_id, EVERYBODY, *of, "day", day),
    }


def _seen(program_id: int, *, member_id: int | None, key_id: str | None) -> list[Any]:
    """The program's exchanges, of the member and of the key's partners where they are named."""
    seen: list[Any] = [exchanges.c.program_id == program_id]
    if member_id is not None:
        seen.append(exchanges.c.member_id == member_id)
    if key_id is not None:
        own = select(partners.c.code).where(partners.c.program_id == program_id, partners.c.key_id == key_id)
        seen.append(exchanges.c.partner.in_(own))
    return seen
