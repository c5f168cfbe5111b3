"""Columns that many tables of this service have."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def key(kind: Any = BigInteger) -> Any:
    """Part of the key, never made by the database."""
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


def value(kind: Any = BigInteger, *, nullable: bool = False, default: str | None = None) -> Any:
    """A value of any kind, a 64-bit integer unless told; `default` is SQL."""
    given = text(default) if default is not None else None
    return Field(sa_column=Column(kind, nullable=nullable, server_default=given))


def words(*, nullable: bool = False) -> Any:
    """Text of any length."""
    return value(Text, nullable=nullable)


def document(*, nullable: bool = False) -> Any:
    """A JSON value; None is NULL."""
    return value(JSONB(none_as_null=True), nullable=nullable)


def instant(*, nullable: bool = False) -> Any:
    """An instant."""
    return value(DateTime(timezone=True), nullable=nullable)


def made_at() -> Any:
    """The instant at which the row was made."""
    return value(DateTime(timezone=True), default="clock_timestamp()")
