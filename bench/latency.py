"""How long answers take at a load that the platform bears: 70 % of the highest rate, of what members do most.

Each kind is first sent as fast as it is answered, then at that share of what came out.
"""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from bench import ranks, sale
from bench.busy import SINGLES_CONNECTIONS, Busy
from bench.ratios import Latencies, latencies
from bench.site import Site, WrongResults
from bench.wire import Door, Kind, Stock, as_body, every_member

SHARE = 0.7
#: Requests built for one second at the highest rate: more than the platform answers.
_STOCK_PER_SECOND = 3000
#: Who checks in is nobody of the load, and comes once.
_FIRST_MEMBER = 70_000_000
_PATIENCE_SECONDS = 120.0

#: A stock of so many requests, none of which was ever sent before.
Make = Callable[[int], Stock]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taps:
    """Check-ins: one of each owner of `tokens`."""

    campaign: str
    tokens: list[str]
    kind: Kind = "checkin"

    def requests(self, door: Door) -> list[bytes]:
        """All of them."""
        body = as_body({"campaign": self.campaign})
        return [
            door.request("/v1/checkins", body, key=f"{self.campaign}-{number}", token=token)
            for number, token in enumerate(self.tokens)
        ]


def measure(name: str, it: Busy) -> Latencies:
    """The latencies of one of `MEASURED`, on a platform at work."""
    what, prepare, postings = MEASURED[name]
    make = prepare(it)
    highest = it.send(
        make(int(it.seconds * _STOCK_PER_SECOND)), connections=SINGLES_CONNECTIONS, seconds=it.seconds
    ).result()
    rate = SHARE * highest.per_second
    work = make(int(it.seconds * rate))
    paced = it.send(work, connections=SINGLES_CONNECTIONS, seconds=it.seconds, per_second=rate).result()
    it.site.acknowledged += postings * (highest.requests + paced.requests)
    _wait_for_rewards(it.site)
    return latencies(what, paced.latencies, per_second=rate, share=SHARE)


def _check_ins(it: Busy) -> Make:
    campaign = f"daily-{secrets.token_hex(6)}"
    reward = [{"kind": "asset", "asset": "points", "amount": 1}]
    terms = {"name_en": "Daily", "name_zh": "签到", "day_table": [reward] * 7}
    it.site.call("levels", "PUT", f"/v1/checkins/campaigns/{campaign}", terms, it.site.marketer)
    members = itertools.count(_FIRST_MEMBER + secrets.randbelow(1 << 40))
    return lambda count: Taps(campaign=campaign, tokens=_tokens(it, members, count))


def _redemptions(it: Busy) -> Make:
    item = sale.put_up(it.site, stock=10**9)
    members = every_member(secrets.token_hex(6))
    return lambda count: sale.Orders(item=item, tokens=_tokens(it, members, count), kind="order")


def _my_rank(it: Busy) -> Make:
    ranks.fill(it.site, ranks.SMALL)
    tokens = _tokens(it, iter(ranks.SMALL.askers()), ranks.FEW)
    return lambda count: ranks.Questions(board=ranks.SMALL, tokens=tokens, count=count)


def _tokens(it: Busy, members: Iterator[int], count: int) -> list[str]:
    return [it.site.token(member) for member in islice(members, count)]


def _wait_for_rewards(site: Site) -> None:
    """Until everything that was promised is in the ledger; raises `WrongResults` when it does not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while site.entries() < site.acknowledged:
        if time.monotonic() > deadline:
            raise WrongResults(f"rewards did not arrive within {_PATIENCE_SECONDS:g} s")
        time.sleep(0.1)


#: By the figure with which each is measured: what the reader is told, how it is prepared, and the postings of one.
MEASURED: dict[str, tuple[str, Callable[[Busy], Make], int]] = {
    "busy_singles": ("check-in", _check_ins, 1),
    "sale": ("redemption", _redemptions, sale.POSTINGS_OF_AN_ORDER),
    "rank_growth": ("leaderboard: my rank", _my_rank, 0),
}
