"""Places in a timeline, causes as links, and sentences about orders."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.ledger.domain import Kind
from services.points.timelines import domain, findings
from services.points.timelines.domain import BadPlace, Place
from services.points.timelines.findings import Entry, OrderEvent
from services.points.timelines.sentences import SENTENCES, sentence

NOW = datetime(2026, 5, 3, tzinfo=UTC)
ID = "01a20186-9f70-7f10-8f56-38b2833d1265"


@given(
    st.integers(0, 5_000_000_000_000_000).map(lambda since: NOW + timedelta(microseconds=since)),
    st.integers(0, 9),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=80),
)
def test_a_place_survives_its_way_over_the_wire(at: datetime, source: int, key: str) -> None:
    place = Place(at, source, key)
    assert domain.place_of(place.text()) == place


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    with suppress(BadPlace):
        assert domain.place_of(text)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("shop e1", {"kind": "event", "source": "shop", "id": "e1"}),
        ("shop e2", {"kind": "other", "text": "shop e2"}),
        (f"adjustment {ID}", {"kind": "adjustment", "id": ID}),
        (f"changeset {ID}", {"kind": "changeset", "id": ID}),
        ("exchange air/X 1", {"kind": "exchange", "partner": "air", "order": "X 1"}),
        ("time", {"kind": "time"}),
        ("staff:lin", {"kind": "staff", "id": "lin"}),
        ("system:shop key-1 x", {"kind": "system", "id": "shop", "key": "key-1 x"}),
        ("checkin:daily:1", {"kind": "grant", "id": "levels:1", "text": "checkin:daily:1"}),
        ("anything else there is", {"kind": "other", "text": "anything else there is"}),
    ],
)
def test_a_cause_is_a_link(text: str, cause: dict[str, Any]) -> None:
    assert domain.cause_of(text, events={("shop", "e1")}, grants={"checkin:daily:1": "levels:1"}) == cause


def test_only_causes_of_two_words_can_name_events() -> None:
    assert domain.event_keys(["a b", "a", "a b c", "a b"]) == [("a", "b")]


def test_members_see_neither_people_nor_their_words() -> None:
    item = {"at": NOW, "agent": "lin", "note": "x", "amount": 5, "cause": {"kind": "system", "id": "shop", "key": "k"}}
    assert domain.for_members(item) == {"at": NOW, "amount": 5, "cause": {"kind": "system"}}
    assert domain.for_members({"kind": "event"}) == {"kind": "event"}


def event(
    type: str = "order.paid", *, reason: str | None = None, decisions: Any = (), taken: Any = (), **data: Any
) -> OrderEvent:
    """An event of order A1."""
    result = {"reason": reason, "decisions": list(decisions), "reversed": list(taken)}
    return OrderEvent(f"shop {type}", type, 7, NOW, {"paid_fen": 100, "refunded_fen": 0, **data}, result)


def decision(reason: str, amount: int = 0, **more: Any) -> dict[str, Any]:
    """A rule's decision."""
    return {"rule": "r", "version": 1, "asset": "points", "amount": amount, "reason": reason, **more}


def entry(kind: Kind, amount: int, **more: Any) -> Entry:
    """What an event did."""
    return Entry(7, "points", kind, amount, "shop order.paid", NOW, **more)


def explain(events: list[OrderEvent], *entries: Entry) -> findings.Explanation:
    """The explanation of order A1."""
    return findings.explain("A1", events, entries, asked=None, now=NOW, zone="Asia/Shanghai")


def test_what_was_given_and_taken_back_is_said_without_a_refund_too() -> None:
    found = explain([event(decisions=[decision("awarded", 5)])], entry(Kind.EARN, 5), entry(Kind.REVERSE, -5))
    assert (found.verdict, found.totals[0]["net"]) == ("all_reversed", 0)
    part = explain([event(decisions=[decision("awarded", 5)])], entry(Kind.EARN, 5), entry(Kind.REVERSE, -2))
    assert (part.verdict, part.totals[0]["net"]) == ("points_given", 3)


def test_what_became_available_meanwhile_waits_no_longer() -> None:
    later = {"waits": 5, "available_at": NOW}
    assert [one.code for one in explain([event()], entry(Kind.EARN, 5, **later)).findings].count("pending_until") == 0


def test_an_entry_of_another_kind_is_no_award() -> None:
    assert explain([event()], entry(Kind.DEFER, 0)).totals == []


def test_the_detail_of_a_reason_is_said() -> None:
    found = explain(
        [
            event(
                decisions=[
                    decision("capped: day", 3, wanted=9),
                    decision("stacked_out: by big"),
                    decision("undecidable: no paid_fen"),
                    decision("awarded", 0),
                    decision("something_new: 5"),
                ],
                taken=[
                    {"rule": "r", "asset": "points", "amount": 2, "reason": None},
                    {"rule": "r", "asset": "points", "amount": 1, "reason": "not_all_there: 1 of 2"},
                ],
            )
        ],
        entry(Kind.EARN, 3),
    )
    said = [one.en for one in found.findings[1:]]
    assert said == [
        "A cap of rule r (day) left 3 of 9 points.",
        "Rule r gave way to another of its group (by big).",
        "Rule r could not decide: no paid_fen.",
        "The formula of rule r came to nothing for this order.",
        "Rule r says: something_new 5",
        "A refund took back 2 points of rule r.",
        "A refund was to take back more of rule r than was there (1 of 2).",
    ]


def test_every_sentence_has_both_languages_and_a_next_step() -> None:
    for code in SENTENCES:
        said = sentence(code, {})
        assert all(said)
        assert not any("{" in one for one in said), code


def test_a_wait_is_said_in_the_programs_zone() -> None:
    waits = {"waits": 5, "available_at": NOW + timedelta(hours=20)}
    found = explain([event()], entry(Kind.EARN, 5, **waits))
    assert found.verdict == "all_pending"
    assert "2026-05-04 04:00" in found.findings[1].en
