"""How refusals about orders are answered."""

from common.http.problems import Wording, Wordings
from services.redemption.orders.domain import (
    AccountFrozen,
    HoldLost,
    InsufficientPoints,
    LimitReached,
    NotCancellable,
    NotFulfillable,
    OrderInDoubt,
    OrderUnsettled,
    PaymentRefused,
    ReasonMissing,
    WishLapsed,
)

WORDINGS: Wordings = {
    LimitReached: Wording(
        409,
        "A member may have {limit} pieces of {item} at most; take fewer or choose another item.",
        "每位会员最多可兑换 {limit} 件 {item},请减少数量或选择其他商品。",
    ),
    InsufficientPoints: Wording(
        422,
        "You have {available} and are short by {short_by}; earn some more, then redeem with a new key.",
        "可用 {available},还差 {short_by};再攒一些后请重新兑换。",
    ),
    AccountFrozen: Wording(
        409,
        "Nothing can be spent from this account now; ask customer service.",
        "该账户暂不可使用,请联系客服。",
    ),
    PaymentRefused: Wording(
        409,
        "The price could not be taken ({reason}); nothing was spent. Ask customer service.",
        "未能扣除积分({reason}),未产生任何变动,请联系客服。",
    ),
    HoldLost: Wording(
        409,
        "The reserved points were set free before the order was completed; nothing was spent. Redeem anew.",
        "预留的积分已退回,订单未完成,请重新兑换。",
    ),
    WishLapsed: Wording(
        409,
        "The order could not be completed in time and was given up; nothing was spent. Redeem anew.",
        "订单未能及时完成,已自动放弃,未扣除积分,请重新兑换。",
    ),
    OrderInDoubt: Wording(
        503,
        "Order {order_id} is not decided yet; nothing is lost. Send the same request again, or look at the order soon.",
        "订单 {order_id} 尚未确认,不会丢失;请稍后原样重试或查看订单。",
        retry_after=2,
    ),
    OrderUnsettled: Wording(
        409,
        "The order is {state}; send the same request again in a moment.",
        "订单正在处理中({state}),请稍后原样重试。",
        retry_after=2,
    ),
    NotCancellable: Wording(
        409,
        "The order is {state} and can no longer be cancelled; ask customer service.",
        "订单状态为 {state},无法取消,请联系客服。",
    ),
    NotFulfillable: Wording(
        409,
        "The order is {state}; only completed orders can be fulfilled.",
        "订单状态为 {state},只有已完成的订单才能发货。",
    ),
    ReasonMissing: Wording(422, "Say why the order is cancelled.", "请填写取消原因。", pointer="/reason"),
}
