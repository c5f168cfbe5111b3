"""Fixtures of referrals."""

from tests.referrals import referrals, referrals_migrated

__all__ = ["referrals", "referrals_migrated"]
