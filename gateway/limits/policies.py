"""How much each kind of caller may ask by default."""

from functools import lru_cache

from gateway.limits.domain import Policy

MEMBER = Policy("member", rate=20, burst=40)
STAFF = Policy("staff", rate=50, burst=100)
#: Sign-ins from one address; a shop's whole staff may sit behind one.
LOGIN_ADDRESS = Policy("login-address", rate=1, burst=30)
#: Wrong passwords for one name: five at once, then one every half minute.
LOGIN_NAME = Policy("login-name", rate=1 / 30, burst=5)


@lru_cache(maxsize=4096)
def system(rate_per_second: int) -> Policy:
    """An API key's own rate; two seconds of it may come at once."""
    return Policy("system", rate=rate_per_second, burst=2 * rate_per_second)
