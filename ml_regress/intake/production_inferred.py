"""The input types of a production schema that nobody stated, by strict rules from the head of a table.

Every inferred input may be missing. A column is a number, a boolean or a date where every cell that holds something is
one; all else is text, whose levels may be new. A leading zero or a plus sign makes it text: it is a code. The columns
of Parquet have their types from the file. Whole numbers are `number`, so that a later fraction does not break a batch.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ml_regress.core.inputs import InputTypes, parse_input_types
from ml_regress.core.production import RESERVED, ProductionSchema
from ml_regress.errors import InvalidInput
from ml_regress.intake.kept_columns import is_answer, one_array
from ml_regress.intake.pieces import tables_in_pieces

SAMPLE = 100_000
_NUMBER = r"^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-][0-9]{2,})?\z"
# A code as a number would lose its zeros, a long one its last digits.
_CODE = r"^(-?0[0-9].*|-?[0-9]{16,})\z"
# How pandas names the numbers of the rows that a filter left.
_INDEX = re.compile(r"__index_level_[0-9]+__")
_BOOLEAN = r"^(?i:true|false)\z"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z"


def infer_inputs(schema: ProductionSchema, path: Path) -> ProductionSchema:
    """The schema with the inputs that a table has: every column but key, time, prediction, label and scores.

    Looks at SAMPLE rows at most. Raises InvalidInput where the table cannot be read, or no column is left.
    """
    sample = _sample(path)
    declarations = {
        name: f"{_kind(sample.column(name))}?"
        for name in sample.column_names
        if not (name in (schema.key, schema.time) or is_answer(schema, name) or name.startswith(RESERVED))
        and not _INDEX.fullmatch(name)
    }
    if not declarations:
        raise InvalidInput.single(str(path), "has no column that could be an input; state `inputs` in production.yaml")
    return replace(schema, inputs=parse_input_types(declarations), inferred=True)


def with_inputs(schema: ProductionSchema, inputs: InputTypes) -> ProductionSchema:
    """The schema with inputs that were inferred and frozen before, without those that it gives another meaning."""
    kept = {
        name: declaration
        for name, declaration in inputs.declared
        if name not in (schema.key, schema.time) and not is_answer(schema, name)
    }
    return replace(schema, inputs=parse_input_types(kept), inferred=True)


def _sample(path: Path) -> pa.Table:
    rows, pieces = 0, []
    for piece in tables_in_pieces(path):
        pieces.append(piece)
        rows += piece.num_rows
        if rows >= SAMPLE:
            break
    if not rows:
        raise InvalidInput.single(str(path), "holds no rows, only the names of columns")
    return pa.concat_tables(pieces, promote_options="permissive").slice(0, SAMPLE)


def _kind(column: pa.ChunkedArray) -> str:
    kind = column.type
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and _days(column)):
        return "date"
    return _kind_of_texts(one_array(column)) if pa.types.is_string(kind) else "text"


def _days(column: pa.ChunkedArray) -> bool:
    """Whether all times are midnights without a zone: how pandas keeps a date."""
    if column.type.tz is not None:
        return False
    return bool(pc.all(pc.equal(column, pc.floor_temporal(column, unit="day")), min_count=1).as_py())


def _kind_of_texts(column: pa.Array) -> str:
    stripped = pc.utf8_trim_whitespace(pc.unique(column).drop_null())
    words = stripped.filter(pc.not_equal(stripped, ""))

    def all_are(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(words, pattern), min_count=0).as_py())

    if not len(words) or pc.any(pc.match_substring_regex(words, _CODE)).as_py():
        return "text"
    checks: dict[str, Callable[[], bool]] = {
        "number": lambda: all_are(_NUMBER),
        "boolean": lambda: all_are(_BOOLEAN),
        "date": lambda: all_are(_DATE),
    }
    return next((kind for kind, holds in checks.items() if holds()), "text")
