"""Tables too large to be held: CSV, JSON lines and Parquet, piece by piece.

A piece is an arrow table of at most PIECE rows. The cells of CSV and JSON lines are texts as they stand in the file
(null where JSON says that there is nothing), those of Parquet have the types of the file. What cannot be cut into
rows and cells is refused whole, with the rows; what a cell means is decided later, by a declared type.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_regress.errors import InvalidInput
from ml_regress.intake.csv_pieces import csv_pieces, refuse_doubled
from ml_regress.intake.json_pieces import json_pieces

PIECE = 65_536
# A piece of a wide table has fewer rows, so that it needs no more memory than one of a narrow table.
CELLS = 4_000_000
FEWEST = 1_024
# Values of JSON are objects of Python, which need many times the memory of their texts.
LINES = 16_384


@dataclass
class TablePieces:
    """A table that is read once, from its first row to its last.

    `names` are its columns, as far as they are known before the end: JSON lines may name more on any line. `notes`
    grow while it is read. Rows at the end that hold nothing are left out where `may_trail`: programs that write CSV
    leave them behind, a row of nulls in Parquet is a row.
    """

    path: Path
    names: tuple[str, ...]
    pieces: Iterator[pa.Table]
    notes: list[str] = field(default_factory=list)
    may_trail: bool = False

    def __iter__(self) -> Iterator[pa.Table]:
        for piece in _without_blank_end(self.pieces, self) if self.may_trail else self.pieces:
            yield from _sliced(piece)


def tables_in_pieces(path: Path) -> TablePieces:
    """Open a .csv, .jsonl or .parquet file; raises InvalidInput, here or while it is read, where it is no table."""
    found = OPENERS.get(path.suffix.lower())
    if found is None:
        raise InvalidInput.single(str(path), f"is no table; use a file that ends in {', '.join(OPENERS)}")
    try:
        if path.stat().st_size == 0:
            raise InvalidInput.single(str(path), "is empty; its first line must name the columns")
        return found(path)
    except FileNotFoundError:
        raise InvalidInput.single(str(path), "there is no such file") from None
    except OSError as error:
        raise InvalidInput.single(str(path), f"cannot be read ({error.strerror or error})") from None


def _open_csv(path: Path) -> TablePieces:
    names, batches, notes = csv_pieces(path)
    return TablePieces(path, names, _gathered(batches), notes, may_trail=True)


def _open_json(path: Path) -> TablePieces:
    notes: list[str] = []
    return TablePieces(path, (), json_pieces(path, min(PIECE, LINES), notes), notes)


def _open_parquet(path: Path) -> TablePieces:
    source = str(path)
    try:
        names = tuple(name.strip() for name in pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise _no_parquet(source, error) from None
    refuse_doubled(names, source)

    def batches() -> Iterator[pa.Table]:
        try:
            # Opened when its turn comes, for a folder may have thousands of parts; not mapped, for whoever cuts a
            # mapped file short ends this process; nor fetched ahead, which is the whole file.
            with pq.ParquetFile(path, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=_rows_a_piece(len(names))):
                    yield pa.table([_plain(column) for column in batch.columns], names=list(names))
        except (pa.ArrowException, OSError) as error:
            raise _no_parquet(source, error) from None

    return TablePieces(path, names, batches())


OPENERS: dict[str, Callable[[Path], TablePieces]] = {
    ".csv": _open_csv,
    ".jsonl": _open_json,
    ".parquet": _open_parquet,
}


def _no_parquet(source: str, error: Exception) -> InvalidInput:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InvalidInput.single(source, f"is no Parquet file that can be read ({first})")


def _plain(column: pa.Array) -> pa.Array:
    """The values themselves: a dictionary, a view or wide offsets are other ways to keep a text.

    Raises ArrowInvalid for a text that is not UTF-8, which Parquet does not look at.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    wide = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    plain = column.cast(pa.string()) if wide else column
    if pa.types.is_string(plain.type):
        plain.validate(full=True)
    return plain


def _rows_a_piece(columns: int) -> int:
    return max(FEWEST, min(PIECE, CELLS // max(columns, 1)))


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Small batches together, so that a piece is worth its fixed costs."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _rows_a_piece(batch.num_columns):
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _sliced(table: pa.Table) -> Iterator[pa.Table]:
    step = _rows_a_piece(table.num_columns)
    for start in range(0, table.num_rows, step):
        yield table.slice(start, step).combine_chunks()


def _without_blank_end(pieces: Iterable[pa.Table], of: TablePieces) -> Iterator[pa.Table]:
    """The pieces without the rows at the very end that hold nothing; a note says how many they were."""
    waiting: list[pa.Table] = []
    for piece in pieces:
        blank = _blank_at_end(piece) if piece.num_columns > 1 else 0
        if blank < piece.num_rows:
            yield from waiting
            waiting = []
            yield piece.slice(0, piece.num_rows - blank)
        if blank:
            waiting.append(piece.slice(piece.num_rows - blank))
    if waiting:
        count = sum(piece.num_rows for piece in waiting)
        of.notes.append(f"{of.path}: {count:,} blank row{'s' * (count > 1)} at the end left out")


def _blank_at_end(table: pa.Table) -> int:
    """How many of the last rows hold nothing at all."""
    if not table.num_rows or any(_holds(column.slice(table.num_rows - 1)) for column in table.columns):
        return 0
    filled = None
    for column in table.columns:
        there = _there(column)
        filled = there if filled is None else pc.or_(filled, there)
    places = pc.indices_nonzero(filled)
    last: int = places[-1].as_py() + 1 if len(places) else 0
    return int(table.num_rows) - last


def _there(column: pa.ChunkedArray) -> pa.ChunkedArray:
    there = pc.invert(pc.is_null(column, nan_is_null=pa.types.is_floating(column.type)))
    if pa.types.is_string(column.type):
        return pc.and_(there, pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), False))
    return there


def _holds(cell: pa.ChunkedArray) -> bool:
    return bool(pc.any(_there(cell)).as_py())
