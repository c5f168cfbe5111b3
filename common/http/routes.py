"""Declaring a route in one place: who may call, what comes in, what goes out. It also writes the OpenAPI by itself."""

from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any, Literal

from flask import Response, current_app, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError

from common.errors import Refusal
from common.http.callers import Allow, authenticate, authorize
from common.http.crowd import View as CrowdView
from common.http.flat import QuickLoadMany, quick_dump, quick_load, quick_load_many
from common.http.lean import LeanRoute
from common.http.once import Answer, answer_once, fingerprint
from common.http.problems import MEDIA_TYPE, ProblemSchema, Wordings, edge_problem, problem_body, refusal_problem

_KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "Your name for this request. Sent again with the same body, the first answer comes again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
View = Callable[..., Any]


class Routes(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """A blueprint whose routes say everything about themselves.

    A view is called with keyword arguments: path values, `caller` (Identity), and as declared `body`, `query`, and
    with `once=True` `session` (the open transaction of the idempotency key), with `key=True` `key` (the use case keeps
    the key itself; `request_fingerprint` tells two requests apart, which the view is also given with `printed=True`, as
    `fingerprint`). It returns a value that the `answer` schema dumps. `once="if_keyed"` is for what is safe to repeat
    without a key: `session` is None where none was sent.
    With `ready` the value is already what the wire shows, and `answer` only documents it: to dump a thousand results
    one by one costs more than to post them.
    With `lean` a request that is plainly right is answered before Flask (`common.http.lean`): a POST with `key` and a
    flat body, or a GET whose query is flat; with an answer, and no path values but codes.
    With `crowd` a POST with `once` and a flat body is answered so together with others in flight (`common.http.crowd`):
    it is called with the transaction and the list of them, and returns a result for each.
    With `most` the body may be one thing or an array of up to that many, `one_of` is its JSON schema.
    With `waits` a result of which it is true is answered with 202: somebody must still say yes to it.
    """

    def __init__(
        self, name: str, *, wordings: Wordings | None = None, prefix: str = "/v1", description: str = ""
    ) -> None:
        #: How what these routes refuse is answered; a service shares the wordings of all its routes.
        self.wordings = wordings or {}
        self._undocumented: list[tuple[str, Any, dict[str, Any]]] = []
        super().__init__(name, name, url_prefix=prefix, description=description)

    def get(self, rule: str, **declared: Any) -> Callable[[View], View]:
        """A read."""
        return self._declare("GET", rule, **declared)

    def post(self, rule: str, **declared: Any) -> Callable[[View], View]:
        """A change."""
        return self._declare("POST", rule, **declared)

    def put(self, rule: str, **declared: Any) -> Callable[[View], View]:
        """A set-up: the same request twice is the same state."""
        return self._declare("PUT", rule, **declared)

    def delete(self, rule: str, **declared: Any) -> Callable[[View], View]:
        """A removal."""
        return self._declare("DELETE", rule, **declared)

    def _declare(
        self,
        method: str,
        rule: str,
        *,
        allow: tuple[Allow, ...],
        answer: type[Schema] | Schema | None = None,
        status: int = 200,
        body: type[Schema] | Schema | None = None,
        query: type[Schema] | Schema | None = None,
        once: bool | Literal["if_keyed"] = False,
        key: bool = False,
        printed: bool = False,
        most: int | None = None,
        one_of: dict[str, Any] | None = None,
        ready: bool = False,
        waits: Callable[[Any], bool] | None = None,
        lean: bool = False,
        crowd: CrowdView | None = None,
    ) -> Callable[[View], View]:
        incoming = _instance(body)
        quick = quick_load(incoming) if incoming is not None else None
        quick_many = quick_load_many(incoming) if incoming is not None and most is not None else None
        asked = _instance(query)
        outgoing = _instance(answer)

        def decorate(view: View) -> View:
            @wraps(view)
            def answered(**values: Any) -> Response:
                if allow:
                    values["caller"] = authenticate()
                    authorize(values["caller"], allow)
                if key:
                    values["key"] = _idempotency_key()
                if printed:
                    values["fingerprint"] = request_fingerprint(values["caller"].program_id)
                if asked is not None:
                    values["query"] = load(asked, request.args.to_dict(), "query")
                if incoming is not None:
                    raw = request.get_json()
                    loaded: Any = None
                    if quick_many and most is not None:
                        loaded = _quick_many(quick_many, raw, most)
                    elif quick:
                        loaded = quick(raw)
                    if loaded is None:
                        loaded = load(incoming, raw, "") if most is None else load_many(incoming, raw, most)
                    values["body"] = loaded
                if once is True or (once and "Idempotency-Key" in request.headers):
                    return _run_once(f"{method} {rule}", view, values, outgoing, status, waits)
                if once:
                    values["session"] = None
                result = view(**values)
                shown = result if ready or isinstance(result, Response) else _dump(outgoing, result)
                response = shown if isinstance(shown, Response) else _json(shown, status)
                if getattr(result, "replayed", False):
                    response.headers["Idempotency-Replayed"] = "true"
                return response

            declared: Any = answered  # functions take attributes, their types do not
            declared.documentation = partial(
                self._documentation,
                view,
                allow,
                incoming,
                asked,
                outgoing,
                status,
                keyed=key or once,
                given_body=_array_or_one(one_of, most),
                waits=waits is not None,
            )
            declared.allow = allow
            if lean or crowd:
                ask = quick_load(asked) if asked is not None else None
                assert (quick is None) == (incoming is None), "the body of a lean route is flat"
                assert (ask is None) == (asked is None), "the query of a lean route is flat"
                keeps = once is True if crowd else key
                assert (quick is not None) == keeps == (method == "POST"), "a lean route is a read, or keeps its key"
                assert outgoing is not None, "a lean route has an answer"
                told = (printed or bool(crowd), ask, quick_dump(outgoing), status, crowd or view)
                declared.lean = LeanRoute(method, allow, quick, *told, f"{method} {rule}" if crowd else None)
            self.route(rule, methods=[method])(answered)
            return view

        return decorate

    def _documentation(
        self,
        view: View,
        allow: tuple[Allow, ...],
        incoming: Schema | None,
        asked: Schema | None,
        outgoing: Schema | None,
        status: int,
        *,
        keyed: bool | Literal["if_keyed"],
        given_body: dict[str, Any],
        waits: bool,
    ) -> dict[str, Any]:
        """What the OpenAPI says of the view; made for a stand-in, so that a request does not run through decorators."""

        def noted() -> None: ...

        noted.__doc__ = None
        callers = ", ".join(map(str, allow)) or "anybody"
        kinds = dict.fromkeys(allowed.kind for allowed in allow if allowed.kind != "service")
        summary, _, rest = (view.__doc__ or view.__name__).strip().partition("\n")
        documented: Any = self.doc(
            summary=summary,
            description=f"{' '.join(rest.split())}\n\nCallers: {callers}.".strip(),
            security=[{kind: []} for kind in kinds],
            parameters=[{**_KEY_HEADER, "required": keyed is True}] if keyed else [],
            **{"x-callers": [str(allowed) for allowed in allow]},
            **given_body,
        )(noted)
        if asked is not None:
            documented = self.arguments(asked, location="query")(documented)
        if incoming is not None and not given_body:
            documented = self.arguments(incoming, location="json")(documented)
        documented = self.response(status, outgoing)(documented)
        if waits:
            documented = self.alt_response(202, schema=outgoing)(documented)
        for problem in (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503):
            documented = self.alt_response(problem, schema=ProblemSchema, content_type=MEDIA_TYPE)(documented)
        written: dict[str, Any] = documented._apidoc
        return written

    def _store_endpoint_docs(self, endpoint: str, obj: View, parameters: Any, tags: Any, **options: Any) -> None:
        # The library would write the OpenAPI now, which is most of a service's start; it is written when asked for.
        self._undocumented.append((endpoint, obj, {"parameters": parameters, "tags": tags, **options}))

    def register_views_in_doc(self, *args: Any, **kwargs: Any) -> None:
        """Write the documentation of all views into the OpenAPI."""
        while self._undocumented:
            endpoint, view, declared = self._undocumented.pop(0)
            view._apidoc = view.documentation()
            super()._store_endpoint_docs(endpoint, view, **declared)
        super().register_views_in_doc(*args, **kwargs)


def load(schema: Schema, raw: Any, location: str) -> Any:
    """Validate what came in; raises a 422 problem whose errors point at each field."""
    try:
        return schema.load(raw)
    except ValidationError as error:
        raise edge_problem(
            "invalid_request", errors=list(_pointed(error.messages, f"/{location}".rstrip("/")))
        ) from error


def load_many(schema: Schema, raw: Any, most: int) -> list[Any]:
    """As `load`, for one or an array of 1 to `most`; always a list."""
    if not isinstance(raw, list):
        return [load(schema, raw, "")]
    if not 1 <= len(raw) <= most:
        errors = [{"pointer": "/", "detail": f"Send 1 to {most} of them at a time."}]
        raise edge_problem("invalid_request", errors=errors)
    try:
        loaded: list[Any] = schema.load(raw, many=True)
    except ValidationError as error:
        raise edge_problem("invalid_request", errors=list(_pointed(error.messages, ""))) from error
    return loaded


def _quick_many(quick: QuickLoadMany, raw: Any, most: int) -> list[Any] | None:
    """As `load_many` where all is plainly right; None when the schema is to say what is not."""
    items = raw if isinstance(raw, list) else [raw]
    return quick(items) if 1 <= len(items) <= most else None


def _array_or_one(document: dict[str, Any] | None, most: int | None) -> dict[str, Any]:
    """The OpenAPI request body of a route that takes one thing or an array of them."""
    if document is None:
        return {}
    many = {"type": "array", "items": document, "minItems": 1, "maxItems": most}
    content = {"application/json": {"schema": {"oneOf": [document, many]}}}
    return {"requestBody": {"required": True, "content": content}}


def _pointed(messages: Any, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            step = "" if name == "_schema" else f"/{str(name).replace('~', '~0').replace('/', '~1')}"
            yield from _pointed(inner, pointer + step)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _pointed(inner, pointer)
    else:
        yield {"pointer": pointer or "/", "detail": str(messages)}


def _instance(schema: type[Schema] | Schema | None) -> Schema | None:
    return schema() if isinstance(schema, type) else schema


def _dump(schema: Schema | None, result: Any) -> Any:
    return None if schema is None else schema.dump(result)


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= 255 or any(not "!" <= character <= "~" for character in key):
        raise edge_problem("idempotency_key_missing")
    return key


def request_fingerprint(program_id: int) -> bytes:
    """SHA-256 of this request: method, path, program and body."""
    return fingerprint(request.method, request.path, program_id, request.get_json(silent=True))


def _run_once(
    route: str,
    view: View,
    values: dict[str, Any],
    outgoing: Schema | None,
    status: int,
    waits: Callable[[Any], bool] | None,
) -> Response:
    edge = current_app.extensions["jifen"]
    caller = values["caller"]
    scope = {"program_id": caller.program_id, "caller": caller.actor, "route": route, "key": _idempotency_key()}

    def run(session: Any) -> Answer:
        result = view(session=session, **values)
        ready = isinstance(result, Response)
        shown = result.get_data(as_text=True) if ready else current_app.json.dumps(_dump(outgoing, result))
        replayed = getattr(result, "replayed", False)
        return Answer(202 if waits and waits(result) else status, shown, replayed=replayed)

    def refused(refusal: Refusal) -> Answer:
        problem = refusal_problem(refusal, edge.wordings)
        if problem.status >= 500 or "Retry-After" in problem.headers:
            raise refusal  # it says to send the same again: that must not find this answer
        return Answer(problem.status, current_app.json.dumps(problem_body(problem)), MEDIA_TYPE)

    answer = answer_once(edge.database, edge.keys, scope, request_fingerprint(caller.program_id), run, refused)
    response = Response(answer.body, answer.status, content_type=answer.media_type)
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _json(value: Any, status: int) -> Response:
    return Response(current_app.json.dumps(value), status, content_type="application/json")
