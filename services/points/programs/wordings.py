"""How refusals about programs and assets are answered."""

from common.http.problems import Wording, Wordings
from services.points.programs.domain import UnknownAsset, UnknownProgram
from services.points.programs.pending import BadPending
from services.points.programs.validity import (
    BadValidity,
    IdleIsTheAssets,
    ValidityOnNoDay,
    ValidityTooLong,
    ValidityTooShort,
)

WORDINGS: Wordings = {
    BadValidity: Wording(
        422,
        "The validity {validity!r} is not known; use unlimited, a number with s, m, h, D, W, M, Q, H or Y, e.g. 12M,"
        " 2Q_U or 1Y_D, until: with a date, dates: with up to 20 days such as 06-30,12-31, or for an asset idle: with"
        " a period of days or longer.",
        "有效期 {validity!r} 无法识别;请用 unlimited,数字加 s/m/h/D/W/M/Q/H/Y(如 12M、2Q_U、1Y_D),until: 加日期,"
        "dates: 加最多 20 个日子(如 06-30,12-31),资产还可用 idle: 加以天或更长单位计的时长。",
        pointer="/validity",
    ),
    ValidityTooLong: Wording(
        422,
        "The validity {validity!r} is longer than 15 years; shorten it, or say unlimited.",
        "有效期 {validity!r} 超过 15 年;请缩短,或用 unlimited。",
        pointer="/validity",
    ),
    ValidityTooShort: Wording(
        422,
        "The validity {validity!r} is shorter than 30 seconds; lengthen it.",
        "有效期 {validity!r} 短于 30 秒,请延长。",
        pointer="/validity",
    ),
    ValidityOnNoDay: Wording(
        422,
        "The validity {validity!r} names a day that does not exist; use one of the calendar.",
        "有效期 {validity!r} 中的日期不存在,请改为真实日期。",
        pointer="/validity",
    ),
    IdleIsTheAssets: Wording(
        422,
        "The validity {validity!r} can only be an asset's own, for idleness ends all that an account has of it;"
        " use a period here.",
        "有效期 {validity!r} 只能在资产上设置(闲置会使该资产全部过期),此处请用时长。",
        pointer="/validity",
    ),
    BadPending: Wording(
        422,
        "The pending rule {pending!r} is not known; use none, a number of days up to 366 such as 7D, until: with a"
        " date, or a type of event and days such as order.confirmed+7D.",
        "待到账规则 {pending!r} 无法识别;请用 none、天数(最多 366,如 7D)、until: 加日期,"
        "或事件类型加天数(如 order.confirmed+7D)。",
        pointer="/pending",
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
