"""The decimal mark of a table: decided from all of its numbers, or stated; thousands are not separated."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ml_regress.errors import Fault
from ml_regress.intake.exact import Cells, Exact

MARKS = (".", ",")
_MARKED = re.compile(r"[+-]?(?=[.,]?[0-9])(?P<whole>[0-9]*)(?P<mark>[.,])(?P<part>[0-9]*)(?P<power>[eE][+-]?[0-9]+)?")
_GROUP = "[.,'\u2019 \u00a0\u202f]"
_GROUPED = re.compile(rf"[+-]?[0-9]{{1,3}}(?:{_GROUP}[0-9]{{2,3}})*{_GROUP}[0-9]{{3}}(?:[.,][0-9]+)?")
_NO_THOUSANDS = "remove the thousands separator"


@dataclass(frozen=True)
class _Number:
    """A cell that holds a mark: where it stands, and whether the mark could separate thousands."""

    row: int
    column: str
    text: str
    mark: str
    could_group: bool

    @property
    def place(self) -> str:
        return f"row {self.row}, column {self.column!r}: {self.text!r}"

    def fault(self, source: str, rule: str) -> Fault:
        return Fault(source, self.row, self.column, self.text, rule)


def plain_numbers(
    columns: Mapping[str, Cells], whole: Collection[str], decimal: str | None, source: str
) -> tuple[dict[str, list[str | None]], list[str], list[Fault]]:
    """The columns that change so that all have a decimal point, notes, and what cannot be read.

    `whole` names the columns of integers, `decimal` is the stated mark. What is no number in any
    writing stays as it is.
    """
    if decimal != "," and all(_is_plain(cells, whole=name in whole) for name, cells in columns.items()):
        return {}, [], []
    found = sorted(_marked(columns), key=lambda number: number.row)
    faults = [number.fault(source, _NO_THOUSANDS) for number in found if not number.mark]
    points = [number for number in found if number.mark == "."]
    commas = [number for number in found if number.mark == ","]
    notes: list[str] = []
    if decimal is not None:
        faults += [
            number.fault(source, _not_stated(number, decimal)) for number in (points if decimal == "," else commas)
        ]
    elif points and not commas and all(number.could_group for number in points):
        # 1.000 is a number like any other, but as a count of things it is more likely a thousand.
        faults += [_two_readings(number, source) for number in points if number.column in whole][:1]
    elif commas:
        fault = _undecided(commas, points, source)
        shown = next((number for number in commas if not number.could_group), commas[0])
        faults += [] if fault is None else [fault]
        notes.append(f"{source}: the comma is read as the decimal mark, as {shown.place} shows")
    if faults or not commas:
        return {}, [], faults
    changed = {number.column for number in commas}
    return {name: [_pointed(cell) for cell in columns[name]] for name in columns if name in changed}, notes, []


def _is_plain(cells: Cells, *, whole: bool) -> bool:
    """Whether a column needs no closer look: numbers with decimal points, at the price of one float() a cell."""
    try:
        for cell in cells:
            if cell:
                float(cell)
                if whole and "." in cell:
                    return False
    except ValueError:
        return False
    return True


def _marked(columns: Mapping[str, Cells]) -> Iterator[_Number]:
    """Every cell with a mark; one that surely separates thousands has the mark ""."""
    for name, cells in columns.items():
        for row, cell in enumerate(cells, start=1):
            if not cell or isinstance(cell, Exact):
                continue
            text = cell.strip()
            marked = _MARKED.fullmatch(text)
            if marked is not None:
                yield _Number(row, name, text, marked["mark"], _could_group(marked))
            elif _GROUPED.fullmatch(text):
                yield _Number(row, name, text, "", True)


def _could_group(marked: re.Match[str]) -> bool:
    return bool(re.fullmatch("[1-9][0-9]{0,2}", marked["whole"])) and len(marked["part"]) == 3 and not marked["power"]


def _not_stated(number: _Number, decimal: str) -> str:
    other = "point" if decimal == "," else "comma"
    rule = f"holds a {other}, but `table:` states the decimal mark {decimal!r}"
    return f"{rule}; {_NO_THOUSANDS}, or write {decimal!r}" if number.could_group else f"{rule}; write {decimal!r}"


def _undecided(commas: list[_Number], points: list[_Number], source: str) -> Fault | None:
    """Why the comma cannot be taken for the decimal mark, or None."""
    comma = next((number for number in commas if not number.could_group), commas[0])
    if points:
        point = next((number for number in points if not number.could_group), points[0])
        both = f"has a comma where {point.place} has a point; write one decimal mark, and {_NO_THOUSANDS}"
        return comma.fault(source, both)
    return _two_readings(comma, source) if comma.could_group else None


def _two_readings(number: _Number, source: str) -> Fault:
    small = number.text.replace(",", ".").rstrip("0").rstrip(".")
    large = number.text.replace(number.mark, "")
    mark = "comma" if number.mark == "," else "point"
    return number.fault(
        source,
        f"is {small} with a decimal {mark}, or {large} with a thousands separator, "
        f'and no other number of the table decides; say `table: {{decimal: "{number.mark}"}}`, or {_NO_THOUSANDS}',
    )


def _pointed(cell: str | None) -> str | None:
    if not cell or "," not in cell or isinstance(cell, Exact) or not _MARKED.fullmatch(cell.strip()):
        return cell
    return cell.replace(",", ".")
