"""Kept rows: the Parquet file of a batch or of a reference, read by column and never whole."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_regress.core.inputs import InputTypes
from ml_regress.errors import NotFound, Unavailable

SCHEMA_KEY = b"ml_regress.schema"
NUMBER, CATEGORY = "number", "category"
_WHOLE = 2**53
_READS_A_TABLE = 8  # how often memory is given back while all columns are read, and at every read of fewer


class Kept:
    """A file of kept rows, opened anew by each thread that reads: threads may share it."""

    def __init__(self, path: Path) -> None:
        """Raises Unavailable where the file cannot be read."""
        self.path = path
        try:
            self._metadata = pq.read_metadata(path)
        except (pa.ArrowException, OSError) as error:
            raise Unavailable(
                f"the kept rows {path} cannot be read ({_first_line(error)}); put the file back from a backup, or "
                "import the batch again"
            ) from error
        self._schema = self._metadata.schema.to_arrow_schema()
        self._names: tuple[str, ...] = tuple(self._schema.names)
        self._texts = [field.name for field in self._schema if pa.types.is_string(_plain(field.type))]
        sizes = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]
        self._begins = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        self._local = threading.local()

    @property
    def rows(self) -> int:
        return int(self._metadata.num_rows)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @property
    def schema_digest(self) -> str:
        """The digest of the production schema that the rows were read under; "" where the file does not say."""
        held: dict[bytes, bytes] = self._schema.metadata or {}
        return held.get(SCHEMA_KEY, b"").decode()

    def type_of(self, name: str) -> str:
        """What a column holds: "number", "integer", "boolean" or "text"; raises NotFound."""
        kind = _plain(self._field(name).type)
        if pa.types.is_floating(kind):
            return "number"
        if pa.types.is_integer(kind):
            return "integer"
        return "boolean" if pa.types.is_boolean(kind) else "text"

    def kind(self, name: str) -> str:
        """ "number" for numbers and whole numbers, else "category"; raises NotFound."""
        return NUMBER if self.type_of(name) in ("number", "integer") else CATEGORY

    def numbers(self, name: str) -> np.ndarray:
        """A column of numbers: int64 where it is whole and nothing is missing, else float64 with NaN for missing.

        Booleans are 0 and 1. Raises NotFound, and ValueError for a column of texts.
        """
        if self.type_of(name) == "text":
            raise ValueError(f"the column {name!r} of {self.path} holds texts, not numbers")
        column = self._read(name)
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        if pa.types.is_integer(column.type) and not column.null_count:
            return np.asarray(column.to_numpy(), dtype=np.int64)
        return np.asarray(column.to_numpy(), dtype=np.float64)

    def levels(self, name: str) -> tuple[dict[str, int], int]:
        """The levels of a column as texts with their counts, and how many values are missing.

        Booleans are true and false, a whole number is 3 whether it is kept as 3 or as 3.0. Raises NotFound.
        """
        column = self._read(name)
        if pa.types.is_dictionary(column.type):
            return _dictionary_levels(column)
        found = pc.value_counts(column.combine_chunks())
        counts: dict[str, int] = {}
        missing = 0
        values, times = found.field("values").to_pylist(), found.field("counts").to_pylist()
        for value, count in zip(values, times, strict=True):
            if value is None or value != value:  # noqa: PLR0124  NaN differs from itself
                missing += count
            else:
                text = level_text(value)
                counts[text] = counts.get(text, 0) + count
        return counts, missing

    def column(self, name: str, rows: "Sequence[int] | np.ndarray | None" = None) -> pa.ChunkedArray:
        """A column as arrow, at these positions or whole; only the row groups that hold them are read."""
        if rows is None:
            return _decoded(self._read(name))
        places = np.asarray(rows, dtype=np.int64)
        if not len(places):
            return _decoded(self._read(name, groups=[]))
        if places.min() < 0 or places.max() >= self.rows:
            raise IndexError(f"{self.path} has {self.rows} rows, but row {int(places.max())} is asked for")
        held = np.searchsorted(self._begins, places, "right") - 1
        groups = np.unique(held)
        # Row groups that are not read leave no gap in what is.
        before = np.zeros(len(self._begins), dtype=np.int64)
        before[groups] = np.concatenate([[0], np.cumsum(np.diff(self._begins)[groups])[:-1]])
        taken = self._read(name, groups.tolist()).take(pa.array(places - self._begins[held] + before[held]))
        return _decoded(taken)

    def frame(
        self,
        columns: Sequence[str],
        rows: "Sequence[int] | np.ndarray | None" = None,
        types: InputTypes | None = None,
    ) -> pd.DataFrame:
        """Columns as a frame, at these positions or whole, in the dtypes that InputTypes.frame gives.

        That is float64, int64 or Int64, bool or boolean, and object with None for missing. Whether a whole number or
        a boolean may be missing is said by `types`; of a column that they do not know by whether one is.
        Raises NotFound for a column that is not kept.
        """
        data = {name: _series(self.column(name, rows), types, name) for name in columns}
        count = self.rows if rows is None else len(rows)
        return pd.DataFrame(data, columns=list(columns), index=pd.RangeIndex(count))

    def _field(self, name: str) -> Any:
        place = self._schema.get_field_index(name)
        if place < 0:
            raise NotFound(f"the kept rows {self.path} have no column {name!r}; they have {', '.join(self.names)}")
        return self._schema.field(place)

    def _read(self, name: str, groups: list[int] | None = None) -> pa.ChunkedArray:
        self._field(name)
        self._give_back()
        try:
            if groups is None:
                return self._file().read([name], use_threads=False).column(0)
            return self._file().read_row_groups(groups, [name], use_threads=False).column(0)
        except (pa.ArrowException, OSError) as error:
            raise Unavailable(
                f"the column {name!r} of the kept rows {self.path} cannot be read ({_first_line(error)}); put the "
                "file back from a backup, or import the batch again"
            ) from error

    def _give_back(self) -> None:
        """Have arrow give back what it holds of columns that are gone.

        That is up to several columns: much of a table of few, where it is done at every read, and little of many.
        """
        self._local.reads = getattr(self._local, "reads", 0) + 1
        if self._local.reads % max(1, len(self.names) // _READS_A_TABLE) == 0:
            pa.default_memory_pool().release_unused()

    def _file(self) -> Any:
        # Opening parses the metadata of every column, so a thread does it once.
        if not hasattr(self._local, "file"):
            # Not memory-mapped: a file that is cut off meanwhile is then an error, and not the end of the process.
            self._local.file = pq.ParquetFile(self.path, metadata=self._metadata, read_dictionary=self._texts)
        return self._local.file


def level_text(value: Any) -> str:
    """A value as the text of a level."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    return str(value)


def _dictionary_levels(column: pa.ChunkedArray) -> tuple[dict[str, int], int]:
    """Counts of the codes, which the file holds: no text is made but the levels themselves."""
    chunk = column.unify_dictionaries().combine_chunks()
    levels = chunk.dictionary.to_pylist()
    codes = chunk.indices.fill_null(len(levels)) if chunk.null_count else chunk.indices
    counts = np.bincount(codes.to_numpy(zero_copy_only=False), minlength=len(levels) + 1).tolist()
    return {level: count for level, count in zip(levels, counts, strict=False) if count}, counts[len(levels)]


def _series(column: pa.ChunkedArray, types: InputTypes | None, name: str) -> "pd.Series[Any]":
    declared = None if types is None else types.by_name.get(name)
    optional = bool(column.null_count) if declared is None else declared.optional or bool(column.null_count)
    if pa.types.is_floating(column.type):
        return pd.Series(np.asarray(column.to_numpy(), dtype=np.float64))
    if pa.types.is_integer(column.type):
        return _nullable(column, 0, np.int64, "Int64") if optional else pd.Series(column.to_numpy(), dtype=np.int64)
    if pa.types.is_boolean(column.type):
        return _nullable(column, False, np.bool_, "boolean") if optional else pd.Series(column.to_numpy(), dtype=bool)
    return pd.Series(column.to_pylist(), dtype=object)


def _nullable(column: pa.ChunkedArray, filler: Any, dtype: Any, name: str) -> "pd.Series[Any]":
    """Values and mask apart, so that no whole number becomes a float on the way."""
    values = pd.Series(np.asarray(column.fill_null(filler).to_numpy(), dtype=dtype), dtype=name)
    if column.null_count:
        values[np.asarray(column.is_null().to_numpy(), dtype=bool)] = pd.NA
    return values


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(_plain(column.type)) if pa.types.is_dictionary(column.type) else column


def _plain(kind: Any) -> Any:
    """The type of the values themselves: a dictionary or a wide text is another way to keep a text."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.string() if pa.types.is_large_string(kind) else kind


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
