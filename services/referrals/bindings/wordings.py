"""How refusals about bindings are answered."""

from common.http.problems import Wording, Wordings
from services.referrals.bindings.domain import AlreadyBound, MonthlyCapReached, NotHeld, NotNew, SelfInvite

WORDINGS: Wordings = {
    SelfInvite: Wording(
        422,
        "This is your own code; share it with a friend instead.",
        "不能使用自己的邀请码,请分享给好友。",
        pointer="/code",
    ),
    AlreadyBound: Wording(
        409,
        "You have accepted an invitation already; your first order completes it.",
        "您已接受过邀请,完成首单即可获得奖励。",
    ),
    NotNew: Wording(
        422,
        "Invitations are for members without a paid order; invite a friend with a code of your own.",
        "邀请奖励仅限未下过单的新会员,您可以用自己的邀请码邀请好友。",
    ),
    NotHeld: Wording(
        409,
        "The binding is {state}, it does not wait for a review; read the list again.",
        "该邀请关系当前状态为 {state},无需审核,请刷新列表。",
    ),
    MonthlyCapReached: Wording(
        409,
        "The inviter has {monthly_cap} rewarded invitations this month, no more are allowed; approve it next month or"
        " reject it.",
        "邀请人本月已达 {monthly_cap} 次奖励上限,请下月再通过或驳回。",
    ),
}
