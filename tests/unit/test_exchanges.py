"""Laws of exchanges: both sides are exact, the nearest exact amounts are named, no cap is passed."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.exchanges import domain
from services.points.exchanges.domain import (
    Cap,
    Direction,
    DirectionClosed,
    Exchange,
    ExchangeCapped,
    NotWhole,
    Partner,
    PartnerDisabled,
    Swap,
    Terms,
)

RATES = st.builds(Terms, points=st.integers(1, 500), units=st.integers(1, 500))
DIRECTIONS = st.sampled_from(Direction)
OUT, IN = Direction.OUT, Direction.IN


def terms(points: int = 3, units: int = 2, **caps: int) -> Terms:
    return Terms(points=points, units=units, **caps)


def nearest(rate: Terms, direction: Direction, amount: int) -> list[int]:
    """The amounts that are named instead of a refused one; itself when it is not refused."""
    try:
        domain.swap(rate, direction, amount)
    except NotWhole as refusal:
        return [int(one) for one in str(refusal.facts["nearest"]).split(", ")]
    return [amount]


@pytest.mark.parametrize(
    ("rate", "direction", "amount", "expected"),
    [
        (terms(100, 1), OUT, 300, Swap(300, 3)),
        (terms(100, 1), IN, 3, Swap(300, 3)),
        (terms(3, 2), OUT, 9, Swap(9, 6)),
        (terms(3, 2), IN, 6, Swap(9, 6)),
        (terms(200, 100), OUT, 2, Swap(2, 1)),
        (terms(1, 5), OUT, 7, Swap(7, 35)),
        (terms(1, 1), IN, 1, Swap(1, 1)),
    ],
)
def test_both_sides_of_an_exchange(rate: Terms, direction: Direction, amount: int, expected: Swap) -> None:
    made = domain.swap(rate, direction, amount)
    assert (made, made.given(direction)) == (expected, amount)


@pytest.mark.parametrize(
    ("rate", "direction", "amount", "rate_said", "said"),
    [
        (terms(100, 1), OUT, 250, "100:1", "200, 300"),
        (terms(100, 1), OUT, 99, "100:1", "100"),
        (terms(3, 2), IN, 3, "2:3", "2, 4"),
        (terms(200, 100), OUT, 3, "200:100", "2, 4"),
    ],
)
def test_what_is_not_whole_is_refused_with_the_nearest(
    rate: Terms, direction: Direction, amount: int, rate_said: str, said: str
) -> None:
    with pytest.raises(NotWhole) as caught:
        domain.swap(rate, direction, amount)
    assert caught.value.facts == {"rate": rate_said, "nearest": said}


@given(RATES, DIRECTIONS, st.integers(1, 10_000))
def test_nothing_is_rounded_and_the_named_amounts_are_the_nearest(
    rate: Terms, direction: Direction, amount: int
) -> None:
    named = nearest(rate, direction, amount)
    for one in named:
        made = domain.swap(rate, direction, one)
        assert made.given(direction) == one
        assert made.points * rate.units == made.units * rate.points
        assert min(made.points, made.units) > 0
    for between in range(min(*named, amount) + 1, max(named)):
        with pytest.raises(NotWhole):
            domain.swap(rate, direction, between)


@given(RATES, st.integers(1, 10_000))
def test_there_and_back_is_what_it_was(rate: Terms, amount: int) -> None:
    points = nearest(rate, OUT, amount)[-1]
    assert domain.swap(rate, IN, domain.swap(rate, OUT, points).units).points == points


NOTHING_USED = dict.fromkeys(Cap, 0)


@pytest.mark.parametrize(
    ("caps", "used", "points", "refused"),
    [
        ({}, {}, 10**9, None),
        ({"most_per_member_day": 100}, {}, 100, None),
        ({"most_per_member_day": 100}, {}, 101, {"cap": "most_per_member_day", "most": 100, "left": 100}),
        ({"most_per_member_day": 100}, {Cap.MEMBER_DAY: 40}, 60, None),
        (
            {"most_per_member_day": 100},
            {Cap.MEMBER_DAY: 40},
            61,
            {"cap": "most_per_member_day", "most": 100, "left": 60},
        ),
        (
            {"most_per_member_day": 100, "most_per_member_month": 300, "most_per_day": 150},
            {Cap.MEMBER_MONTH: 250, Cap.DAY: 60},
            51,
            {"cap": "most_per_member_month", "most": 300, "left": 50},
        ),
        ({"most_per_day": 10}, {Cap.DAY: 25}, 1, {"cap": "most_per_day", "most": 10, "left": 0}),
    ],
)
def test_the_cap_that_leaves_least_decides(
    caps: dict[str, int], used: dict[Cap, int], points: int, refused: dict[str, Any] | None
) -> None:
    mine = {**NOTHING_USED, **used}
    if refused is None:
        domain.check_caps(terms(**caps), mine, points)
        return
    with pytest.raises(ExchangeCapped) as caught:
        domain.check_caps(terms(**caps), mine, points)
    assert caught.value.facts == refused


def partner(**given: Any) -> Partner:
    defaults: dict[str, Any] = {
        "code": "air",
        "name_en": "Air",
        "name_zh": "航空",
        "asset": "points",
        "key_id": "k1",
        "enabled": True,
        "terms": {OUT: terms()},
    }
    return Partner(**{**defaults, **given})


def test_only_open_directions_of_enabled_partners_exchange() -> None:
    assert partner().open_terms(OUT) == terms()
    with pytest.raises(DirectionClosed):
        partner().open_terms(IN)
    with pytest.raises(PartnerDisabled):
        partner(enabled=False).open_terms(OUT)


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ({}, True),
        ({"amount": 2}, False),
        ({"member_id": 8}, False),
        ({"direction": IN}, False),
        ({"direction": IN, "amount": 2}, False),
    ],
)
def test_an_order_is_the_same_when_member_direction_and_what_is_given_are(asked: dict[str, Any], same: bool) -> None:
    made = Exchange(
        program_id=1,
        id=uuid.UUID(int=1),
        partner="air",
        partner_order_id="X1",
        member_id=7,
        direction=OUT,
        asset="points",
        points=3,
        units=2,
        posting_id=uuid.UUID(int=2),
        day=date(2026, 5, 3),
        made_at=datetime(2026, 5, 3, tzinfo=UTC),
        reversed_at=None,
    )
    assert made.was_asked(**{"member_id": 7, "direction": OUT, "amount": 3, **asked}) is same
