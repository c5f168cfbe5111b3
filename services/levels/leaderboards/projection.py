"""The sorted sets in Valkey: what PostgreSQL's scores look like when a rank is asked for, in O(log n).

Two keys per ranking, in one hash slot: a sorted set (entry name -> score) and a hash (member -> version:entry name). A
write is taken only if its version is newer than the one there, so writes may come late, twice or out of order. An entry
`ready` (score -1, behind all others) says that the set is whole: a flushed, evicted or half-built set has none, and is
never believed. Builds carry a token, so that a flush in the middle of one cannot end in `ready`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from redis.commands.core import Script

from common.queue import redis
from services.levels.leaderboards.domain import Placed, Rank, RankedSet, Score, Shown, entry_name, member_of

#: How long a set that nothing changes is kept; a later question builds it anew. `all` is kept for ever.
_KEEP_SECONDS = 35 * 86_400

_PUSH = """
local ready = redis.call('HEXISTS', KEYS[2], 'ready') == 1 or redis.call('HEXISTS', KEYS[2], 'build') == 1
if not ready then return 0 end
for i = 3, #ARGV, 4 do
  local old = redis.call('HGET', KEYS[2], ARGV[i])
  local colon = old and string.find(old, ':', 1, true)
  if not old or tonumber(string.sub(old, 1, colon - 1)) < tonumber(ARGV[i + 1]) then
    if old and colon < #old then redis.call('ZREM', KEYS[1], string.sub(old, colon + 1)) end
    if ARGV[i + 2] ~= '' then redis.call('ZADD', KEYS[1], ARGV[i + 3], ARGV[i + 2]) end
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1] .. ':' .. ARGV[i + 2])
  end
end
redis.call('HSET', KEYS[2], 'as_of', ARGV[1])
if tonumber(ARGV[2]) > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return 1
"""
_BEGIN = """
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[2], 'build', ARGV[1])
redis.call('EXPIRE', KEYS[2], 86400)
"""
_FINISH = """
if redis.call('HGET', KEYS[2], 'build') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[2], 'build')
redis.call('HSET', KEYS[2], 'ready', 1, 'as_of', ARGV[2])
redis.call('ZADD', KEYS[1], -1, 'ready')
if tonumber(ARGV[3]) > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
else
  redis.call('PERSIST', KEYS[2])
end
return 1
"""
_TOP = """
if not redis.call('ZSCORE', KEYS[1], 'ready') then return false end
return {redis.call('HGET', KEYS[2], 'as_of'), redis.call('ZREVRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')}
"""
_MINE = """
if not redis.call('ZSCORE', KEYS[1], 'ready') then return false end
local as_of = redis.call('HGET', KEYS[2], 'as_of')
local mine = redis.call('HGET', KEYS[2], ARGV[1])
local name = mine and string.sub(mine, string.find(mine, ':', 1, true) + 1)
local rank = name and redis.call('ZREVRANK', KEYS[1], name)
if not rank then return {as_of} end
local score = redis.call('ZSCORE', KEYS[1], name)
if rank == 0 then return {as_of, rank, score} end
return {as_of, rank, score, redis.call('ZREVRANGE', KEYS[1], rank - 1, rank - 1, 'WITHSCORES')[2]}
"""


def kept(sets: Sequence[RankedSet]) -> list[RankedSet]:
    """Those of the sets that are there or being built: nobody asked for the others. Raises `RedisError`."""
    with redis().pipeline(transaction=False) as pipeline:
        for ranked in sets:
            pipeline.hmget(_keys(ranked)[1], "ready", "build")
        answers = pipeline.execute()
    return [ranked for ranked, answer in zip(sets, answers, strict=True) if any(answer)]


def push(scores: Sequence[Score], as_of: datetime) -> None:
    """Tell Valkey of scores; sets that are not there are left for whoever asks for them."""

    def ranked(score: Score) -> tuple[Any, ...]:
        one = score.ranked
        return one.program_id, one.metric, one.period, one.starts_on

    with redis().pipeline(transaction=False) as pipeline:
        for _, group in groupby(sorted(scores, key=ranked), key=ranked):
            members = list(group)
            which = members[0].ranked
            told = [value for score in members for value in _told(score)]
            _script(_PUSH)(keys=_keys(which), args=[as_of.isoformat(), _keep(which), *told], client=pipeline)
        pipeline.execute()


def begin(ranked: RankedSet, token: str) -> None:
    """Begin to build a set anew; until `finish` nobody believes it."""
    _script(_BEGIN)(keys=_keys(ranked), args=[token])


def finish(ranked: RankedSet, token: str, as_of: datetime) -> bool:
    """Declare the set whole; false when it was flushed, or another build began, meanwhile."""
    return bool(_script(_FINISH)(keys=_keys(ranked), args=[token, as_of.isoformat(), _keep(ranked)]))


def find_top(ranked: RankedSet, limit: int) -> Shown[list[Placed]] | None:
    """The first places, or None when the set is not whole. Raises `RedisError`."""
    answer = _script(_TOP)(keys=_keys(ranked), args=[limit])
    if not answer:
        return None
    as_of, flat = answer
    pairs = [(flat[place].decode(), int(float(flat[place + 1]))) for place in range(0, len(flat), 2)]
    entries = [(name, score) for name, score in pairs if name != "ready"]
    placed = [Placed(rank, member_of(name), score) for rank, (name, score) in enumerate(entries, start=1)]
    return Shown(placed, datetime.fromisoformat(as_of.decode()))


def find_rank(ranked: RankedSet, member_id: int) -> Shown[Rank] | None:
    """A member's place; None when the set is not whole. Raises `RedisError`."""
    answer = _script(_MINE)(keys=_keys(ranked), args=[member_id])
    if not answer:
        return None
    as_of = datetime.fromisoformat(answer[0].decode())
    if len(answer) == 1:
        return Shown(Rank(None, 0, None), as_of)
    score = int(float(answer[2]))
    return Shown(Rank(answer[1] + 1, score, int(float(answer[3])) - score if answer[3:] else None), as_of)


@lru_cache(maxsize=8)
def _script(text: str) -> Script:
    return redis().register_script(text)


def _keys(ranked: RankedSet) -> list[str]:
    name = f"jifen:board:{{{ranked.program_id}:{ranked.metric}:{ranked.period}:{ranked.starts_on}}}"
    return [name, f"{name}:entries"]


def _keep(ranked: RankedSet) -> int:
    return 0 if ranked.period == "all" else _KEEP_SECONDS


def _told(score: Score) -> tuple[int, int, str, int]:
    name = entry_name(score) if score.score > 0 else ""
    return score.member_id, score.version, name, score.score
