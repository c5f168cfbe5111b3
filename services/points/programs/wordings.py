"""How refusals about programs and assets are answered."""

from common.http.problems import Wording, Wordings
from services.points.programs.domain import BadValidity, UnknownAsset, UnknownProgram

WORDINGS: Wordings = {
    BadValidity: Wording(
        422,
        "The validity {validity!r} is not known; use unlimited, or a number with D, W, M or Y, e.g. 12M or 12M_U,"
        " at most 15 years.",
        "有效期 {validity!r} 无法识别;请用 unlimited,或数字加 D/W/M/Y,如 12M、12M_U,最长 15 年。",
        pointer="/validity",
    ),
    UnknownProgram: Wording(
        404, "This program is not set up yet; PUT /v1/program first.", "该项目尚未设置,请先调用 PUT /v1/program。"
    ),
    UnknownAsset: Wording(
        404,
        "The program has no asset {asset}; GET /v1/assets lists them.",
        "没有资产 {asset},可用 GET /v1/assets 查看。",
    ),
}
