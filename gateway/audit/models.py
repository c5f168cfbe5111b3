"""The table of the audit."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, Index, Integer, SmallInteger, Text, text
from sqlmodel import Field

from common.database import core
from gateway.database import Table


class AuditRow(Table, table=True):
    """One request; no body, so no personal data."""

    __tablename__ = "gateway_audit"
    __table_args__ = (
        Index("gateway_audit_by_staff", "program_id", "staff", "id"),
        CheckConstraint("status BETWEEN 100 AND 599", name="gateway_audit_has_http_statuses"),
        CheckConstraint("method NOT IN ('GET', 'HEAD', 'OPTIONS')", name="gateway_audit_is_of_changes"),
    )

    program_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    staff: str = Field(sa_column=Column(Text, nullable=False))
    method: str = Field(sa_column=Column(Text, nullable=False))
    path: str = Field(sa_column=Column(Text, nullable=False))
    status: int | None = Field(default=None, sa_column=Column(SmallInteger))
    request_id: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )


audit = core(AuditRow)
