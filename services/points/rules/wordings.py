"""How refusals about earning rules are answered."""

from common.http.problems import Wording, Wordings
from services.points.rules.domain import ForbiddenTrigger, NoDraft, UnknownRule
from services.points.rules.expressions import BadExpression

WORDINGS: Wordings = {
    UnknownRule: Wording(404, "There is no rule {rule}; GET /v1/rules lists them.", "没有规则 {rule}。"),
    NoDraft: Wording(
        409,
        "The rule {rule} has no draft; PUT /v1/rules/{rule}/draft first.",
        "规则 {rule} 没有草稿,请先保存草稿。",
    ),
    BadExpression: Wording(
        422, "The expression {expression!r} cannot be read: {reason}.", "表达式 {expression!r} 无法解析:{reason}。"
    ),
    ForbiddenTrigger: Wording(
        422,
        "The platform allows no reward merely for {trigger}; reward what the invited one does instead.",
        "平台禁止仅因 {trigger} 发放奖励,请改为奖励被邀请人完成的行为。",
        pointer="/trigger",
    ),
}
