"""The buckets that all processes share, in Redis: one call tells it what was taken here and hears what is left."""

from collections.abc import Sequence
from typing import Any

from common.queue import redis
from gateway.limits.domain import Policy

# Each bucket remembers its tokens and when that was, by Redis' own clock, and dies when it would be full anyway.
# Processes that overdrew it together leave a debt of at most one burst.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local left = {}
for i, key in ipairs(KEYS) do
  local rate, burst, taken = tonumber(ARGV[3*i-2]), tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i])
  local known = redis.call('HMGET', key, 'tokens', 'at')
  local tokens, at = tonumber(known[1]) or burst, tonumber(known[2]) or now
  tokens = math.min(burst, tokens + math.max(0, now - at) * rate) - taken
  tokens = math.max(-burst, math.min(burst, tokens))
  redis.call('HSET', key, 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil((burst - tokens) / rate * 1000) + 1000)
  left[i] = tostring(tokens)
end
return left
"""
_PREFIX = "jifen:limits:"


def share(taken: Sequence[tuple[str, Policy, int]]) -> list[float]:
    """Tell what was taken from each bucket here; returns what is left of each in all. Raises `RedisError`."""
    keys = [_PREFIX + key for key, _, _ in taken]
    numbers: list[Any] = [number for _, policy, count in taken for number in (policy.rate, policy.burst, count)]
    answer: Any = redis().eval(_SCRIPT, len(keys), *keys, *numbers)
    return [float(tokens) for tokens in answer]
