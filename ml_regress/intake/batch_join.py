"""Labels and predictions that come later, joined by key to the kept rows of their batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.production import KEY, LABEL, PREDICTION, ProductionSchema
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.broken_cells import ROWS_NAMED, BrokenCells
from ml_regress.intake.kept_columns import SCORE, one_array
from ml_regress.intake.kept_writer import KeptWriter
from ml_regress.intake.later_answers import Answers, Marked
from ml_regress.intake.pieces import PIECE


@dataclass(frozen=True)
class JoinedRows:
    """Kept rows with answers joined to them; `new` counts the answers that were not there before."""

    digest: str
    path: Path
    predicted: int
    labelled: int
    new: int


def join_answers(rows: Path, answers: Answers, schema: ProductionSchema, target: Path) -> JoinedRows | None:
    """The kept rows with these answers, at `target`; None where all of them are there already.

    Raises InvalidInput for keys that the batch does not have or has twice, and for an answer that is another one than
    is known: nothing is joined then.
    """
    with pq.ParquetFile(rows, memory_map=True) as file:
        keys = _column(file, KEY)
        if keys is None:
            rule = "the rows of its batch were read without a key; bring the batch again under a new id"
            raise InvalidInput.single(str(answers.path), rule, column=schema.key)
        at = _rows_of(keys, answers, str(schema.key))
        merged, new, faults = {}, 0, list[Fault]()
        for name, values in answers.columns.items():
            given, before = values.take(at), _column(file, name)
            if before is None:
                before = pa.nulls(len(keys), values.type)
            faults += _contradictions(answers, name, given, before, keys)
            new += pc.sum(pc.and_(pc.is_null(before), pc.is_valid(given)), min_count=0).as_py()
            merged[name] = pc.coalesce(before, given)
        if faults:
            raise InvalidInput(faults)
        return _written(file, merged, schema, target, new) if new else None


def _column(file: pq.ParquetFile, name: str) -> pa.Array | None:
    return one_array(file.read([name]).column(0)) if name in file.schema_arrow.names else None


def _rows_of(keys: pa.Array, answers: Answers, key: str) -> pa.Array:
    """For every row of the batch the place of its answer, null where it has none.

    Raises InvalidInput for keys that are unknown, or that several rows have.
    """
    cells = BrokenCells()
    places = pc.index_in(answers.keys, value_set=keys)
    Marked(key, "must be the key of a row of its batch", pc.is_null(places), answers.keys).note(cells, answers.path)
    counted = pc.value_counts(keys.drop_null())
    often = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
    mask = pc.is_in(answers.keys, often)
    Marked(key, "must name one row, and the batch has several with it", mask, answers.keys).note(cells, answers.path)
    if cells:
        raise InvalidInput(cells.faults)
    found = np.full(len(keys), -1, np.int64)
    found[places.to_numpy(zero_copy_only=False)] = np.arange(len(places))
    return pa.array(found, mask=found < 0)


def _contradictions(answers: Answers, name: str, given: pa.Array, before: pa.Array, keys: pa.Array) -> list[Fault]:
    differs = pc.indices_nonzero(pc.fill_null(pc.not_equal(before, given), False))
    words = {LABEL: "label", PREDICTION: "prediction"}.get(name, name)
    faults = []
    for row in differs.slice(0, ROWS_NAMED).to_pylist():
        held, new = (answer_text(column[row].as_py()) for column in (before, given))
        rule = f"contradicts the {words} {held!r} that key {keys[row].as_py()!r} has already"
        faults.append(Fault(str(answers.path), None, words, new, rule))
    if len(differs) > ROWS_NAMED:
        faults.append(Fault(str(answers.path), None, words, None, f"{len(differs):,} of them contradict what is known"))
    return faults


def _written(
    file: pq.ParquetFile, merged: Mapping[str, pa.Array], schema: ProductionSchema, target: Path, new: int
) -> JoinedRows:
    types = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
    types |= {name: column.type for name, column in merged.items()}
    plain = [name for name in types if name not in (PREDICTION, LABEL) and not name.startswith(SCORE)]
    scores = sorted(name for name in types if name.startswith(SCORE))
    order = [*plain, *scores, *(name for name in (PREDICTION, LABEL) if name in types)]
    counts = {PREDICTION: 0, LABEL: 0}
    start = 0
    with KeptWriter(target, {name: types[name] for name in order}, schema.digest) as writer:
        for batch in file.iter_batches(batch_size=PIECE):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns |= {name: column.slice(start, batch.num_rows) for name, column in merged.items()}
            for name in counts.keys() & columns.keys():
                counts[name] += batch.num_rows - columns[name].null_count
            writer.write(columns)
            start += batch.num_rows
    return JoinedRows(writer.digest, target, counts[PREDICTION], counts[LABEL], new)
