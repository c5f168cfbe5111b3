"""Requests as bytes, built before the clock starts: every one signed, with its own nonce and idempotency key."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

from common.identity import HEADER
from gateway.signing import authorization

LINES = 1000
#: The members that exist before the clock starts; spread load walks through all of them.
MEMBERS = 10_000
ASSET = "points"
#: Where `bench.limit.bare` answers, through the gateway: an address that it forwards to levels.
BARE_PATH = "/v1/tiers"

Kind = Literal["single", "hot", "batch", "event", "balance", "bare", "redemption", "order", "rank", "checkin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where requests go and how they say who sends them: by an API key's signature, or by a signed identity."""

    host: str
    port: int
    key_id: str = ""
    secret: str = ""
    identity: str = ""

    def request(
        self, path: str, body: bytes = b"", *, key: str | None = None, method: str = "POST", token: str = ""
    ) -> bytes:
        """A request of JSON; with a member's `token`, it is the member's own."""
        if token:
            caller = f"Authorization: Bearer {token}"
        elif self.identity:
            caller = f"{HEADER}: {self.identity}"
        else:
            nonce, now = secrets.token_hex(16), int(time.time())
            caller = f"Authorization: {authorization(method, path, body, self.key_id, self.secret, now, nonce)}"
        named = f"Idempotency-Key: {key}\r\n" if key else ""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{caller}\r\n{named}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


class Stock(Protocol):
    """What a load sends: requests of one kind."""

    @property
    def kind(self) -> Kind:
        """By which answers are judged."""

    def requests(self, door: Door) -> list[bytes]:
        """All of them, in the order in which they are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a load sends: `count` requests of a kind, none of which was ever sent before."""

    kind: Kind
    count: int

    def requests(self, door: Door) -> list[bytes]:
        """All of them."""
        make = _MAKERS[self.kind]
        return list(islice(make(door, secrets.token_hex(6)), self.count))

    @property
    def postings(self) -> int:
        """How many postings one request makes."""
        return {"batch": LINES, "event": LINES, "balance": 0, "bare": 0}.get(self.kind, 1)


def is_right(kind: Kind, answer: bytes) -> bool:
    """Whether the answer (head and body) says that everything was done."""
    if kind in ("single", "hot"):
        return answer.startswith(b"HTTP/1.1 201")
    head, _, body = answer.partition(b"\r\n\r\n")
    if kind == "order":
        return head.startswith(b"HTTP/1.1 201") and b'"state":"completed"' in body
    if kind == "checkin":
        return head.startswith(b"HTTP/1.1 200") and b'"repeated":false' in body
    if kind == "redemption":
        return head.startswith(b"HTTP/1.1 201") or (head.startswith(b"HTTP/1.1 409") and b'"sold_out"' in body)
    if kind == "rank":
        return head.startswith(b"HTTP/1.1 200") and b'"rank":' in body and b'"rank":null' not in body
    if kind in ("balance", "bare"):
        return head.startswith(b"HTTP/1.1 200") and b'"balance":' in body
    return head.startswith(b"HTTP/1.1 200") and (kind == "event" or body.startswith(b'{"posted":1000,"refused":0,'))


def line(member: int) -> dict[str, object]:
    """The posting that everybody makes: earn ten, which expire with the asset's own validity."""
    return {"member_id": member, "asset": ASSET, "kind": "earn", "amount": 10}


def every_member(start: str) -> Iterator[int]:
    """Every member in turn, in an order without neighbours, beginning anywhere."""
    position = int(start, 16)
    while True:
        # 7,919 shares no factor with 10,000, so nobody is left out and nobody comes twice in a batch.
        position += 7919
        yield position % MEMBERS + 1


def _singles(door: Door, prefix: str) -> Iterator[bytes]:
    for number, member in enumerate(every_member(prefix)):
        yield door.request("/v1/postings", as_body(line(member)), key=f"{prefix}-{number}")


def _hot(door: Door, prefix: str) -> Iterator[bytes]:
    body = as_body(line(1))
    for number in range(1 << 62):
        yield door.request("/v1/postings", body, key=f"{prefix}-{number}")


def _batches(door: Door, prefix: str) -> Iterator[bytes]:
    members = every_member(prefix)
    for number in range(1 << 62):
        lines = [{**line(next(members)), "key": f"{prefix}-{number}-{position}"} for position in range(LINES)]
        yield door.request("/v1/postings/batch", as_body({"lines": lines}))


def _balances(door: Door, prefix: str) -> Iterator[bytes]:
    for member in every_member(prefix):
        yield door.request(f"/v1/accounts/{ASSET}?member_id={member}", method="GET")


def _bare(door: Door, prefix: str) -> Iterator[bytes]:
    for member in every_member(prefix):
        yield door.request(f"{BARE_PATH}?member_id={member}", method="GET")


def _events(door: Door, prefix: str) -> Iterator[bytes]:
    members = every_member(prefix)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for number in range(1 << 62):
        events = [
            {
                "specversion": "1.0",
                "id": f"{prefix}-{number}-{position}",
                "source": "bench",
                "type": "order.paid",
                "subject": f"member:{next(members)}",
                "time": now,
                "data": {"order_id": f"{prefix}-{number}-{position}", "paid_fen": 1000, "channel": "shop"},
            }
            for position in range(LINES)
        ]
        yield door.request("/v1/events", as_body(events))


def as_body(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


_MAKERS: dict[Kind, Callable[[Door, str], Iterator[bytes]]] = {
    "single": _singles,
    "hot": _hot,
    "batch": _batches,
    "event": _events,
    "balance": _balances,
    "bare": _bare,
}
