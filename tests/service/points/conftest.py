"""Fixtures of the points service."""

from tests.earning import shop
from tests.points import brand, clock

__all__ = ["brand", "clock", "shop"]
