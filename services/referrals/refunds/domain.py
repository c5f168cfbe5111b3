"""A refund request as a value."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class State(StrEnum):
    """A request goes from requested to done and never back."""

    REQUESTED = "requested"
    DONE = "done"


class Reason(StrEnum):
    """Why an order's money goes back."""

    GROUP_EXPIRED = "group_expired"
    GROUP_OVER = "group_over"
    SEAT_LOST = "seat_lost"
    ALREADY_PAID = "already_paid"
    UNDERPAID = "underpaid"
    LIMIT_REACHED = "limit_reached"
    UNKNOWN_SEAT = "unknown_seat"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What is to be paid back of one order. `groupbuy` is the group that it paid for, when there is one."""

    program_id: int
    order_id: str
    member_id: int
    amount_fen: int
    reason: Reason
    groupbuy: UUID | None
    requested_at: datetime
    state: State = State.REQUESTED
    done_at: datetime | None = None
    done_by: str | None = None
