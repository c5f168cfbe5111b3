"""Fixtures of redemption."""

from tests.redemption import boundaries, mall, redemption, redemption_migrated

__all__ = ["boundaries", "mall", "redemption", "redemption_migrated"]
