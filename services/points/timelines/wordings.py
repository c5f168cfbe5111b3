"""How refusals about timelines are answered."""

from common.http.problems import Wording, Wordings
from services.points.timelines.domain import BadPlace

WORDINGS: Wordings = {
    BadPlace: Wording(
        422, "Go on with the `next` of a page, unchanged.", "请原样使用上一页返回的 next。", pointer="/query/after"
    ),
}
