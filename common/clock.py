"""Time enters here, at the edge, as an aware UTC instant; business days are cut in the program's time zone."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = date(1970, 1, 1)
_EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """This instant, aware, UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; `ZoneInfoNotFoundError` (a KeyError) when there is none."""
    return ZoneInfo(name)


def business_day(instant: datetime, time_zone: str) -> date:
    """The calendar day on which `instant` falls in the zone."""
    return instant.astimezone(zone(time_zone)).date()


def day_end(day: date, time_zone: str) -> datetime:
    """The first instant after `day` in the zone, as UTC: the next local midnight, DST or not."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone(time_zone)).astimezone(UTC)


def day_start(day: date, time_zone: str) -> datetime:
    """The first instant of `day` in the zone, as UTC."""
    return datetime.combine(day, time.min, tzinfo=zone(time_zone)).astimezone(UTC)


def epoch_day(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def from_epoch_day(number: int) -> date:
    """The inverse of `epoch_day`."""
    return _EPOCH + timedelta(days=number)


def epoch_us(instant: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (instant - _EPOCH_INSTANT) // _MICROSECOND


def from_epoch_us(number: int) -> datetime:
    """The inverse of `epoch_us`."""
    return _EPOCH_INSTANT + timedelta(microseconds=number)
