"""The columns of kept rows, and what they are read from."""

from collections.abc import Iterable, Mapping

import pandas as pd
import pyarrow as pa

from ml_regress.core.inputs import Column
from ml_regress.core.production import KEY, LABEL, PREDICTION, TIME, ProductionSchema

SCORE = "score:"
_PANDAS = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def kept_columns(schema: ProductionSchema, names: Iterable[str]) -> dict[str, tuple[str, Column]]:
    """The columns of kept rows in order: by kept name the given one and its type; answers where `names` have them."""
    given = dict.fromkeys(names)
    found = {column.name: (column.name, column) for column in schema.inputs.columns}
    if schema.key is not None:
        found[KEY] = (schema.key, Column(schema.key, "text", optional=True))
    if schema.time is not None:
        found[TIME] = (schema.time, Column(schema.time, "text", optional=True))
    for name in sorted(name for name in given if name.startswith(SCORE) and name not in found):
        found[name] = (name, Column(name, "number", optional=True))
    for kept, name in ((PREDICTION, schema.prediction), (LABEL, schema.label)):
        if name in given:
            found[kept] = (name, Column(name, schema.answer_type, optional=True))
    return found


def is_answer(schema: ProductionSchema, name: str) -> bool:
    """Whether a column of a table is a score, the prediction or the label: it may come later."""
    return name.startswith(SCORE) or name in (schema.prediction, schema.label)


def unknown_answers(count: int) -> str:
    """The note on predictions that are none of the labels."""
    return f"{count:,} row{'s' * (count > 1)} predicted what is none of the labels; kept as predicted"


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def typed_frame(columns: Mapping[str, pa.Array]) -> pd.DataFrame:
    """Typed columns as pandas has them, so that a missing whole number is no float."""
    frame: pd.DataFrame = pa.table(dict(columns)).to_pandas(types_mapper=_PANDAS.get, ignore_metadata=True)
    return frame
