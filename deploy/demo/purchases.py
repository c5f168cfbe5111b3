"""The CDNOW log: 69,659 purchases of 23,570 customers of a music shop, January 1997 to June 1998.

It comes inside the Python package `Lifetimes` (file `lifetimes/datasets/CDNOW_master.txt`), fetched once, without its
dependencies, by the hash in `requirements-demo.lock`, and read straight out of the wheel. Dollars are read as yuan.
A purchase's key is customer, day and its number on that day, so that the 1/10 sample and the whole log name it alike.
"""

import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of the log; `key` names it for ever."""

    key: str
    customer: str
    on: date
    amount_fen: int
    discs: int


def fetch(folder: Path) -> Path:
    """The wheel with the log, downloaded into `folder` unless it is there."""
    found = next(folder.glob("[Ll]ifetimes-*.whl"), None)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        lock = REPOSITORY / "requirements-demo.lock"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--require-hashes", "--dest", str(folder), "--requirement", str(lock)], check=True)
        found = next(folder.glob("[Ll]ifetimes-*.whl"))
    return found


def read(wheel: Path, *, full: bool) -> list[Purchase]:
    """The purchases by day, whole or the 1/10 sample."""
    name = "CDNOW_master.txt" if full else "CDNOW_sample.txt"
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"lifetimes/datasets/{name}").decode("ascii")
    return sorted(_purchases(text), key=lambda purchase: (purchase.on, purchase.key))


def _purchases(text: str) -> Iterator[Purchase]:
    numbers: Counter[tuple[str, str]] = Counter()
    for line in text.splitlines():
        words = line.split()
        if not words or not words[0].isdigit():
            continue
        # The sample's second column numbers its customers anew; the first is the same as in the whole log.
        customer, day, discs, dollars = words[0], words[-3], words[-2], words[-1]
        numbers[customer, day] += 1
        on = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date()
        key = f"{customer}-{day}-{numbers[customer, day]}"
        yield Purchase(key, customer, on, int(Decimal(dollars) * 100), int(discs))


LAST_DAY = date(1998, 6, 30)


def as_event(purchase: Purchase, *, last_day: date) -> dict[str, object]:
    """The purchase as a CloudEvent, shifted so that the log ends on `last_day`; the hour follows from the key."""
    on = purchase.on + (last_day - LAST_DAY)
    second = sum(ord(character) * 7919 for character in purchase.key) % (12 * 3600)
    at = datetime.combine(on, time(1), tzinfo=UTC) + timedelta(seconds=second)
    return {
        "specversion": "1.0",
        "id": purchase.key,
        "source": "cdnow",
        "type": "order.paid",
        "subject": f"customer_id:{purchase.customer}",
        "time": at.isoformat(),
        "data": {"order_id": purchase.key, "paid_fen": purchase.amount_fen, "discs": purchase.discs},
    }
