"""A sorted set orders like the table: by score, then who was first, then the older member."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.levels.leaderboards.domain import RankedSet, Score, entry_name, member_of

SET = RankedSet(1, "spend", "all", date(1970, 1, 1))
INSTANTS = st.integers(0, 10**7).map(lambda us: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
SCORES = st.builds(Score, st.just(SET), st.integers(1, 2**63 - 1), st.integers(1, 3), INSTANTS, st.just(1))


@given(st.lists(SCORES, unique_by=lambda score: score.member_id))
def test_names_order_ties_as_the_ranking_does(scores: list[Score]) -> None:
    ranked = sorted(scores, key=lambda one: (-one.score, one.reached_at, one.member_id))
    shown = sorted(scores, key=lambda one: (one.score, entry_name(one)), reverse=True)
    assert shown == ranked


@given(SCORES)
def test_a_name_leads_back_to_its_member(score: Score) -> None:
    assert member_of(entry_name(score)) == score.member_id
    assert len(entry_name(score)) == 36
