"""A token bucket: so many requests at once, so many a second for ever."""

import math
from dataclasses import dataclass

from common.errors import Refusal


@dataclass(frozen=True, slots=True)
class Policy:
    """`rate` tokens come back each second, at most `burst` are there. `name` is what the answer's headers call it."""

    name: str
    rate: float
    burst: int

    @property
    def header(self) -> str:
        """The `RateLimit-Policy` header (IETF draft): quota, and the seconds in which an empty bucket fills."""
        return f'"{self.name}";q={self.burst};w={math.ceil(self.burst / self.rate)}'


class Bucket:
    """The tokens of one caller in one process. `unshared` is what was taken since the other processes were told."""

    __slots__ = ("at", "policy", "tokens", "unshared")

    def __init__(self, policy: Policy, now: float) -> None:
        self.policy = policy
        self.tokens = float(policy.burst)
        self.at = now
        self.unshared = 0

    def take(self, now: float, count: int = 1) -> bool:
        """Take tokens if there are enough; `now` is a monotonic clock in seconds. A negative count gives back."""
        self._refill(now)
        if self.tokens < count:
            return False
        self.tokens = min(self.tokens - count, float(self.policy.burst))
        self.unshared += count
        return True

    def learn(self, now: float, tokens: float) -> None:
        """All processes together have `tokens` left, as of what this one had told them."""
        self._refill(now)
        self.tokens = tokens - self.unshared

    def is_full(self, now: float) -> bool:
        """Whether forgetting the bucket would change nothing."""
        self._refill(now)
        return self.unshared == 0 and self.tokens >= self.policy.burst

    @property
    def header(self) -> str:
        """The `RateLimit` header: tokens left, and the seconds until the bucket is full again."""
        missing = self.policy.burst - self.tokens
        return f'"{self.policy.name}";r={max(0, int(self.tokens))};t={math.ceil(missing / self.policy.rate)}'

    @property
    def seconds_to_wait(self) -> int:
        """Whole seconds, at least one, until there is a token."""
        return max(1, math.ceil((1 - self.tokens) / self.policy.rate))

    def _refill(self, now: float) -> None:
        if now > self.at:
            self.tokens = min(self.tokens + (now - self.at) * self.policy.rate, float(self.policy.burst))
            self.at = now


class TooManyRequests(Refusal):
    """The caller's bucket is empty; `seconds` until there is a token again, and the headers that say so."""

    code = "too_many_requests"

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(seconds=bucket.seconds_to_wait)
        self.headers = rate_headers(bucket)


def rate_headers(bucket: Bucket) -> list[tuple[str, str]]:
    """What every answer tells a caller about its bucket."""
    return [("RateLimit-Policy", bucket.policy.header), ("RateLimit", bucket.header)]
