"""`verify` finds what was done to adjustments and changesets behind the service's back."""

from datetime import timedelta

import pytest

from common.clock import business_day, now
from tests.care import Desk, MembersDouble
from tests.points import built_once, done, sql, wrong

ENTRY = "a posted adjustment is one entry of its amount, a redating of as many lots, any other is none"
UNDONE = "an undone adjustment has one posted undoing of the opposite amount"
MOVES = "a redating moves lots from day to day, and nothing else"
DAYS = "what agents used of their day is what was charged to them"
ALLOWED = "what was posted was charged to an agent's limits or approved by a second person"
APPLIED = "an applied changeset is one entry a line, any other is none"
REVERSED = "an undone changeset is reversed line by line, any other not at all"
ONCE = "an account has at most one opening balance"


def found(*names: str) -> set[str]:
    """The violated of these invariants."""
    return {finding.name for finding in wrong()} & set(names)


@built_once
def adjust(desk: Desk) -> None:
    """One posted, one approved, one waiting and one undone."""
    desk.posted(10)
    done(desk.decide("approval", desk.waiting(900)))
    desk.waiting(901)
    desk.decide("undo", desk.posted(20), by=desk.wu)
    today = business_day(now(), "Asia/Shanghai")
    desk.posted(30, validity="5D", by=desk.wu)
    moved = done(desk.redate(7, today + timedelta(days=5), today + timedelta(days=50), by=desk.wu))
    desk.decide("undo", moved, by=desk.wu)
    assert wrong() == []


@pytest.fixture
def adjusted(desk: Desk) -> Desk:
    """Adjustments of every state."""
    adjust(desk)
    return desk


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ("UPDATE points_adjustments SET amount = 11 WHERE amount = 10", {ENTRY, DAYS}),
        ("DELETE FROM points_adjustments WHERE amount = 10", {ENTRY, DAYS}),
        ("UPDATE points_adjustments SET posting_id = gen_random_uuid() WHERE amount = 10", {ENTRY}),
        (
            "UPDATE points_adjustments SET status = 'rejected', posting_id = NULL, posted_at = NULL WHERE amount = 900",
            {ENTRY},
        ),
        (
            "UPDATE points_adjustments SET status = 'posted', posting_id = gen_random_uuid() WHERE amount = 901",
            {ENTRY, ALLOWED},
        ),
        ("UPDATE points_adjustments SET status = 'posted', undone_by = NULL WHERE amount = 20", {UNDONE}),
        ("UPDATE points_adjustments SET undoes = NULL WHERE amount = -20", {UNDONE}),
        ("UPDATE points_adjustments SET moved = 6 WHERE amount = 7", {ENTRY}),
        ("UPDATE points_adjustments SET moved = 6 WHERE amount = -7", {ENTRY}),
        ("UPDATE points_entries SET amount = 1 WHERE kind = 15", {ENTRY, MOVES}),
        ("UPDATE points_entries SET lots[2] = -6 WHERE kind = 15", {MOVES}),
        ("UPDATE points_entries SET amount = 1 WHERE kind = 8 AND reversed = 7", {ENTRY, MOVES}),
        ("UPDATE points_agent_days SET used = used - 1 WHERE agent = 'lin'", {DAYS}),
        ("DELETE FROM points_agent_days WHERE agent = 'wu'", {DAYS}),
        ("UPDATE points_adjustments SET charged_to = NULL, charged_on = NULL WHERE amount = 10", {DAYS, ALLOWED}),
        ("UPDATE points_adjustments SET decided_by = NULL WHERE amount = 900", {ALLOWED}),
    ],
)
def test_an_edit_of_an_adjustment_is_found(adjusted: Desk, edit: str, expected: set[str]) -> None:
    sql(edit)
    assert found(ENTRY, UNDONE, DAYS, ALLOWED, MOVES) == expected


@built_once
def change(desk: Desk) -> None:
    """One changeset applied, one undone, one checked."""
    desk.applied("member_id,asset,amount,reason\n1,points,10,goodwill\n2,points,20,goodwill\n", kind="opening")
    desk.undone(desk.applied("member_id,asset,amount,reason\n3,points,30,goodwill\n"))
    desk.checked("member_id,asset,amount,reason\n4,points,40,goodwill\n")
    assert wrong() == []


@pytest.fixture
def changed(desk: Desk, levels_double: MembersDouble) -> Desk:
    """Changesets of every state."""
    change(desk)
    return desk


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ("UPDATE points_changeset_lines SET amount = 11 WHERE amount = 10", {APPLIED}),
        ("DELETE FROM points_changeset_lines WHERE amount = 10", {APPLIED}),
        ("UPDATE points_changesets SET status = 'applied' WHERE status = 'undone'", {REVERSED}),
        (
            "UPDATE points_changesets SET status = 'undone', undo_approved_by = 'x' WHERE status = 'applied'",
            {REVERSED},
        ),
        ("UPDATE points_changesets SET status = 'checked' WHERE status = 'applied'", {APPLIED}),
        ("UPDATE points_changesets SET status = 'applied', approved_by = 'x' WHERE status = 'checked'", {APPLIED}),
        (
            "UPDATE points_changesets SET kind = 'opening', approved_by = 'x', status = 'applied'"
            " WHERE status = 'checked';"
            "UPDATE points_changeset_lines SET member_id = 1 WHERE amount = 40",
            {APPLIED, ONCE},
        ),
    ],
)
def test_an_edit_of_a_changeset_is_found(changed: Desk, edit: str, expected: set[str]) -> None:
    for statement in edit.split(";"):
        sql(statement)
    assert found(APPLIED, REVERSED, ONCE) == expected
