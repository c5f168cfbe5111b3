"""How refusals of exchanges are answered."""

from common.http.problems import Wording, Wordings
from services.points.exchanges import domain

WORDINGS: Wordings = {
    domain.UnknownPartner: Wording(
        404,
        "There is no partner {partner} for which you act; check the code, and that the brand has named your key.",
        "没有您可代表的合作方 {partner};请核对编码,并确认品牌已登记您的密钥。",
        pointer="/partner",
    ),
    domain.PartnerDisabled: Wording(
        409,
        "The brand does not exchange with {partner} at the moment; ask it before sending the order again.",
        "品牌已暂停与 {partner} 的积分通兑,请与品牌确认后再重新提交。",
        pointer="/partner",
    ),
    domain.AssetIsFixed: Wording(
        409,
        "This partner exchanges {asset}, and that stays; make another partner for another asset.",
        "该合作方通兑的资产为 {asset},不可更改;其他资产请另建合作方。",
        pointer="/asset",
    ),
    domain.DirectionClosed: Wording(
        422,
        "The partner's terms have no direction {direction}; GET /v1/partners shows which are open.",
        "该合作方未开通 {direction} 方向的通兑;可用 GET /v1/partners 查看。",
        pointer="/direction",
    ),
    domain.NotWhole: Wording(
        422,
        "At {rate} that comes to no whole number, and nothing is rounded; the nearest amounts are: {nearest}.",
        "按 {rate} 的比例不能整除,且不做舍入;最接近的可兑数量:{nearest}。",
        pointer="/amount",
    ),
    domain.ExchangeCapped: Wording(
        422,
        "The cap {cap} of {most} points leaves {left}; exchange less, or wait for the next day or month.",
        "触及上限 {cap}({most} 积分),剩余 {left};请减少数量,或待次日、次月再兑。",
        pointer="/amount",
    ),
    domain.OrderReused: Wording(
        422,
        "The order {order} was exchanged before with other content; name a new exchange by a new order.",
        "合作方订单 {order} 已用于另一笔内容不同的通兑,请使用新的订单号。",
        pointer="/partner_order_id",
    ),
    domain.PointsSpent: Wording(
        422,
        "The points are partly spent: {available} are there, {short_by} too few, and the asset allows no debt."
        " Let customer service take what is there, or wait until the member earns again.",
        "积分已被部分使用:可用 {available},还差 {short_by},且该资产不允许负债;"
        "可由客服扣回现有部分,或待会员再次获得后撤销。",
    ),
}
