"""Delimited text: which character separates the cells, and the records it makes."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.exact import Cells

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
CELL_LIMIT = 2**31 - 1  # the csv module's own limit of 131,072 characters would refuse long documents


@dataclass(frozen=True)
class _Reading:
    """A text cut by one delimiter; `error` says why it is no CSV under it."""

    delimiter: str
    records: tuple[Sequence[str], ...]
    error: str = ""

    @property
    def width(self) -> int:
        return len(self.records[0]) if self.records else 0

    @property
    def fits(self) -> bool:
        """Whether all records have as many cells as the header, and more than one."""
        return not self.error and self.width > 1 and all(len(record) == self.width for record in self.records)

    @property
    def odd(self) -> int:
        return sum(len(record) != self.width for record in self.records)


def read_delimited(text: str, stated: str | None, source: str) -> tuple[list[str], Sequence[Cells], list[str]]:
    """Names, columns and notes of a delimited text; raises InvalidInput with the rows at fault."""
    found = _marks_of_header(text, stated)
    if stated is not None:
        if stated not in found and found:
            rule = f"states {_named(stated)}, but the header holds none; it holds {' and '.join(map(_named, found))}"
            raise InvalidInput.single(source, rule, column="table.delimiter")
        reading, notes = _cut(text, stated), list[str]()
    else:
        reading, notes = _decided(text, found, source)
    if reading.error:
        raise InvalidInput.single(source, f"is no CSV ({reading.error})", row=len(reading.records) or None)
    if not reading.records:
        raise InvalidInput.single(source, "is empty; its first line must name the columns")
    names, records = [name.strip() for name in reading.records[0]], reading.records[1:]
    mark = DELIMITERS.get(reading.delimiter, repr(reading.delimiter)).removesuffix("s")
    wrong = f"cells where the header has {len(names)}; a cell that holds a {mark} needs quotes"
    ragged = [
        Fault(source, row, None, None, f"has {len(record)} {wrong}")
        for row, record in enumerate(records, start=1)
        if len(record) != len(names)
    ]
    if ragged:
        raise InvalidInput(ragged)
    return names, list(zip(*records, strict=True)) if records else [[] for _ in names], notes


def unquoted(text: str, marks: Sequence[str]) -> Iterator[str]:
    """The characters of a text that stand outside of quoted cells, and the quotes themselves.

    A quote opens a cell only where the cell begins; `marks` are what may separate cells.
    """
    quoted, begins = False, True
    for character in text:
        if quoted:
            quoted = character != '"'
            begins = not quoted  # a doubled quote goes on
        else:
            quoted = begins and character == '"'
            begins = character in marks or character in "\r\n"
        if not quoted or character == '"':
            yield character


def _marks_of_header(text: str, stated: str | None) -> list[str]:
    """The delimiters that stand in the header outside of quotes."""
    marks = list(dict.fromkeys([*DELIMITERS, *([stated] if stated else [])]))
    found = set(takewhile(lambda character: character not in "\r\n", unquoted(text.lstrip("\r\n"), marks)))
    return [mark for mark in marks if mark in found]


def _decided(text: str, found: Sequence[str], source: str) -> tuple[_Reading, list[str]]:
    """The reading under the delimiter that the header, or else every record, decides."""
    if len(found) < 2:
        reading = _cut(text, found[0] if found else ",")
        return reading, [] if reading.delimiter == "," else [f"{source}: cells are separated by {_named(found[0])}"]
    readings = [_cut(text, mark) for mark in found]
    fitting = [reading for reading in readings if reading.fits]
    if not fitting:  # the one that is nearest says which rows are at fault
        return min(readings, key=lambda reading: (bool(reading.error), reading.odd, -reading.width)), []
    if len(fitting) > 1:
        both = " or ".join(f"{list(reading.records[0])} by {_named(reading.delimiter)}" for reading in fitting)
        stated = "tab" if fitting[-1].delimiter == "\t" else f'"{fitting[-1].delimiter}"'
        rule = f"the header is {both}, and every row fits; say `table: {{delimiter: {stated}}}` or the other"
        raise InvalidInput.single(source, rule)
    reading = fitting[0]
    others = " and ".join(_named(mark) for mark in found if mark != reading.delimiter)
    return reading, [f"{source}: cells are separated by {_named(reading.delimiter)}, as not every row fits {others}"]


def _cut(text: str, delimiter: str) -> _Reading:
    csv.field_size_limit(CELL_LIMIT)
    records: list[Sequence[str]] = []
    try:
        # newline="" keeps a line break inside quotes byte for byte.
        records.extend(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter))
    except csv.Error as error:
        return _Reading(delimiter, tuple(_filled(records)), str(error))
    return _Reading(delimiter, tuple(_filled(records)))


def _filled(records: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The records without empty lines, which are a missing value only in a table of one column."""
    width = 0
    for record in records:
        if record and (len(record) > 1 or record[0].strip() or width == 1):
            width = width or len(record)
            yield record
        elif width == 1:
            yield ("",)


def _named(delimiter: str) -> str:
    return DELIMITERS.get(delimiter, repr(delimiter))
