"""The uploaded sheet: CSV as spreadsheets write it, read into lines, with every fault found and none stopping the rest.

UTF-8 with or without a byte order mark, quoted fields, CRLF, and `,`, `;` or a tab between cells. Pure.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from common.errors import Refusal
from services.points.changesets.domain import Fault, Kind, Line
from services.points.programs.validity import check_own_validity

COLUMNS = ("member_id", "identity", "asset", "amount", "reason", "expires_on", "validity", "note")
_REQUIRED = ("asset", "amount", "reason")
_MEMBER = re.compile(r"^[1-9][0-9]{0,15}\Z")
_IDENTITY = re.compile(r"^(?!member[:/])[a-z][a-z0-9_]{0,31}(/[A-Za-z0-9_-]{1,64})?:[!-~]{1,128}\Z")
_AMOUNT = re.compile(r"^[+-]?[0-9]{1,16}\Z")
_DAY = re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})\Z")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LARGEST = 2**53 - 1
_LONGEST_NOTE = 1000
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Terms:
    """What a line may say: assets and reasons of the program, today's business day, and the changeset's kind."""

    kind: str
    assets: frozenset[str]
    reasons: frozenset[str]
    today: date


@dataclass(slots=True)
class Sheet:
    """What a part was read into; lines with a fault are not among `lines`."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read(part: int, text: str, terms: Terms) -> Sheet:
    """Read one part, whose first line names its columns."""
    sheet = Sheet()
    rows = _rows(part, text.removeprefix("\ufeff"), sheet.faults)
    header = next(rows, None)
    if header is None:
        sheet.faults.append(Fault(part, 1, "", "no_header", {"columns": ", ".join(COLUMNS)}))
        return sheet
    names = [cell.strip().lower() for cell in header[1]]
    faults = list(_header_faults(part, header[0], names))
    if faults:
        sheet.faults += faults
        return sheet
    for number, cells in rows:
        _read_row(part, number, names, cells, terms, sheet)
    return sheet


def _rows(part: int, text: str, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """The rows that say anything, each with the number of the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        faults.append(Fault(part, number, "", "not_csv", {"reason": str(error)}))


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _header_faults(part: int, number: int, names: list[str]) -> Iterator[Fault]:
    for name in dict.fromkeys(names):
        if name not in COLUMNS:
            yield Fault(part, number, _shown(name), "unknown_column", {"columns": ", ".join(COLUMNS)})
        elif names.count(name) > 1:
            yield Fault(part, number, name, "column_twice")
    for name in _REQUIRED:
        if name not in names:
            yield Fault(part, number, name, "missing_column")
    if "member_id" not in names and "identity" not in names:
        yield Fault(part, number, "member_id", "missing_column")


def _read_row(part: int, number: int, names: list[str], cells: list[str], terms: Terms, sheet: Sheet) -> None:
    if len(cells) != len(names):
        facts: dict[str, int | str] = {"cells": len(cells), "columns": len(names)}
        sheet.faults.append(Fault(part, number, "", "wrong_number_of_cells", facts))
        return
    given = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    row = _Row(part, number, given, terms, [])
    member_id, subject = row.member()
    asset, amount, reason = row.asset(), row.amount(), row.reason()
    validity, note = row.validity(amount), row.note()
    if row.faults:
        sheet.faults += row.faults
        return
    sheet.lines.append(
        Line(
            part=part,
            line=number,
            member_id=member_id,
            subject=subject,
            asset=asset,
            amount=amount,
            reason=reason,
            validity=validity,
            note=note,
        )
    )


@dataclass(slots=True)
class _Row:
    """One row while its cells are read; what is wrong is noted and reading goes on."""

    part: int
    number: int
    given: dict[str, str]
    terms: Terms
    faults: list[Fault]

    def member(self) -> tuple[int | None, str | None]:
        """By number or by identity, never both."""
        number, identity = self.given.get("member_id", ""), self.given.get("identity", "")
        if bool(number) == bool(identity):
            self._wrong("member_id", "member_twice" if number else "member_missing")
        elif number and not (_MEMBER.match(number) and int(number) <= _LARGEST):
            self._wrong("member_id", "not_a_member_id", value=number)
        elif identity and not _IDENTITY.match(identity):
            self._wrong("identity", "not_an_identity")
        else:
            return (int(number), None) if number else (None, identity)
        return None, None

    def asset(self) -> str:
        """One of the program's."""
        if self.given["asset"] not in self.terms.assets:
            self._wrong("asset", "unknown_asset", value=self.given["asset"], known=", ".join(sorted(self.terms.assets)))
        return self.given["asset"]

    def amount(self) -> int:
        """A whole number that is not 0; opening balances are credits."""
        text = self.given["amount"]
        if not _AMOUNT.match(text) or abs(int(text)) > _LARGEST:
            self._wrong("amount", "amount_not_whole", value=text)
            return 0
        if int(text) == 0:
            self._wrong("amount", "amount_nothing")
        if int(text) < 0 and self.terms.kind == Kind.OPENING:
            self._wrong("amount", "opening_below_zero", value=text)
        return int(text)

    def reason(self) -> str:
        """One of the program's list."""
        if self.given["reason"] not in self.terms.reasons:
            known = ", ".join(sorted(self.terms.reasons))
            self._wrong("reason", "unknown_reason", value=self.given["reason"], known=known)
        return self.given["reason"]

    def validity(self, amount: int) -> str | None:
        """From `expires_on` or `validity`, whichever is given; only credits have one."""
        day, validity = self.given.get("expires_on", ""), self.given.get("validity", "")
        if not day and not validity:
            return None
        column = "expires_on" if day else "validity"
        if day and validity:
            self._wrong(column, "validity_twice")
        elif amount < 0:
            self._wrong(column, "validity_of_debit")
        elif day:
            return self._until(day)
        else:
            try:
                return check_own_validity(validity)
            except Refusal:
                self._wrong(column, "bad_validity", value=validity)
        return None

    def note(self) -> str:
        """What staff write for staff."""
        note = self.given.get("note", "")
        if len(note) > _LONGEST_NOTE or _CONTROLS.search(note):
            self._wrong("note", "bad_note", most=_LONGEST_NOTE)
        return note

    def _until(self, text: str) -> str | None:
        match = _DAY.match(text)
        try:
            day = date(*map(int, match.groups())) if match else None
        except ValueError:
            day = None
        if day is None or not 2000 <= day.year < 2200:
            self._wrong("expires_on", "not_a_day", value=text)
            return None
        if day < self.terms.today:
            self._wrong("expires_on", "expiry_in_the_past", value=day.isoformat(), today=self.terms.today.isoformat())
        return f"until:{day.isoformat()}"

    def _wrong(self, column: str, code: str, **facts: int | str) -> None:
        shown = {
            name: _shown(fact) if isinstance(fact, str) and name == "value" else fact for name, fact in facts.items()
        }
        self.faults.append(Fault(self.part, self.number, column, code, shown))


def _shown(cell: str) -> str:
    """A cell as a report repeats it: cut, and without what a terminal or a spreadsheet would take for a command."""
    return _CONTROLS.sub("\ufffd", cell)[:_LONGEST_SHOWN]
