"""How much each kind of caller may ask by default."""

from functools import lru_cache

from common.settings import settings
from gateway.limits.domain import Policy

#: Sign-ins from one address; a shop's whole staff may sit behind one.
LOGIN_ADDRESS = Policy("login-address", rate=1, burst=30)
#: Wrong passwords for one name: five at once, then one every half minute.
LOGIN_NAME = Policy("login-name", rate=1 / 30, burst=5)


@lru_cache(maxsize=1)
def member() -> Policy:
    """One member; two seconds of it may come at once."""
    rate = settings().member_requests_per_second
    return Policy("member", rate=rate, burst=2 * rate)


@lru_cache(maxsize=1)
def staff() -> Policy:
    """One of the staff; two seconds of it may come at once."""
    rate = settings().staff_requests_per_second
    return Policy("staff", rate=rate, burst=2 * rate)


@lru_cache(maxsize=4096)
def system(rate_per_second: int) -> Policy:
    """An API key's own rate; two seconds of it may come at once."""
    return Policy("system", rate=rate_per_second, burst=2 * rate_per_second)
