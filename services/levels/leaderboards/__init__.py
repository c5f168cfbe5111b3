"""Leaderboards: scores kept in PostgreSQL, shown from Valkey sorted sets, frozen and rewarded at period close (R3)."""
