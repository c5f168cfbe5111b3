"""Sign-in without WeChat, for development, demonstrations and tests: the code says who one is."""

import re

from gateway.auth.domain import BadLoginCode, ExternalIdentity
from gateway.programs.domain import Program

_CODE = re.compile(r"^sandbox:([A-Za-z0-9._@-]{1,64})(?:/([A-Za-z0-9._@-]{1,64}))?\Z")


class SandboxLogin:
    """`sandbox:<name>` is the member of that name, always the same; `sandbox:<name>/<union>` gives a unionid too."""

    def identify(self, program: Program, code: str) -> ExternalIdentity:
        """Raises `BadLoginCode` for a code in another form."""
        match = _CODE.match(code)
        if match is None:
            raise BadLoginCode()
        app = program.wechat_appid or f"sandbox-{program.code}"
        return ExternalIdentity("wechat_openid", app, f"sandbox-{match[1]}", match[2])
