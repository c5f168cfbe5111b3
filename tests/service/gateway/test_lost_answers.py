"""A network between the door and a service that loses answers or is slow: a 503, and the same key gives the answer."""

import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from common.service import Service
from gateway.application import create_gateway
from gateway.forwarding import upstream
from tests.gateway import People, Reply, environment, http
from tests.points import Brand
from tests.support import listening
from tests.wire import Wire, wire_to
from tests.wsgi import serving

Post = Callable[[str], Reply]


@pytest.fixture
def network(brand: Brand, points_migrated: Service, people: People) -> Iterator[tuple[Wire, Post]]:
    """The wire between the door and the real points service, and a shop that posts ten points under a key."""
    shop = people.key("ledger")
    body = json.dumps({"member_id": 7, "asset": "points", "kind": "earn", "amount": 10}).encode()
    with (
        listening(points_migrated) as address,
        wire_to(("127.0.0.1", urlsplit(address).port or 0)) as (wire, port),
        environment(JIFEN_POINTS_URL=f"http://127.0.0.1:{port}"),
    ):
        gateway = create_gateway()
        with serving(gateway) as url:

            def post(key: str) -> Reply:
                signed = shop.sign("POST", "/v1/postings", body)
                sent = {"Content-Type": "application/json", "Idempotency-Key": key, **signed}
                return http(url, "POST", "/v1/postings", body, sent)

            yield wire, post
        gateway.close()


def test_an_answer_that_is_lost_on_the_way_comes_again(network: tuple[Wire, Post], brand: Brand) -> None:
    wire, post = network
    wire.lose_answer_to = b"POST /v1/postings"
    lost = post("a")
    assert (lost.status, lost.code) == (503, "service_unavailable")
    assert int(lost.headers["retry-after"]) > 0
    assert brand.figures()[0] == 10
    again = post("a")
    assert (again.status, again.headers["idempotency-replayed"], again.json["balance"]) == (201, "true", 10)
    assert brand.figures()[0] == 10


def test_what_takes_longer_than_the_door_waits_is_done_once(
    network: tuple[Wire, Post], brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, post = network
    monkeypatch.setattr(upstream, "READ_SECONDS", 0.3)
    wire.delay_seconds = 0.5
    late = post("a")
    assert (late.status, late.code) == (503, "service_unavailable")
    assert int(late.headers["retry-after"]) > 0
    wire.delay_seconds = 0
    deadline = time.monotonic() + 20
    while brand.figures()[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    monkeypatch.undo()
    again = post("a")
    assert (again.status, again.headers["idempotency-replayed"], again.json["balance"]) == (201, "true", 10)
    assert brand.figures()[0] == 10
