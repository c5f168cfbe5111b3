"""How refusals about proposals are answered."""

from common.http.problems import Wording, Wordings
from services.points.proposals import domain
from services.points.rules.wordings import WORDINGS as RULES

WORDINGS: Wordings = {
    **RULES,
    domain.NotAwaiting: Wording(
        409,
        "Nobody waits for a decision any more: it is {state}. Look at it again.",
        "该发布申请已不在待批准状态({state}),请刷新查看。",
    ),
    domain.SamePerson: Wording(
        403,
        "You asked for it yourself; let a second person decide.",
        "不能批准自己提交的发布申请,请由另一位同事处理。",
    ),
    domain.Outdated: Wording(
        409,
        "It is outdated: a draft, a live version or a group's mode has changed since it was asked for. Reject it, look"
        " at the rules, and ask anew.",
        "该发布申请已过期:提交后草稿、生效版本或分组模式有变化。请驳回,核对规则后重新提交。",
    ),
    domain.NotWhatWasShown: Wording(
        409,
        "The fingerprint is not that of this proposal: look at it again, and approve what it shows.",
        "fingerprint 与该发布申请不一致,请重新查看后再批准。",
        pointer="/fingerprint",
    ),
}
