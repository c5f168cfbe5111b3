"""The answer to a batch is written out by hand, and is what its schema would say."""

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.ledger.domain import Kind, Outcome, Status
from services.points.ledger.schemas import LineResult, result_text

NUMBERS = st.integers(0, 2**53 - 1)


@pytest.mark.parametrize("status", [Status.POSTED, Status.INSUFFICIENT, Status.NOT_ATTEMPTED])
@given(
    key=st.from_regex(r"[!-~]{1,255}", fullmatch=True),
    posting_id=st.binary(min_size=16, max_size=16),
    figures=st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    replayed=st.booleans(),
)
def test_a_result_is_what_its_schema_says(
    status: Status, key: str, posting_id: bytes, figures: tuple[int, int, int, int], replayed: bool
) -> None:
    outcome = Outcome(posting_id, status, Kind.SPEND, 7, 1, -5, *figures, 0, replayed=replayed)
    posted = status == Status.POSTED
    shown = {
        "key": key,
        "status": "some_code",
        "replayed": replayed,
        "posting_id": uuid.UUID(bytes=posting_id),
        "seq": outcome.seq if posted else None,
        "balance": outcome.balance if posted else None,
        "available": outcome.available if posted else None,
    }
    text = result_text(key, "some_code", outcome)
    assert list(json.loads(text).items()) == list(LineResult().dump(shown).items())
