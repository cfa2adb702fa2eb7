"""Parquet columns: read as arrow, and as text without loss."""

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.exact import Cells, Exact
from ml_regress.intake.stray_rows import distinct_columns, rows_to_keep, summary_row

WHOLE = 2**53  # below it a float holds every whole number


def arrow_table(data: bytes, source: str) -> pa.Table:
    """The table in the bytes of a Parquet file, texts as texts; raises InvalidInput where it is none."""
    try:
        # ParquetFile reads what the file holds; read_table would add columns from names of folders.
        table = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInput.single(source, f"is no Parquet file that can be read ({first})") from None
    for place, field in enumerate(table.schema):
        kind = _plain_type(field.type)
        if kind != field.type:
            table = table.set_column(place, field.name, table.column(place).cast(kind))
    return table


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values themselves: a dictionary or a view is another way to keep a text."""
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    return pa.string() if pa.types.is_string_view(kind) else kind


def without_strays(table: pa.Table, source: str) -> tuple[pa.Table, list[str]]:
    """A table without doubled columns and without blank rows at the end, and notes on them.

    Raises InvalidInput as `table_of` does for a table of texts; no cell of a sound one becomes a
    Python object.
    """

    def text(position: int) -> Cells:
        return column_text(table.column(position), source)

    names = [name.strip() for name in table.column_names]
    kept, doubled, faults = distinct_columns(names, text, source)
    if faults:
        raise InvalidInput(faults)
    table = table.rename_columns(names).select(kept)
    rows, blank = rows_to_keep(_blank_rows(table), table.num_rows, source, gaps=len(kept) == 1)
    table = table.slice(0, rows)
    if rows:
        words = [_last_word(column) for column in table.columns]
        summary = summary_row(table.column_names, words, text, source, rows)
        if summary is not None:
            raise InvalidInput([summary])
    return table, [*doubled, *blank]


def _blank_rows(table: pa.Table) -> list[int]:
    rows = None
    for column in table.columns:
        blank = pc.is_null(column, nan_is_null=pa.types.is_floating(column.type))
        if _is_text(column.type):
            blank = pc.or_(blank, pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True))
        rows = blank if rows is None else pc.and_(rows, blank)
        if not pc.any(rows, min_count=0).as_py():
            return []
    return [] if rows is None else [row for row, blank in enumerate(rows.to_pylist()) if blank]


def _last_word(column: pa.ChunkedArray) -> str | None:
    last = column[len(column) - 1].as_py() if _is_text(column.type) else None
    return None if last is None else str(last)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def text_columns(data: bytes, source: str) -> tuple[list[str], list[Cells]]:
    """Names and text cells of a Parquet file; a name may be there twice."""
    table = arrow_table(data, source)
    faults = [
        Fault(source, None, field.name, None, f"has the type {field.type}; give each value a column of its own")
        for field in table.schema
        if _is_nested(field.type)
    ]
    if faults:
        raise InvalidInput(faults)
    return [name.strip() for name in table.column_names], [column_text(column, source) for column in table.columns]


def _is_nested(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _is_nested(kind.value_type)
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def column_text(column: pa.ChunkedArray, source: str) -> list[str | None]:
    """The cells of one column as text: whole floats as 1, NaN and null as None, lists as JSON.

    The cells of a column that is not text are Exact.
    """
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        raise InvalidInput.single(source, "holds a text that is not UTF-8") from None
    if _is_text(column.type):
        return values  # type: ignore[no-any-return]
    if pa.types.is_timestamp(column.type) and all(_is_midnight(value) for value in values):
        values = [None if value is None else value.date() for value in values]  # how pandas keeps a date
    return [None if (text := _text(value)) is None else Exact(text) for value in values]


def _is_midnight(value: datetime | None) -> bool:
    return value is None or (value.tzinfo is None and value == datetime(value.year, value.month, value.day))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        # A label 1 that went through a column with gaps is still the label 1.
        return str(int(value)) if value.is_integer() and abs(value) < WHOLE else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
