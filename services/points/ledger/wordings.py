"""How refusals of the ledger are answered."""

from common.http.problems import Wording, Wordings
from services.points.ledger import balances, domain

WORDINGS: Wordings = {
    domain.InsufficientPoints: Wording(
        422,
        "Only {available} are available, {short_by} too few; earn more or take less.",
        "可用 {available},还差 {short_by};请先获取更多或减少数量。",
        pointer="/amount",
    ),
    domain.HoldNotOpen: Wording(
        409,
        "The hold is not open: it was captured, voided or has expired. Make a new hold.",
        "该预留已被使用、取消或过期,请重新预留。",
    ),
    domain.HoldExceeded: Wording(
        422, "More was asked for than is held; capture at most the hold's amount.", "超出预留数量。", pointer="/amount"
    ),
    domain.NotReversible: Wording(
        422,
        "The account has no such earn, spend or capture posting; only those can be reversed.",
        "没有可撤销的该笔记录,仅获得、消费、扣减可撤销。",
        pointer="/posting_id",
    ),
    domain.ReversalExceeded: Wording(
        422,
        "Together with earlier reversals that is more than was posted; reverse less.",
        "累计撤销超过原始数量,请减少。",
        pointer="/amount",
    ),
    domain.BalanceTooLarge: Wording(
        422, "The balance would become too large to count exactly.", "余额超出可精确表示的范围。", pointer="/amount"
    ),
    balances.BadMonth: Wording(422, "Write the month as 2026-05.", "月份格式应为 2026-05。", pointer="/query/month"),
}
