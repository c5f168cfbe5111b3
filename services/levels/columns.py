"""Columns that many tables of this service have."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB


def program_key() -> Column[int]:
    """The first column of every key."""
    return Column(Integer, primary_key=True, autoincrement=False)


def member_key() -> Column[int]:
    """The member who owns the row."""
    return Column(BigInteger, primary_key=True, autoincrement=False)


def text_key() -> Column[str]:
    """A code or another name that is part of the key."""
    return Column(Text, primary_key=True)


def day_key() -> Column[date]:
    """A business day that is part of the key."""
    return Column(Date, primary_key=True)


def big(**more: Any) -> Column[int]:
    """A 64-bit integer."""
    return Column(BigInteger, nullable=False, **more)


def name(*, nullable: bool = False, **more: Any) -> Column[Any]:
    """Text."""
    return Column(Text, nullable=nullable, **more)


def instant(*, nullable: bool = False) -> Column[Any]:
    """An instant."""
    return Column(DateTime(timezone=True), nullable=nullable)


def document() -> Column[Any]:
    """JSON as it was published."""
    return Column(JSONB, nullable=False)
