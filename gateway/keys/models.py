"""The table of API keys. There is no secret in it: secrets are derived (ADR)."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from common.database import core
from gateway.database import Table


class ApiKeyRow(Table, table=True):
    """One key."""

    __tablename__ = "gateway_api_keys"
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id"], ["gateway_programs.program_id"], name="gateway_api_keys_belong_to_a_program"
        ),
        # A request names only the key; the key names the program.
        UniqueConstraint("id", name="gateway_api_keys_once_per_id"),
        Index(
            "gateway_api_keys_one_alive_per_name",
            "program_id",
            "name",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        CheckConstraint("name ~ '^[a-z][a-z0-9_-]{0,63}$'", name="gateway_api_keys_have_a_name"),
        CheckConstraint(
            "cardinality(scopes) > 0"
            " AND scopes <@ ARRAY['read', 'events', 'ledger', 'members', 'redemptions', 'exchange']",
            name="gateway_api_keys_have_known_scopes",
        ),
        CheckConstraint("rate_per_second BETWEEN 1 AND 100000", name="gateway_api_keys_have_a_rate"),
        CheckConstraint("generation > 0", name="gateway_api_keys_generations_count_from_one"),
    )

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    rate_per_second: int = Field(sa_column=Column(Integer, nullable=False))
    generation: int = Field(sa_column=Column(Integer, nullable=False))
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )
    revoked_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


api_keys = core(ApiKeyRow)
