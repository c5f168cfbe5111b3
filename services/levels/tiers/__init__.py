"""Tiers: a ladder over growth, promotion at once, a validity window, and one step down at its end (L1, L2)."""
