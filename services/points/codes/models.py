"""Tables of redemption codes: sets, the codes by their keyed hashes, and who redeemed which when."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, Text

from common.database import core
from services.points import columns
from services.points.database import Table


class CodeSetRow(Table, table=True):
    """A set: its terms, for ever, and how many of its codes are made. `next_number` is for the next code."""

    __tablename__ = "points_code_sets"
    __table_args__ = (
        CheckConstraint("count > 0 AND made BETWEEN 0 AND count", name="code_sets_make_no_more_than_told"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="code_sets_are_closed_by_somebody"),
    )

    program_id: int = columns.key(Integer)
    code: str = columns.key(Text)
    name_en: str = columns.words()
    name_zh: str = columns.words()
    pattern: str = columns.words()
    count: int = columns.value(Integer)
    uses_per_code: int | None = columns.value(nullable=True)
    uses_per_member: int | None = columns.value(nullable=True)
    starts_at: datetime | None = columns.instant(nullable=True)
    ends_at: datetime | None = columns.instant(nullable=True)
    made: int = columns.value(Integer, default="0")
    next_number: int = columns.value(Integer, default="1")
    created_by: str = columns.words()
    created_at: datetime = columns.instant()
    closed_by: str | None = columns.words(nullable=True)
    closed_at: datetime | None = columns.instant(nullable=True)


class CodeRow(Table, table=True):
    """A code by its keyed hash; the code itself is nowhere."""

    __tablename__ = "points_codes"
    __table_args__ = (
        CheckConstraint("uses >= 0", name="codes_are_used_or_not"),
        Index("points_codes_by_number", "program_id", "code_set", "number", unique=True),
    )

    program_id: int = columns.key(Integer)
    digest: bytes = columns.key(LargeBinary)
    code_set: str = columns.words()
    number: int = columns.value(Integer)
    uses: int = columns.value(default="0")


class CodeUseRow(Table, table=True):
    """The `nth` use of a code of the set by the member."""

    __tablename__ = "points_code_uses"
    __table_args__ = (
        CheckConstraint("nth > 0", name="code_uses_count_from_one"),
        Index("points_code_uses_by_code", "program_id", "code_set", "number"),
    )

    program_id: int = columns.key(Integer)
    member_id: int = columns.key()
    code_set: str = columns.key(Text)
    nth: int = columns.key(Integer)
    number: int = columns.value(Integer)
    used_at: datetime = columns.instant()


code_sets = core(CodeSetRow)
codes = core(CodeRow)
code_uses = core(CodeUseRow)
