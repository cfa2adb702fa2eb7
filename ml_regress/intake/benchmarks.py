"""Benchmark files: a YAML file and its rows, kept as one canonical Parquet of typed columns."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_regress.core.cells import typed_cells
from ml_regress.core.inputs import Column
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.problem import STATES, Benchmark
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake import yaml_text
from ml_regress.intake.declarations import Declaration
from ml_regress.intake.parquet import arrow_table, column_text, without_strays
from ml_regress.intake.reading import NOTES, TableFormat, plain
from ml_regress.intake.tables import READERS, read_table
from ml_regress.intake.text_files import read_bytes

KEYS = (
    "id",
    "title",
    "description",
    "owner",
    "state",
    "inputs",
    "answer",
    "labels",
    "positive_label",
    "metrics",
    "target",
    "data",
    "table",
)
_TYPES = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}


@dataclass(frozen=True)
class BenchmarkFile:
    """A benchmark with its rows: `data` is Parquet, the inputs in the benchmark's order, then the target.

    `data_digest` names the values, whatever wrote the Parquet.
    """

    benchmark: Benchmark
    data: bytes
    data_digest: str
    rows: int
    source: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def read_benchmark(path: Path) -> BenchmarkFile:
    """The benchmark in a YAML file and the rows of the table it names; raises InvalidInput."""
    source = str(path)
    given = yaml_text.load(path)
    benchmark, keys = _declared(given, source)
    file = path.parent / (keys.text("data") or _beside(path))
    form = keys.table_format()
    if keys.broken("inputs", "answer", "labels", "target", "data", "table"):
        raise InvalidInput(keys.faults)
    faults = list(keys.faults)
    try:
        table, notes = _typed_table(benchmark, file, form)
    except InvalidInput as refused:
        faults.extend(refused.faults)
    if faults:
        raise InvalidInput(faults)
    return BenchmarkFile(benchmark, _parquet(table), _digest(table), table.num_rows, source, (path, file), notes)


def benchmark_frame(benchmark: Benchmark, data: bytes) -> tuple[pd.DataFrame, list[Any]]:
    """The typed inputs in the benchmark's order, with the dtypes of InputTypes.frame, and the targets."""
    table = arrow_table(data, f"benchmark {benchmark.id}")
    columns = {column.name: _series(column, table.column(column.name)) for column in benchmark.inputs.columns}
    return pd.DataFrame(columns), table.column(benchmark.target).to_pylist()


def _series(column: Column, values: pa.ChunkedArray) -> "pd.Series[Any]":
    if column.kind == "number":
        return pd.Series(pc.fill_null(values, float("nan")).to_numpy(), dtype=np.float64)
    if column.kind in ("integer", "boolean") and not column.optional:
        return pd.Series(values.to_numpy())
    kind: Any = {"integer": "Int64", "boolean": "boolean"}.get(column.kind, object)
    made: pd.Series[Any] = pd.Series(values.to_pylist(), dtype=kind)
    return made


def _declared(given: dict[str, Any], source: str) -> tuple[Benchmark, Declaration]:
    keys = Declaration(given, source, KEYS)
    answer_type, labels, positive_label = keys.answers()
    inputs = keys.inputs()
    target = keys.text("target", required=True)
    if target in inputs.by_name:
        keys.fault("target", "must not be an input: the model would see the answer", target)
    metrics = given.get("metrics") or ["accuracy"]
    if not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics):
        keys.fault("metrics", "must be a list of names; the first is the headline")
        metrics = ["accuracy"]
    for place, name in enumerate(metrics):
        if name == "pass_rate":
            keys.fault("metrics", "belongs to patterns; a benchmark has rows and a target", name)
        elif name in metrics[:place]:
            keys.fault("metrics", "is there twice", name)
        else:
            keys.metric("metrics", name, answer_type, positive_label)
    benchmark = Benchmark(
        id=keys.slug("id"),
        title=keys.text("title", required=True),
        inputs=inputs,
        target=target,
        metrics=tuple(metrics),
        description=keys.text("description"),
        owner=keys.text("owner"),
        state=keys.choice("state", STATES, "open"),
        answer_type=answer_type,
        labels=labels,
        positive_label=positive_label,
    )
    return benchmark, keys


def _beside(path: Path) -> str:
    found = [name for suffix in READERS if path.with_name(name := path.stem + suffix).is_file()]
    if len(found) == 1:
        return found[0]
    rule = f"{', '.join(found)} could all be it; name one" if found else "is missing; name the file of the rows"
    raise InvalidInput.single(str(path), rule, column="data")


def _typed_table(benchmark: Benchmark, file: Path, form: TableFormat) -> tuple[pa.Table, tuple[str, ...]]:
    """The rows with one arrow type a column, and notes for a person."""
    source = str(file)
    wanted = (*benchmark.inputs.columns, Column(benchmark.target, benchmark.answer_type))
    if file.suffix.lower() == ".parquet":
        form.refuse(("delimiter", "encoding"), "Parquet", source)
        given, notes = without_strays(arrow_table(read_bytes(file), source), source)
        # Columns that have a type are no texts, and are not read again.
        texts = {
            column.name: pd.Series(column_text(given.column(column.name), source), dtype=object)
            for column in wanted
            if column.name in given.column_names and _is_read(column, given.column(column.name).type)
        }
        frame = plain(pd.DataFrame(texts), wanted, form, source)
        notes.extend(frame.attrs[NOTES])
        for name in frame.columns:
            place = given.column_names.index(name)
            given = given.set_column(place, name, pa.array(frame[name].tolist(), pa.string()))
    else:
        frame = plain(read_table(file, form), wanted, form, source)
        notes = list(frame.attrs[NOTES])
        given = pa.table({name: pa.array(frame[name].tolist(), pa.string()) for name in frame.columns})
    names = list(given.column_names)
    faults = [
        Fault(source, None, column.name, None, "the column is missing") for column in wanted if column.name not in names
    ]
    if not faults and not given.num_rows:
        faults.append(Fault(source, None, None, None, "has no rows"))
    if faults:
        raise InvalidInput(faults)
    arrays = [_typed_array(column, given.column(column.name), source, faults) for column in wanted]
    if not faults:
        faults = _strays(benchmark, arrays[-1], source)
    if faults:
        raise InvalidInput(sorted(faults, key=lambda fault: fault.row or 0))
    extra = [name for name in names if name not in {column.name for column in wanted}]
    if extra:
        notes.append(f"{source}: left out {', '.join(extra)}, which are no inputs")
    return pa.table(dict(zip([column.name for column in wanted], arrays, strict=True))), tuple(notes)


def _is_read(column: Column, kind: pa.DataType) -> bool:
    """Whether cells of this arrow type hold numbers or dates in a writing of their own."""
    typed = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    return column.kind == "date" or (column.kind in ("number", "integer") and not typed)


def _typed_array(column: Column, values: pa.ChunkedArray, source: str, faults: list[Fault]) -> pa.Array | None:
    fast = _as_it_is(column, values)
    if fast is not None:
        return fast
    cells = column_text(values, source)
    typed, broken = typed_cells(column, cells)
    for row in range(len(cells)):
        if row not in broken and (typed[row] is not None or column.optional):
            continue
        faults.append(Fault(source, row + 1, column.name, cells[row], broken.get(row, "is missing")))
    return None if broken else pa.array(typed, _TYPES.get(column.kind, pa.string()))


def _as_it_is(column: Column, values: pa.ChunkedArray) -> pa.Array | None:
    """A column that already has its type, without a Python object a cell; None asks for a closer look."""
    kind = values.type
    numeric = pa.types.is_floating(kind) or pa.types.is_integer(kind)
    if column.kind == "number" and (numeric or pa.types.is_string(kind)):
        floats = _floats(values.combine_chunks())
        if floats is None:
            return None
        sound = pc.all(pc.is_finite(floats), min_count=0).as_py() is not False
    elif column.kind == "integer" and pa.types.is_integer(kind) and kind != pa.uint64():
        floats, sound = values.combine_chunks().cast(pa.int64()), True
    elif column.kind == "boolean" and pa.types.is_boolean(kind):
        floats, sound = values.combine_chunks(), True
    else:
        return None
    return floats if sound and (column.optional or not floats.null_count) else None


def _floats(values: pa.Array) -> pa.Array | None:
    """Numbers or their texts as float64 with null for missing, or None where a text is no plain number."""
    if not pa.types.is_string(values.type):
        floats = values.cast(pa.float64(), safe=False)
        return pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats)
    try:
        return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values).cast(pa.float64())
    except pa.ArrowInvalid:
        return None  # such as +5, which is a number all the same


def _strays(benchmark: Benchmark, targets: pa.Array, source: str) -> list[Fault]:
    """Targets that are none of the labels, or empty."""
    labels = set(benchmark.labels)
    rule = f"is none of the labels {', '.join(map(answer_text, benchmark.labels))}" if labels else "is blank"
    return [
        Fault(source, row, benchmark.target, answer_text(value), rule)
        for row, value in enumerate(targets.to_pylist(), start=1)
        if value == "" or (labels and value not in labels)
    ]


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", store_schema=False)
    return buffer.getvalue()


def _digest(table: pa.Table) -> str:
    """SHA-256 over names, types, missing cells and values, in fixed byte order; -0.0 counts as 0.0."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        for part in (name, str(values.type)):
            digest.update(f"{len(part.encode())}:{part}".encode())
        missing = np.asarray(pc.is_null(values).to_numpy(zero_copy_only=False), dtype=np.uint8)
        digest.update(missing.tobytes())
        for block in _blocks(values):
            digest.update(block)
    return digest.hexdigest()


def _blocks(values: pa.Array) -> Sequence[bytes]:
    if pa.types.is_floating(values.type):
        return [(pc.fill_null(values, 0.0).to_numpy() + 0.0).astype("<f8").tobytes()]
    if pa.types.is_integer(values.type):
        return [pc.fill_null(values, 0).to_numpy().astype("<i8").tobytes()]
    if pa.types.is_boolean(values.type):
        return [pc.fill_null(values, False).to_numpy(zero_copy_only=False).astype(np.uint8).tobytes()]
    texts = [text.encode() for text in pc.fill_null(values, "").to_pylist()]
    return [np.array([len(text) for text in texts], dtype="<i8").tobytes(), b"".join(texts)]
