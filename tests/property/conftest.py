"""Property tests on the database use the services of the service tests."""

from tests.points import brand
from tests.service.conftest import points, points_migrated, servers

__all__ = ["brand", "points", "points_migrated", "servers"]
