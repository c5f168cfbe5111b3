"""Laws of leaderboards."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.levels.leaderboards import domain
from services.levels.leaderboards.domain import Board, Gain, Placed, Prize, RankedSet
from services.levels.reward import AssetPart, Reward

POINTS: Reward = (AssetPart("points", 1),)
AT = datetime(2026, 5, 20, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("day", date(2028, 2, 29), date(2028, 2, 29)),
        ("week", date(2028, 2, 28), date(2028, 3, 5)),
        ("month", date(2028, 2, 1), date(2028, 2, 29)),
        ("all", date(1970, 1, 1), None),
    ],
)
def test_periods_are_of_the_calendar(period: str, start: date, end: date | None) -> None:
    assert domain.starts_on(period, date(2028, 2, 29)) == start
    assert domain.ends_on(period, start) == end


def test_periods_close_one_after_the_other_when_their_last_day_is_over() -> None:
    midnight = datetime(2026, 5, 31, 16, tzinfo=UTC)

    def closed(until: datetime, after: date | None = None, period: str = "month") -> list[date]:
        return domain.closed(period, after=after, opened=AT, until=until, time_zone="Asia/Shanghai")

    assert closed(midnight - timedelta(microseconds=1)) == []
    assert closed(midnight) == [date(2026, 5, 1)]
    assert closed(midnight + timedelta(days=62)) == [date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)]
    assert closed(midnight + timedelta(days=62), after=date(2026, 6, 1)) == [date(2026, 7, 1)]
    assert closed(midnight + timedelta(days=9999), period="all") == []


def test_what_happens_counts_in_every_period_and_the_last_instant_stays() -> None:
    gains = [Gain(1, 7, "spend", date(2026, 5, 31), 5, AT), Gain(1, 7, "spend", date(2026, 6, 1), 6, AT - timedelta(1))]
    found = {
        (one.ranked.period, str(one.ranked.starts_on)): (one.score, one.reached_at) for one in domain.spread(gains)
    }
    assert found == {
        ("day", "2026-05-31"): (5, AT),
        ("day", "2026-06-01"): (6, AT - timedelta(1)),
        ("week", "2026-05-25"): (5, AT),
        ("week", "2026-06-01"): (6, AT - timedelta(1)),
        ("month", "2026-05-01"): (5, AT),
        ("month", "2026-06-01"): (6, AT - timedelta(1)),
        ("all", "1970-01-01"): (11, AT),
    }


def test_prizes_go_to_positions_and_their_grants_are_named_by_the_period() -> None:
    prizes = (Prize(1, 1, POINTS), Prize(3, 4, POINTS))
    board = Board("spend", 2, "", "", "spend", ("day",), {"day": prizes})
    ranked = RankedSet(1, "spend", "day", date(2026, 5, 20))
    won = domain.prizes_won(board, ranked, [Placed(place, 10 + place, 5) for place in range(1, 6)], AT)
    assert [grant.member_id for grant in won] == [11, 13, 14]
    assert (won[0].grant_id, won[0].rule) == ("levels:board:spend:day:2026-05-20:11", "board:spend:2")


def test_a_public_name_shows_at_most_four_digits() -> None:
    assert (domain.masked(7), domain.masked(123_456_789)) == ("***0007", "***6789")
