"""T5 and T34 in the ledger: days cut in UTC or server time end lots hours early or late; ours end at local midnight."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.points import Brand, Clock, refused
from tests.support import Callers

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "earned_on", "last_day"),
    [
        ("Asia/Shanghai", date(2026, 5, 3), date(2026, 5, 4)),
        ("Asia/Shanghai", date(2026, 12, 31), date(2027, 1, 1)),
        ("Asia/Shanghai", date(2028, 2, 28), date(2028, 2, 29)),
        ("America/New_York", date(2026, 3, 7), date(2026, 3, 8)),  # 23 hours long
        ("America/New_York", date(2026, 10, 31), date(2026, 11, 1)),  # 25 hours long
        ("America/Havana", date(2026, 3, 7), date(2026, 3, 8)),  # begins at 01:00
        ("Europe/Berlin", date(2026, 10, 24), date(2026, 10, 25)),
        ("Pacific/Kiritimati", date(2026, 1, 31), date(2026, 2, 1)),
    ],
)
def test_a_lot_of_one_day_ends_with_the_next_local_day(
    points: Callers, clock: Clock, zone: str, earned_on: date, last_day: date
) -> None:
    brand = Brand(points, program_id=5).found(time_zone=zone)
    first = datetime.combine(earned_on, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    after = datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    next_day = datetime.combine(earned_on + timedelta(days=1), time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for member, instant in ((1, first), (2, next_day - MICROSECOND)):
        clock.set(instant)
        brand.earn(10, member_id=member, validity="1D")
        assert brand.account(member=member)["next_expiry"] == {"on": last_day.isoformat(), "amount": 10}
    for member in (1, 2):
        clock.set(after - MICROSECOND)
        assert brand.spend(1, member_id=member)["available"] == 9
        clock.set(after)
        assert brand.figures(member=member) == (0, 0, 0, 0)
        assert refused(brand.send("postings", kind="spend", amount=1, member_id=member))[1] == "insufficient_points"


def test_one_microsecond_decides_on_which_day_something_was_earned(brand: Brand, clock: Clock) -> None:
    midnight = datetime(2026, 5, 3, 16, tzinfo=UTC)
    for instant in (midnight - MICROSECOND, midnight):
        clock.set(instant)
        brand.earn(10, validity="1D")
    assert [lot["on"] for lot in brand.account()["lots"]] == ["2026-05-04", "2026-05-05"]
    for place, earned_at in enumerate(("2026-05-03T15:59:59.999999Z", "2026-05-03T16:00:00Z")):
        brand.earn(5, validity="1D", earned_at=earned_at)
        assert brand.account()["lots"][place]["amount"] == 15
