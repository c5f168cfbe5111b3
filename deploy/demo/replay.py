"""Driving the purchases through the gateway, with a progress bar, and waiting until every service has taken them in."""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from deploy.demo.client import Person, Shop
from deploy.demo.purchases import Purchase, as_event

BATCH = 500
SENDERS = 3


@dataclass(frozen=True)
class Replayed:
    """How the replay went."""

    orders: int
    new: int
    seconds: float

    @property
    def orders_per_second(self) -> float:
        """Orders a second, all of it: HTTP, rules, ledger, commit."""
        return self.orders / self.seconds


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f} orders/s")


def last_day(folder: Path) -> date:
    """The day on which the shifted log ends: yesterday at the first demo on this data, the same ever after."""
    kept = folder / "demo-last-day.json"
    if not kept.exists():
        kept.write_text(json.dumps((datetime.now(UTC).date() - timedelta(days=1)).isoformat()))
    return date.fromisoformat(json.loads(kept.read_text()))


def replay(shop: Shop, purchases: Sequence[Purchase], *, ends_on: date, console: Console) -> Replayed:
    """Send every purchase once, in batches of events; a purchase sent before changes nothing."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    new = 0
    began = time.perf_counter()
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(SENDERS) as senders:
        task = progress.add_task("Replaying purchases", total=len(purchases))
        for sent, taken in senders.map(lambda batch: _send(shop, batch, ends_on), _batches(purchases)):
            new += taken
            progress.advance(task, sent)
    return Replayed(len(purchases), new, time.perf_counter() - began)


def wait_for_levels(marketer: Person, shop: Shop, *, console: Console, patience_seconds: float = 300) -> float:
    """Wait until the other services have applied every fact; returns the seconds it took.

    They have when levels counts the members that points knows, and nothing moves any more.
    """
    began = time.perf_counter()
    before = None
    with console.status("Waiting until tiers and boards have caught up …"):
        while time.perf_counter() - began < patience_seconds:
            members = shop.call("GET", "/v1/assets/points/totals")["members"]
            tiers = [tier["members"] for tier in marketer.call("GET", "/v1/tiers/counts")["tiers"]]
            board = marketer.call("GET", "/v1/leaderboards/spend?period=all")["places"]
            if sum(tiers) >= members and (tiers, board) == before:
                return time.perf_counter() - began
            before = (tiers, board)
            time.sleep(2.5)
    raise TimeoutError(f"tiers and boards did not catch up within {patience_seconds:g} s")


def _batches(purchases: Sequence[Purchase]) -> Iterator[Sequence[Purchase]]:
    for start in range(0, len(purchases), BATCH):
        yield purchases[start : start + BATCH]


def _send(shop: Shop, batch: Sequence[Purchase], ends_on: date) -> tuple[int, int]:
    events = [as_event(purchase, last_day=ends_on) for purchase in batch]
    results = shop.call("POST", "/v1/events", events)["results"]
    return len(batch), sum(not result["replayed"] for result in results)
