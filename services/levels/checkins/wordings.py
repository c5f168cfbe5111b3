"""How refusals about check-ins are answered."""

from common.http.problems import Wording, Wordings
from services.levels.checkins.domain import (
    FallbackWithoutStock,
    MilestonesNotAscending,
    StockBelowTaken,
    UnknownCampaign,
    WeekNeedsSevenDays,
)

WORDINGS: Wordings = {
    UnknownCampaign: Wording(
        404,
        "There is no check-in campaign {campaign}; GET /v1/checkins/campaigns lists them.",
        "没有签到活动 {campaign},可用 GET /v1/checkins/campaigns 查看。",
    ),
    WeekNeedsSevenDays: Wording(
        422,
        "A weekly table has 7 days, this one {days}; add or drop days, or choose another cycle.",
        "按周循环的签到表须为 7 天,当前为 {days} 天;请增减天数或更换循环方式。",
        pointer="/day_table",
    ),
    MilestonesNotAscending: Wording(
        422,
        "List the milestones by streak, each streak once.",
        "里程碑须按连续天数递增排列,且不重复。",
        pointer="/milestones",
    ),
    FallbackWithoutStock: Wording(
        422,
        "The milestone {streak} needs both stock and fallback, or neither.",
        "里程碑 {streak} 的库存与替代奖励须同时设置或都不设置。",
        pointer="/milestones",
    ),
    StockBelowTaken: Wording(
        409,
        "{taken} of the milestone {streak} have been given already; the stock cannot be less.",
        "里程碑 {streak} 已发放 {taken} 份,库存不能低于该数量。",
    ),
}
