"""A table of production, or of a reference, as kept rows: typed under the production schema, piece by piece.

Kept rows are one Parquet file: the inputs, then, as far as they are known, @key, @time, `score:<class>`, @prediction
and @label. A cell that breaks the schema is missing there, and is among the faults.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ml_regress.core.production import KEY, LABEL, PREDICTION, TIME, ProductionSchema
from ml_regress.errors import FAULTS_SHOWN, Fault, InvalidInput
from ml_regress.intake.broken_cells import ROWS_NAMED, BrokenCells
from ml_regress.intake.doubled_keys import SeenKeys
from ml_regress.intake.kept_columns import is_answer, kept_columns, one_array, typed_frame, unknown_answers
from ml_regress.intake.kept_writer import KeptWriter
from ml_regress.intake.pieces import TablePieces, tables_in_pieces
from ml_regress.intake.typed_arrow import Typed, arrow_type, moment_text, moments, texts, typed
from ml_regress.schemas import broken_cells, production_table


@dataclass(frozen=True)
class KeptTable:
    """What became of a table.

    `digest` names the kept rows at `path`. `first` and `last` are its earliest and latest time (ISO, UTC), None
    without a time column. `reasons` say, a line each, how it breaks the schema; `faults` name the first rows of each.
    """

    digest: str
    path: Path
    rows: int
    predicted: int
    labelled: int
    first: str | None
    last: str | None
    reasons: tuple[str, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    schema: str

    @property
    def sound(self) -> bool:
        return not self.reasons


@dataclass(frozen=True)
class _Piece:
    """Some rows of one part; `start` counts the rows of the part before it."""

    table: pa.Table
    path: Path
    start: int

    @property
    def file(self) -> str:
        return self.path.name

    def cells(self, name: str) -> pa.Array:
        return one_array(self.table.column(name))


class _MoreColumns(Exception):
    """Predictions, labels or scores that no header named: the file is written again, with them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(", ".join(self.names))


def write_kept(parts: Sequence[Path], schema: ProductionSchema, target: Path) -> KeptTable:
    """Read the parts of one table into kept rows at `target`.

    Raises InvalidInput where they cannot be read, or hold no rows. What breaks the schema does not raise: it is told
    by `reasons`.
    """
    answers: tuple[str, ...] = ()
    while True:
        try:
            return _Keeping(parts, schema, answers).into(target)
        except _MoreColumns as more:
            answers = (*answers, *more.names)


def _empty(notes: Sequence[str]) -> str:
    blank = any("blank row" in note for note in notes)
    return "holds blank rows only" if blank else "holds no rows, only the names of columns"


class _Keeping:
    """One reading of all parts, with the columns of answers that are known so far."""

    def __init__(self, parts: Sequence[Path], schema: ProductionSchema, answers: Sequence[str]) -> None:
        self.schema = schema
        self.tables = [tables_in_pieces(path) for path in parts]
        named = [*answers, *(name for table in self.tables for name in table.names)]
        self.columns = kept_columns(schema, named)
        self.given = {given for given, _ in self.columns.values()}
        self.checked = production_table(schema)
        self.cells = BrokenCells()
        self.notes: list[str] = []
        self.missing: dict[tuple[str, str], None] = {}
        self.extra: dict[str, None] = {}
        self.unknown_answers = 0
        self.keys = SeenKeys()
        self.times: list[tuple[datetime, datetime]] = []
        self.counts = {PREDICTION: 0, LABEL: 0}

    def into(self, target: Path) -> KeptTable:
        types = {kept: arrow_type(column.kind) for kept, (_, column) in self.columns.items()}
        with KeptWriter(target, types, self.schema.digest) as writer:
            for table in self.tables:
                self._read(table, writer)
        several = len(self.tables) > 1
        if not writer.rows:
            names = ", ".join(str(table.path) for table in self.tables)
            raise InvalidInput.single(names, _empty(self.notes))
        for file, name in self.missing:
            self.cells.whole(file, name, "is missing, though the production schema names it")
        if self.schema.key is not None:
            self.keys.note_doubled(self.cells, self.schema.key)
        return KeptTable(
            writer.digest,
            target,
            writer.rows,
            self.counts[PREDICTION],
            self.counts[LABEL],
            moment_text(min(first for first, _ in self.times)) if self.times else None,
            moment_text(max(last for _, last in self.times)) if self.times else None,
            self.cells.reasons(writer.rows, files=several),
            self.cells.faults,
            tuple(dict.fromkeys([*self.notes, *self._said()])),
            self.schema.digest,
        )

    def _read(self, table: TablePieces, writer: KeptWriter) -> None:
        start = 0
        for rows in table:
            new = [name for name in rows.column_names if name not in self.given]
            more = [name for name in new if is_answer(self.schema, name)]
            if more:
                raise _MoreColumns(more)
            self.extra |= dict.fromkeys(new)
            piece = _Piece(rows, table.path, start)
            columns = self._typed(piece)
            writer.write(columns)
            start += rows.num_rows
            if self.schema.key is not None:
                self.keys.add(piece.file, piece.start, columns[KEY])
        # The batch says where it lies; a note names the file.
        self.notes.extend(said.replace(str(table.path), table.path.name) for said in table.notes)
        if not start:
            self.notes.append(f"{table.path.name}: holds no rows")

    def _typed(self, piece: _Piece) -> dict[str, pa.Array]:
        columns: dict[str, pa.Array] = {}
        wrong: dict[str, pa.Array] = {}
        for kept, (given, column) in self.columns.items():
            if given not in piece.table.column_names:
                columns[kept] = pa.nulls(piece.table.num_rows, arrow_type(column.kind))
                if not is_answer(self.schema, given):
                    self.missing[(piece.file, given)] = None
                continue
            cells = piece.cells(given)
            if kept == TIME:
                found, times = moments(cells, str(piece.path), given)
                span = pc.min_max(times)
                if span["min"].is_valid:
                    self.times.append((span["min"].as_py(), span["max"].as_py()))
            else:
                found = typed(cells, column, str(piece.path))
            columns[kept] = found.values
            self._note_broken(found, piece, given, kept, wrong)
        self._validate(columns, wrong, piece)
        for kept in self.counts:
            if kept in columns:
                self.counts[kept] += len(columns[kept]) - columns[kept].null_count
        return columns

    def _note_broken(self, found: Typed, piece: _Piece, given: str, kept: str, wrong: dict[str, pa.Array]) -> None:
        """Count the cells that break their type."""
        for rule, mask in found.broken:
            self._note(mask, rule, piece, given)
            wrong[kept] = mask if kept not in wrong else pc.or_(wrong[kept], mask)

    def _note(self, mask: pa.Array, rule: str, piece: _Piece, given: str) -> None:
        places = pc.indices_nonzero(mask)
        first = places.slice(0, ROWS_NAMED)
        values = texts(piece.cells(given).take(first), str(piece.path), given).to_pylist()
        rows = [(piece.start + place + 1, value) for place, value in zip(first.to_pylist(), values, strict=True)]
        self.cells.add(piece.file, given, rule, len(places), rows)

    def _validate(self, columns: dict[str, pa.Array], wrong: dict[str, pa.Array], piece: _Piece) -> None:
        """What Pandera says of the typed piece: missing cells, and levels that are not of their category."""
        for kept, rule, mask in broken_cells(self.checked, typed_frame(columns)):
            given, column = self.columns[kept]
            if given not in piece.table.column_names:  # said once for the whole column
                continue
            broken = pa.array(mask)
            fresh = pc.and_not(broken, wrong[kept]) if kept in wrong else broken
            if not pc.any(fresh).as_py():
                continue
            if kept == PREDICTION:
                self.unknown_answers += pc.sum(fresh).as_py()
                continue
            self._note(fresh, rule, piece, given)
            columns[kept] = pc.if_else(fresh, pa.scalar(None, arrow_type(column.kind)), columns[kept])

    def _said(self) -> list[str]:
        said = []
        if self.extra:
            listed = ", ".join(repr(name) for name in list(self.extra)[:FAULTS_SHOWN])
            more = f" and {len(self.extra) - FAULTS_SHOWN:,} more" if len(self.extra) > FAULTS_SHOWN else ""
            said.append(f"columns that the production schema does not name were left out: {listed}{more}")
        if self.unknown_answers:
            said.append(unknown_answers(self.unknown_answers))
        return said
