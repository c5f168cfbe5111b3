"""Tables of earning rules: the draft and what is live; immutable versions; who published what when."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Integer,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class RuleRow(Table, table=True):
    """A rule: its draft, if it has one, and the version that is live, if one is."""

    __tablename__ = "points_rules"

    program_id: int = Field(primary_key=True)
    code: str = Field(primary_key=True)
    draft: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    live_version: int | None
    changed_at: datetime = columns.made_at()


class RuleVersionRow(Table, table=True):
    """What was published, for ever."""

    __tablename__ = "points_rule_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "code"], ["points_rules.program_id", "points_rules.code"], name="versions_belong_to_a_rule"
        ),
        UniqueConstraint("program_id", "code", "version", name="versions_are_numbered_once"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    program_id: int = Field(sa_column=Column(Integer, nullable=False))
    code: str
    version: int
    document: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class RulePublicationRow(Table, table=True):
    """Who made which version live (or none, `version` null) when."""

    __tablename__ = "points_rule_publications"

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    program_id: int = Field(sa_column=Column(Integer, nullable=False))
    code: str
    version: int | None
    actor: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = columns.made_at()


class RuleGroupRow(Table, table=True):
    """A stacking group: how its rules get along, who last said so and when."""

    __tablename__ = "points_rule_groups"
    __table_args__ = (CheckConstraint("mode IN ('all', 'first', 'highest')", name="groups_have_a_known_mode"),)

    program_id: int = Field(primary_key=True)
    code: str = Field(primary_key=True)
    mode: str
    changed_by: str = Field(sa_column=Column(Text, nullable=False))
    changed_at: datetime = columns.made_at()


class RuleSettingsRow(Table, table=True):
    """Whether a second person must say yes before anything goes live; who last said so and when. No row: no."""

    __tablename__ = "points_rule_settings"

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    second_person: bool = Field(sa_column=Column(Boolean, nullable=False))
    changed_by: str = Field(sa_column=Column(Text, nullable=False))
    changed_at: datetime = columns.made_at()


rules = core(RuleRow)
versions = core(RuleVersionRow)
publications = core(RulePublicationRow)
groups = core(RuleGroupRow)
settings = core(RuleSettingsRow)
