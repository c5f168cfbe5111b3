"""How refusals about leaderboards are answered."""

from common.http.problems import Wording, Wordings
from services.levels.leaderboards.domain import BadPrizes, PeriodNotKept, UnknownBoard

WORDINGS: Wordings = {
    UnknownBoard: Wording(
        404,
        "There is no leaderboard {board}; GET /v1/leaderboards lists them.",
        "没有排行榜 {board},可用 GET /v1/leaderboards 查看。",
    ),
    PeriodNotKept: Wording(
        422,
        "The leaderboard {board} does not run over {period}; GET /v1/leaderboards shows its periods.",
        "排行榜 {board} 没有 {period} 周期,可用 GET /v1/leaderboards 查看。",
        pointer="/query/period",
    ),
    BadPrizes: Wording(
        422,
        "The prizes of {period} must be in ascending ranges without overlap, of a period that the board has and that"
        " closes.",
        "{period} 的奖励名次须递增且不重叠,且该周期须属于本榜并会结束。",
        pointer="/prizes",
    ),
}
