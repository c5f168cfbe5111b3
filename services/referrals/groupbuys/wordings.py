"""How refusals about group-buys are answered."""

from common.http.problems import Wording, Wordings
from services.referrals.groupbuys.domain import (
    CampaignNotOpen,
    EndsBeforeItStarts,
    GroupFull,
    GroupLimitReached,
    GroupOver,
    NewMembersOnly,
    UnknownCampaign,
)

WORDINGS: Wordings = {
    UnknownCampaign: Wording(
        404,
        "There is no group-buy campaign {campaign}; GET /v1/groupbuys/campaigns lists them.",
        "没有拼团活动 {campaign},可用 GET /v1/groupbuys/campaigns 查看。",
    ),
    CampaignNotOpen: Wording(
        409,
        "The group-buy campaign {campaign} has not begun or is over; look for one that is open.",
        "拼团活动 {campaign} 未开始或已结束,请查看进行中的活动。",
    ),
    EndsBeforeItStarts: Wording(
        422,
        "The campaign must end after it starts; correct ends_at.",
        "活动结束时间必须晚于开始时间,请修改 ends_at。",
        pointer="/ends_at",
    ),
    GroupFull: Wording(
        409, "This group is full; join another one or open your own.", "该团已满员,请加入其他团或自己开团。"
    ),
    GroupOver: Wording(
        409, "This group's time is over; join another one or open your own.", "该团已结束,请加入其他团或自己开团。"
    ),
    GroupLimitReached: Wording(
        409,
        "You take part in {per_member_limit} groups of this campaign, no more are allowed; complete those first.",
        "您在本活动参团已达上限({per_member_limit}),请先完成现有拼团。",
    ),
    NewMembersOnly: Wording(
        422,
        "Only members without a paid order may join this group; open one yourself and invite new friends.",
        "该团仅限未下过单的新会员参加,您可以自己开团邀请新朋友。",
    ),
}
