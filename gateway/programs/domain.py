"""A program as the door knows it."""

import re
from dataclasses import dataclass

from common.errors import Refusal

_CODE = re.compile(r"^[a-z][a-z0-9_-]{0,63}\Z")
_APPID = re.compile(r"^wx[0-9a-f]{16}\Z")


class UnknownProgram(Refusal, LookupError):
    """No program has that code."""

    code = "program_not_found"


class BadProgram(Refusal):
    """The code, name or appid is not in its form."""

    code = "bad_program"


@dataclass(frozen=True, slots=True)
class Program:
    """One brand's program; `wechat_appid` is its mini-program, whose secret is in the environment only."""

    program_id: int
    code: str
    name: str
    wechat_appid: str | None = None


def check(code: str, name: str, wechat_appid: str | None) -> None:
    """Raise `BadProgram` unless all are in form: a short code, a name of 1 to 100, a WeChat appid (wx and 16 hex)."""
    if not _CODE.match(code):
        raise BadProgram(what="code", value=code)
    if not 1 <= len(name.strip()) <= 100 or not name.isprintable():
        raise BadProgram(what="name", value=name)
    if wechat_appid is not None and not _APPID.match(wechat_appid):
        raise BadProgram(what="wechat_appid", value=wechat_appid)
