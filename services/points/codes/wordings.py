"""How refusals about codes are answered."""

from common.http.problems import Wording, Wordings
from services.points.codes import domain

WORDINGS: Wordings = {
    domain.UnknownCodeSet: Wording(
        404,
        "There is no set of codes {code_set}; GET /v1/code-sets lists them.",
        "没有兑换码批次 {code_set},见 GET /v1/code-sets。",
    ),
    domain.CodeSetFixed: Wording(
        409,
        "The set {code_set} was made with other terms, and its codes may be in people's hands; make another set.",
        "兑换码批次 {code_set} 已按其他条款生成,兑换码可能已发出;请另建一个批次。",
    ),
    domain.TooManyCodeSets: Wording(
        422, "A program has at most {most} sets of codes.", "每个项目最多 {most} 个兑换码批次。"
    ),
    domain.BadCodeSet: Wording(
        422,
        "The set of codes cannot be made so; correct the fields in errors.",
        "无法生成兑换码,请按 errors 修改字段。",
    ),
    domain.CodeTaken: Wording(
        409,
        "{pattern} is a code of another set already; choose another.",
        "{pattern} 已是其他批次的兑换码,请换一个。",
        pointer="/pattern",
    ),
    domain.UnknownCode: Wording(
        404,
        "This is no code of ours; compare it with what is printed, letter by letter.",
        "兑换码不存在,请逐字核对后重新输入。",
    ),
    domain.CodeNotStarted: Wording(
        409, "This code can be redeemed from {starts_at} on.", "该兑换码自 {starts_at} 起可用,请届时再试。"
    ),
    domain.CodeExpired: Wording(
        409,
        "The time of this code was over at {ended_at}; ask customer service if you think otherwise.",
        "该兑换码已于 {ended_at} 失效,如有疑问请联系客服。",
    ),
    domain.CodeUsed: Wording(
        409,
        "This code was redeemed already; if it was not you, ask customer service.",
        "该兑换码已被使用;如非本人使用,请联系客服。",
    ),
    domain.CodeLimitReached: Wording(
        409,
        "You have redeemed {most} of these codes, as many as one member may; give this one to a friend.",
        "您已兑换 {most} 个此类兑换码,已达每人上限;可将此码转给朋友。",
    ),
    domain.CodeWithoutReward: Wording(
        409,
        "This code brings nothing now ({reason}), and stays unused; try it later or ask customer service.",
        "该兑换码目前没有可发放的奖励({reason}),未被使用;请稍后再试或联系客服。",
    ),
}
