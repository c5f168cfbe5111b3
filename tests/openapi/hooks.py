"""How Schemathesis signs in, and which of its cases are sent.

A member or staff signs in by token, a system by signing each request that was prepared.
"""

import gc
import os
import re
import secrets
import time
from collections import Counter
from typing import Any

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis.core.parameters import ParameterLocation

from gateway.signing import authorization
from tests.thoroughness import THOROUGH

# Of the cases of a kind that the coverage of a schema knows, every how manieth is sent.
_EVERY = 1 if THOROUGH else 12
_kinds: Counter[tuple[str, str]] = Counter()

# A document of some hundred operations makes millions of objects that live as long as the run.
gc.set_threshold(20_000, 20, 50)


class AsCaller(AuthBase):
    """The caller named by JIFEN_TEST_CALLER: `token <bearer>` or `key <id> <secret>`."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        kind, *words = os.environ["JIFEN_TEST_CALLER"].split()
        if kind == "token":
            request.headers["Authorization"] = f"Bearer {words[0]}"
            return request
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else body
        target = request.path_url
        nonce = secrets.token_urlsafe(18)
        signed = authorization(request.method or "GET", target, data, words[0], words[1], int(time.time()), nonce)
        request.headers["Authorization"] = signed
        return request


schemathesis.auth.set_from_requests(AsCaller())


class Nobody(AuthBase):
    """Signs nothing."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """A case that is wrong only by its missing Authorization goes without one: signing in would put it right."""
    header = case.meta.components.get(ParameterLocation.HEADER) if case.meta else None
    key = str((case.headers or {}).get("Idempotency-Key", ""))
    if header is not None and header.mode.is_negative and re.fullmatch(r"[!-~]{1,255}", key):
        kwargs["auth"] = Nobody()


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """A nested body can be wrong in hundreds of ways of the same kind: the first two of each and a sample are sent."""
    scenario = getattr(case.meta.phase.data, "scenario", None)
    if scenario is None:
        return True
    kind = case.operation.label, str(scenario)
    _kinds[kind] += 1
    return _kinds[kind] <= 2 or _kinds[kind] % _EVERY == 0
