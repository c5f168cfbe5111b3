"""How refusals about experiments are answered."""

from common.http.problems import Wording, Wordings
from services.points.experiments.domain import NoExperiment, TooManyEvents

WORDINGS: Wordings = {
    NoExperiment: Wording(
        404,
        "No version of the rule {rule} has an experiment; publish one with variants first.",
        "规则 {rule} 没有已发布的实验,请先发布包含变体的版本。",
    ),
    TooManyEvents: Wording(
        422,
        "There are more than {most} events in that time; ask for a shorter one with from and to.",
        "该时段内的事件超过 {most} 条,请用 from 与 to 缩短时段。",
    ),
}
