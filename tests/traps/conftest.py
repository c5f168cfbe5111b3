"""The traps are reproduced on the services of the service tests."""

from tests.care import desk, levels_double
from tests.levels import levels, levels_migrated, unchecked
from tests.points import brand, clock
from tests.referrals import referrals, referrals_migrated
from tests.service.conftest import points, points_migrated, servers

__all__ = [
    "brand",
    "clock",
    "desk",
    "levels",
    "levels_double",
    "levels_migrated",
    "points",
    "points_migrated",
    "referrals",
    "referrals_migrated",
    "servers",
    "unchecked",
]
