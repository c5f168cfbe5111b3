"""How refusals of intake are answered."""

from common.http.problems import Wording, Wordings
from services.points.intake.domain import EventFromTheFuture, EventReused, SubjectRefused

WORDINGS: Wordings = {
    EventReused: Wording(
        422,
        "The event {event} came before with another content; give a new event a new id. Nothing was taken in.",
        "事件 {event} 已以不同内容提交过,新事件请使用新的 id。本次未处理任何事件。",
    ),
    EventFromTheFuture: Wording(
        422,
        "The event {event} is more than a day ahead of our clock; check the sender's clock.",
        "事件 {event} 的时间超前一天以上,请检查发送方时钟。",
        pointer="/time",
    ),
    SubjectRefused: Wording(
        422,
        "Nobody can be found as {subject}: {reason} Nothing was taken in.",
        "无法识别 {subject}:{reason} 本次未处理任何事件。",
        pointer="/subject",
    ),
}
