"""Laws of check-ins."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.levels.checkins import domain
from services.levels.checkins.domain import Campaign, Milestone, Reached
from services.levels.reward import AssetPart, BadgePart, Reward, from_json, to_json

DAY = date(2026, 2, 27)
TABLE: tuple[Reward, ...] = tuple((AssetPart("points", amount),) for amount in (5, 5, 10, 5, 5, 10, 20))


def campaign(**terms: Any) -> Campaign:
    values: dict[str, Any] = {"cycle": "once-from-enrolment", "day_table": TABLE, "milestones": (), **terms}
    return Campaign("daily", 1, "Daily", "签到", **values)


def reward(terms: Campaign, offset: int, streak: int = 1) -> Reward:
    return domain.day_reward(terms, enrolled_on=DAY, day=DAY + timedelta(days=offset), streak=streak)


def test_a_first_week_ends_with_its_table() -> None:
    assert [reward(campaign(), offset) for offset in range(8)] == [*TABLE, ()]


def test_a_week_begins_anew_every_seven_days_whatever_was_missed() -> None:
    weekly = campaign(cycle="week-from-enrolment")
    assert [reward(weekly, offset) for offset in (0, 6, 7, 13, 14, 700)] == [TABLE[0], TABLE[6]] * 2 + [TABLE[0]] * 2


def test_a_streak_table_follows_the_streak() -> None:
    assert [reward(campaign(cycle="streak"), 100, streak) for streak in (1, 7, 8)] == [TABLE[0], TABLE[6], TABLE[0]]


@pytest.mark.parametrize(
    ("start", "end", "streak"),
    [
        (DAY, DAY, 1),
        (DAY - timedelta(1), DAY - timedelta(1), 1),
        (DAY - timedelta(2), DAY, 3),
        (DAY - timedelta(4), DAY - timedelta(2), 0),
        (None, None, 0),
    ],
)
def test_a_streak_lives_until_a_whole_day_was_missed(start: date | None, end: date | None, streak: int) -> None:
    assert domain.streak_on(DAY, start, end) == streak


def test_milestones_are_reached_at_and_above_their_number() -> None:
    marks = tuple(Milestone(streak, TABLE[0]) for streak in (3, 7))
    terms = campaign(milestones=marks)
    assert [len(domain.reached(terms, streak)) for streak in (2, 3, 6, 7, 8)] == [0, 1, 1, 2, 2]
    assert domain.find_milestone(terms, 7) is marks[1]


def test_gifts_go_to_the_first_and_never_beyond_what_is_left() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    waiting = [
        Reached(1, member, "daily", 7, 1, DAY, at + timedelta(seconds=second))
        for member, second in ((1, 3), (2, 1), (4, 2), (3, 2))
    ]
    for left in (-1, 0, 1, 3, 9):
        shared = domain.allot(waiting, left)
        assert [one.member_id for one, _ in shared] == [2, 3, 4, 1]
        assert sum(gift for _, gift in shared) == min(max(left, 0), 4)
        assert [gift for _, gift in shared] == sorted((gift for _, gift in shared), reverse=True)


def test_a_checkin_without_reward_has_no_grant() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    assert domain.CheckIn(1, 7, "daily", DAY, at, 1, ()).grant_id is None
    assert domain.CheckIn(1, 7, "daily", DAY, at, 1, TABLE[0]).grant_id == "levels:checkin:daily:7:2026-02-27"


def test_rewards_survive_being_written_down() -> None:
    both: Reward = (AssetPart("points", 5), BadgePart("streak-7"))
    assert from_json(to_json(both)) == both
    assert to_json(both) == [{"kind": "asset", "asset": "points", "amount": 5}, {"kind": "badge", "badge": "streak-7"}]


def test_a_campaign_must_make_sense() -> None:
    domain.check_campaign(campaign(milestones=(Milestone(3, TABLE[0], 5, TABLE[1]), Milestone(4, TABLE[0]))))
    with pytest.raises(domain.WeekNeedsSevenDays):
        domain.check_campaign(campaign(cycle="week-from-enrolment", day_table=TABLE[:6]))
    with pytest.raises(domain.MilestonesNotAscending):
        domain.check_campaign(campaign(milestones=(Milestone(4, TABLE[0]), Milestone(3, TABLE[0]))))
    for lame in (Milestone(3, TABLE[0], 5), Milestone(3, TABLE[0], None, TABLE[0])):
        with pytest.raises(domain.FallbackWithoutStock):
            domain.check_campaign(campaign(milestones=(lame,)))
