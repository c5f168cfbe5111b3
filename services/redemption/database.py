"""The redemption database: its own registry, its engine, its feed and its idempotency keys."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from common.database import Database
from common.feed import FeedTables
from common.http.once import idempotency_table


class Table(SQLModel, registry=registry()):
    """Base of every table of this service."""


database = Database("redemption", Table.metadata)
feed = FeedTables("redemption", Table.metadata)
keys = idempotency_table("redemption", Table.metadata)
transaction = database.transaction
