"""Calling the gateway as a shop's system, as staff and as a member do: signed, or with a token."""

import json
import secrets
import time
from typing import Any

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential
from urllib3 import PoolManager, Retry

from gateway.signing import authorization

JSON = dict[str, Any]


class DemoFailed(Exception):
    """The gateway answered with a problem where the demo expected success."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


#: What says "the same again, later" is sent again, signed anew: everything here can be repeated without effect.
patient = retry(
    retry=retry_if_exception(lambda error: isinstance(error, DemoFailed) and error.status in (409, 429, 503)),
    wait=wait_random_exponential(multiplier=0.2, max=5),
    stop=stop_after_delay(60),
    reraise=True,
)


class Gateway:
    """The only door. Calls raise `DemoFailed` on any problem."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool = PoolManager(maxsize=16, retries=Retry(total=0))

    def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, key: str | None = None
    ) -> JSON:
        """The JSON answer."""
        sent = dict(headers or {})
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        if key is not None:
            sent["Idempotency-Key"] = key
        response = self._pool.request(method, self.url + path, body=data or None, headers=sent)
        if response.status >= 400:
            said = f"{method} {path}: {response.status} {response.data.decode(errors='replace')[:500]}"
            raise DemoFailed(response.status, said)
        return response.json() if response.data else {}


class Shop:
    """A system with an API key: every request is signed anew."""

    def __init__(self, gateway: Gateway, key_id: str, secret: str) -> None:
        self._gateway = gateway
        self._key_id = key_id
        self._secret = secret

    @patient
    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> JSON:
        """The JSON answer to a signed request."""
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        nonce = secrets.token_urlsafe(18)
        signed = authorization(method, path, data, self._key_id, self._secret, int(time.time()), nonce)
        return self._gateway.call(method, path, body, headers={"Authorization": signed}, key=key)


class Person:
    """Staff or a member with a token."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self._gateway = gateway
        self.token = token
        self._headers = {"Authorization": f"Bearer {token}"}

    @patient
    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> JSON:
        """The JSON answer."""
        return self._gateway.call(method, path, body, headers=self._headers, key=key)


def sign_in_staff(gateway: Gateway, program: str, name: str, password: str) -> Person:
    """Staff by password."""
    body = {"program": program, "name": name, "password": password}
    return Person(gateway, gateway.call("POST", "/v1/sessions/staff", body)["token"])


def sign_in_member(gateway: Gateway, program: str, name: str) -> Person:
    """A member by the sandbox login."""
    body = {"program": program, "provider": "sandbox", "code": f"sandbox:{name}"}
    return Person(gateway, gateway.call("POST", "/v1/sessions/member", body)["token"])
