"""The states of a changeset, what duplicates are, and what a sheet is read into."""

import csv
import io
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.changesets import domain, sheet
from services.points.changesets.domain import Fault, Line, SamePerson, State, WrongState
from services.points.changesets.faults import FAULTS, fault_sentence
from services.points.changesets.sheet import Terms

TERMS = Terms("adjustment", frozenset({"points", "growth"}), frozenset({"goodwill", "abuse"}), date(2026, 5, 3))
HEADER = "member_id,asset,amount,reason\n"


def line(
    number: int, amount: int = 5, *, member: int | None = 1, subject: str | None = None, asset: str = "points"
) -> Line:
    """A line."""
    return Line(part=1, line=number, member_id=member, subject=subject, asset=asset, amount=amount, reason="goodwill")


def read(text: str, *, kind: str = "adjustment") -> sheet.Sheet:
    """Read a sheet."""
    return sheet.read(1, text, Terms(kind, TERMS.assets, TERMS.reasons, TERMS.today))


def test_a_changeset_goes_its_way_and_no_other() -> None:
    way = [State.DRAFT, State.CHECKING, State.CHECKED, State.APPROVED, State.APPLIED]
    way += [State.UNDO_REQUESTED, State.UNDOING, State.UNDONE]
    for here, there in pairwise(way):
        domain.check_move(here, there)
    for here, there in [
        (State.DRAFT, State.APPROVED),
        (State.CHECKING, State.APPROVED),
        (State.FAULTY, State.APPROVED),
        (State.CHECKED, State.APPLIED),
        (State.APPLIED, State.UNDONE),
        (State.APPLIED, State.CHECKING),
        (State.UNDONE, State.UNDO_REQUESTED),
        (State.REJECTED, State.CHECKING),
        (State.APPROVED, State.REJECTED),
    ]:
        with pytest.raises(WrongState):
            domain.check_move(here, there)
    with pytest.raises(SamePerson):
        domain.check_second_person("lin", "lin")
    domain.check_second_person("lin", "mei")


def test_an_opening_balance_is_a_duplicate_by_its_account_an_adjustment_only_word_for_word() -> None:
    lines = [
        line(2),
        line(3, 6),
        line(4),
        line(5, asset="growth"),
        line(6, member=None, subject="id:1"),
        line(7, member=2),
    ]
    assert [fault.line for fault in domain.duplicates(lines, "adjustment")] == [4]
    assert [(fault.line, fault.facts["of_line"]) for fault in domain.duplicates(lines, "opening")] == [(3, 2), (4, 2)]
    assert [fault.line for fault in domain.duplicates([line(2, member=None, subject="id:1")] * 1, "opening")] == []
    twice = [line(2, member=None, subject="id:1"), line(3, member=None, subject="id:1")]
    assert [fault.line for fault in domain.duplicates(twice, "opening")] == [3]


def test_a_summary_adds_up_and_shows_the_largest_first() -> None:
    lines = [line(number, amount=(-1) ** number * number) for number in range(2, 40)]
    found = domain.summary(lines, 3)
    assert (found["lines"], found["faults"], found["members"], found["new_members"]) == (38, 3, 1, 0)
    total = found["assets"][0]
    assert total["credits"] - total["debits"] == sum(one.amount for one in lines)
    assert [abs(one["amount"]) for one in found["largest"]] == list(range(39, 19, -1))
    assert domain.summary([], 0)["assets"] == []


@given(
    st.lists(
        st.tuples(
            st.integers(1, 2**53 - 1),
            st.integers(-(2**53) + 1, 2**53 - 1).filter(bool),
            st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["", "\ufeff"]),
)
def test_what_a_spreadsheet_writes_is_read_as_it_was(
    rows: list[tuple[int, int, str]], delimiter: str, ending: str, mark: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
    writer.writerow(["member_id", "asset", "amount", "reason", "note"])
    writer.writerows([member, "points", amount, "goodwill", note] for member, amount, note in rows)
    found = read(mark + text.getvalue())
    assert found.faults == []
    assert [(one.member_id, one.amount, one.note) for one in found.lines] == [
        (member, amount, note.strip()) for member, amount, note in rows
    ]


@given(st.text(max_size=200))
def test_any_text_is_read_into_lines_and_faults_and_never_breaks(text: str) -> None:
    for whole in (text, HEADER + text):
        found = read(whole)
        for fault in found.faults:
            assert all(fault_sentence(fault.code, fault.facts))
        assert {one.line for one in found.lines} & {fault.line for fault in found.faults} == set()


def test_a_cell_over_several_lines_keeps_the_numbers_of_what_follows() -> None:
    found = read('member_id,asset,amount,reason,note\n1,points,5,goodwill,"a\nb\nc"\n2,points,x,goodwill,d\n')
    assert [one.line for one in found.lines] == [2]
    assert found.lines[0].note == "a\nb\nc"
    assert [fault.line for fault in found.faults] == [5]


def test_the_day_of_expiry_may_be_today_and_becomes_a_validity() -> None:
    header = "member_id,asset,amount,reason,expires_on,validity\n"
    found = read(
        header + "1,points,5,goodwill,2026-05-03,\n1,points,5,goodwill,2026/5/4,\n1,points,5,goodwill,,12M_U\n"
    )
    assert [one.validity for one in found.lines] == ["until:2026-05-03", "until:2026-05-04", "12M_U"]
    found = read(
        header + "1,points,5,goodwill,2026-05-02,\n1,points,5,goodwill,1999-12-31,\n1,points,5,goodwill,,idle:3M\n"
    )
    assert [fault.code for fault in found.faults] == ["expiry_in_the_past", "not_a_day", "bad_validity"]


def test_an_opening_balance_is_above_zero() -> None:
    assert [fault.code for fault in read(HEADER + "1,points,-5,goodwill\n", kind="opening").faults] == [
        "opening_below_zero"
    ]
    assert read(HEADER + "1,points,-5,goodwill\n").faults == []


def test_long_notes_and_control_characters_are_faults() -> None:
    header = "member_id,asset,amount,reason,note\n"
    found = read(header + f"1,points,5,goodwill,{'x' * 1001}\n1,points,5,goodwill,a\x07b\n")
    assert [(fault.column, fault.code) for fault in found.faults] == [("note", "bad_note")] * 2


def test_a_report_repeats_cells_cut_and_without_controls() -> None:
    found = read(HEADER + f"1,points,{'9' * 300},goodwill\n1,points,\x1b[31m5,goodwill\n")
    assert found.faults[0].facts["value"] == "9" * 60
    assert "\x1b" not in str(found.faults[1].facts["value"])


def test_every_fault_is_worded_and_an_unknown_one_still_says_something() -> None:
    assert all(len(pair) == 2 and all(pair) for pair in FAULTS.values())
    assert fault_sentence("transfer_capped", {}) == (
        "The ledger refused it: transfer_capped. Check the line again.",
        "账本拒绝:transfer_capped,请检查该行。",
    )
    assert line(4).fault("x", "amount", short_by=5) == Fault(1, 4, "amount", "x", {"short_by": 5})
