"""Tables of labels and predictions that come later, by the key of their row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_regress.core.inputs import Column
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.production import KEY, LABEL, PREDICTION, ProductionSchema
from ml_regress.errors import InvalidInput
from ml_regress.intake.batches import LABELS
from ml_regress.intake.broken_cells import ROWS_NAMED, BrokenCells
from ml_regress.intake.kept_columns import SCORE, one_array, unknown_answers
from ml_regress.intake.pieces import tables_in_pieces
from ml_regress.intake.typed_arrow import arrow_type, texts, typed


@dataclass(frozen=True)
class Answers:
    """Answers by key: each key once, and one typed column an answer (@label, or @prediction and scores)."""

    path: Path
    keys: pa.Array
    columns: Mapping[str, pa.Array]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Marked:
    """Cells of one column that break a rule: `mask` says which of `read`, the first of which is row `start` + 1."""

    column: str
    rule: str
    mask: pa.Array
    read: pa.Array
    start: int = 0

    def note(self, cells: BrokenCells, path: Path) -> None:
        """Add them to the broken cells of a file."""
        places = pc.indices_nonzero(self.mask)
        if len(places):
            first = places.slice(0, ROWS_NAMED)
            values = texts(self.read.take(first), str(path), self.column).to_pylist()
            rows = [(self.start + place + 1, value) for place, value in zip(first.to_pylist(), values, strict=True)]
            cells.add(str(path), self.column, self.rule, len(places), rows)


def read_answers(path: Path, kind: str, schema: ProductionSchema) -> Answers:
    """A table of "labels" or "predictions"; raises InvalidInput with every fault, and then nothing of it is used."""
    source = str(path)
    if schema.key is None:
        rule = f"{kind} are joined by key, and the rows of their batch were read without one; name its column as `key`"
        raise InvalidInput.single(source, f"{rule} in production.yaml, then bring the batch again under a new id")
    found: dict[str, list[pa.Array]] = {}
    cells, rows, extra = BrokenCells(), 0, dict[str, None]()
    table = tables_in_pieces(path)
    for piece in table:
        wanted = _wanted(piece.column_names, kind, schema)
        extra |= dict.fromkeys(sorted(set(piece.column_names) - {given for given, _ in wanted.values()}))
        for kept, (given, column) in wanted.items():
            read = one_array(piece.column(given))
            done = typed(read, column, source)
            for rule, mask in (*done.broken, *_rules(kept, done.values, schema)):
                Marked(given, rule, mask, read, rows).note(cells, path)
            found.setdefault(kept, [pa.nulls(rows, arrow_type(column.kind))]).append(done.values)
        for kept in found.keys() - wanted.keys():
            found[kept].append(pa.nulls(piece.num_rows, found[kept][0].type))
        rows += piece.num_rows
    _refuse_without(source, _needed(kind, schema), found, rows)
    if cells:
        raise InvalidInput(cells.faults)
    columns = {name: pa.concat_arrays(chunks) for name, chunks in found.items()}
    notes = [*table.notes, *_said(columns, kind, list(extra), schema)]
    keys, columns = _each_once(columns.pop(KEY), columns, path, schema.key)
    return Answers(path, keys, columns, tuple(note.replace(source, path.name) for note in notes))


def _needed(kind: str, schema: ProductionSchema) -> dict[str, str]:
    """By kept name, the columns that the table must have."""
    answer = {LABEL: schema.label} if kind == LABELS else {PREDICTION: schema.prediction}
    return {KEY: str(schema.key), **answer}


def _wanted(names: Sequence[str], kind: str, schema: ProductionSchema) -> dict[str, tuple[str, Column]]:
    """By kept name the given column and its type, of those that are there."""
    kinds = {KEY: "text", LABEL: schema.answer_type, PREDICTION: schema.answer_type}
    wanted = {kept: (given, Column(given, kinds[kept], optional=True)) for kept, given in _needed(kind, schema).items()}
    if kind != LABELS:
        wanted |= {name: (name, Column(name, "number", optional=True)) for name in names if name.startswith(SCORE)}
    return {kept: (given, column) for kept, (given, column) in wanted.items() if given in names}


def _rules(kept: str, values: pa.Array, schema: ProductionSchema) -> list[tuple[str, pa.Array]]:
    """What typed answers must keep beside their type."""
    if kept == KEY:
        return [("must have a key", pc.is_null(values))]
    if kept == LABEL and schema.labels:
        words = ", ".join(answer_text(label) for label in schema.labels)
        return [(f"must be one of the labels {words}", _unknown(values, schema))]
    return []


def _unknown(values: pa.Array, schema: ProductionSchema) -> pa.Array:
    """Which answers are none of the labels."""
    return pc.and_not(pc.is_valid(values), pc.is_in(values, pa.array(list(schema.labels), values.type)))


def _refuse_without(source: str, needed: Mapping[str, str], found: Mapping[str, object], rows: int) -> None:
    if not rows:
        raise InvalidInput.single(source, "holds no rows, only the names of columns")
    for kept, given in needed.items():
        if kept not in found:
            raise InvalidInput.single(source, "the column is missing", column=given)


def _said(columns: Mapping[str, pa.Array], kind: str, extra: Sequence[str], schema: ProductionSchema) -> list[str]:
    said = []
    if extra:
        said.append(f"columns left out: {', '.join(map(repr, extra))}")
    name, words = (LABEL, "label") if kind == LABELS else (PREDICTION, "prediction")
    empty = columns[name].null_count
    if empty:
        said.append(f"{empty:,} row{'s' * (empty > 1)} without a {words} yet")
    unknown = pc.sum(_unknown(columns[name], schema), min_count=0).as_py() if kind != LABELS and schema.labels else 0
    if unknown:
        said.append(unknown_answers(unknown))
    return said


def _each_once(
    keys: pa.Array, columns: dict[str, pa.Array], path: Path, key: str
) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Every key once; a key that is there twice with one and the same answer is no fault."""
    if pc.count_distinct(keys).as_py() == len(keys):
        return keys, columns
    first = pc.index_in(keys, value_set=keys)  # the first row with this key
    other = pa.array(np.zeros(len(keys), bool))
    for column in columns.values():
        there = column.take(first)
        same = pc.or_(pc.fill_null(pc.equal(column, there), False), pc.and_(pc.is_null(column), pc.is_null(there)))
        other = pc.or_(other, pc.invert(same))
    if pc.any(other).as_py():
        cells = BrokenCells()
        Marked(key, "must not name a row twice with other values", other, keys).note(cells, path)
        raise InvalidInput(cells.faults)
    kept = pc.equal(first, pa.array(np.arange(len(keys), dtype=np.int32)))
    return keys.filter(kept), {name: column.filter(kept) for name, column in columns.items()}
