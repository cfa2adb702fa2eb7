"""Tables of text: CSV, JSON lines, Parquet and inline lists as one kind of frame.

Every cell is a text, or None where JSON or Parquet say that there is none; a CSV cell is its text
as it stands. What a text means is decided later, by a declared type. `frame.attrs["notes"]` holds
sentences for a person about what was put right on the way.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ml_regress.core.answers import UNSTORABLE
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.delimited import read_delimited
from ml_regress.intake.exact import Cells, Exact
from ml_regress.intake.reading import AS_FOUND, NOTES, TableFormat
from ml_regress.intake.stray_rows import blank_rows, distinct_columns, rows_to_keep, summary_row
from ml_regress.intake.text_files import UNSTORABLE_RULE, read_bytes, read_table_text


def read_table(path: Path, form: TableFormat = AS_FOUND) -> pd.DataFrame:
    """The text table in a .csv, .jsonl or .parquet file; raises InvalidInput with file and row."""
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise InvalidInput.single(str(path), f"is no table; use a file that ends in {', '.join(READERS)}")
    return read(path, form)


def table_of(names: Sequence[str], columns: Sequence[Cells], source: str, notes: Sequence[str] = ()) -> pd.DataFrame:
    """A text table from its columns, without blank rows at the end.

    Raises InvalidInput for a doubled name (unless the columns are equal), a blank row between
    others, a summary under the last row and a text that cannot be stored.
    """
    kept, doubled, faults = distinct_columns(names, columns.__getitem__, source)
    for position in kept:
        faults.extend(_unstorable(names[position], columns[position], source))
    if faults:
        raise InvalidInput(faults)
    names, columns = [names[position] for position in kept], [columns[position] for position in kept]
    count = len(columns[0]) if columns else 0
    rows, blank = rows_to_keep(blank_rows(columns), count, source, gaps=len(columns) == 1)
    columns = [cells[:rows] for cells in columns]
    summary = summary_row(names, [cells[-1] for cells in columns], columns.__getitem__, source, rows) if rows else None
    if summary is not None:
        raise InvalidInput([summary])
    frame = pd.DataFrame({name: pd.Series(list(c), dtype=object) for name, c in zip(names, columns, strict=True)})
    frame.attrs[NOTES] = (*notes, *doubled, *blank)
    return frame


def _unstorable(name: str, cells: Cells, source: str) -> list[Fault]:
    if not UNSTORABLE.search("".join(cell for cell in cells if cell)):
        return []
    return [
        Fault(source, row, name, None, UNSTORABLE_RULE)
        for row, cell in enumerate(cells, start=1)
        if cell and UNSTORABLE.search(cell)
    ]


def _read_csv(path: Path, form: TableFormat) -> pd.DataFrame:
    text, notes = read_table_text(path, form.encoding, quoted=True)
    names, columns, said = read_delimited(text, form.delimiter, str(path))
    return table_of(names, columns, str(path), [*notes, *said])


def _read_jsonl(path: Path, form: TableFormat) -> pd.DataFrame:
    form.refuse(("delimiter",), "JSON lines", str(path))
    text, notes = read_table_text(path, form.encoding, quoted=False)
    items: list[Mapping[str, Any]] = []
    faults: list[Fault] = []
    doubled: set[str] = set()
    lines = (line.strip() for line in text.split("\n"))
    for row, line in enumerate((line for line in lines if line), start=1):
        try:
            item = json.loads(
                line,
                parse_int=Exact,
                parse_float=Exact,
                parse_constant=_no_constant,
                object_pairs_hook=partial(_object_of_pairs, doubled=doubled),
            )
        except (ValueError, RecursionError) as error:
            faults.append(Fault(str(path), row, None, line, f"is no JSON object on one line ({error})"))
        else:
            items.append(item)
    if faults:
        raise InvalidInput(faults)
    notes += [f"{path}: a row has the key {name!r} twice with one value; one was kept" for name in sorted(doubled)]
    return _table_of_items(items, str(path), notes)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON; write null for a missing value")


def _object_of_pairs(pairs: list[tuple[str, Any]], doubled: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            # 1 and "1" are equal as text, but not one value.
            if (type(found[name]), found[name]) != (type(value), value):
                raise ValueError(f"the key {name!r} is written twice with other values")
            doubled.add(name)
        found[name] = value
    return found


def inline_table(items: Sequence[Any], source: str, form: TableFormat = AS_FOUND) -> pd.DataFrame:
    """The text table of a list of mappings, as a problem file holds it.

    A key that a row leaves out is None there; a list becomes its JSON text, null None.
    """
    form.refuse(("delimiter", "encoding"), "a table inside the YAML file", source)
    return _table_of_items(items, source)


def _table_of_items(items: Sequence[Any], source: str, notes: Sequence[str] = ()) -> pd.DataFrame:
    faults: list[Fault] = []
    columns: dict[str, list[str | None]] = {}
    for row, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            faults.append(Fault(source, row, None, None, "must be a mapping of column names to values"))
            continue
        written: dict[str, str] = {}
        for given, value in item.items():
            name = given.strip()
            if written.setdefault(name, given) != given:
                rule = f"the keys {written[name]!r} and {given!r} are one column; keep one"
                faults.append(Fault(source, row, name, None, rule))
                continue
            cells = columns.setdefault(name, [None] * len(items))
            try:
                cells[row - 1] = _cell(value)
            except ValueError as error:
                faults.append(Fault(source, row, name, None, str(error)))
    if faults:
        raise InvalidInput(faults)
    return table_of(list(columns), list(columns.values()), source, notes)


def _cell(value: Any) -> str | None:
    """A JSON value as the text of one cell; raises ValueError for a nested mapping."""
    if value is None or isinstance(value, str):
        return value
    return _json(value) if isinstance(value, list) else Exact(_json(value))


def _json(value: Any) -> str:
    if isinstance(value, Mapping):
        raise ValueError("holds a nested mapping; give each value a column of its own")
    if isinstance(value, list):
        return f"[{', '.join(_json(item) for item in value)}]"
    return str(value) if isinstance(value, Exact) else json.dumps(value, ensure_ascii=False)


def _read_parquet(path: Path, form: TableFormat) -> pd.DataFrame:
    from ml_regress.intake.parquet import text_columns  # noqa: PLC0415  pyarrow takes a moment, and most tables are CSV

    form.refuse(("delimiter", "encoding"), "Parquet", str(path))
    names, columns = text_columns(read_bytes(path), str(path))
    return table_of(names, columns, str(path))


READERS: dict[str, Callable[[Path, TableFormat], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
