"""How refusals of the ledger are answered."""

from common.http.problems import Wording, Wordings
from services.points.ledger import balances, refusals

WORDINGS: Wordings = {
    refusals.InsufficientPoints: Wording(
        422,
        "Only {available} are available, {short_by} too few; earn more or take less.",
        "可用 {available},还差 {short_by};请先获取更多或减少数量。",
        pointer="/amount",
    ),
    refusals.HoldNotOpen: Wording(
        409,
        "The hold is not open: it was captured, voided or has expired. Make a new hold.",
        "该预留已被使用、取消或过期,请重新预留。",
    ),
    refusals.HoldExceeded: Wording(
        422, "More was asked for than is held; capture at most the hold's amount.", "超出预留数量。", pointer="/amount"
    ),
    refusals.NotReversible: Wording(
        422,
        "The account has no such earn, spend or capture posting; only those can be reversed.",
        "没有可撤销的该笔记录,仅获得、消费、扣减可撤销。",
        pointer="/posting_id",
    ),
    refusals.ReversalExceeded: Wording(
        422,
        "Together with earlier reversals that is more than was posted; reverse less.",
        "累计撤销超过原始数量,请减少。",
        pointer="/amount",
    ),
    refusals.BalanceTooLarge: Wording(
        422, "The balance would become too large to count exactly.", "余额超出可精确表示的范围。", pointer="/amount"
    ),
    refusals.HoldIsPending: Wording(
        409,
        "That is an earning that is not available yet; defer it, or reverse its posting.",
        "这是尚未到账的积分,请调整到账时间,或撤销该笔获得。",
    ),
    refusals.NotPending: Wording(
        409,
        "No earning of that posting is pending: it is available already, was taken back, or never was.",
        "该笔获得不处于待到账状态:已到账、已撤销或不存在。",
    ),
    refusals.BalanceCapped: Wording(
        409,
        "With that the member would have more than the asset allows (its most_per_member); give less, or wait until"
        " some of it is spent.",
        "将超过会员对该资产的持有上限(资产设置 most_per_member);请减少数量,或待会员使用后再发放。",
        pointer="/amount",
    ),
    refusals.EarningTooLarge: Wording(
        422,
        "At most {most} may be earned by one posting (the asset's {limit}); post less, or raise the limit first.",
        "单笔最多发放 {most}(资产设置 {limit});请减少数量,或先调高上限。",
        pointer="/amount",
    ),
    refusals.EarningLimited: Wording(
        422,
        "A member may earn {most} within this period (the asset's {limit}), of which {left} are left; give less, or"
        " after {free_at}, when the next one begins.",
        "会员本周期最多获得 {most}(资产设置 {limit}),还可获得 {left};请减少数量,或在 {free_at} 新周期开始后再发放。",
        pointer="/amount",
    ),
    refusals.SpendingTooLarge: Wording(
        422,
        "At most {most} may be spent by one posting (the asset's {limit}); take less.",
        "单笔最多使用 {most}(资产设置 {limit}),请减少数量。",
        pointer="/amount",
    ),
    refusals.SpendingLimited: Wording(
        422,
        "A member may spend {most} within this period (the asset's {limit}), of which {left} are left; take less, void"
        " a hold, or wait until {free_at}, when the next one begins.",
        "会员本周期最多使用 {most}(资产设置 {limit}),还可使用 {left};请减少数量、释放预留,或等到新周期 {free_at}。",
        pointer="/amount",
    ),
    refusals.AccountFrozen: Wording(
        409,
        "The account is frozen: it still earns, but spends and gives nothing; customer service can unfreeze it.",
        "账户已冻结:可继续获得,但不能使用或转赠;请联系客服解冻。",
    ),
    refusals.AlreadyFrozen: Wording(409, "The account is frozen already.", "账户已处于冻结状态。"),
    refusals.NotFrozen: Wording(409, "The account is not frozen.", "账户未被冻结。"),
    refusals.TransferForbidden: Wording(
        403,
        "This asset cannot be given to others; a marketer can allow it in the asset's settings.",
        "该资产不支持转赠;运营人员可在资产设置中开启。",
    ),
    refusals.TransferCapped: Wording(
        422,
        "That is more than may be given at once; see the asset's transfer_most, and give less.",
        "超过单次转赠上限(见资产的 transfer_most),请减少数量。",
        pointer="/amount",
    ),
    refusals.TransferDayCapped: Wording(
        422,
        "With what was given today that is more than a day allows; give less, or the rest tomorrow.",
        "超过当日转赠上限,请减少数量,或明天再赠送。",
        pointer="/amount",
    ),
    refusals.TransferToSelf: Wording(
        422,
        "Nobody can give to themselves; name another member.",
        "不能转赠给自己,请选择其他会员。",
        pointer="/to_member_id",
    ),
    refusals.UnknownReceiver: Wording(
        422,
        "There is no account of that member here; look the id up again, or wait until they have earned something.",
        "没有该会员的账户;请核对会员号,或待其首次获得资产后再转赠。",
        pointer="/to_member_id",
    ),
    refusals.SaleProhibited: Wording(
        403,
        "Members cannot sell points to each other: a market for points risks being token trading, which this platform"
        " declines (platform-rules.md, Prepaid/stored value). Give them without a price, or exchange them with a"
        " partner of the brand.",
        "会员之间不得买卖积分:积分交易市场存在代币交易风险,平台不予支持(platform-rules.md「Prepaid/stored value」)。"
        "可不带价格直接转赠,或与品牌合作方通兑。",
        pointer="/price_fen",
    ),
    refusals.UndoneElsewhere: Wording(
        409,
        "What made that posting keeps account of it; undo it there: POST {path}.",
        "该笔记录由其他业务生成,请在原业务处撤销:POST {path}。",
        pointer="/posting_id",
    ),
    refusals.LotsNotThere: Wording(
        422,
        "Fewer points than that end on those days and are free; see the account's lots. Void a hold first; move a"
        " pending earning by its deferral; what lives until the account is idle follows its activity; what has expired"
        " does not come back by this: give it anew by an adjustment with a validity.",
        "在所选到期日内可调整的积分不足,请查看账户的积分批次:已预留的请先释放预留;待到账的请调整到账时间;按活跃度失效的随账户活跃自动顺延;"
        "已过期的无法通过改期恢复,请用调整补发并指定有效期。",
        pointer="/amount",
    ),
    refusals.DayPassed: Wording(
        422,
        "That day is over; choose today or a later one. To take points away, make a debit.",
        "该日期已过,请选择今天或之后的日期;如需扣回积分请用扣减调整。",
        pointer="/to_on",
    ),
    refusals.NoRoomForLot: Wording(
        422,
        "The account has as many lots as there can be; move all points of those days together.",
        "账户积分批次已达上限,请将所选日期内的积分全部一起改期。",
        pointer="/amount",
    ),
    balances.BadMonth: Wording(422, "Write the month as 2026-05.", "月份格式应为 2026-05。", pointer="/query/month"),
}
