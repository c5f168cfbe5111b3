"""The referrals database: its own registry, its engine, its feed and its idempotency keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Column, DateTime, TableValuedAlias, cast, func, literal
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine
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


def values_of(**columns: tuple[type[TypeEngine[Any]], Sequence[Any]]) -> TableValuedAlias:
    """Columns of Python values as something to join with: one statement for a page of keys, two parameters or three."""
    arrays = [cast(literal(list(values), ARRAY(kind)), ARRAY(kind)) for kind, values in columns.values()]
    return func.unnest(*arrays).table_valued(*columns).render_derived()
