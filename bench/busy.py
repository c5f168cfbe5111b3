"""The whole platform at work, every service with its worker and the cron: a sale, a replay, feeds, a board."""

from collections.abc import Callable, Collection
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from bench import lag, load, ranks, replay, sale
from bench.load import Answered, Load
from bench.ratios import percentile
from bench.site import Site, running_site
from bench.wire import Stock, Work

PLATFORM = "deploy.local.processes:PLATFORM"
SINGLES_CONNECTIONS = 64
_STOCK_PER_SECOND = 8000
_HALF = 0.5
#: A sale ends when everybody has an answer.
_SALE_SECONDS = 600.0


@dataclass(kw_only=True)
class Busy:
    """One round on a platform at work; `highest` are the single postings a second of this round.

    `ranked`: how many members the large board has.
    """

    site: Site
    seconds: float
    generator: ProcessPoolExecutor
    ranked: int
    highest: float = 0.0

    def send(
        self, stock: Stock, *, connections: int, seconds: float, per_second: float | None = None
    ) -> Future[Answered]:
        """Load the gateway from the generator's process."""
        door = self.site.gateway
        asked = Load(door=door, work=stock, connections=connections, seconds=seconds, per_second=per_second)
        return self.generator.submit(load.run, asked)


def measure(
    names: Collection[str],
    *,
    seconds: float,
    rounds: int,
    ranked: int,
    generator: ProcessPoolExecutor,
    advance: Callable[[], None],
    afterwards: Callable[["Busy"], None] = lambda _: None,
) -> list[dict[str, float]]:
    """For each round the figures of `MEASURES` that `names` has, and `busy_singles`; verified afterwards.

    `advance` is called once, and once for each figure; `afterwards` when all are there, on the same platform.
    """
    asked = {name: MEASURES[name] for name in MEASURES if name in {"busy_singles", *names}}
    with running_site(PLATFORM) as site:
        advance()
        figures = []
        for _ in range(rounds):
            busy, found = Busy(site=site, seconds=seconds, generator=generator, ranked=ranked), {}
            for name, run in asked.items():
                # Nobody pays for the feed that another has filled.
                lag.catch_up(site)
                found[name] = run(busy)
                advance()
            figures.append(found)
        lag.catch_up(site)
        afterwards(busy)
        lag.catch_up(site)
        site.seal()
        site.verify()
    return figures


def _singles(it: Busy) -> float:
    work = Work(kind="single", count=int(it.seconds * _STOCK_PER_SECOND))
    answered = it.send(work, connections=SINGLES_CONNECTIONS, seconds=it.seconds).result()
    it.site.acknowledged += answered.requests
    it.highest = answered.per_second
    return answered.per_second


def _sale(it: Busy) -> float:
    """Answers a second."""
    opened = sale.open_sale(it.site)
    buyers = sale.Orders(item=opened.item, tokens=[it.site.token(one) for one in opened.buyers], kind="redemption")
    answered = it.send(buyers, connections=sale.CONNECTIONS, seconds=_SALE_SECONDS).result()
    it.site.acknowledged += sale.PIECES * sale.POSTINGS_OF_AN_ORDER
    sale.check(it.site, opened)
    return answered.per_second


def _replay(it: Busy) -> float:
    """Orders a second."""
    log = replay.purchases()
    answered = it.send(log, connections=replay.CONNECTIONS, seconds=it.seconds).result()
    it.site.acknowledged += log.postings_in(answered.requests)
    return log.orders_in(answered.requests) / answered.seconds


def _feed_lag(it: Busy) -> float:
    """The 99th percentile in milliseconds, under half of the round's highest load."""
    rate = _HALF * it.highest
    work = Work(kind="single", count=int(it.seconds * rate))
    under_load = it.send(work, connections=SINGLES_CONNECTIONS, seconds=it.seconds, per_second=rate)
    found = lag.lags(it.site, until=under_load.done)
    it.site.acknowledged += under_load.result().requests
    return 1000 * percentile(found, 0.99)


def _rank_growth(it: Busy) -> float:
    """The median latency on the large board ÷ on the small one; one member asks at a time."""
    medians = []
    for board in (ranks.large(it.ranked), ranks.SMALL):
        ranks.fill(it.site, board)
        tokens = [it.site.token(member) for member in board.askers()]
        asked = ranks.Questions(board=board, tokens=tokens, count=int(it.seconds * _STOCK_PER_SECOND))
        medians.append(percentile(it.send(asked, connections=1, seconds=it.seconds).result().latencies, 0.5))
    return medians[0] / medians[1]


#: `busy_singles` come first: by them the load of the others is set.
MEASURES: dict[str, Callable[[Busy], float]] = {
    "busy_singles": _singles,
    "sale": _sale,
    "replay": _replay,
    "feed_lag": _feed_lag,
    "rank_growth": _rank_growth,
}
#: For the reader, as contenders say theirs.
CONNECTIONS = {
    "busy_singles": str(SINGLES_CONNECTIONS),
    "sale": str(sale.CONNECTIONS),
    "replay": str(replay.CONNECTIONS),
    "feed_lag": str(SINGLES_CONNECTIONS),
    "rank_growth": "1",
}
