"""What goes over the wire about the report by reason."""

from collections.abc import Iterable, Iterator
from typing import Any

from marshmallow import Schema, fields, validate

from common.http.fields import Instant, code
from common.http.spreadsheets import Heading
from services.points.adjustments.domain import Reason

_MONTH = validate.Regexp(r"^20\d\d-(0[1-9]|1[0-2])\Z")


class ReasonsReportQuery(Schema):
    """Months `from` to `to`, both included, such as 2026-05; the last twelve when left out. `asset`: of that alone."""

    first = fields.String(data_key="from", load_default=None, validate=_MONTH)
    last = fields.String(data_key="to", load_default=None, validate=_MONTH)
    asset = code(load_default=None)


class ReasonTotal(Schema):
    """A reason of an asset: given − taken + undone = net, what it changed balances by; points `moved` changed none."""

    asset = fields.String(required=True, attribute="of.asset")
    reason_code = fields.String(required=True, attribute="of.reason_code")
    name_en = fields.String(required=True, allow_none=True, attribute="name.name_en", dump_default=None)
    name_zh = fields.String(required=True, allow_none=True, attribute="name.name_zh", dump_default=None)
    count = fields.Integer(
        required=True, attribute="of.sums.count", metadata={"description": "Adjustments and lines, without undoings"}
    )
    given = fields.Integer(required=True, attribute="of.sums.given")
    taken = fields.Integer(required=True, attribute="of.sums.taken")
    undone = fields.Integer(
        required=True, attribute="of.sums.undone", metadata={"description": "What undoings changed, signed"}
    )
    net = fields.Integer(required=True, attribute="of.sums.net")
    moved = fields.Integer(
        required=True, attribute="of.sums.moved", metadata={"description": "Points that got another last day"}
    )


class ReasonRow(ReasonTotal):
    """The same of one month and agent: who asked; of a changeset who uploaded it."""

    month = fields.String(required=True, attribute="of.month")
    agent = fields.String(required=True, attribute="of.agent")


class ReasonsReportResponse(Schema):
    """What staff gave and took by hand, in all and by month and agent."""

    first = fields.String(required=True, data_key="from")
    last = fields.String(required=True, data_key="to")
    as_of = Instant(required=True)
    totals = fields.List(fields.Nested(ReasonTotal), required=True)
    rows = fields.List(fields.Nested(ReasonRow), required=True)


COLUMNS = {
    "month": Heading("month", "月份"),
    "asset": Heading("asset", "资产"),
    "reason_code": Heading("reason code", "原因代码"),
    "reason": Heading("reason", "原因"),
    "agent": Heading("agent", "客服"),
    "count": Heading("count", "笔数"),
    "given": Heading("given", "发放"),
    "taken": Heading("taken", "扣减"),
    "undone": Heading("undone", "撤销"),
    "net": Heading("net", "净变动"),
    "moved": Heading("points with another expiry", "调整有效期的积分"),
}


def sheet(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The report's rows as the spreadsheet shows them."""
    for row in rows:
        of, sums = row["of"], row["of"].sums
        name: Reason | None = row["name"]
        yield {
            "month": of.month,
            "asset": of.asset,
            "reason_code": of.reason_code,
            "reason": Heading(name.name_en, name.name_zh) if name else None,
            "agent": of.agent,
            "count": sums.count,
            "given": sums.given,
            "taken": sums.taken,
            "undone": sums.undone,
            "net": sums.net,
            "moved": sums.moved,
        }
