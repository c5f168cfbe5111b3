"""Property tests on the database use the services of the service tests."""

from tests.points import brand, clock
from tests.service.conftest import points, points_migrated, servers

__all__ = ["brand", "clock", "points", "points_migrated", "servers"]
