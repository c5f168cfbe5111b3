"""The CDNOW log, as `make demo` reads it, as events in batches: as much of it as is answered in time."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.wire import Door, Kind, as_body
from deploy.demo.purchases import Purchase, as_event, fetch, read
from deploy.demo.replay import BATCH
from deploy.local import data_folder

CONNECTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases:
    """The whole log in `wheel`; `prefix` makes its orders new."""

    wheel: Path
    prefix: str
    kind: Kind = "event"

    def requests(self, door: Door) -> list[bytes]:
        """Its batches, day by day; the log ends yesterday."""
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        return [
            door.request("/v1/events", as_body([as_event(purchase, last_day=yesterday) for purchase in batch]))
            for batch in self.batches()
        ]

    def batches(self) -> list[list[Purchase]]:
        """The purchases under their new keys, by so many as the demo sends at once."""
        log = [replace(it, key=f"{self.prefix}-{it.key}") for it in read(self.wheel, full=True)]
        return [log[start : start + BATCH] for start in range(0, len(log), BATCH)]

    def orders_in(self, batches: int) -> int:
        """How many purchases the first so many batches hold."""
        return sum(map(len, self.batches()[:batches]))

    def postings_in(self, batches: int) -> int:
        """How many of them earn something: at a point a yuan, those of a yuan and more."""
        return sum(purchase.amount_fen >= 100 for batch in self.batches()[:batches] for purchase in batch)


def purchases() -> Purchases:
    """The log once more, under a new name; fetched into the local data folder unless the demo has done so."""
    folder = data_folder.default_data_folder()
    data_folder.prepare(folder)
    return Purchases(wheel=fetch(folder / "downloads"), prefix=secrets.token_hex(6))
