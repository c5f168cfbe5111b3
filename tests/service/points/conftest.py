"""Fixtures of the points service."""

from tests.care import desk, levels_double
from tests.earning import shop
from tests.points import brand, clock

__all__ = ["brand", "clock", "desk", "levels_double", "shop"]
