"""Tables of text: CSV, JSON lines, Parquet and inline lists as one kind of frame.

Every cell is a text, or None where JSON or Parquet say that there is none; a CSV cell is its text
as it stands. What a text means is decided later, by a declared type. `frame.attrs["notes"]` holds
sentences for a person about what was put right on the way.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.text_files import UNSTORABLE, UNSTORABLE_RULE, read_bytes, read_text

CELL_LIMIT = 2**31 - 1  # the csv module's own limit of 131,072 characters would refuse long documents
NOTES = "notes"

Cells = Sequence[str | None]


def read_table(path: Path) -> pd.DataFrame:
    """The text table in a .csv, .jsonl or .parquet file; raises InvalidInput with file and row."""
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise InvalidInput.single(str(path), f"is no table; use a file that ends in {', '.join(READERS)}")
    return read(path)


def table_of(names: Sequence[str], columns: Sequence[Cells], source: str) -> pd.DataFrame:
    """A text table from its columns; a doubled name is refused unless the columns are equal."""
    kept: dict[str, Cells] = {}
    notes, faults = [], []
    for position, (name, cells) in enumerate(zip(names, columns, strict=True), start=1):
        if not name:
            faults.append(Fault(source, None, None, None, f"column {position} has no name in the header"))
        elif name not in kept:
            kept[name] = cells
            faults.extend(_unstorable(name, cells, source))
        else:
            first = list(names).index(name) + 1
            places = f"columns {first} and {position} have the same name"
            if list(kept[name]) == list(cells):
                notes.append(f"{source}: {places} {name!r} and the same cells; one was kept")
            else:
                faults.append(Fault(source, None, name, None, f"{places} and other cells; rename or remove one"))
    if faults:
        raise InvalidInput(faults)
    frame = pd.DataFrame({name: pd.Series(list(cells), dtype=object) for name, cells in kept.items()})
    frame.attrs[NOTES] = tuple(notes)
    return frame


def _unstorable(name: str, cells: Cells, source: str) -> list[Fault]:
    if not UNSTORABLE.search("".join(cell for cell in cells if cell)):
        return []
    return [
        Fault(source, row, name, None, UNSTORABLE_RULE)
        for row, cell in enumerate(cells, start=1)
        if cell and UNSTORABLE.search(cell)
    ]


def _read_csv(path: Path) -> pd.DataFrame:
    text = read_text(path, records=True)
    csv.field_size_limit(CELL_LIMIT)
    records: list[list[str]] = []
    try:
        # newline="" keeps a line break inside quotes byte for byte; an empty line is no record.
        records.extend(record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record)
    except csv.Error as error:
        raise InvalidInput.single(str(path), f"is no CSV ({error})", row=len(records) or None) from None
    if not records:
        raise InvalidInput.single(str(path), "is empty; its first line must name the columns")
    header = [name.strip() for name in records.pop(0)]
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise InvalidInput.single(str(path), "has one column; separate columns by commas, not by semicolons or tabs")
    ragged = [
        Fault(
            str(path),
            row,
            None,
            None,
            f"has {len(record)} cells where the header has {len(header)}; a cell that holds a comma needs quotes",
        )
        for row, record in enumerate(records, start=1)
        if len(record) != len(header)
    ]
    if ragged:
        raise InvalidInput(ragged)
    columns: Sequence[Cells] = list(zip(*records, strict=True)) if records else [[] for _ in header]
    return table_of(header, columns, str(path))


class _Number(str):
    """A JSON number as it was written, so that 1e5 and 19 digits stay what they are."""


def _read_jsonl(path: Path) -> pd.DataFrame:
    items: list[Mapping[str, Any]] = []
    faults: list[Fault] = []
    lines = (line.strip() for line in read_text(path).split("\n"))
    for row, line in enumerate((line for line in lines if line), start=1):
        try:
            item = json.loads(
                line,
                parse_int=_Number,
                parse_float=_Number,
                parse_constant=_no_constant,
                object_pairs_hook=_object_of_pairs,
            )
        except (ValueError, RecursionError) as error:
            faults.append(Fault(str(path), row, None, line, f"is no JSON object on one line ({error})"))
        else:
            items.append(item)
    if faults:
        raise InvalidInput(faults)
    return inline_table(items, str(path))


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON; write null for a missing value")


def _object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise ValueError(f"the key {name!r} is written twice with other values")
        found[name] = value
    return found


def inline_table(items: Sequence[Any], source: str) -> pd.DataFrame:
    """The text table of a list of mappings, as a problem file or JSON lines hold it.

    A key that a row leaves out is None there; a list becomes its JSON text, null None.
    """
    faults: list[Fault] = []
    columns: dict[str, list[str | None]] = {}
    for row, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            faults.append(Fault(source, row, None, None, "must be a mapping of column names to values"))
            continue
        for given, value in item.items():
            name = given.strip()
            cells = columns.setdefault(name, [None] * len(items))
            try:
                cells[row - 1] = _cell(value)
            except ValueError as error:
                faults.append(Fault(source, row, name, None, str(error)))
    if faults:
        raise InvalidInput(faults)
    return table_of(list(columns), list(columns.values()), source)


def _cell(value: Any) -> str | None:
    """A JSON value as the text of one cell; raises ValueError for a nested mapping."""
    if isinstance(value, list):
        return _json(value)
    return None if value is None else str(value) if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    if isinstance(value, Mapping):
        raise ValueError("holds a nested mapping; give each value a column of its own")
    if isinstance(value, list):
        return f"[{', '.join(_json(item) for item in value)}]"
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _read_parquet(path: Path) -> pd.DataFrame:
    from ml_regress.intake.parquet import text_columns  # noqa: PLC0415  pyarrow takes a moment, and most tables are CSV

    names, columns = text_columns(read_bytes(path), str(path))
    return table_of(names, columns, str(path))


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
