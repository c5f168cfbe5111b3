"""One way to learn who a member is, in two kinds: WeChat, and a sandbox for places without credentials."""

from functools import lru_cache
from typing import Literal, Protocol

from common.settings import Settings, settings
from gateway.auth.domain import ExternalIdentity, LoginUnavailable
from gateway.auth.sandbox import SandboxLogin
from gateway.auth.wechat import WeChatLogin
from gateway.programs.domain import Program

Provider = Literal["sandbox", "wechat"]
PROVIDERS: tuple[Provider, ...] = ("sandbox", "wechat")


class Login(Protocol):
    """A provider of identities."""

    def identify(self, program: Program, code: str) -> ExternalIdentity:
        """Who the code, which the member's own app obtained, stands for. Raises refusals of `auth.domain`."""


class InsecureSettings(Exception):
    """The settings would let anybody sign in as anybody."""


def login(provider: str) -> Login:
    """The way to sign in of that name; raises `LoginUnavailable` for one that is not offered here."""
    try:
        return logins()[provider]
    except KeyError as error:
        raise LoginUnavailable(provider=provider) from error


@lru_cache(maxsize=1)
def logins() -> dict[str, Login]:
    """What this process offers; raises `InsecureSettings` rather than offer the sandbox in production."""
    return offered(settings())


def offered(chosen: Settings) -> dict[str, Login]:
    """What these settings allow: WeChat always, the sandbox outside production unless JIFEN_SANDBOX_LOGIN says no."""
    production = chosen.env == "production"
    sandbox = not production if chosen.sandbox_login is None else chosen.sandbox_login
    if sandbox and production:
        raise InsecureSettings("JIFEN_SANDBOX_LOGIN lets anybody sign in as anybody: never in production")
    secrets = {appid: secret.get_secret_value() for appid, secret in chosen.wechat_secrets.items()}
    wechat: dict[str, Login] = {"wechat": WeChatLogin(chosen.wechat_url, secrets)}
    return {**wechat, "sandbox": SandboxLogin()} if sandbox else wechat
