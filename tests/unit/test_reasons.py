"""The report by reason as values: its months, and rows that add up."""

from datetime import date

import pytest

from services.points.reasons.domain import MOST_MONTHS, BadMonths, Row, Sums, Total, months, totals

TODAY = date(2026, 2, 28)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, ("2025-03", "2026-02")),
        ("2026-01", None, ("2026-01", "2026-02")),
        ("2026-07", None, ("2026-07", "2026-07")),
        (None, "2025-12", ("2025-01", "2025-12")),
        ("2023-03", "2026-02", ("2023-03", "2026-02")),
    ],
)
def test_the_last_twelve_months_unless_told(first: str | None, last: str | None, expected: tuple[str, str]) -> None:
    assert months(first, last, today=TODAY) == expected


@pytest.mark.parametrize(("first", "last"), [("2026-02", "2026-01"), ("2023-02", "2026-02"), ("2020-01", None)])
def test_months_in_the_wrong_order_or_too_many_are_refused(first: str, last: str | None) -> None:
    with pytest.raises(BadMonths) as raised:
        months(first, last, today=TODAY)
    assert raised.value.facts == {"most": MOST_MONTHS}


def test_totals_are_the_rows_by_asset_and_reason() -> None:
    rows = [
        Row("2026-01", "points", "goodwill", "lin", Sums(2, 30, 0, -10, 5)),
        Row("2026-01", "points", "abuse", "lin", Sums(1, 0, 7, 0, 0)),
        Row("2026-02", "points", "goodwill", "wu", Sums(1, 5, 0, 0, -5)),
    ]
    found = totals(rows)
    assert found == [
        Total("points", "abuse", Sums(1, 0, 7, 0, 0)),
        Total("points", "goodwill", Sums(3, 35, 0, -10, 0)),
    ]
    assert [one.sums.net for one in found] == [-7, 25]
    assert totals([]) == []
