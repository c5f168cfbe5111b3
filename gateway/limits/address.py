"""From which address a request came."""

from collections.abc import Mapping
from typing import Any

from common.settings import settings


def client_address(environ: Mapping[str, Any]) -> str:
    """The peer's address; behind N proxies of ours (JIFEN_PROXIES_IN_FRONT), what the outermost of them saw.

    Whatever the client itself wrote into X-Forwarded-For stands further left and is never believed.
    """
    peer = str(environ.get("REMOTE_ADDR", ""))
    proxies = settings().proxies_in_front
    if not proxies:
        return peer
    seen = [part.strip() for part in str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    return seen[-proxies] if len(seen) >= proxies and seen[-proxies] else peer
