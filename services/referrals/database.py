"""The referrals database: its own registry, its engine, its feed and its idempotency keys."""

from datetime import datetime

from sqlalchemy import Column, DateTime
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from common.database import Database
from common.feed import FeedTables
from common.http.once import idempotency_table


class Table(SQLModel, registry=registry()):
    """Base of every table of this service."""


database = Database("referrals", Table.metadata)
feed = FeedTables("referrals", Table.metadata)
keys = idempotency_table("referrals", Table.metadata)
transaction = database.transaction


def instant() -> Column[datetime]:
    """A column of an instant that every row has."""
    return Column(DateTime(timezone=True), nullable=False)


def optional_instant() -> Column[datetime]:
    """A column of an instant that has not come for every row."""
    return Column(DateTime(timezone=True), nullable=True)
