"""Parquet columns: read as arrow, and as text without loss."""

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ml_regress.errors import Fault, InvalidInput


def arrow_table(data: bytes, source: str) -> pa.Table:
    """The table in the bytes of a Parquet file; raises InvalidInput where it is none."""
    try:
        # ParquetFile reads what the file holds; read_table would add columns from names of folders.
        return pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInput.single(source, f"is no Parquet file that can be read ({first})") from None


def text_columns(data: bytes, source: str) -> tuple[list[str], list[list[str | None]]]:
    """Names and text cells of a Parquet file; a name may be there twice."""
    table = arrow_table(data, source)
    faults = [
        Fault(source, None, field.name, None, f"has the type {field.type}; give each value a column of its own")
        for field in table.schema
        if _is_nested(field.type)
    ]
    if faults:
        raise InvalidInput(faults)
    return list(table.column_names), [column_text(column, source) for column in table.columns]


def _is_nested(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _is_nested(kind.value_type)
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def column_text(column: pa.ChunkedArray, source: str) -> list[str | None]:
    """The cells of one column as text: floats by repr, NaN and null as None, lists as JSON."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        raise InvalidInput.single(source, "holds a text that is not UTF-8") from None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return values  # type: ignore[no-any-return]
    if pa.types.is_timestamp(column.type) and all(_is_midnight(value) for value in values):
        values = [None if value is None else value.date() for value in values]  # how pandas keeps a date
    return [_text(value) for value in values]


def _is_midnight(value: datetime | None) -> bool:
    return value is None or (value.tzinfo is None and value == datetime(value.year, value.month, value.day))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if math.isnan(value) else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
