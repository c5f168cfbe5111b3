"""What signing in is about, as values and refusals."""

from dataclasses import dataclass
from datetime import timedelta

from common.errors import Refusal
from common.identity import Identity

MEMBER_TOKEN_LIFE = timedelta(hours=2)
STAFF_TOKEN_LIFE = timedelta(hours=8)


class BadToken(Refusal):
    """The token was not made here, or was changed."""

    code = "token_invalid"


class TokenExpired(Refusal):
    """The token was good, once."""

    code = "token_expired"


class TokenEnded(Refusal):
    """The person's password, roles or state changed after the token was made."""

    code = "token_ended"


class UnknownScheme(Refusal):
    """The Authorization header is neither a Bearer token nor a signature."""

    code = "authorization_unknown"


class LoginUnavailable(Refusal):
    """This way to sign in is not offered here, or not set up for the program."""

    code = "login_unavailable"


class BadLoginCode(Refusal):
    """The code is wrong, used or too old (WeChat 40029: one use, five minutes)."""

    code = "login_code_invalid"


class LoginTooOften(Refusal):
    """The user asked too often (WeChat 45011: 100 a minute)."""

    code = "login_too_often"


class UserBlocked(Refusal):
    """WeChat holds the user for high-risk and lets nobody sign them in (40226)."""

    code = "login_user_blocked"


class ProviderBusy(Refusal):
    """The provider does not answer, or says it is busy (WeChat -1)."""

    code = "login_provider_busy"


class ProviderRefused(Refusal):
    """The provider refused us, not the user: appid or secret are wrong, or worse."""

    code = "login_provider_refused"


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """Who somebody is in the provider's eyes. `value` is unique within `app`; `union` links the apps of one brand."""

    type: str
    app: str
    value: str
    union: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: the caller, the version of the person it was made for (0 for members), its end (epoch s)."""

    identity: Identity
    version: int
    expires: int
