"""Tables of birthdays, of what was told of them and of anniversaries, and of the days that are done."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, Date, Index, SmallInteger, text
from sqlmodel import Field

from common.database import core
from services.levels import columns
from services.levels.database import Table


class BirthdayRow(Table, table=True):
    """A member's birthday, without the year; without month and day where it was erased: then it was entered once."""

    __tablename__ = "levels_birthdays"
    __table_args__ = (
        CheckConstraint("(month IS NULL) = (day IS NULL)", name="birthdays_have_a_month_and_a_day"),
        CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name="birthdays_are_days_of_a_year"),
        Index(
            "levels_birthdays_by_day",
            "program_id",
            "month",
            "day",
            "member_id",
            postgresql_where=text("month IS NOT NULL"),
        ),
    )

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    month: int | None = Field(sa_column=Column(SmallInteger))
    day: int | None = Field(sa_column=Column(SmallInteger))
    entered_by: str = Field(sa_column=columns.name())
    entered_at: datetime = Field(sa_column=columns.instant())


class ToldRow(Table, table=True):
    """A member's birthday or anniversary of a year was told: the key is what makes it happen once."""

    __tablename__ = "levels_anniversaries"
    __table_args__ = (CheckConstraint("kind IN ('birthday', 'anniversary')", name="anniversaries_are_of_a_kind"),)

    program_id: int = Field(sa_column=columns.program_key())
    member_id: int = Field(sa_column=columns.member_key())
    kind: str = Field(sa_column=columns.text_key())
    year: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    told_at: datetime = Field(sa_column=columns.instant())


class DoneRow(Table, table=True):
    """Until which business day, itself included, a program's days are told and over."""

    __tablename__ = "levels_anniversary_days"

    program_id: int = Field(sa_column=columns.program_key())
    done_on: date = Field(sa_column=Column(Date, nullable=False))


birthdays = core(BirthdayRow)
told = core(ToldRow)
done = core(DoneRow)
