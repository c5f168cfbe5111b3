"""Laws of the hash chain: every field of an entry, and everything before it, is in its hash."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.ledger import chain
from services.points.ledger.chain import link, opening

ENTRY: dict[str, Any] = {
    "program_id": 1,
    "member_id": 7,
    "asset_id": 2,
    "seq": 3,
    "kind": 1,
    "amount": 50,
    "held_delta": 0,
    "balance_after": 150,
    "held_after": 20,
    "at_us": 1_777_777_777_123_456,
    "posting_id": bytes(range(16)),
    "moves": [20_000, 50],
    "details": ("system:shop k1", 4, None, None, None, {"reason": "gift"}),
}
OTHER: dict[str, Any] = {
    "program_id": 2,
    "member_id": 8,
    "asset_id": 3,
    "seq": 4,
    "kind": 2,
    "amount": -50,
    "held_delta": 1,
    "balance_after": 151,
    "held_after": 21,
    "at_us": 1_777_777_777_123_457,
    "posting_id": bytes(16),
    "moves": [20_001, 50],
    "details": ("system:shop k2", 4, None, None, None, {"reason": "gift"}),
}


def test_the_same_entry_has_the_same_hash() -> None:
    start = opening(1, 7, 2)
    assert link(start, **ENTRY) == link(start, **ENTRY)
    assert len(link(start, **ENTRY)) == 32


@pytest.mark.parametrize("field", sorted(ENTRY))
def test_a_change_of_any_field_shows(field: str) -> None:
    start = opening(1, 7, 2)
    assert link(start, **{**ENTRY, field: OTHER[field]}) != link(start, **ENTRY)


@pytest.mark.parametrize("place", range(6))
def test_a_change_of_any_detail_shows(place: int) -> None:
    start = opening(1, 7, 2)
    changed = list(ENTRY["details"])
    changed[place] = "something else"
    assert link(start, **{**ENTRY, "details": tuple(changed)}) != link(start, **ENTRY)


def test_a_change_of_the_entry_before_shows() -> None:
    assert link(opening(1, 7, 2), **ENTRY) != link(bytes(32), **ENTRY)


def test_every_account_starts_from_its_own_opening() -> None:
    keys = [(1, 7, 2), (2, 7, 2), (1, 8, 2), (1, 7, 3), (7, 1, 2)]
    assert len({opening(*key) for key in keys}) == len(keys)


def test_amounts_and_lots_cannot_be_shifted_into_one_another() -> None:
    start = opening(1, 7, 2)
    one = link(start, **{**ENTRY, "moves": [1, 2, 3, 4]})
    assert one != link(start, **{**ENTRY, "moves": [1, 2], "details": (3, 4, *ENTRY["details"])})
    assert one != link(start, **{**ENTRY, "moves": [1, 2, 3, 4, 0, 0]})


def test_the_order_of_meta_does_not_matter_as_the_database_keeps_none() -> None:
    start = opening(1, 7, 2)
    forth = ("c", None, None, None, None, {"a": 1, "b": "积分"})
    back = ("c", None, None, None, None, {"b": "积分", "a": 1})
    assert link(start, **{**ENTRY, "details": forth}) == link(start, **{**ENTRY, "details": back})


def test_the_hash_covers_what_is_documented_in_that_order_and_form() -> None:
    def wide(value: int, size: int = 8) -> bytes:
        return value.to_bytes(size, "big", signed=True)

    previous = sha256(wide(1, 4) + wide(7) + wide(2, 2)).digest()
    figures = [wide(3), wide(1, 2), wide(50), wide(0), wide(150), wide(20), wide(1_777_777_777_123_456)]
    lots = [bytes(range(16)), wide(2, 4), wide(20_000), wide(50)]
    details = sha256(b'["system:shop k1",4,null,null,null,{"reason":"gift"}]').digest()
    whole = b"".join([previous, wide(1, 4), wide(7), wide(2, 2), *figures, *lots, details])
    assert link(opening(1, 7, 2), **ENTRY) == sha256(whole).digest()


@given(cause=st.text(), rule_version=st.none() | st.integers(1, 9))
def test_a_cause_alone_is_covered_as_the_json_that_it_is(cause: str, rule_version: int | None) -> None:
    covered = chain.details(cause, rule_version, None, None, None, None)
    assert chain._canonical(covered) == json.dumps(covered, separators=(",", ":"), ensure_ascii=False)
