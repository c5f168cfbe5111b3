"""Sealing: every entry exactly once and in commit order, whatever is killed, doubled or run at the same time."""

import random
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest

from common import clock, queue
from common.settings import settings
from services.points import jobs as service_jobs
from services.points.audit import jobs, repository, tree, use_cases
from services.points.audit.domain import GONE
from services.points.audit.jobs import seal_if_rested, seal_posted
from services.points.audit.signing import signer, signer_of
from services.points.database import transaction
from services.points.ledger import use_cases as ledger
from services.points.ledger.domain import Kind
from services.points.ledger.use_cases import Command
from services.points.programs.use_cases import program_book
from tests.points import Brand, done, refused, sql, wrong
from tests.support import Callers

NOW = datetime(2026, 5, 3, tzinfo=UTC)


def post(count: int, *, members: int = 100, name: str = "k") -> None:
    """Many earnings, by batches."""
    for start in range(0, count, 1000):
        with transaction() as session:
            book = program_book(session, 1)
            lines = [
                ledger.line_of(
                    book,
                    Command(
                        scope="t",
                        key=f"{name}{number}",
                        kind=Kind.EARN,
                        member_id=1 + number % members,
                        asset="points",
                        amount=1 + number % 7,
                        cause="t",
                    ),
                    now=NOW,
                )
                for number in range(start, min(start + 1000, count))
            ]
            ledger.post(session, lines, zones={1: "Asia/Shanghai"})


def sizes() -> tuple[int, int]:
    """How many entries and leaves there are."""
    row = sql("SELECT (SELECT count(*) FROM points_entries), (SELECT count(*) FROM points_audit_leaves)")[0]
    return row[0], row[1]


def log_is_sound() -> bool:
    """Everything is sealed and `verify` finds nothing."""
    entries, leaves = sizes()
    return entries == leaves and wrong() == []


def test_every_entry_is_sealed_once(brand: Brand) -> None:
    for amount in range(1, 8):
        brand.earn(amount)
    assert (seal_posted(), seal_posted()) == (7, 0)
    brand.spend(3)
    assert seal_posted() == 1
    assert sizes() == (8, 8)
    assert [row[0] for row in sql("SELECT seq FROM points_audit_leaves ORDER BY position")] == list(range(1, 9))
    assert done(brand.shop.get("/v1/audit/head"))["number"] == 2
    assert log_is_sound()


def test_pages_are_sealed_one_after_the_other(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LEAVES_AT_ONCE", 300)
    post(1000)
    assert seal_posted() == 1000
    assert [row[0] for row in sql("SELECT size FROM points_audit_heads ORDER BY number")] == [300, 600, 900, 1000]
    post(700, name="l")
    assert seal_posted() == 700
    assert log_is_sound()


def test_killed_anywhere_it_goes_on_where_it_stood(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LEAVES_AT_ONCE", 50)
    for step in ("lock_log", "add_leaves", "add_nodes", "add_head", "stored_hashes", "expand_hashes"):
        real, calls = getattr(repository, step), iter(range(1, 1000))

        def killed(*args: Any, real: Any = real, calls: Any = calls, **kwargs: Any) -> Any:
            made = real(*args, **kwargs)
            if next(calls) == 2:
                raise KeyboardInterrupt
            return made

        with monkeypatch.context() as broken:
            broken.setattr(repository, step, killed)
            post(200, name=step)
            with pytest.raises(KeyboardInterrupt):
                seal_posted()
        entries, leaves = sizes()
        assert (entries - leaves) == 150
        assert seal_posted() == 150
    assert log_is_sound()


def test_many_sealers_and_posters_at_once_seal_everything_once(brand: Brand) -> None:
    ended = Event()

    def seal_on() -> int:
        sealed = 0
        while not ended.is_set():
            sealed += seal_posted()
        return sealed

    def post_some(number: int) -> None:
        for turn in range(5):
            post(random.randint(1, 40), members=3, name=f"{number}-{turn}-")

    with ThreadPoolExecutor(8) as pool:
        sealers = [pool.submit(seal_on) for _ in range(3)]
        list(pool.map(post_some, range(4)))
        ended.set()
        sealed = sum(sealer.result() for sealer in sealers)
    sealed += seal_posted()
    assert sizes() == (sealed, sealed)
    assert sealed > 0
    assert log_is_sound()


def test_a_transaction_that_commits_late_is_sealed_late_and_not_lost(brand: Brand) -> None:
    began, may_end = Event(), Event()
    seal_posted()  # the feed's first reader waits for all writers, the others for none

    def slow() -> None:
        with transaction() as session:
            book = program_book(session, 1)
            command = Command(scope="t", key="slow", kind=Kind.EARN, member_id=50, asset="points", amount=1, cause="t")
            ledger.post(session, [ledger.line_of(book, command, now=NOW)], zones={1: "Asia/Shanghai"})
            began.set()
            may_end.wait(10)

    thread = Thread(target=slow)
    thread.start()
    began.wait(10)
    post(10)
    assert seal_posted() == 10
    may_end.set()
    thread.join()
    assert seal_posted() == 1
    assert sql("SELECT member_id FROM points_audit_leaves ORDER BY position DESC LIMIT 1")[0][0] == 50
    assert log_is_sound()


def test_a_wake_up_seals_and_rests(brand: Brand) -> None:
    queue.redis().flushall()
    brand.earn(5)
    waiting = [(one.func_name, one.args) for one in queue.queue("points").jobs]
    assert waiting == [("services.points.jobs.pull_feed", ["points"])]
    service_jobs.pull_feed("points")
    assert sizes() == (1, 1)
    brand.earn(5)
    service_jobs.pull_feed("points")
    assert sizes() == (2, 1)
    sql("UPDATE points_audit_logs SET sealed_at = sealed_at - interval '3 seconds'")
    service_jobs.seal_entries()
    assert sizes() == (2, 2)


def test_at_rest_there_is_a_head_every_few_seconds_at_most(brand: Brand) -> None:
    with transaction() as session:
        assert use_cases.has_rested(session, now=clock.now())
    brand.earn(5)
    assert seal_if_rested() == 1
    with transaction() as session:
        sealed_at = repository.last_sealed_at(session)
        assert sealed_at is not None
        assert not use_cases.has_rested(session, now=sealed_at + timedelta(seconds=2.9))
        assert use_cases.has_rested(session, now=sealed_at + timedelta(seconds=3))


def test_without_a_key_nothing_is_sealed_and_it_says_so(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    brand.earn(5)
    with monkeypatch.context() as environment:
        environment.delenv("JIFEN_AUDIT_KEY")
        settings.cache_clear()
        with pytest.raises(LookupError, match="JIFEN_AUDIT_KEY"):
            seal_posted()
    settings.cache_clear()
    assert sizes() == (1, 0)
    assert seal_posted() == 1


@pytest.mark.parametrize("seed", ["", "abc", "!" * 44, b64encode(bytes(31)).decode(), b64encode(bytes(33)).decode()])
def test_a_key_that_is_none_is_refused(seed: str) -> None:
    with pytest.raises(ValueError):
        signer_of(seed)


def test_both_alphabets_of_base64_make_the_same_key() -> None:
    standard = b64encode(bytes([251, 255] * 16)).decode()
    assert "+" in standard
    assert signer_of(standard).key_id == signer_of(standard.replace("+", "-").replace("/", "_")).key_id


def test_a_new_key_signs_the_log_anew_and_the_old_one_stays_listed(
    brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand.earn(5)
    seal_posted()
    old = signer().key_id.hex()
    with monkeypatch.context() as environment:
        environment.setenv("JIFEN_AUDIT_KEY", b64encode(bytes(range(32))).decode())
        settings.cache_clear()
        assert [finding.detail for finding in wrong()] == ["1: head 1 is not signed by JIFEN_AUDIT_KEY"]
        assert (seal_posted(), seal_posted()) == (0, 0)
        new = signer().key_id.hex()
        heads = done(brand.shop.get("/v1/audit/heads"))["heads"]
        assert [(head["number"], head["size"], head["key_id"]) for head in heads] == [(2, 1, new), (1, 1, old)]
        assert heads[0]["root"] == heads[1]["root"]
        assert [key["key_id"] for key in done(brand.shop.get("/v1/audit/keys"))["keys"]] == [old, new]
        brand.earn(5)
        assert seal_posted() == 1
        assert wrong() == []
    settings.cache_clear()


def test_an_entry_told_twice_is_sealed_once(brand: Brand) -> None:
    brand.earn(5)
    again = "INSERT INTO points_outbox (topic, program_id, member_id, pointer) VALUES ('ledger.entry', 1, 7, '{1,1}')"
    sql(again)
    seal_posted()
    assert sizes() == (1, 1)
    sql(again)
    assert seal_posted() == 1  # a fact, but no leaf
    brand.earn(5)
    seal_posted()
    assert sizes() == (2, 2)
    assert done(brand.shop.get("/v1/audit/head"))["number"] == 2


def test_an_entry_that_was_gone_before_it_was_sealed_stays_missed(brand: Brand) -> None:
    brand.earn(5)
    brand.earn(6)
    sql("DELETE FROM points_entries WHERE seq = 1")
    assert seal_posted() == 2
    assert bytes(sql("SELECT hash FROM points_audit_leaves WHERE seq = 1")[0][0]) == GONE
    [finding] = [finding for finding in wrong() if "leaf" in finding.name]
    assert finding.detail == "1/7/1/1 (leaf 0, no entry)"


def test_a_log_whose_edge_is_damaged_does_not_grow_over_the_damage(brand: Brand) -> None:
    post(20)
    seal_posted()
    sql("DELETE FROM points_audit_nodes")
    brand.earn(5)
    with pytest.raises(use_cases.LogDamaged):
        seal_posted()
    assert sizes() == (21, 20)


def test_time_that_goes_back_does_not_take_heads_with_it(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    brand.earn(5)
    seal_posted()
    brand.earn(5)
    monkeypatch.setattr(jobs, "now", lambda: NOW - timedelta(days=3650))
    seal_posted()
    older, newer = sql("SELECT at FROM points_audit_heads ORDER BY number")
    assert older == newer
    assert wrong() == []


def test_a_large_history_is_sealed_and_proven(brand: Brand, points: Callers) -> None:
    post(12_345, members=500)
    assert seal_posted() == 12_345
    head = done(brand.shop.get("/v1/audit/head"))
    hashes = [
        tree.leaf_hash(use_cases.leaf_bytes((1, row.member_id, row.asset_id, row.seq), bytes(row.hash)))
        for row in sql("SELECT * FROM points_audit_leaves ORDER BY position")
    ]
    edge = tree.Edge()
    tree.grow(edge, hashes)
    assert head["root"] == tree.root(edge).hex()
    assert len(done(points.member(321).get("/v1/audit/receipts/points/20"))["path"]) in (13, 14)
    assert refused(points.member(321).get("/v1/audit/receipts/points/99")) == (404, "not_found")
    assert log_is_sound()
