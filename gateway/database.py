"""The gateway database: its own registry, its engine, its feed and its idempotency keys."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from common.database import Database
from common.feed import FeedTables
from common.http.once import idempotency_table


class Table(SQLModel, registry=registry()):
    """Base of every table of the gateway."""


database = Database("gateway", Table.metadata)
feed = FeedTables("gateway", Table.metadata)
keys = idempotency_table("gateway", Table.metadata)
transaction = database.transaction
