"""How refusals about invitations are answered."""

from common.http.problems import Wording, Wordings
from services.referrals.invitations.domain import (
    CampaignNotOpen,
    EndsBeforeItStarts,
    RewardForSharing,
    UnknownCampaign,
    UnknownCode,
    UnknownTrigger,
)

WORDINGS: Wordings = {
    UnknownCampaign: Wording(
        404,
        "There is no invitation campaign {campaign}; GET /v1/invitations/campaigns lists them.",
        "没有邀请活动 {campaign},可用 GET /v1/invitations/campaigns 查看。",
    ),
    CampaignNotOpen: Wording(
        409,
        "The invitation campaign {campaign} has not begun or is over; look for one that is open.",
        "邀请活动 {campaign} 未开始或已结束,请查看进行中的活动。",
    ),
    UnknownCode: Wording(
        404,
        "Nobody invites with the code {invitation_code}; check it with your friend.",
        "邀请码 {invitation_code} 不存在,请与好友核对。",
        pointer="/code",
    ),
    RewardForSharing: Wording(
        422,
        "{trigger!r} would reward sharing or opening by itself, which the platform forbids: a benefit may be given only"
        " when the invited person knowingly takes part. Use first_paid_order.",
        "平台规则禁止仅因分享或打开({trigger!r})而给予利益,被邀请人主动参与后方可奖励;请使用 first_paid_order。",
        pointer="/trigger",
    ),
    UnknownTrigger: Wording(
        422,
        "There is no qualifying event {trigger!r}; use first_paid_order.",
        "没有达成条件 {trigger!r},请使用 first_paid_order。",
        pointer="/trigger",
    ),
    EndsBeforeItStarts: Wording(
        422,
        "The campaign must end after it starts; correct ends_at.",
        "活动结束时间必须晚于开始时间,请修改 ends_at。",
        pointer="/ends_at",
    ),
}
