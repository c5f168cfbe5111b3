"""Tables of back-tests: what was asked, how far it has come, what it found; and what each member would have got."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.database import core
from services.points import columns
from services.points.database import Table


class BacktestRow(Table, table=True):
    """One back-test. `live` and `candidate` are the sets as they were when it was asked for: a later change of a rule
    changes nothing of it. `memory` is what the run remembers between two slices, and none once it has ended.
    """

    __tablename__ = "points_backtests"
    __table_args__ = (
        CheckConstraint("since < until AND warm_since <= since", name="backtests_look_at_some_time"),
        CheckConstraint(
            "0 <= events_done AND events_done <= events_all", name="backtests_replay_no_more_than_there_is"
        ),
        CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="backtests_are_in_a_known_state"
        ),
        CheckConstraint("(state = 'done') = (result IS NOT NULL)", name="backtests_have_a_result_when_done"),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="backtests_say_why_they_failed"),
        Index("points_backtests_unfinished", "beat_at", postgresql_where=text("state IN ('queued', 'running')")),
    )

    program_id: int = Field(primary_key=True)
    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    asked_at: datetime = columns.instant()
    actor: str
    time_zone: str
    since: datetime = columns.instant()
    until: datetime = columns.instant()
    warm_since: datetime = columns.instant()
    drafts: list[str] = columns.value(ARRAY(Text))
    retired: list[str] = columns.value(ARRAY(Text))
    live: dict[str, Any] = columns.value(JSONB)
    candidate: dict[str, Any] = columns.value(JSONB)
    state: str
    events_all: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    events_done: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    worked_ms: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    runs: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    beat_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )
    cursor_time: datetime = columns.instant()
    cursor_source: str = ""
    cursor_id: str = ""
    memory: bytes | None = Field(sa_column=Column(LargeBinary))
    ended_at: datetime | None = columns.instant(nullable=True)
    failure: str | None
    result: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))


class BacktestMemberRow(Table, table=True):
    """What one member would have got of one asset under either set; once it has ended only the largest changes stay."""

    __tablename__ = "points_backtest_members"

    program_id: int = Field(primary_key=True)
    member_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    backtest_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    asset: str = Field(primary_key=True)
    now: int = Field(sa_column=Column(BigInteger, nullable=False))
    candidate: int = Field(sa_column=Column(BigInteger, nullable=False))

    # A slice changes most rows that are there: with room beside them no index has to learn of it.
    __table_args__ = (
        Index("points_backtest_members_of_one", "program_id", "backtest_id", "asset"),
        {"postgresql_with": {"fillfactor": 50}},
    )


backtests = core(BacktestRow)
members = core(BacktestMemberRow)
