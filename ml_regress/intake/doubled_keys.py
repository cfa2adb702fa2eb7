"""Keys that name more than one row of a table."""

import pyarrow as pa
import pyarrow.compute as pc

from ml_regress.intake.broken_cells import ROWS_NAMED, BrokenCells
from ml_regress.intake.typed_arrow import TEXT

DOUBLED_RULE = "must have a key of their own"


class SeenKeys:
    """The keys of all rows of a table, in one piece after the other."""

    def __init__(self) -> None:
        self._keys: list[pa.Array] = []
        self._places: list[tuple[str, int]] = []

    def add(self, file: str, start: int, keys: pa.Array) -> None:
        """The keys of a piece whose first row is the row `start` (from 0) of a file."""
        self._keys.append(keys)
        self._places.append((file, start))

    def note_doubled(self, cells: BrokenCells, column: str) -> None:
        """Add a fault for each row whose key another row has, too."""
        keys = pa.chunked_array(self._keys, TEXT)
        counted = pc.value_counts(keys.drop_null())
        often = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
        if not len(often):
            return
        for chunk, (file, start) in zip(self._keys, self._places, strict=True):
            places = pc.indices_nonzero(pc.is_in(chunk, often))
            first = places.slice(0, ROWS_NAMED).to_pylist()
            if first:
                rows = [(start + place + 1, chunk[place].as_py()) for place in first]
                cells.add(file, column, DOUBLED_RULE, len(places), rows)
