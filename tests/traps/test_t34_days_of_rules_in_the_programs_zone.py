"""T34: days cut in UTC or in the server's time open and close a campaign at the wrong hour (Habitica #3433 and others).

Rules cut weekdays, dates and hours in the program's zone, also where the clocks change.
"""

from collections.abc import Iterator

import pytest

from common.service import Service
from services.points.programs.use_cases import forget_books
from tests.earning import Shop, event, open_shop


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """An empty service with a program."""
    yield from open_shop(points_migrated)


@pytest.mark.parametrize(
    ("zone", "last", "first"),
    [
        ("Asia/Shanghai", "2026-05-08T15:59:59Z", "2026-05-08T16:00:00Z"),
        ("America/New_York", "2026-05-09T03:59:59Z", "2026-05-09T04:00:00Z"),
        ("Pacific/Kiritimati", "2026-05-08T09:59:59Z", "2026-05-08T10:00:00Z"),
    ],
)
def test_a_friday_ends_at_midnight_of_the_program(shop: Shop, zone: str, last: str, first: str) -> None:
    assert shop.marketer.put("/v1/program", {"name": "Acme", "time_zone": zone}).status_code == 200
    forget_books()
    shop.publish("friday", trigger="review.posted", formula="5", schedule={"weekdays": [5]})
    shop.publish(
        "evening", trigger="review.posted", formula="3", schedule={"hours": [["23:00", "24:00"]], "weekdays": [5]}
    )
    given = [
        [one["reason"] for one in shop.send_one(event(f"e{number}", time=time))["decisions"]]
        for number, time in enumerate([last, first])
    ]
    assert given == [["awarded", "awarded"], ["outside_schedule", "outside_schedule"]]


def test_the_day_on_which_clocks_change_has_all_its_hours(shop: Shop) -> None:
    assert shop.marketer.put("/v1/program", {"name": "Acme", "time_zone": "Europe/Berlin"}).status_code == 200
    forget_books()
    sunday = {"dates": [["2026-10-25", "2026-10-25"]]}
    shop.publish("sunday", trigger="review.posted", formula="5", schedule=sunday)
    instants = {
        "2026-10-24T21:59:59Z": "outside_schedule",
        "2026-10-24T22:00:00Z": "awarded",
        "2026-10-25T22:59:59Z": "awarded",  # 25 hours later, less a second
        "2026-10-25T23:00:00Z": "outside_schedule",
    }
    for number, (time, reason) in enumerate(instants.items()):
        assert shop.send_one(event(f"e{number}", time=time))["decisions"][0]["reason"] == reason, time
