"""What a run remembers between two slices, as bytes: the same bytes for the same state, on any worker. Pure."""

import json
import zlib
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.points.backtests.sides import Granted, RefundedOrder, Replay, RuleFigures, Side


def packed(replay: Replay) -> bytes:
    """Everything but the members' amounts, which are kept as rows."""
    kept = {
        "sides": [_packed(side) for side in replay.sides],
        "orders": {key: _packed_order(order) for key, order in replay.orders.items()},
        "recorded": replay.recorded,
    }
    return zlib.compress(json.dumps(kept, sort_keys=True, separators=(",", ":")).encode(), 1)


def unpack(replay: Replay, memory: bytes) -> None:
    """Put a replay that has just begun where the packed one was."""
    kept = json.loads(zlib.decompress(memory))
    replay.recorded = kept["recorded"]
    replay.orders = {key: _order(*order) for key, order in kept["orders"].items()}
    for side, values in zip(replay.sides, kept["sides"], strict=True):
        side.used = values["used"]
        side.days = values["days"]
        side.figures = {rule: RuleFigures(**figures) for rule, figures in values["figures"].items()}


def _packed(side: Side) -> dict[str, Any]:
    return {
        "used": side.used,
        "days": side.days,
        "figures": {rule: asdict(figures) for rule, figures in side.figures.items()},
    }


def _packed_order(order: RefundedOrder) -> list[Any]:
    live, candidate = (
        [(one.rule, one.asset, one.at.isoformat(), one.amount, one.reversed, one.variant) for one in awards]
        for awards in order.awards
    )
    return [order.refunded_fen, order.refunds, order.paid_fen, live, candidate]


def _order(refunded_fen: int, refunds: list[str], paid_fen: int | None, *awards: list[Any]) -> RefundedOrder:
    live, candidate = (
        [Granted(rule, asset, datetime.fromisoformat(at), *amounts) for rule, asset, at, *amounts in some]
        for some in awards
    )
    return RefundedOrder(refunded_fen, refunds, paid_fen, (live, candidate))
