"""How refusals about restorations are answered."""

from common.http.problems import Wording, Wordings
from services.levels.restorations.domain import RestorationTooLarge

WORDINGS: Wordings = {
    RestorationTooLarge: Wording(
        422,
        "Only days before today, of the last {within}, and at most {most} of them can be restored; {left} are left.",
        "只能恢复今天之前 {within} 天以内的日期,最多 {most} 天;还可恢复 {left} 天。",
        pointer="/first",
    ),
}
