"""The table of budgets: the slots of each rule's pots."""

from sqlalchemy import BigInteger, CheckConstraint, Column, SmallInteger
from sqlmodel import Field

from common.database import core
from services.points.database import Table


class BudgetSlotRow(Table, table=True):
    """One slot of a pot. `span` is `budget` or a window such as `day 2026-11-11`; left = share − used."""

    __tablename__ = "points_budget_slots"
    __table_args__ = (
        # A marketer may make a budget smaller than what was awarded already: then nothing is left, and no more is said.
        CheckConstraint("used <= share OR lowered", name="budgets_are_never_exceeded"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    program_id: int = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    span: str = Field(primary_key=True)
    slot: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    whole: int = Field(sa_column=Column(BigInteger, nullable=False))
    share: int = Field(sa_column=Column(BigInteger, nullable=False))
    used: int = Field(sa_column=Column(BigInteger, nullable=False))
    lowered: bool


slots = core(BudgetSlotRow)
