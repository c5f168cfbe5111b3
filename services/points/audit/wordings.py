"""How refusals of the audit log are answered."""

from common.http.problems import Wording, Wordings
from services.points.audit import domain

_UNKNOWN_HEAD = (
    "No head of size {size} was ever signed; take a size from the list of heads.",
    "没有大小为 {size} 的日志头,请从日志头列表中选取。",
)

WORDINGS: Wordings = {
    domain.NothingSealed: Wording(
        404,
        "Nothing was sealed in this program yet; the first head follows the first posting within seconds.",
        "本项目尚无封存记录,首笔入账后数秒内即会生成。",
    ),
    domain.NotSealedYet: Wording(
        409,
        "The entry was posted a moment ago and is being sealed; ask again in a few seconds.",
        "该记录刚刚入账,正在封存,请几秒后再试。",
        retry_after=3,
    ),
    domain.NotUnderHead: Wording(
        422,
        "The entry has index {index}, so a head of size {size} does not cover it; ask for a later head.",
        "该记录序号为 {index},大小为 {size} 的日志头未覆盖它,请使用更新的日志头。",
        pointer="/query/size",
    ),
    domain.UnknownHead: Wording(
        422,
        *_UNKNOWN_HEAD,
        pointer="/query/size",
    ),
    domain.UnknownFirstHead: Wording(422, *_UNKNOWN_HEAD, pointer="/query/first"),
    domain.UnknownSecondHead: Wording(422, *_UNKNOWN_HEAD, pointer="/query/second"),
    domain.HeadsReversed: Wording(
        422,
        "`first` is larger than `second`; give the earlier head first.",
        "`first` 大于 `second`,请先给较早的日志头。",
        pointer="/query/first",
    ),
    domain.LogDamaged: Wording(
        500,
        "The sealed log does not hold what it must; tell the operator to run verify.",
        "审计日志不完整,请联系运营人员运行 verify 检查。",
    ),
}
