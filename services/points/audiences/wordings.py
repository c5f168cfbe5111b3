"""How refusals about audiences are answered."""

from common.http.problems import Wording, Wordings
from services.points.audiences.domain import AddedAndRemoved, TooManyLists, UnknownList

WORDINGS: Wordings = {
    UnknownList: Wording(
        404,
        "There is no {kind} list {list}; POST its first members to /v1/audiences/{kind}/{list}/members.",
        "没有名单 {list}({kind}),请先通过 /v1/audiences/{kind}/{list}/members 添加会员。",
    ),
    TooManyLists: Wording(
        422,
        "A program has at most {most} {kind}; use one of those that GET /v1/audiences/{kind} lists.",
        "每个项目最多 {most} 个名单({kind}),请使用已有名单。",
    ),
    AddedAndRemoved: Wording(
        422,
        "Member {member_id} is to be added and removed at once; say only one.",
        "会员 {member_id} 同时出现在 add 与 remove 中,请只保留一处。",
        pointer="/remove",
    ),
}
