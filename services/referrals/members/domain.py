"""A member as referrals see one."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Member:
    """`first_paid_at` is the business time of the earliest paid order; a refund does not make a member new again."""

    program_id: int
    member_id: int
    joined_at: datetime | None
    first_paid_at: datetime | None

    @property
    def is_new(self) -> bool:
        """New means: no paid order yet (requirements R1)."""
        return self.first_paid_at is None
