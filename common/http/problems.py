"""One error shape for the whole house: RFC 9457 `application/problem+json`, worded in English and Chinese.

Refusals raised in the core are mapped by tables of `Wording`, one per domain; `COMMON` holds what every service says.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import Response, g, has_request_context, request
from marshmallow import Schema, fields
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from common.errors import Busy, FieldsRefused, KeyReused, NeighbourUnavailable, NotFound, Refusal

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Wording:
    """How a refusal is answered: status, and a sentence in each language saying what to do next.

    Sentences may use the refusal's facts as `{name}`. `retry_after` adds the header, in seconds.
    """

    status: int
    en: str
    zh: str
    pointer: str | None = None
    retry_after: int | None = None


@dataclass(eq=False)
class Problem(Exception):
    """An answer that is no success, as a value; raised at the edge for what is not a rule's refusal."""

    status: int
    code: str
    title: str
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


Wordings = Mapping[type[Refusal], Wording]

COMMON: Wordings = {
    NotFound: Wording(404, "There is no such thing here for you.", "没有找到,或您无权查看。"),
    KeyReused: Wording(
        422,
        "This Idempotency-Key was used for another request; send a new key for a new request.",
        "该幂等键已用于另一个请求,请为新请求换一个新的键。",
        pointer="/headers/Idempotency-Key",
    ),
    Busy: Wording(
        409,
        "The same request is still being worked on; send it again unchanged.",
        "同一请求正在处理,请稍后原样重试。",
        retry_after=1,
    ),
    NeighbourUnavailable: Wording(
        503,
        "A part of the system does not answer now; nothing was lost, send the same request again.",
        "系统繁忙,未产生任何变化,请稍后原样重试。",
        retry_after=2,
    ),
}

#: Problems of the edge itself: code -> (status, en, zh).
EDGE: dict[str, tuple[int, str, str]] = {
    "malformed_request": (400, "The request is malformed: {reason}.", "请求格式有误:{reason}。"),
    "idempotency_key_missing": (
        400,
        "This request moves value: send an Idempotency-Key header of 1 to 255 printable characters.",
        "该请求会变动资产,请携带 1-255 个可见字符的 Idempotency-Key 请求头。",
    ),
    "unauthenticated": (401, "Sign in first: {reason}.", "请先登录:{reason}。"),
    "forbidden": (
        403,
        "A {caller} may not do this; it takes {allowed}.",
        "当前身份({caller})无权操作,需要:{allowed}。",
    ),
    "not_found": (404, "There is no such address or thing.", "地址或内容不存在。"),
    "method_not_allowed": (
        405,
        "This address does not take that method; see the Allow header.",
        "该地址不支持此方法。",
    ),
    "conflict": (409, "{reason}", "{reason}"),
    "too_large": (413, "The body is too large; the limit is {limit} bytes.", "请求体过大,上限 {limit} 字节。"),
    "unsupported_media_type": (415, "Send application/json.", "请使用 application/json。"),
    "invalid_request": (422, "Some fields are not right; see errors.", "部分字段有误,见 errors。"),
    "too_many_requests": (429, "Too many requests; wait {seconds} seconds.", "请求过于频繁,请 {seconds} 秒后再试。"),
    "internal_error": (500, "Something broke on our side; tell us the request_id.", "系统内部错误,请提供 request_id。"),
    "unavailable": (503, "The system is busy; send the same request again.", "系统繁忙,请稍后原样重试。"),
}


class ProblemErrorSchema(Schema):
    """One field that is not right."""

    pointer = fields.String(required=True, metadata={"description": "JSON Pointer into the request"})
    detail = fields.String(required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "Stable name of what is wrong"})
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemErrorSchema))
    facts = fields.Dict(keys=fields.String(), metadata={"description": "Numbers and names behind the refusal"})


def edge_problem(code: str, *, errors: list[dict[str, str]] | None = None, **facts: Any) -> Problem:
    """A problem of the edge itself, worded in the caller's language."""
    status, en, zh = EDGE[code]
    sentence = (zh if _wants_chinese() else en).format(**facts)
    retry = {"Retry-After": str(facts.get("seconds", 1))} if status in (429, 503) else {}
    return Problem(status, code, code.replace("_", " ").capitalize(), sentence, errors or [], retry)


def refusal_problem(refusal: Refusal, wordings: Wordings, *, languages: str | None = None) -> Problem:
    """A refusal of the core, worded by the first table entry of its class or a parent class.

    `languages` is the Accept-Language of the request; Flask knows that of its own. Raises the refusal when there is no
    wording.
    """
    for kind in type(refusal).__mro__:
        wording = wordings.get(kind) or COMMON.get(kind)
        if wording:
            zh = _wants_chinese() if languages is None else _is_chinese(languages)
            sentence = (wording.zh if zh else wording.en).format(**refusal.facts)
            errors = [{"pointer": wording.pointer, "detail": sentence}] if wording.pointer else []
            if isinstance(refusal, FieldsRefused):
                errors += [{"pointer": one.pointer, "detail": one.zh if zh else one.en} for one in refusal.faults]
            headers = {"Retry-After": str(wording.retry_after)} if wording.retry_after else {}
            if refusal.replayed:
                headers["Idempotency-Replayed"] = "true"
            title = refusal.code.replace("_", " ").capitalize()
            return Problem(wording.status, refusal.code, title, sentence, errors, headers, dict(refusal.facts))
    raise refusal


def problem_body(problem: Problem, request_id: str | None = None) -> dict[str, Any]:
    """The JSON of a problem; Flask knows the id of its own request."""
    body: dict[str, Any] = {
        "type": f"urn:jifen:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id or (getattr(g, "request_id", "") if has_request_context() else ""),
    }
    if problem.errors:
        body["errors"] = problem.errors
    if problem.facts:
        body["facts"] = problem.facts
    return body


def problem_text(problem: Problem, request_id: str | None = None) -> str:
    """The body of a problem's answer."""
    return json.dumps(problem_body(problem, request_id), ensure_ascii=False)


def problem_response(problem: Problem) -> Response:
    """The HTTP answer of a problem."""
    body = problem_text(problem)
    return Response(body, problem.status, headers=problem.headers, content_type=MEDIA_TYPE)


def _wants_chinese() -> bool:
    return has_request_context() and _is_chinese(request.headers.get("Accept-Language", ""))


@lru_cache(maxsize=1024)
def _is_chinese(languages: str) -> bool:
    asked = parse_accept_header(languages, LanguageAccept)
    return asked.best_match(["en", "zh", "zh-CN"], default="en").startswith("zh")
