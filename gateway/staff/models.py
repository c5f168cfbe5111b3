"""The table of staff."""

from datetime import datetime

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, DateTime, ForeignKeyConstraint, Integer, Text, text
from sqlmodel import Field

from common.database import core
from gateway.database import Table


def _instant() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))


class StaffRow(Table, table=True):
    """One person of a program's staff; of the password only its argon2 hash."""

    __tablename__ = "gateway_staff"
    __table_args__ = (
        ForeignKeyConstraint(["program_id"], ["gateway_programs.program_id"], name="gateway_staff_belong_to_a_program"),
        CheckConstraint("name ~ '^[a-z][a-z0-9_-]{0,63}$'", name="gateway_staff_have_a_name"),
        CheckConstraint(
            "cardinality(roles) > 0 AND roles <@ ARRAY['customer_service', 'marketer', 'finance', 'admin']",
            name="gateway_staff_have_known_roles",
        ),
        CheckConstraint("version > 0", name="gateway_staff_versions_count_from_one"),
        CheckConstraint("left(password_hash, 10) = '$argon2id$'", name="gateway_staff_passwords_are_hashed"),
    )

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    name: str = Field(sa_column=Column(Text, primary_key=True))
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    disabled: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("1")))
    password_hash: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=_instant())
    changed_at: datetime = Field(sa_column=_instant())


staff = core(StaffRow)
