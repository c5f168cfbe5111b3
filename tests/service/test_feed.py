"""The feed under real concurrency, restores and crashes: every fact once, in commit order, and per account by seq."""

import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlmodel import Session

from common.commands import service_commands
from common.feed import Fact, Page, Subscription, append, append_many, notice_cluster, page, pull
from common.feed.producer import BadCursor
from deploy.local.postgres import binaries
from services.points.database import database, feed, transaction
from tests.points import Brand, done, pointers, refused, sql
from tests.servers import throwaway_postgres
from tests.support import Callers

Handler = Callable[[Session, list[Fact]], None]


def tell(session: Session, name: str, topic: str = "test.said") -> int:
    return append(session, feed, topic, program_id=1, member_id=7, payload={"name": name})


def say(*names: str, topic: str = "test.said") -> None:
    with transaction() as session:
        for name in names:
            tell(session, name, topic)


def names(facts: list[Fact]) -> list[str]:
    return [fact.payload["name"] for fact in facts]


class Reader:
    """Reads the feed page by page, as a consumer does, keeping its cursor."""

    def __init__(self, *, limit: int = 500, topics: tuple[str, ...] = ()) -> None:
        self.cursor, self.limit, self.topics = "", limit, topics

    def read(self, session: Session | None = None) -> list[Fact]:
        """Everything that stands ready."""
        facts: list[Fact] = []
        more = True
        while more:
            it = self.page(session)
            facts += it.facts
            more = it.more
        return facts

    def page(self, session: Session | None = None) -> Page:
        """The next page."""
        if session is None:
            with transaction() as own:
                return self.page(own)
        it = page(session, feed, after=self.cursor, limit=self.limit, topics=self.topics)
        self.cursor = it.cursor
        return it


@pytest.fixture
def effects(points: Callers) -> Iterator[Callable[[], list[str]]]:
    """A table for the effects of facts, in the consumer's database; call it to see them in the order they came."""
    sql("CREATE TABLE test_effects (place bigserial PRIMARY KEY, name text NOT NULL)")
    yield lambda: [row[0] for row in sql("SELECT name FROM test_effects ORDER BY place")]
    sql("DROP TABLE test_effects")


def note(session: Session, facts: list[Fact]) -> None:
    """A handler whose effect is a row a fact."""
    for fact in facts:
        session.execute(text("INSERT INTO test_effects (name) VALUES (:name)"), {"name": fact.payload["name"]})


def consume(
    handler: Handler = note, *, limit: int = 500, meanwhile: Callable[[], None] = lambda: None, **topics: Handler
) -> int:
    """Pull the feed as a service does, with the cursor in the same database as the effects."""

    def fetch(cursor: str, wanted: tuple[str, ...]) -> Page:
        meanwhile()
        with transaction() as session:
            return page(session, feed, after=cursor, limit=limit, topics=wanted)

    return pull(database, feed, Subscription("points", {"test.said": handler, **topics}), fetch)


def test_facts_come_once_and_in_order(points: Callers) -> None:
    reader = Reader()
    say("a", "b")
    say("c")
    assert names(reader.read()) == ["a", "b", "c"]
    assert reader.read() == []
    say("d")
    assert names(reader.read()) == ["d"]


def test_who_takes_an_id_first_and_commits_last_is_neither_lost_nor_repeated(points: Callers) -> None:
    reader, naive_last = Reader(), 0
    say("before")
    assert names(reader.read()) == ["before"]
    naive_last = sql("SELECT max(id) FROM points_outbox")[0][0]
    with database.transaction() as slow:
        early = tell(slow, "early id, late commit")
        say("late id, early commit")
        assert names(reader.read()) == ["late id, early commit"]
        seen = sql("SELECT id FROM points_outbox WHERE id > :last ORDER BY id", last=naive_last)
        naive_last = seen[-1][0]
        assert len(seen) == 1
        assert reader.read() == []
    # The control: whoever remembers only the last id has passed by the early one for ever.
    assert early < naive_last
    assert sql("SELECT id FROM points_outbox WHERE id > :last", last=naive_last) == []
    assert names(reader.read()) == ["early id, late commit"]
    assert reader.read() == []


def test_a_rolled_back_fact_was_never_there(points: Callers) -> None:
    reader = Reader()
    with suppress(ZeroDivisionError), transaction() as session:
        tell(session, "never")
        raise ZeroDivisionError
    say("after")
    assert names(reader.read()) == ["after"]


@pytest.mark.parametrize("limit", [1, 2, 7, 500])
def test_pages_cut_one_big_step_anywhere_and_lose_nothing(points: Callers, limit: int) -> None:
    with transaction() as session:
        append_many(session, feed, "test.said", [(1, 7, {"name": str(n)}) for n in range(40)])
    reader = Reader(limit=limit)
    assert names(reader.read()) == [str(n) for n in range(40)]
    say("more")
    assert names(reader.read()) == ["more"]


def test_what_is_committed_inside_a_step_belongs_to_the_next_step(points: Callers) -> None:
    reader = Reader(limit=2)
    reader.read()
    with transaction() as slow:
        tell(slow, "slow")
        say("a", "b", "c")
        assert names(reader.page().facts) == ["a", "b"]
        say("d")
    assert names(reader.read()) == ["c"]
    assert names(reader.read()) == ["slow", "d"]


def test_a_reader_of_some_topics_passes_the_others_by(points: Callers) -> None:
    reader = Reader(limit=2, topics=("test.said", "test.sung"))
    for n in range(5):
        say(f"x{n}", topic="test.whispered")
        say(f"y{n}", topic="test.sung" if n % 2 else "test.said")
    assert names(reader.read()) == [f"y{n}" for n in range(5)]
    assert names(Reader(topics=("test.whispered",)).read()) == [f"x{n}" for n in range(5)]


def test_sixteen_writers_and_a_reader_meanwhile_every_entry_once_and_by_seq(brand: Brand) -> None:
    ready, stop = Barrier(17), Event()

    def write(writer: int) -> int:
        ready.wait()
        posted = 0
        while not stop.is_set():
            brand.earn(1, member_id=1 + (writer + posted) % 6, key=f"{writer}-{posted}")
            posted += 1
        return posted

    neighbour, cursor, facts = brand.callers.service("levels"), "", []
    with ThreadPoolExecutor(16) as pool:
        writers = [pool.submit(write, number) for number in range(16)]
        ready.wait()
        until, last = time.monotonic() + 2.5, False
        while not last:
            if time.monotonic() > until and not stop.is_set():
                stop.set()
                posted = sum(writer.result() for writer in writers)
            last = stop.is_set()
            more = True
            while more:
                it = done(neighbour.get("/feed", after=cursor, limit=50, topics="ledger.entry"))
                facts += it["facts"]
                cursor, more = it["cursor"], it["more"]
    by_member = defaultdict(list)
    for fact in facts:
        by_member[fact["member_id"]].append(fact["payload"]["seq"])
    assert len(facts) == posted > 100
    assert len({fact["id"] for fact in facts}) == posted
    for seqs in by_member.values():
        assert seqs == list(range(1, len(seqs) + 1))


def test_an_entry_travels_as_a_pointer_and_arrives_whole(brand: Brand) -> None:
    brand.earn(50, key="order-1")
    hold = brand.hold(20)
    brand.capture(hold, amount=5)
    it = done(brand.callers.service("levels").get("/feed", topics="ledger.entry"))
    told = [
        {name: fact["payload"][name] for name in ("asset", "seq", "kind", "amount", "held_delta")}
        for fact in it["facts"]
    ]
    assert told == [
        {"asset": "points", "seq": 1, "kind": "earn", "amount": 50, "held_delta": 0},
        {"asset": "points", "seq": 2, "kind": "hold", "amount": 0, "held_delta": 20},
        {"asset": "points", "seq": 3, "kind": "capture", "amount": -5, "held_delta": -20},
    ]
    first = it["facts"][0]["payload"]
    assert (first["balance_after"], first["held_after"], first["cause"]) == (50, 0, "system:shop order-1")
    assert first["at"] == brand.entries()[0]["at"].replace("Z", "+00:00")
    assert sql("SELECT DISTINCT payload FROM points_outbox WHERE topic = 'ledger.entry'") == [(None,)]


@pytest.mark.parametrize(
    "cursor",
    [
        "17",
        "|||",
        "0|||0",
        "x|3:3:||0",
        "0|3:3||0",
        "0|3:3:|0",
        "0|3:3:||x",
        "0|3:3:||-1",
        "-1|3:3:||0",
        "0|9:3:||0",
        "0|0:3:||0",
        "0|3:9:1||0",
        "0|3:9:9||0",
        "0|3:9:5,4||0",
        "0|3:9:,||0",
        "0|3:9:0||0",
        "0| 3:3:||0",
        "0|+3:3:||0",
        "0|3_0:30:||0",
        "0|٣:٣:||0",
        "0|3:3:||0\n",
        "0|3:99999999999999999999:||0",
        "0|3:3:||9223372036854775808",
        "99999999999|3:3:||0",
        "1|3:3:||0",
        "7|3:3:||0",
        "0|3:3:|3:3|0",
        "0|3:3:||0|0",
        "'; DROP TABLE points_outbox; --",
    ],
)
def test_a_cursor_that_this_feed_never_gave_out_is_refused(points: Callers, cursor: str) -> None:
    with pytest.raises(BadCursor), transaction() as session:
        page(session, feed, after=cursor, limit=5)
    answer = points.service("levels").get("/feed", after=cursor)
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == ["/query/after"]


@pytest.mark.parametrize("limit", [0, 1001, "x", -1])
def test_pages_have_bounds(points: Callers, limit: object) -> None:
    assert pointers(points.service("levels").get("/feed", limit=limit)) == ["/query/limit"]


def test_only_neighbours_read_the_feed(points: Callers) -> None:
    for caller in (points.member(7), points.staff("admin"), points.system("read", "ledger")):
        assert refused(caller.get("/feed")) == (403, "forbidden")
    assert refused(points.anybody().get("/feed")) == (401, "unauthenticated")


# Consumers


def test_effects_and_cursor_move_together(effects: Callable[[], list[str]]) -> None:
    say("a", "b", "c")
    assert consume() == 3
    assert consume() == 0
    say("d")
    assert consume(limit=1) == 1
    assert effects() == ["a", "b", "c", "d"]
    assert sql("SELECT facts FROM points_feed_cursors") == [(4,)]


def test_a_consumer_killed_between_its_effects_and_its_cursor_has_done_neither(
    effects: Callable[[], list[str]],
) -> None:
    say("a", "b", "c")
    killed = [True, True, False]

    def die_at_first(session: Session, facts: list[Fact]) -> None:
        note(session, facts)
        if killed.pop(0):
            session.flush()
            sql("SELECT pg_terminate_backend(:pid)", pid=session.connection().exec_driver_sql(
                "SELECT pg_backend_pid()").scalar_one())  # fmt: skip

    for _ in range(2):
        with pytest.raises(Exception, match=r"terminat|closed|lost"):
            consume(die_at_first)
        assert effects() == []
    assert consume(die_at_first) == 3
    assert effects() == ["a", "b", "c"]


def test_a_handler_that_raises_stops_its_feed_without_moving_the_cursor(effects: Callable[[], list[str]]) -> None:
    say("a")
    consume()
    say("b")
    say("bad", topic="test.broken")
    say("c")

    def break_(session: Session, facts: list[Fact]) -> None:
        raise ValueError(facts[0].payload["name"])

    for _ in range(3):
        with pytest.raises(ValueError, match="bad"):
            consume(**{"test.broken": break_})
        assert effects() == ["a"]
    assert consume(**{"test.broken": note}) == 3
    assert effects() == ["a", "b", "bad", "c"]


def test_consecutive_facts_of_a_topic_are_applied_together_and_topics_keep_their_order(
    effects: Callable[[], list[str]],
) -> None:
    calls: list[tuple[str, int]] = []

    def heard(topic: str) -> Handler:
        def apply(session: Session, facts: list[Fact]) -> None:
            calls.append((topic, len(facts)))
            note(session, facts)

        return apply

    say("a", "b")
    say("c", topic="test.sung")
    say("d")
    assert consume(heard("said"), **{"test.sung": heard("sung")}) == 4
    assert calls == [("said", 2), ("sung", 1), ("said", 1)]
    assert effects() == ["a", "b", "c", "d"]


def test_two_consumers_at_once_apply_each_fact_once(effects: Callable[[], list[str]]) -> None:
    wanted = [str(n) for n in range(200)]
    for start in range(0, 200, 20):
        say(*wanted[start : start + 20])

    def slowly(session: Session, facts: list[Fact]) -> None:
        time.sleep(0.005)
        note(session, facts)

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: consume(slowly, limit=7), range(4)))
    assert sum(applied) == 200
    assert effects() == wanted


def test_who_finds_another_ahead_still_applies_all_that_stood_ready(effects: Callable[[], list[str]]) -> None:
    say("a")
    others = iter([lambda: consume(), lambda: say("b")])

    def once() -> None:
        for act in others:
            act()

    assert consume(meanwhile=once) == 1
    assert effects() == ["a", "b"]


# Another cluster: the system identifier differs, and transaction ids begin anew


def on_another_cluster(identifier: str) -> None:
    """Make the feed believe that its last generation was written elsewhere."""
    sql("UPDATE points_feed_generations SET system_identifier = :it WHERE number ="
        " (SELECT max(number) FROM points_feed_generations)", it=identifier)  # fmt: skip


def test_after_a_restore_a_reader_finishes_the_old_generation_and_goes_on_in_the_new_one(points: Callers) -> None:
    behind, ahead, middle = Reader(), Reader(), Reader(limit=2)
    say("a", "b", "c")
    assert names(ahead.read()) == ["a", "b", "c"]
    assert names(middle.page().facts) == ["a", "b"]
    on_another_cluster("elsewhere")
    with transaction() as session:
        notice_cluster(session, feed)
    say("d", "e")
    assert names(behind.read()) == ["a", "b", "c", "d", "e"]
    assert names(middle.read()) == ["c", "d", "e"]
    assert names(ahead.read()) == ["d", "e"]
    assert [row[0] for row in sql("SELECT first_id FROM points_feed_generations ORDER BY number")] == [1, 4]


def test_a_restore_inside_a_step_does_not_lose_who_committed_late(points: Callers) -> None:
    reader = Reader(limit=1)
    reader.read()
    with transaction() as slow:
        tell(slow, "early id, late commit")
        say("a", "b", "c")
        assert names(reader.page().facts) == ["a"]
    on_another_cluster("elsewhere")
    say("new")
    assert sorted(names(reader.read())) == ["b", "c", "early id, late commit", "new"]
    assert reader.read() == []


def test_two_restores_in_a_row_are_two_generations(points: Callers) -> None:
    reader = Reader(limit=2)
    say("a", "b", "c")
    assert names(reader.page().facts) == ["a", "b"]
    for name, cluster in (("d", "one"), ("e", "two")):
        on_another_cluster(cluster)
        with transaction() as session:
            notice_cluster(session, feed)
        say(name)
    assert names(reader.read()) == ["c", "d", "e"]
    assert len(sql("SELECT 1 FROM points_feed_generations")) == 3


def test_many_first_readers_after_a_restore_begin_one_generation(points: Callers) -> None:
    say("a")
    Reader().read()
    on_another_cluster("elsewhere")
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: names(Reader().read()), range(8)))
    assert read == [["a"]] * 8
    assert len(sql("SELECT 1 FROM points_feed_generations")) == 2


def test_migrating_a_restored_database_begins_its_generation_before_anything_is_written(points: Callers) -> None:
    say("a")
    Reader().read()
    on_another_cluster("elsewhere")
    result = CliRunner().invoke(service_commands("services.points"), ["migrate"])
    assert result.exit_code == 0, result.output
    assert [row[0] for row in sql("SELECT first_id FROM points_feed_generations ORDER BY number")] == [1, 2]


def test_a_real_dump_and_restore_loses_and_repeats_nothing(points: Callers, tmp_path: Path, postgres: Any) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # The old cluster is far ahead in transaction ids, as one with a history is.
        connection.exec_driver_sql(
            "DO $$ BEGIN FOR i IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )
    ahead, middle, behind = Reader(), Reader(limit=1), Reader()
    say("a", "b")
    assert names(ahead.read()) == ["a", "b"]
    with transaction() as slow:
        tell(slow, "late")
        say("c", "d")
        middle.cursor = ahead.cursor
        assert names(middle.page().facts) == ["c"]
    dump = tmp_path / "points.dump"
    run("pg_dump", "--format=custom", f"--file={dump}", postgres.url("points", scheme="postgresql"))
    with throwaway_postgres() as other:
        other.create_databases(["points"])
        url = other.url("points", scheme="postgresql")
        run("pg_restore", "--exit-on-error", f"--dbname={url}", str(dump))
        engine = create_engine(other.url("points"))
        try:
            with Session(engine) as session, session.begin():
                notice_cluster(session, feed)  # as `migrate` does, before anything is written
            for name in ("new 1", "new 2"):
                with Session(engine) as session, session.begin():
                    tell(session, name)
            for reader, expected in (
                (ahead, ["late", "c", "d"]),
                (middle, ["d", "late"]),
                (behind, ["a", "b", "late", "c", "d"]),
            ):
                with Session(engine) as session, session.begin():
                    assert names(reader.read(session)) == [*expected, "new 1", "new 2"]
                with Session(engine) as session, session.begin():
                    tell(session, "newest")
                with Session(engine) as session, session.begin():
                    assert names(reader.read(session)) == ["newest"]
                    session.execute(text("DELETE FROM points_outbox WHERE payload ->> 'name' = 'newest'"))
        finally:
            engine.dispose()


def run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs; its complaint is the test's failure."""
    result = subprocess.run([str(binaries() / program), *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
