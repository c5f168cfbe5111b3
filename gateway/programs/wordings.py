"""How refusals about programs are answered."""

from common.http.problems import Wording, Wordings
from gateway.programs.domain import BadProgram, UnknownProgram

WORDINGS: Wordings = {
    UnknownProgram: Wording(
        404,
        "There is no program {program}; ask the operator for its code.",
        "没有项目 {program},请向运营方确认项目代码。",
    ),
    BadProgram: Wording(
        422,
        "The program's {what} {value!r} is not in its form: code a-z 0-9 _ -, appid wx and 16 hex digits.",
        "项目的 {what} {value!r} 格式不正确:代码用 a-z 0-9 _ -,appid 为 wx 加 16 位十六进制。",
    ),
}
