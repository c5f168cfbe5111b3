"""Rule sets to begin with: import one, change names and numbers, publish. Each names the asset `points`."""

from typing import Any

from services.points.rulesets.domain import document_of


def _rule(name_en: str, name_zh: str, trigger: str, **given: Any) -> dict[str, Any]:
    return {"name_en": name_en, "name_zh": name_zh, "trigger": trigger, "asset": "points", **given}


def _steps(*rows: tuple[str, str]) -> dict[str, Any]:
    """A decision table over the price paid, from the highest step down."""
    rules = [{"_id": f"step{number}", "paid": paid, "award": award} for number, (paid, award) in enumerate(rows)]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "paid", "name": "Paid (fen)", "field": "data.paid_fen"}],
        "outputs": [{"id": "award", "name": "Award", "field": "award"}],
        "rules": rules,
    }
    return {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {
                "id": "steps",
                "type": "decisionTableNode",
                "name": "steps",
                "position": {"x": 1, "y": 0},
                "content": content,
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 2, "y": 0}},
        ],
        "edges": [
            {"id": "to-steps", "type": "edge", "sourceId": "in", "targetId": "steps"},
            {"id": "to-out", "type": "edge", "sourceId": "steps", "targetId": "out"},
        ],
    }


def _template(name_en: str, name_zh: str, says_en: str, says_zh: str, **rules: dict[str, Any]) -> dict[str, Any]:
    documents = {code.replace("_", "-"): document for code, document in rules.items()}
    return {
        "name_en": name_en,
        "name_zh": name_zh,
        "says_en": says_en,
        "says_zh": says_zh,
        "set": document_of(documents, {}),
    }


TEMPLATES: dict[str, dict[str, Any]] = {
    "order-points": _template(
        "Points for orders",
        "消费得积分",
        "A point for every yuan paid, available 7 days after the order is confirmed.",
        "每实付 1 元得 1 积分,确认收货 7 天后可用。",
        order_points=_rule(
            "A point a yuan", "一元一分", "order.paid", formula="data.paid_fen / 100", pending="order.confirmed+7D"
        ),
    ),
    "first-order-bonus": _template(
        "Bonus for the first order",
        "首单奖励",
        "100 points for a member's first order, once in all; when it is refunded wholly, the next order is the first.",
        "会员首单奖励 100 积分,终身一次;首单全额退款后,下一单视为首单。",
        first_order_bonus=_rule(
            "First order",
            "首单奖励",
            "order.paid",
            formula="100",
            condition="data.paid_fen > 0",
            frequency={"times": [{"per": "total", "most": 1}]},
        ),
    ),
    "daily-review": _template(
        "A daily action with a cap",
        "每日互动得积分",
        "10 points for a review, at most twice a day and at least an hour apart; 200 points a month at most.",
        "发表评价得 10 积分,每日最多 2 次且至少间隔 1 小时,每月最多 200 积分。",
        daily_review=_rule(
            "A review",
            "发表评价",
            "review.posted",
            formula="10",
            caps=[{"per": "month", "of": "member", "amount": 200}],
            frequency={"times": [{"per": "day", "most": 2}], "cooldown_hours": 1},
        ),
    ),
    "weekend-double": _template(
        "Double points at the weekend",
        "周末双倍积分",
        "Whatever other rules award in points for orders is doubled on Saturdays and Sundays.",
        "周六、周日订单所得积分翻倍。",
        weekend_double=_rule(
            "Weekend double",
            "周末双倍",
            "order.paid",
            kind="multiplier",
            factor="2",
            schedule={"weekdays": [6, 7]},
        ),
    ),
    "spending-steps": _template(
        "Bonus by steps of spending",
        "满额阶梯奖励",
        "An order of 1,000 yuan gives 200 points besides, one of 500 gives 80, of 200 gives 20; only one step counts.",
        "单笔实付满 1000 元加赠 200 积分,满 500 元 80,满 200 元 20,取最高一档。",
        spending_steps=_rule(
            "Spending steps",
            "满额阶梯",
            "order.paid",
            table=_steps((">= 100000", "200"), (">= 50000", "80"), (">= 20000", "20")),
        ),
    ),
}
