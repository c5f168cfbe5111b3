"""How refusals of deductions are answered."""

from common.http.problems import Wording, Wordings
from services.points.deductions import domain

WORDINGS: Wordings = {
    domain.NoPolicy: Wording(
        404,
        "The program takes no points at the till yet; a marketer sets PUT /v1/deduction-policy first.",
        "该品牌暂未开通积分抵扣,请先由运营人员设置抵扣规则。",
    ),
    domain.NotDeductible: Wording(
        422,
        "These points cannot be deducted from this order ({because}); deduct {most}, or ask for a quote.",
        "该订单不能抵扣这么多积分(限制:{because}),请改为 {most} 积分或重新试算。",
        pointer="/points",
    ),
    domain.TooFewPoints: Wording(
        422,
        "Only {available} are available, {short_by} too few; deduct fewer.",
        "可用 {available},还差 {short_by};请减少抵扣积分。",
        pointer="/points",
    ),
    domain.OtherDeduction: Wording(
        409,
        "The order has a deduction of {points} points already ({state}); void it before another one.",
        "该订单已有 {points} 积分的抵扣({state}),请先取消再重新抵扣。",
    ),
    domain.DeductionEnded: Wording(
        409,
        "The deduction ended unused ({state}); make a new one before the order is paid.",
        "该抵扣已失效({state}),请在支付前重新抵扣。",
    ),
    domain.AlreadyCaptured: Wording(
        409,
        "The deduction was captured with its order; refund the order instead.",
        "该抵扣已随订单完成,请改为退款。",
    ),
    domain.NotCaptured: Wording(
        409,
        "Only a captured deduction can be refunded, this one is {state}; void an open one instead.",
        "仅已完成的抵扣可退,当前状态为 {state};未支付的请直接取消。",
    ),
    domain.OrderChanged: Wording(
        409,
        "The deduction was made for an order of {order_fen} fen; void it and deduct from the new amount.",
        "该抵扣对应的订单金额为 {order_fen} 分,请取消后按新金额重新抵扣。",
        pointer="/order_fen",
    ),
    domain.RefundTooLarge: Wording(
        422,
        "Only {left_fen} fen of the order are left to refund; refund no more than that.",
        "该订单最多还可退 {left_fen} 分,请减少退款金额。",
        pointer="/refunded_fen",
    ),
    domain.RefundReused: Wording(
        409,
        "This refund was recorded before with {refunded_fen} fen; name a new refund by a new refund_id.",
        "该退款单号已登记为 {refunded_fen} 分,请为新的退款使用新的单号。",
        pointer="/refund_id",
    ),
}
