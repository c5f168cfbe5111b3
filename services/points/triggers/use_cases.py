"""Taking in what our own house says, in the transaction of the feed's cursor."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from common import clock
from common.feed import Fact
from common.feed.own import take_page
from services.points.database import feed
from services.points.intake import use_cases as intake
from services.points.intake.domain import Event
from services.points.programs.use_cases import program_book
from services.points.triggers import domain

#: Facts a transaction: its accounts are held until all are decided.
_PAGE = 200


def take_reached(session: Session, facts: list[Fact]) -> None:
    """`birthday.reached` and `anniversary.reached` of levels: rules may reward them."""
    _take_in(session, [(fact, domain.reached(fact.topic, _member(fact), fact.payload)) for fact in facts], clock.now())


def take_joined(session: Session, *, now: datetime) -> bool:
    """The next page of `list.joined` on our own feed; whether there may be more."""
    page = take_page(session, feed, "triggers", topics=("list.joined",), limit=_PAGE, expand={})
    if page is None:
        return False
    zones = {one: program_book(session, one).program.time_zone for one in {fact.program_id for fact in page.facts}}
    events = [
        (fact, domain.entered(_member(fact), fact.payload, time_zone=zones[fact.program_id])) for fact in page.facts
    ]
    _take_in(session, events, now)
    return page.more


def _take_in(session: Session, events: Iterable[tuple[Fact, Event]], now: datetime) -> None:
    by_program: dict[int, list[Event]] = {}
    for fact, event in events:
        by_program.setdefault(fact.program_id, []).append(event)
    for program_id, some in by_program.items():
        intake.take_in_ours(session, program_id=program_id, events=some, now=now)


def _member(fact: Fact) -> int:
    assert fact.member_id is not None, "it is always told of a member"
    return fact.member_id
