"""What is said of an order, in English and Chinese: what it is, and the next step for the agent who is asked."""

from collections.abc import Mapping
from typing import Any

_NOTHING = ("Nothing to do.", "无需处理。")
_CHECK_RULE = (
    "If it should have counted, ask a marketer to look at rule {rule}; points due can be given by an adjustment.",
    "如应计入,请营销同事检查规则 {rule};应补的积分可用调整补发。",
)
_EXPLAIN_RULE = (
    "Explain the rule to the member.",
    "向会员说明规则即可。",
)

#: code -> (what it is, in English and in Chinese, the next step in English and in Chinese)
SENTENCES: Mapping[str, tuple[str, str, str, str]] = {
    "never_arrived": (
        "No event about order {order} has ever arrived.",
        "系统从未收到订单 {order} 的任何事件。",
        "Check the order number; then ask the shop's system to send order.paid (again is safe).",
        "请核对订单号;如无误,请商城系统发送(或重发)order.paid 事件,重发不会重复发分。",
    ),
    "other_member": (
        "Order {order} belongs to another member: {members}.",
        "订单 {order} 属于其他会员:{members}。",
        "Ask which account the order was placed with, and look under that member.",
        "请确认下单所用账号,并在该会员名下查看。",
    ),
    "several_members": (
        "Events about this order came for several members: {members}.",
        "该订单的事件涉及多个会员:{members}。",
        "Ask the shop's system which of them is right.",
        "请与商城系统核对正确的会员。",
    ),
    "not_paid": (
        "For order {order} only {types} arrived, but no payment.",
        "订单 {order} 仅收到 {types},未收到支付事件。",
        "Ask the shop's system to send order.paid.",
        "请商城系统补发 order.paid 事件。",
    ),
    "points_given": ("The order gave {amounts}.", "该订单已发放:{amounts}。", *_NOTHING),
    "all_pending": (
        "The order gave {amounts}, which cannot be spent yet.",
        "该订单已发放 {amounts},目前待到账,暂不可用。",
        "Tell the member from when on they count; see below.",
        "请告知会员到账时间,见下方说明。",
    ),
    "all_refunded": (
        "Order {order} was refunded wholly, so nothing is left of its points.",
        "订单 {order} 已全额退款,积分已相应收回。",
        *_NOTHING,
    ),
    "all_reversed": (
        "The order gave {amounts}, and all of it was taken back.",
        "该订单曾发放 {amounts},已全部收回。",
        "See below by what.",
        "收回原因见下方说明。",
    ),
    "nothing_awarded": (
        "Order {order} was paid, but no rule awarded anything.",
        "订单 {order} 已支付,但没有规则为其发放积分。",
        "See below why each rule did not.",
        "每条规则未发放的原因见下方说明。",
    ),
    "no_rule": (
        "Order {order} was paid, but no rule for it was live at that moment.",
        "订单 {order} 已支付,但当时没有生效的规则。",
        "Ask a marketer whether a rule should have been live; points due can be given by an adjustment.",
        "请与营销同事确认当时是否应有规则生效;应补的积分可用调整补发。",
    ),
    "no_rule_asked": (
        "When {event} arrived, no rule for {type} was live.",
        "收到 {event} 时,没有针对 {type} 的生效规则。",
        "Ask a marketer whether a rule should have been live.",
        "请与营销同事确认是否应有规则生效。",
    ),
    "pending_until": (
        "{amount} {asset} of it can be spent from {local} on.",
        "其中 {amount} {asset} 将于 {local} 到账可用。",
        "Tell the member that instant.",
        "请告知会员到账时间。",
    ),
    "awaits_confirmation": (
        "{amount} {asset} of it wait until the order is confirmed, or for the other event that the rule names.",
        "其中 {amount} {asset} 待订单确认收货(或规则指定的其他事件)后到账。",
        "Once the goods are kept, the shop's system sends order.confirmed, or that event; ask for it when it is late.",
        "确认收货后由商城系统发送 order.confirmed(或规则指定的事件);如迟迟未到请联系商城系统。",
    ),
    "order_already_paid": (
        "{event} says again that the order is paid; an order awards once.",
        "{event} 重复通知支付;每个订单只发放一次。",
        *_NOTHING,
    ),
    "refund_already_known": (
        "{event} names a refund that was known already; it takes back once.",
        "{event} 的退款此前已处理;每笔退款只收回一次。",
        *_NOTHING,
    ),
    "order_already_confirmed": (
        "{event} says again that the order is confirmed.",
        "{event} 重复通知确认收货。",
        *_NOTHING,
    ),
    "awarded": ("Rule {rule} awarded {amount} {asset}.", "规则 {rule} 发放 {amount} {asset}。", *_NOTHING),
    "not_started": (
        "Rule {rule} had not begun when the event happened.",
        "事件发生时规则 {rule} 尚未开始。",
        *_EXPLAIN_RULE,
    ),
    "ended": ("Rule {rule} was over when the event happened.", "事件发生时规则 {rule} 已结束。", *_EXPLAIN_RULE),
    "outside_schedule": (
        "The event lies outside the days or hours of rule {rule}.",
        "事件不在规则 {rule} 的生效日期或时段内。",
        *_EXPLAIN_RULE,
    ),
    "not_in_audience": (
        "The member was not in the audience of rule {rule} (tier, tag, segment or channel).",
        "会员不在规则 {rule} 的适用人群内(等级、标签、分群或渠道)。",
        "Compare the member's tier and tags at that time with the rule's audience.",
        "请核对会员当时的等级与标签是否符合规则人群。",
    ),
    "held_out": (
        "The member belongs to the control group of rule {rule}.",
        "会员属于规则 {rule} 的对照组。",
        "Nothing is wrong; goodwill can be given by an adjustment.",
        "属正常情况;如需安抚可用调整补发。",
    ),
    "condition_false": (
        "The condition of rule {rule} did not hold for this order.",
        "订单不满足规则 {rule} 的条件。",
        *_CHECK_RULE,
    ),
    "nothing_to_award": (
        "The formula of rule {rule} came to nothing for this order.",
        "规则 {rule} 对该订单计算结果为 0。",
        *_EXPLAIN_RULE,
    ),
    "undecidable": (
        "Rule {rule} could not decide: {detail}.",
        "规则 {rule} 无法判断:{detail}。",
        "Tell a marketer: the event lacks something that the rule asks for.",
        "请告知营销同事:事件缺少规则所需的数据。",
    ),
    "award_too_large": (
        "Rule {rule} came to more than any award may be.",
        "规则 {rule} 的计算结果超过单次发放上限。",
        "Tell a marketer: the rule's formula is wrong.",
        "请告知营销同事检查规则公式。",
    ),
    "stacked_out": (
        "Rule {rule} gave way to another of its group ({detail}).",
        "规则 {rule} 被同组的其他规则取代({detail})。",
        *_EXPLAIN_RULE,
    ),
    "capped": (
        "A cap of rule {rule} ({detail}) left {amount} of {wanted} {asset}.",
        "规则 {rule} 触及上限({detail}),{wanted} {asset} 中发放 {amount}。",
        *_EXPLAIN_RULE,
    ),
    "balance_capped": (
        "The member has as much {asset} as a member may have: of what rule {rule} gives there was room for {amount}.",
        "会员的 {asset} 已达持有上限,规则 {rule} 实际发放 {amount}。",
        "What the cap cut is lost; a marketer can raise most_per_member in the asset's settings for what comes.",
        "被截断的部分不再补发;运营人员可在资产设置中调高 most_per_member,对以后生效。",
    ),
    "earning_limited": (
        "The member has earned as much {asset} as the asset's {detail} allows: of what rule {rule} gives there was room"
        " for {amount}.",
        "会员获得的 {asset} 已达资产上限({detail}),规则 {rule} 实际发放 {amount}。",
        "What the limit cut is lost; it is free again in the next period, and a marketer can raise it for what comes.",
        "被截断的部分不再补发;下一周期重新计算,运营人员也可在资产设置中调高,对以后生效。",
    ),
    "cooling_down": (
        "Rule {rule} had awarded the member too short a time before: it awards nothing {detail}.",
        "规则 {rule} 距上次发放间隔不足,冷却中({detail}),本次不发放。",
        *_EXPLAIN_RULE,
    ),
    "budget_spent": (
        "The budget of rule {rule} left {amount} of {wanted} {asset}.",
        "规则 {rule} 预算不足,{wanted} {asset} 中发放 {amount}。",
        "Ask a marketer whether the budget will be raised.",
        "请与营销同事确认是否追加预算。",
    ),
    "ledger_refused": (
        "The ledger did not post it for rule {rule}: {detail}.",
        "规则 {rule} 的记账被拒绝:{detail}。",
        "Give what is due by an adjustment, and tell the platform team.",
        "请用调整补发,并反馈给平台团队。",
    ),
    "reversed": (
        "A refund took back {amount} {asset} of rule {rule}.",
        "因退款收回规则 {rule} 发放的 {amount} {asset}。",
        *_NOTHING,
    ),
    "amended_up": (
        "When {by} arrived ({local}), rule {rule} was decided anew: {before} {asset} became {amount}.",
        "{local} 收到 {by} 后,规则 {rule} 重新计算:{before} {asset} 变为 {amount}。",
        *_NOTHING,
    ),
    "amended_down": (
        "When {by} arrived ({local}), rule {rule} was decided anew: {before} {asset} became {amount}.",
        "{local} 收到 {by} 后,规则 {rule} 重新计算:{before} {asset} 变为 {amount}。",
        "Tell the member that the rule's cap goes by when things happened, not by when we heard of them.",
        "请告知会员:规则上限按事件发生的先后计算,而非按系统收到的先后。",
    ),
    "taken_back": (
        "{amount} {asset} of it were taken back by {by} ({local}).",
        "其中 {amount} {asset} 已于 {local} 被 {by} 收回。",
        "Ask them for the reason; the member's timeline shows it too.",
        "请向操作方确认原因,也可在会员时间线中查看。",
    ),
    "kept": (
        "A refund took nothing back of rule {rule}: it was available, and {asset} gives back only what is pending.",
        "退款未收回规则 {rule} 的 {asset}:退款时已到账,而该资产只收回待到账部分。",
        *_NOTHING,
    ),
    "not_all_there": (
        "A refund was to take back more of rule {rule} than was there ({detail}).",
        "因退款应收回规则 {rule} 的积分不足({detail})。",
        "Decide whether the rest is let go or taken by an adjustment.",
        "请决定剩余部分免收或用调整扣回。",
    ),
}
_OTHERWISE = (
    "Rule {rule} says: {code} {detail}",
    "规则 {rule}:{code} {detail}",
    "Ask a marketer about it.",
    "请咨询营销同事。",
)


class _Facts(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "–"


def sentence(code: str, facts: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What it is and the next step: English, Chinese, English, Chinese. A code of later days is said as it is."""
    known = _Facts(facts)
    known.setdefault("code", code)
    en, zh, next_en, next_zh = (one.format_map(known) for one in SENTENCES.get(code, _OTHERWISE))
    return en, zh, next_en, next_zh
