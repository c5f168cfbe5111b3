"""Signing in with WeChat: the mini-program's `wx.login` code for an openid, by `code2session` (platform-rules, Login).

The answer's `session_key` decrypts what the user's phone sends: it is not read here, so it cannot leak from here.
"""

import json
from typing import Any

import structlog
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from common.errors import Refusal
from gateway.auth.domain import (
    BadLoginCode,
    ExternalIdentity,
    LoginTooOften,
    LoginUnavailable,
    ProviderBusy,
    ProviderRefused,
    UserBlocked,
)
from gateway.programs.domain import Program

log = structlog.get_logger()

# A code counts once, so a request that may have arrived is never repeated.
_ONCE = Retry(total=0, connect=1)
_TIMEOUT = Timeout(connect=2.0, read=5.0)
_REFUSALS: dict[int, type[Refusal]] = {
    -1: ProviderBusy,
    40029: BadLoginCode,
    40163: BadLoginCode,  # the code has been used
    40226: UserBlocked,
    45011: LoginTooOften,
}


class WeChatLogin:
    """code2session of every program's own mini-program; `secrets` maps appid to app secret."""

    def __init__(self, url: str, secrets: dict[str, str]) -> None:
        self._url = url.rstrip("/") + "/sns/jscode2session"
        self._secrets = secrets
        self._pool = PoolManager(maxsize=16, timeout=_TIMEOUT, retries=_ONCE)

    def identify(self, program: Program, code: str) -> ExternalIdentity:
        """The user's openid, and unionid when the app is bound to an open-platform account.

        Raises `LoginUnavailable`, `BadLoginCode`, `LoginTooOften`, `UserBlocked`, `ProviderBusy`, `ProviderRefused`.
        """
        appid = program.wechat_appid
        if appid is None or appid not in self._secrets:
            raise LoginUnavailable(provider="wechat")
        answer = self._ask({"appid": appid, "secret": self._secrets[appid], "js_code": code})
        error = answer.get("errcode", 0)
        if error:
            log.warning("wechat_login_refused", appid=appid, errcode=error)
            refusal = _REFUSALS.get(error)
            raise refusal() if refusal else ProviderRefused(errcode=int(error))
        openid, unionid = answer.get("openid"), answer.get("unionid")
        if not isinstance(openid, str) or not openid:
            raise ProviderRefused(errcode=0)
        return ExternalIdentity("wechat_openid", appid, openid, unionid or None)

    def _ask(self, query: dict[str, str]) -> dict[str, Any]:
        fields = {**query, "grant_type": "authorization_code"}
        try:
            response = self._pool.request("GET", self._url, fields=fields)
            # WeChat sends JSON as text/plain, so the body decides.
            answer = json.loads(response.data) if response.status == 200 else None
        except (HTTPError, ValueError):
            # The error's text would hold the address with the app secret in it: it goes nowhere.
            log.warning("wechat_login_unanswered", appid=query["appid"])
            raise ProviderBusy() from None
        if not isinstance(answer, dict):
            raise ProviderBusy()
        return answer
