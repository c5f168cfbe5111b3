"""How refusals about rule sets are answered."""

from common.http.problems import Wording, Wordings
from services.points.rulesets.domain import BadRuleSet, UnknownTemplate

WORDINGS: Wordings = {
    BadRuleSet: Wording(
        422,
        "The set cannot be imported here, and nothing was written; correct what errors names.",
        "规则集无法导入,未写入任何内容,请按 errors 逐项修改。",
    ),
    UnknownTemplate: Wording(
        404,
        "There is no template {template}; GET /v1/rule-templates lists them.",
        "没有模板 {template},见 GET /v1/rule-templates。",
    ),
}
