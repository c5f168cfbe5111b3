"""How refusals about members are answered."""

from common.http.problems import Wording, Wordings
from services.levels.members.domain import IdentitiesOfSeveral, UnknownMember

WORDINGS: Wordings = {
    UnknownMember: Wording(
        404,
        "There is no such member; POST /v1/members makes one from their identities.",
        "没有该会员,可用 POST /v1/members 以其身份标识创建。",
    ),
    IdentitiesOfSeveral: Wording(
        409,
        "These identities belong to several members; look each up alone, and ask for a merge if they are one person.",
        "这些身份标识属于不同会员;请逐一查询,如确为同一人请申请合并。",
    ),
}
