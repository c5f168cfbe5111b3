"""How refusals of figures are answered."""

from common.http.problems import Wording, Wordings
from services.points.figures import domain

WORDINGS: Wordings = {
    domain.BadRange: Wording(
        422,
        "`from` must not be after `to`, and together they may span {most} days at most; ask for fewer days.",
        "开始日期不能晚于结束日期,且最多查询 {most} 天,请缩小范围。",
        pointer="/query/from",
    ),
}
