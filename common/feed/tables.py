"""The three tables of a feed: facts to offer (outbox), the generations of its cluster, and what we have consumed."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's SQL name."""
        return "xid8"


# So that Alembic, comparing the database with the declared tables, knows the type when it meets it.
ischema_names["xid8"] = Xid8


class FeedTables:
    """Declares the feed's tables in a service's own registry, under the service's prefix."""

    def __init__(self, service: str, metadata: MetaData) -> None:
        self.service = service
        self.outbox = Table(
            f"{service}_outbox",
            metadata,
            Column("id", BigInteger, Identity(always=True), primary_key=True),
            Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
            Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
            Column("program_id", Integer, nullable=False),
            Column("member_id", BigInteger),
            Column("topic", Text, nullable=False),
            # A fact whose content already stands in a table of the service is a pointer to it, not a second copy.
            Column("pointer", ARRAY(BigInteger)),
            Column("payload", JSONB),
        )
        Index(f"{service}_outbox_by_commit", self.outbox.c.xid, self.outbox.c.id)
        self.generations = Table(
            f"{service}_feed_generations",
            metadata,
            Column("number", Integer, primary_key=True, autoincrement=False),
            Column("system_identifier", Text, nullable=False),
            Column("first_id", BigInteger, nullable=False),
        )
        self.cursors = Table(
            f"{service}_feed_cursors",
            metadata,
            Column("source", Text, primary_key=True),
            Column("cursor", Text, nullable=False),
            Column("facts", BigInteger, nullable=False, server_default=text("0")),
            Column("newest_at", DateTime(timezone=True)),
            Column("applied_at", DateTime(timezone=True)),
        )
