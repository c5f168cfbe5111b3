"""How refusals about badges are answered."""

from common.http.problems import Wording, Wordings
from services.levels.badges.domain import BadgeNotHeld, UnknownBadge

WORDINGS: Wordings = {
    UnknownBadge: Wording(
        422,
        "The catalogue has no badge {badge}; PUT /v1/badges/{badge} first.",
        "勋章目录中没有 {badge},请先调用 PUT /v1/badges/{badge}。",
    ),
    BadgeNotHeld: Wording(
        404,
        "The member does not hold the badge {badge} now; GET /v1/badges/members/… shows what they hold.",
        "该会员当前未持有勋章 {badge},可用 GET /v1/badges/members/… 查看。",
    ),
}
