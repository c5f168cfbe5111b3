"""How refusals about changesets are answered."""

from common.http.problems import Wording, Wordings
from services.points.changesets import domain

WORDINGS: Wordings = {
    domain.WrongState: Wording(
        409,
        "The changeset is {state} and cannot become {wanted}; look at it again.",
        "批次当前为 {state},不能变为 {wanted},请刷新查看。",
    ),
    domain.SamePerson: Wording(
        403,
        "You asked for it yourself; let a second person decide.",
        "不能审批自己提交的批次,请由另一位同事处理。",
    ),
    domain.NotYours: Wording(
        403,
        "Somebody else began this changeset; begin one of your own.",
        "该批次由他人创建,请新建您自己的批次。",
    ),
    domain.TooManyParts: Wording(
        422, "A changeset has at most {most} sheets; begin another one.", "一个批次最多 {most} 个表格,请另建批次。"
    ),
}
