"""Badges: the catalogue, who holds what, and the history of how it was earned and revoked (requirements L5)."""
