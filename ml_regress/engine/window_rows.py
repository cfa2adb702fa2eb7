"""The rows of several batches as one file of kept rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ml_regress.core.production import RESERVED
from ml_regress.intake.kept import Kept
from ml_regress.intake.kept_columns import SCORE, one_array
from ml_regress.intake.kept_writer import ROW_GROUP, KeptWriter

_TYPES = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "text": pa.string()}


def write_window(parts: Sequence[Kept], target: Path) -> None:
    """Write the rows of all parts one after the other, a piece in memory at a time.

    Inputs are kept that every part has with the same type, whole numbers becoming numbers where another part has
    these. Answers (scores, prediction, label, key and time) may be missing in a part: they come later, or not at all.
    """
    types = common_types(parts)
    with KeptWriter(target, {name: _TYPES[kind] for name, kind in types.items()}, parts[-1].schema_digest) as writer:
        for part in parts:
            for start in range(0, part.rows, ROW_GROUP):
                rows = np.arange(start, min(part.rows, start + ROW_GROUP))
                writer.write({name: _piece(part, name, _TYPES[kind], rows) for name, kind in types.items()})


def common_types(parts: Sequence[Kept]) -> Mapping[str, str]:
    """The columns that all parts together have, with their types, in the order of the last part."""
    names = dict.fromkeys(name for part in reversed(parts) for name in part.names)
    found = {}
    for name in names:
        kinds = {part.type_of(name) for part in parts if name in part.names}
        everywhere = all(name in part.names for part in parts)
        if not everywhere and not name.startswith((RESERVED, SCORE)):
            continue
        if kinds == {"number", "integer"}:
            kinds = {"number"}
        if len(kinds) == 1:
            found[name] = kinds.pop()
    return found


def _piece(part: Kept, name: str, kind: pa.DataType, rows: np.ndarray) -> pa.Array:
    if name not in part.names:
        return pa.nulls(len(rows), kind)
    return one_array(part.column(name, rows)).cast(kind, safe=False)
