"""How refusals about check-ins are answered."""

from common.http.problems import Wording, Wordings
from services.levels.checkins.domain import (
    FallbackWithoutStock,
    MilestonesNotAscending,
    NothingToRestore,
    NotMissed,
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
    NotMissed: Wording(
        409,
        "The member has a check-in on {day}; name only days that were missed.",
        "该会员 {day} 已有签到,请只填写漏签的日期。",
    ),
    NothingToRestore: Wording(
        409,
        "There was no check-in on {day}, so no streak was broken after it; begin right after the streak's last day.",
        "{day} 没有签到,之后并无中断的连续记录;请从连续记录最后一天的次日开始填写。",
    ),
    StockBelowTaken: Wording(
        409,
        "{taken} of the milestone {streak} have been given already; the stock cannot be less.",
        "里程碑 {streak} 已发放 {taken} 份,库存不能低于该数量。",
    ),
}
