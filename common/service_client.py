"""Calling a neighbour: signed identity, timeouts, retries only where repeating is safe, and a circuit breaker.

One `clients.py` per domain and neighbour holds the paths; this module holds the mechanism.
"""

import json
from datetime import datetime
from typing import Any

import structlog
from pybreaker import CircuitBreaker, CircuitBreakerError
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from common.errors import NeighbourUnavailable
from common.feed import Fact, Page
from common.identity import HEADER, Identity, sign
from common.settings import settings

_TIMEOUT = Timeout(connect=1.0, read=10.0)
#: Repeat what is safe to repeat, three times, with jitter: connection faults and 502/503/504.
_SAFE = Retry(
    total=3,
    backoff_factor=0.1,
    backoff_jitter=0.1,
    status_forcelist=(502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
    respect_retry_after_header=False,
)
_NEVER = Retry(total=0, connect=1)


class NeighbourRefused(Exception):
    """The neighbour answered with a problem: `status`, `code` and its whole `problem`."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code', '')}")
        self.status = status
        self.code = str(problem.get("code", ""))
        self.problem = problem


class Neighbour:
    """A service as another one calls it."""

    def __init__(self, name: str, *, caller: str) -> None:
        self.name = name
        self.caller = caller
        self._pool = PoolManager(maxsize=16, timeout=_TIMEOUT)
        self._breaker = CircuitBreaker(fail_max=5, reset_timeout=2)

    def get(self, path: str, *, program_id: int, query: dict[str, Any] | None = None) -> Any:
        """Read; retried when the neighbour does not answer."""
        return self._call("GET", path, program_id=program_id, query=query, retries=_SAFE)

    def post(self, path: str, *, program_id: int, body: Any, key: str | None = None) -> Any:
        """Change; retried only with an idempotency key."""
        return self._call("POST", path, program_id=program_id, body=body, key=key, retries=_SAFE if key else _NEVER)

    def feed(self, cursor: str, topics: tuple[str, ...], limit: int = 500) -> Page:
        """One page of the neighbour's feed."""
        query = {"after": cursor, "limit": limit, "topics": ",".join(topics)}
        answer = self.get("/feed", program_id=0, query=query)
        facts = [
            Fact(
                self.name,
                row["id"],
                row["topic"],
                row["program_id"],
                row["member_id"],
                datetime.fromisoformat(row["at"]),
                row["payload"],
            )
            for row in answer["facts"]
        ]
        return Page(facts, answer["cursor"], answer["more"])

    def _call(
        self,
        method: str,
        path: str,
        *,
        program_id: int,
        retries: Retry,
        query: dict[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
    ) -> Any:
        """The neighbour's JSON. Raises `NeighbourRefused` on 4xx, `NeighbourUnavailable` when there is no answer."""
        try:
            # Not `call`: that keeps the breaker's lock until the answer is there, and sends one request at a time.
            with self._breaker.calling():
                response = self._send(method, path, program_id, retries, query, body, key)
        except (HTTPError, CircuitBreakerError, _Unwell) as error:
            raise NeighbourUnavailable(service=self.name) from error
        if response.status >= 400:
            raise NeighbourRefused(response.status, _problem(response))
        return response.json() if response.data else None

    def _send(
        self,
        method: str,
        path: str,
        program_id: int,
        retries: Retry,
        query: dict[str, Any] | None,
        body: Any,
        key: str | None,
    ) -> BaseHTTPResponse:
        identity = Identity("service", program_id, self.caller)
        headers = {HEADER: sign(identity, secret=settings().identity_secret.get_secret_value())}
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            headers["X-Request-ID"] = request_id
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        url = settings().service_url(self.name) + path
        response = self._pool.request(method, url, fields=query, body=data, headers=headers, retries=retries)
        if response.status >= 500:
            raise _Unwell(response.status)
        return response


class _Unwell(Exception):
    """A 5xx answer, counted by the breaker."""


def _problem(response: BaseHTTPResponse) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {"code": "", "detail": response.data[:200].decode("latin-1")}
    return problem if isinstance(problem, dict) else {}
