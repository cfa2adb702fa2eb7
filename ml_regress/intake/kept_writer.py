"""Writes kept rows: one Parquet file, named by a digest of its values and not of its bytes.

The same rows have the same digest whichever file they were read from, and however it was cut into pieces.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml_regress.core.digest import digest_of

ROW_GROUP = 131_072
SCHEMA_KEY, COLUMNS_KEY = b"ml_regress.schema", b"ml_regress.columns"


class ColumnDigest:
    """SHA-256 over the values of a column, added piece by piece; where they are cut makes no difference."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._there, self._values, self._lengths = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def add(self, column: pa.Array) -> None:
        self._there.update(_there(column))
        if pa.types.is_string(self._kind):
            filled = column.fill_null("")
            offsets = np.frombuffer(filled.buffers()[1], np.int32)[filled.offset : filled.offset + len(filled) + 1]
            self._lengths.update(np.diff(offsets).astype("<i4").tobytes())
            data = filled.buffers()[2]
            if data is not None and len(offsets):
                self._values.update(memoryview(data)[offsets[0] : offsets[-1]])
        else:
            filled = column.fill_null(False if pa.types.is_boolean(self._kind) else 0)
            values = filled.to_numpy(zero_copy_only=False)
            if values.dtype == np.float64:
                values = values + 0.0  # the zero below zero is the same number
            self._values.update(np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes())

    def hexdigest(self) -> str:
        parts = [self._there.hexdigest(), self._values.hexdigest(), self._lengths.hexdigest()]
        return digest_of([str(self._kind), *parts])


def _there(column: pa.Array) -> bytes:
    return column.is_valid().to_numpy(zero_copy_only=False).tobytes()  # type: ignore[no-any-return]


class KeptWriter:
    """One file of kept rows on its way; once the block ends, `digest` names its schema, columns and values."""

    def __init__(self, target: Path, types: Mapping[str, pa.DataType], schema_digest: str) -> None:
        self._schema = pa.schema(list(types.items()), metadata={SCHEMA_KEY: schema_digest.encode()})
        self._schema_digest = schema_digest
        self._digests = {name: ColumnDigest(kind) for name, kind in types.items()}
        self._writer = pq.ParquetWriter(target, self._schema, compression="zstd")
        self.rows = 0
        self.digest = ""

    @property
    def names(self) -> Sequence[str]:
        return self._schema.names  # type: ignore[no-any-return]

    def write(self, columns: Mapping[str, pa.Array]) -> None:
        """Append rows, every column of them, each as one array."""
        table = pa.table([columns[name] for name in self._schema.names], schema=self._schema)
        for name, digest in self._digests.items():
            digest.add(columns[name])
        self.rows += table.num_rows
        self._writer.write_table(table, row_group_size=ROW_GROUP)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            digests = {name: digest.hexdigest() for name, digest in self._digests.items()}
            self._writer.add_key_value_metadata({COLUMNS_KEY: json.dumps(digests).encode()})
            self.digest = digest_of([self._schema_digest, self.rows, list(digests.items())])
        self._writer.close()


def column_digests(path: Path) -> dict[str, str]:
    """The digest of each column of a file of kept rows."""
    metadata = pq.read_metadata(path).metadata or {}
    found: dict[str, str] = json.loads(metadata.get(COLUMNS_KEY, b"{}"))
    return found
