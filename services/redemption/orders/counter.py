"""The counter: who asks while others are being looked at waits a moment, and is looked at with all who came since."""

from collections.abc import Sequence

import psycopg
from sqlalchemy.exc import OperationalError

from common.errors import Refusal
from common.together import Together
from services.redemption.database import database
from services.redemption.orders import use_cases
from services.redemption.orders.domain import Asked


def _refuse_together(asked: Sequence[Asked]) -> list[Refusal | None]:
    with database.autocommit() as connection:
        return use_cases.refuse_at_once(connection, asked)


_refusing: Together[Asked, Refusal | None] = Together(
    _refuse_together,
    of=lambda asked: (asked.program_id, asked.item),
    unavailable=(psycopg.OperationalError, OperationalError),
)


def refuse_at_once(asked: Asked) -> Refusal | None:
    """Why nobody can have it now, as `use_cases.refuse_at_once` says."""
    return _refusing.submit(asked)
