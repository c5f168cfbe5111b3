"""How refusals about the report are answered."""

from common.http.problems import Wording, Wordings
from services.points.reasons.domain import BadMonths

WORDINGS: Wordings = {
    BadMonths: Wording(
        422,
        "Ask for at most {most} months, the first one first.",
        "最多查询 {most} 个月,且起始月份不得晚于结束月份。",
        pointer="/query/from",
    ),
}
