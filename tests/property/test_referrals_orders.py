"""However the facts of orders are ordered, cut into pages and repeated, the same is granted and the same stands."""

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.referrals import Referrals, referrals, referrals_migrated
from tests.thoroughness import examples

__all__ = ["referrals", "referrals_migrated"]

_FEN = 100
#: (what, invitee, refund): four invitees with an order each: paid back in halves, at once, in part, not at all.
_FACTS = [
    ("paid", 2, ""),
    ("refund", 2, "half-1"),
    ("refund", 2, "half-2"),
    ("paid", 3, ""),
    ("refund", 3, "whole"),
    ("paid", 4, ""),
    ("refund", 4, "half-1"),
    ("paid", 5, ""),
]
_STATES = {2: "revoked", 3: "revoked", 4: "qualified", 5: "qualified"}
_EXAMPLES = count(1)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.permutations(_FACTS * 2),
    pages=st.lists(st.booleans(), min_size=2 * len(_FACTS), max_size=2 * len(_FACTS)),
)
def test_any_telling_of_the_same_facts_ends_the_same(
    referrals: Referrals, told: Sequence[tuple[str, int, str]], pages: list[bool]
) -> None:
    # Each example has members of its own, which is quicker than to empty the database.
    first = 100 * next(_EXAMPLES)
    referrals.campaign()
    code = referrals.code(first + 1)
    for invitee in _STATES:
        assert referrals.bind(first + invitee, code).status_code == 201
    for (what, invitee, refund), pull in zip(told, pages, strict=True):
        member_id = first + invitee
        if what == "paid":
            referrals.order(member_id, f"o{member_id}", _FEN)
        else:
            fen = _FEN if refund == "whole" else _FEN // 2
            data = {"order_id": f"o{member_id}", "refund_id": refund, "refunded_fen": fen}
            referrals.event("order.refunded", member_id, data)
        if pull:
            referrals.pull("points")
    referrals.pull("points")
    states = referrals.sql("SELECT member_id, state FROM referrals_bindings WHERE member_id > :first", first=first)
    assert {row.member_id - first: row.state for row in states} == _STATES
    standing = set(referrals.granted()) - set(referrals.reversed())
    expected = {f"referrals:invitation:{first + it}-1:{side}" for it in (4, 5) for side in ("inviter", "invitee")}
    assert {grant for grant in standing if int(grant.split(":")[2].split("-")[0]) > first} == expected


@pytest.mark.parametrize("size", [2, 7])
def test_a_group_of_any_size_is_filled_by_exactly_its_size(referrals: Referrals, size: int) -> None:
    referrals.groupbuy_campaign(size=size)
    group = referrals.filled(*range(1, size + 1))
    assert referrals.group(group)["state"] == "filled"
    assert len(referrals.granted()) == size
