"""How refusals about tiers are answered."""

from common.http.problems import Wording, Wordings
from services.levels.tiers.domain import (
    BadLadder,
    FirstTierIsFree,
    KeepAboveThreshold,
    NoLadder,
    TierInUse,
    WindowMissing,
)

WORDINGS: Wordings = {
    BadLadder: Wording(
        422,
        "Thresholds must ascend from 0 and codes be unique; look at the tier {tier}.",
        "成长值门槛须从 0 起逐级递增且代码不重复,请检查等级 {tier}。",
        pointer="/tiers",
    ),
    KeepAboveThreshold: Wording(
        422,
        "Keeping the tier {tier} may not need more growth than reaching it; lower keep.",
        "等级 {tier} 的保级门槛不能高于升级门槛,请调低 keep。",
        pointer="/tiers",
    ),
    WindowMissing: Wording(
        422,
        "The tier {tier} needs validity_days of at least 1: how long it is good before it is looked at again.",
        "等级 {tier} 需要设置至少 1 天的有效期 validity_days。",
        pointer="/tiers",
    ),
    FirstTierIsFree: Wording(
        422,
        "The first tier {tier} is everybody's: leave out keep, validity_days and reward.",
        "首个等级 {tier} 属于所有会员,请勿设置 keep、validity_days 和 reward。",
        pointer="/tiers",
    ),
    TierInUse: Wording(
        409,
        "Members hold the tier {tier}, so the ladder cannot drop it; keep it, with another threshold if you like.",
        "仍有会员持有等级 {tier},不能删除;请保留它,可调整门槛。",
    ),
    NoLadder: Wording(
        404, "The program has no tiers yet; PUT /v1/tiers first.", "该项目尚未设置等级,请先调用 PUT /v1/tiers。"
    ),
}
