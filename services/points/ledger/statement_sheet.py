"""A member's month as a spreadsheet: opening, each line with its cause and reason, closing."""

from collections.abc import Iterable, Iterator
from typing import Any

from common.clock import zone
from common.http.spreadsheets import Heading
from services.points.ledger.balances import Month, by_day
from services.points.ledger.domain import Kind

_KINDS = {
    Kind.EARN: Heading("earn", "获得"),
    Kind.SPEND: Heading("spend", "消费"),
    Kind.HOLD: Heading("hold", "预留"),
    Kind.CAPTURE: Heading("capture", "扣减"),
    Kind.VOID: Heading("void", "释放预留"),
    Kind.EXPIRE: Heading("expire", "过期"),
    Kind.HOLD_EXPIRED: Heading("hold expired", "预留到期"),
    Kind.REVERSE: Heading("reverse", "撤销"),
    Kind.RELEASE: Heading("release", "到账"),
    Kind.DEFER: Heading("defer", "到账时间调整"),
    Kind.FREEZE: Heading("freeze", "冻结"),
    Kind.UNFREEZE: Heading("unfreeze", "解冻"),
    Kind.TRANSFER_OUT: Heading("transfer out", "转出"),
    Kind.TRANSFER_IN: Heading("transfer in", "转入"),
    Kind.REDATE: Heading("expiry moved", "有效期调整"),
}
_OPENING, _CLOSING = Heading("opening balance", "期初余额"), Heading("closing balance", "期末余额")


def columns(time_zone: str) -> dict[str, Heading]:
    """The sheet's columns; times are the program's own."""
    return {
        "seq": Heading("line", "序号"),
        "at": Heading(f"time ({time_zone})", f"时间({time_zone})"),
        "kind": Heading("kind", "类型"),
        "amount": Heading("amount", "变动"),
        "held_delta": Heading("held", "预留变动"),
        "balance": Heading("balance", "余额"),
        "cause": Heading("cause", "来源"),
        "reason": Heading("reason", "原因"),
        "rule_version": Heading("rule version", "规则版本"),
        "reverses": Heading("reverses line", "撤销的序号"),
    }


def rows(month: Month, entries: Iterable[Any], time_zone: str) -> Iterator[dict[str, Any]]:
    """The sheet's rows, of which the first and the last are the month's balances."""
    empty = dict.fromkeys(columns(time_zone))
    yield {**empty, "kind": _OPENING, "balance": month.opening}
    for entry in entries:
        yield {
            "seq": entry.seq,
            "at": entry.at.astimezone(zone(time_zone)).strftime("%Y-%m-%d %H:%M:%S"),
            "kind": _KINDS[Kind(entry.kind)],
            "amount": entry.amount,
            "held_delta": entry.held_delta,
            "balance": entry.balance_after,
            "cause": entry.cause,
            "reason": _days(entry) or (entry.meta or {}).get("reason"),
            "rule_version": entry.rule_version,
            "reverses": entry.reverses,
        }
    yield {**empty, "kind": _CLOSING, "balance": month.closing}


def _days(entry: Any) -> str | None:
    """What moved from which last day to which, where an entry does nothing else."""
    if entry.amount or entry.held_delta or not entry.lots:
        return None
    return ", ".join(f"{lot.on or '∞'}: {lot.amount:+d}" for lot in by_day(entry.lots))
