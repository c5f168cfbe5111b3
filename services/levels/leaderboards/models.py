"""Tables of leaderboards."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Identity, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class BoardRow(Table, table=True):
    """A published version of a board; never changed."""

    __tablename__ = "levels_boards"
    __table_args__ = (CheckConstraint("version > 0", name="boards_count_from_one"),)

    program_id: int = Field(sa_column=columns.program_key())
    code: str = Field(sa_column=columns.text_key())
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    published_at: datetime = Field(sa_column=columns.instant())
    published_by: str = Field(sa_column=columns.name())
    terms: Any = Field(sa_column=columns.document())


class SpendOrderRow(Table, table=True):
    """An order that counts; `day` is the business day of its payment, where refunds are taken off too."""

    __tablename__ = "levels_spend_orders"
    __table_args__ = (CheckConstraint("paid_fen >= 0 AND refunded_fen >= 0", name="spend_orders_count_money"),)

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    order_id: str = Field(sa_column=columns.text_key())
    day: date = Field(sa_column=Column(Date, nullable=False))
    paid_at: datetime = Field(sa_column=columns.instant())
    paid_fen: int = Field(sa_column=columns.big())
    refunded_fen: int = Field(sa_column=columns.big())


class SpendRefundRow(Table, table=True):
    """A refund, once per refund id; it may come before its order."""

    __tablename__ = "levels_spend_refunds"
    __table_args__ = (CheckConstraint("fen >= 0", name="spend_refunds_count_money"),)

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    order_id: str = Field(sa_column=columns.text_key())
    refund_id: str = Field(sa_column=columns.text_key())
    fen: int = Field(sa_column=columns.big())
    at: datetime = Field(sa_column=columns.instant())


class EarnedMarkRow(Table, table=True):
    """The last entry of a member's points account that has been counted: a replayed one is known by its seq."""

    __tablename__ = "levels_earned_marks"

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    seq: int = Field(sa_column=columns.big())


class ScoreRow(Table, table=True):
    """A member's score in one ranking: the truth that Valkey shows."""

    __tablename__ = "levels_board_scores"
    __table_args__ = (
        CheckConstraint("version > 0", name="board_scores_count_their_changes"),
        Index(
            "levels_board_scores_ranking",
            "program_id",
            "metric",
            "period",
            "starts_on",
            text("score DESC"),
            "reached_at",
            "member_id",
        ),
    )

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    metric: str = Field(sa_column=columns.text_key())
    period: str = Field(sa_column=columns.text_key())
    starts_on: date = Field(sa_column=columns.day_key())
    score: int = Field(sa_column=columns.big())
    reached_at: datetime = Field(sa_column=columns.instant())
    version: int = Field(sa_column=columns.big())


class UntoldRow(Table, table=True):
    """Scores changed by one page of facts, named by what stands at the same place of each array: Valkey is to be told.

    One row a page, and deleted when it is told: a mark on each score would write every score twice.
    """

    __tablename__ = "levels_board_untold"

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    program_ids: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    member_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    metrics: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    periods: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    starts: list[date] = Field(sa_column=Column(ARRAY(Date), nullable=False))


class HiddenRow(Table, table=True):
    """A member who does not want to be ranked."""

    __tablename__ = "levels_board_hidden"

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    hidden_at: datetime = Field(sa_column=columns.instant())


class SettlementRow(Table, table=True):
    """A closed period of a board: frozen and rewarded, once, under a version of the board."""

    __tablename__ = "levels_board_settlements"

    program_id: int = Field(sa_column=columns.program_key())
    board: str = Field(sa_column=columns.text_key())
    period: str = Field(sa_column=columns.text_key())
    starts_on: date = Field(sa_column=columns.day_key())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    closed_at: datetime = Field(sa_column=columns.instant())
    winners: int = Field(sa_column=Column(Integer, nullable=False))


class ResultRow(Table, table=True):
    """A frozen place."""

    __tablename__ = "levels_board_results"
    __table_args__ = (
        UniqueConstraint(
            "program_id", "board", "period", "starts_on", "position", name="board_results_one_member_per_position"
        ),
        CheckConstraint("position > 0 AND score > 0", name="board_results_are_places"),
    )

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    board: str = Field(sa_column=columns.text_key())
    period: str = Field(sa_column=columns.text_key())
    starts_on: date = Field(sa_column=columns.day_key())
    position: int = Field(sa_column=Column(Integer, nullable=False))
    score: int = Field(sa_column=columns.big())


boards = core(BoardRow)
scores = core(ScoreRow)
untold = core(UntoldRow)
hidden = core(HiddenRow)
settlements = core(SettlementRow)
results = core(ResultRow)
