"""Alembic revisions of the levels database."""
