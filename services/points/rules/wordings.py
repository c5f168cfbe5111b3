"""How refusals about earning rules are answered."""

from common.http.problems import Wording, Wordings
from services.points.rules.domain import BadRule, NoDraft, SecondPersonNeeded, UnknownGroup, UnknownRule
from services.points.rules.expressions import BadExpression
from services.points.rules.policy import PolicyViolated
from services.points.rules.tables import BadTable

WORDINGS: Wordings = {
    UnknownRule: Wording(
        404, "There is no rule {rule}; GET /v1/rules lists them.", "没有规则 {rule},见 GET /v1/rules。"
    ),
    UnknownGroup: Wording(
        404,
        "There is no stacking group {group}; PUT /v1/rule-groups/{group} first.",
        "没有叠加组 {group},请先调用 PUT /v1/rule-groups/{group}。",
    ),
    NoDraft: Wording(
        409,
        "The rule {rule} has no draft; PUT /v1/rules/{rule}/draft first.",
        "规则 {rule} 没有草稿,请先保存草稿。",
    ),
    SecondPersonNeeded: Wording(
        409,
        "Here a second person says yes before a rule goes live: POST /v1/rule-proposals and let a colleague approve.",
        "本方案要求双人复核:请先 POST /v1/rule-proposals 提交发布申请,由另一位同事批准后生效。",
    ),
    BadRule: Wording(
        422,
        "The rule does not fit together; correct the fields in errors.",
        "规则内容不一致,请按 errors 修改字段。",
    ),
    BadExpression: Wording(
        422, "The expression {expression!r} cannot be read: {reason}.", "表达式 {expression!r} 无法解析:{reason}。"
    ),
    BadTable: Wording(
        422, "The decision table cannot be used: {reason}; see errors.", "决策表无法使用,请按 errors 修改:{reason}。"
    ),
    PolicyViolated: Wording(
        422,
        "The rule {rule} may not be published: the platform or the law forbids what it rewards; see errors.",
        "规则 {rule} 不能发布:其奖励方式为平台规则或法规所禁止,见 errors。",
    ),
}
