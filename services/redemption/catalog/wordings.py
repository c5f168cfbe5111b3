"""How refusals about items are answered."""

from common.http.problems import Wording, Wordings
from services.redemption.catalog.domain import (
    BadWindow,
    NoLongerAvailable,
    NotYetAvailable,
    SoldOut,
    StockCommitted,
    UnknownItem,
)

WORDINGS: Wordings = {
    UnknownItem: Wording(
        404, "There is no item {item}; GET /v1/items lists them.", "没有商品 {item},可用 GET /v1/items 查看。"
    ),
    NotYetAvailable: Wording(
        409,
        "{item} is not available yet; come back at {available_from}.",
        "{item} 尚未开始兑换,请于 {available_from} 再来。",
    ),
    NoLongerAvailable: Wording(
        409,
        "{item} was available until {available_until}; see what else there is.",
        "{item} 已于 {available_until} 结束兑换,请看看其他商品。",
    ),
    SoldOut: Wording(
        409,
        "There are {available} pieces of {item} left; your points are untouched. Take fewer or choose another item.",
        "{item} 库存仅剩 {available} 件,您的积分未变动;请减少数量或选择其他商品。",
    ),
    BadWindow: Wording(
        422,
        "The window must close after it opens; set available_until later than available_from.",
        "结束时间必须晚于开始时间,请调整 available_until。",
        pointer="/available_until",
    ),
    StockCommitted: Wording(
        422,
        "{committed} pieces are sold or reserved already; set stock to at least that.",
        "已有 {committed} 件售出或被预留,库存不能低于该数。",
        pointer="/stock",
    ),
}
