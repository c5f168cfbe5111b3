"""Fixtures of levels."""

from tests.levels import levels, levels_migrated, unchecked

__all__ = ["levels", "levels_migrated", "unchecked"]
