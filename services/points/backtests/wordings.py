"""How refusals about back-tests are answered."""

from common.http.problems import Wording, Wordings
from services.points.backtests.domain import BacktestEnded, TooManyBacktests, UnknownBacktest
from services.points.rules.candidates import RuleNotLive

WORDINGS: Wordings = {
    UnknownBacktest: Wording(
        404, "There is no back-test {backtest}; GET /v1/backtests lists them.", "没有回测 {backtest}。"
    ),
    BacktestEnded: Wording(
        409,
        "The back-test {backtest} is {state} already; there is nothing to cancel.",
        "回测 {backtest} 已结束({state}),无法取消。",
    ),
    TooManyBacktests: Wording(
        409,
        "{most} back-tests wait or run already; wait for one to end, or cancel one.",
        "已有 {most} 个回测在排队或运行,请等待其结束或取消其中一个。",
    ),
    RuleNotLive: Wording(
        422,
        "The rule {rule} decides nothing now, so it cannot be left out; take it off the list.",
        "规则 {rule} 当前未生效,无需停用,请从列表中移除。",
        pointer="/retire",
    ),
}
