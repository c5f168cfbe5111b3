"""Orders and refunds as values, and how they are read from what the shop sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

_LARGEST = 2**53 - 1
_LONGEST_ID = 128


class Unusable(Exception):
    """The fact says nothing this service can work with; `reason` is recorded with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """A paid order. `refunded_fen` is what was refunded by the time it was recorded; `event` is its natural key.

    `seat` is the group-buy seat that it says to pay for, as sent.
    """

    program_id: int
    member_id: int
    order_id: str
    paid_fen: int
    paid_at: datetime
    event: str
    seat: str | None = None
    refunded_fen: int = 0

    @property
    def key(self) -> tuple[int, str]:
        """An order id is unique in its program."""
        return self.program_id, self.order_id

    @property
    def fully_refunded(self) -> bool:
        """Whether all of it has been paid back."""
        return covers(self.refunded_fen, self.paid_fen)


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of an order: `refunded_fen` of this refund alone."""

    program_id: int
    member_id: int
    order_id: str
    refund_id: str
    refunded_fen: int
    refunded_at: datetime
    event: str

    @property
    def key(self) -> tuple[int, str]:
        """The key of its order."""
        return self.program_id, self.order_id


def covers(refunded_fen: int, paid_fen: int) -> bool:
    """Whether refunds make up the whole payment; an order that cost nothing is refunded by a refund only."""
    return refunded_fen > 0 and refunded_fen >= paid_fen


def read_paid(program_id: int, member_id: int | None, payload: dict[str, Any]) -> PaidOrder:
    """The order that an `order.paid` fact tells of; raises `Unusable`."""
    data = _data(payload)
    return PaidOrder(
        program_id,
        _member(member_id),
        _identifier(data, "order_id"),
        _fen(data, "paid_fen", lowest=0),
        _time(payload),
        payload["event"],
        None if data.get("groupbuy_seat") is None else str(data["groupbuy_seat"]),
    )


def read_refund(program_id: int, member_id: int | None, payload: dict[str, Any]) -> Refund:
    """The refund that an `order.refunded` fact tells of; raises `Unusable`."""
    data = _data(payload)
    return Refund(
        program_id,
        _member(member_id),
        _identifier(data, "order_id"),
        _identifier(data, "refund_id"),
        _fen(data, "refunded_fen", lowest=1),
        _time(payload),
        payload["event"],
    )


def _data(payload: dict[str, Any]) -> dict[str, Any]:
    data = payload.get("data")
    if not isinstance(data, dict):
        raise Unusable("data is no object")
    return data


def _member(member_id: int | None) -> int:
    if member_id is None:
        raise Unusable("no member")
    return member_id


def _identifier(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_ID:
        raise Unusable(f"{name} is no text of 1 to {_LONGEST_ID} characters")
    return value


def _fen(data: dict[str, Any], name: str, *, lowest: int) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= _LARGEST:
        raise Unusable(f"{name} is no integer from {lowest} to {_LARGEST}")
    return value


def _time(payload: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(payload["time"])
