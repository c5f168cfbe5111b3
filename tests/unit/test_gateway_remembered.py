"""What is remembered of the database, and for how long."""

import pytest
from sqlalchemy.exc import OperationalError

from gateway import remembered
from gateway.remembered import FRESH_SECONDS, STALE_SECONDS, Remembered


class Source:
    """A database of one value; `answer` may be an error."""

    def __init__(self) -> None:
        self.answer: object = 1
        self.asked = 0

    def load(self, _: str) -> object:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [0.0]
    monkeypatch.setattr(remembered.time, "monotonic", lambda: times[0])
    return times


AWAY = OperationalError("SELECT", {}, Exception("away"))


def test_a_value_is_asked_once_while_it_is_fresh(clock: list[float]) -> None:
    source = Source()
    known = Remembered(source.load)
    assert [known.get("a"), known.get("a")] == [1, 1]
    source.answer, clock[0] = 2, FRESH_SECONDS - 0.1
    assert (known.get("a"), source.asked) == (1, 1)
    clock[0] = FRESH_SECONDS
    assert (known.get("a"), source.asked) == (2, 2)


def test_what_was_forgotten_is_asked_at_once(clock: list[float]) -> None:
    source = Source()
    known = Remembered(source.load)
    known.get("a")
    source.answer = 2
    known.forget("a")
    assert known.get("a") == 2
    source.answer = 3
    known.clear()
    assert known.get("a") == 3
    known.forget("never known")


def test_while_the_database_is_away_the_old_value_is_good_for_a_while(clock: list[float]) -> None:
    source = Source()
    known = Remembered(source.load)
    known.get("a")
    source.answer, clock[0] = AWAY, STALE_SECONDS - 0.1
    assert known.get("a") == 1
    clock[0] = STALE_SECONDS
    with pytest.raises(OperationalError):
        known.get("a")
    with pytest.raises(OperationalError):
        known.get("b")


def test_what_is_gone_is_gone_and_not_remembered_as_gone(clock: list[float]) -> None:
    source = Source()
    known = Remembered(source.load)
    known.get("a")
    source.answer, clock[0] = LookupError("a"), FRESH_SECONDS
    for _ in range(2):
        with pytest.raises(LookupError):
            known.get("a")
    source.answer = 2
    assert (known.get("a"), source.asked) == (2, 4)


def test_others_go_on_with_the_old_value_while_one_asks(clock: list[float]) -> None:
    seen: list[object] = []

    def load(key: str) -> object:
        if clock[0]:
            seen.append(known.get(key))
        return clock[0]

    known: Remembered[str, object] = Remembered(load)
    known.get("a")
    clock[0] = FRESH_SECONDS
    assert known.get("a") == FRESH_SECONDS
    assert seen == [0.0]


def test_there_is_a_limit_to_what_is_remembered(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 3)
    source = Source()
    known = Remembered(source.load)
    for key in "abcde":
        known.get(key)
    assert list(known._known) == ["c", "d", "e"]
