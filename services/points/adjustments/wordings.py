"""How refusals about adjustments are answered."""

from common.http.problems import Wording, Wordings
from services.points.adjustments import domain

WORDINGS: Wordings = {
    domain.UnknownReason: Wording(
        422,
        "There is no reason {reason_code}; choose one of: {known}.",
        "没有原因代码 {reason_code},可选:{known}。",
        pointer="/reason_code",
    ),
    domain.NotAwaiting: Wording(
        409,
        "Nobody waits for a decision any more: it is {state}. Look at it again.",
        "该调整已不在待审批状态({state}),请刷新查看。",
    ),
    domain.SamePerson: Wording(
        403,
        "You asked for it yourself; let a second person decide.",
        "不能审批自己提交的申请,请由另一位同事处理。",
    ),
    domain.BeyondAuthority: Wording(
        403,
        "{amount} is beyond your own limits ({most} at once, {left} left today); let finance or an admin approve it.",
        "{amount} 超出您的审批额度(单笔 {most},今日剩余 {left}),请由财务或管理员审批。",
    ),
    domain.NotUndoable: Wording(
        409,
        "It cannot be undone: it is {state}. Only a posted adjustment can, once.",
        "无法撤销(当前:{state}),仅已入账的调整可撤销一次。",
    ),
    domain.UndoOfAnUndo: Wording(
        409,
        "It undoes another adjustment and cannot be undone itself; make a new adjustment.",
        "该调整本身就是一次撤销,不能再撤销,请新建调整。",
    ),
    domain.UndoAskedFor: Wording(
        409,
        "Its undoing was asked for already and waits for a second person.",
        "已有撤销申请,正在等待另一位同事审批。",
    ),
    domain.PointsSpent: Wording(
        422,
        "The points are partly gone: {available} are there, {short_by} too few, and the asset allows no debt."
        " Take what is there by a new adjustment, or wait until the member earns again.",
        "积分已被部分使用:可用 {available},还差 {short_by},且该资产不允许负债;可改用新的扣减,或待会员再次获得后撤销。",
    ),
    domain.DebtNotAllowed: Wording(
        422,
        "{asset} cannot go into debt; take at most what is there.",
        "{asset} 不允许负债,请减少扣减数量。",
        pointer="/allow_debt",
    ),
    domain.UnknownLimitAsset: Wording(
        422,
        "The program has no asset {asset}; GET /v1/assets lists them.",
        "没有资产 {asset},可用 GET /v1/assets 查看。",
        pointer="/limits",
    ),
}
