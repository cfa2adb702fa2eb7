"""CSV piece by piece: every cell as its text, in the encoding and with the delimiter that the head decides."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from ml_regress.errors import FAULTS_SHOWN, Fault, InvalidInput
from ml_regress.intake.delimited import CELL_LIMIT, DELIMITERS, read_delimited

HEAD = 256 * 1024
BLOCK = 4 * 1024 * 1024
LARGEST_BLOCK = 256 * 1024 * 1024
_BLANK_LINES = re.compile(r"(?: *(?:\r\n|\r|\n))*")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def csv_pieces(path: Path) -> tuple[tuple[str, ...], Iterator[pa.RecordBatch], list[str]]:
    """Names, batches of texts and notes of a CSV file.

    Raises InvalidInput, here or while the batches are read, for a row with too few or too many cells, a quote that
    is never closed and a byte that is not of the encoding.
    """
    source = str(path)
    encoding = encoding_of(path)
    names, delimiter, blank, notes = _header(path, encoding)
    if encoding != "utf-8":
        notes.append(f"{source}: is read as {encoding.upper()}, as its byte order mark says")
    return names, _batches(path, encoding, names, delimiter, blank), notes


def encoding_of(path: Path) -> str:
    """utf-8, or utf-16 where a byte order mark says so; raises InvalidInput for UTF-16 without its mark."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if head.count(0) * 5 > len(head):
        raise InvalidInput.single(str(path), "looks like UTF-16 without its byte order mark; save it as UTF-8")
    return "utf-8"


def python_encoding(encoding: str) -> str:
    """The codec that also takes a byte order mark away."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def refuse_doubled(names: Iterable[str], source: str) -> None:
    """Raise InvalidInput for a column that is there twice or has no name."""
    seen: set[str] = set()
    faults = []
    for place, name in enumerate(names, start=1):
        if not name:
            faults.append(Fault(source, None, None, None, f"column {place} has no name; name it, or leave it out"))
        elif name in seen:
            faults.append(Fault(source, None, name, None, "the column is there twice; keep one"))
        seen.add(name)
    if faults:
        raise InvalidInput(faults)


def _header(path: Path, encoding: str) -> tuple[tuple[str, ...], str, int, list[str]]:
    """Names, delimiter, how many blank lines stand before the header, and notes."""
    source = str(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
        whole = not file.read(1)
    text = codecs.getincrementaldecoder(python_encoding(encoding))("replace").decode(head, final=whole)
    given, _, notes = read_delimited(text if whole else _whole_records(text), None, source)
    names = tuple(given)
    refuse_doubled(names, source)
    blank = _BLANK_LINES.match(text)
    before = "" if blank is None else blank[0]
    return names, _delimiter(text[len(before) :], given), len(re.findall(r"\r\n|\r|\n", before)), notes


def _whole_records(text: str) -> str:
    """The text up to the last line end at which no quote is open."""
    end = max(text.rfind("\n"), text.rfind("\r"))
    while end > 0 and text.count('"', 0, end) % 2:
        end = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end))
    return text[: end + 1] if end > 0 else text


def _delimiter(text: str, names: list[str]) -> str:
    """The mark under which the header has these names."""
    csv.field_size_limit(CELL_LIMIT)
    for mark in DELIMITERS:
        records = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        if [name.strip() for name in next(records, [])] == names:
            return mark
    return ","


def _batches(path: Path, encoding: str, names: tuple[str, ...], delimiter: str, blank: int) -> Iterator[pa.RecordBatch]:
    source = str(path)
    ragged: list[Fault] = []
    count, records = 0, 0

    def note(row: pa.csv.InvalidRow) -> str:
        nonlocal count
        count += 1
        if len(ragged) < FAULTS_SHOWN:
            mark = DELIMITERS.get(delimiter, repr(delimiter)).removesuffix("s")
            rule = (
                f"has {row.actual_columns} cells where the header has {row.expected_columns}; "
                f"a cell that holds a {mark} needs quotes"
            )
            ragged.append(Fault(source, None if row.number is None else row.number - 1, None, None, rule))
        return "skip"

    try:
        # Threads would lose the number of a row that has too many cells.
        reader = pa.csv.open_csv(
            str(path),
            read_options=pa.csv.ReadOptions(
                use_threads=False, block_size=_block(path), encoding=encoding, column_names=list(names), skip_rows=blank
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=note,
                ignore_empty_lines=len(names) > 1,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
        header = True
        for batch in reader:
            # The header is read as a row, for its names were stripped.
            records += batch.num_rows
            yield batch.slice(1) if header else batch
            header = header and not batch.num_rows
    except pa.ArrowInvalid as error:
        raise _no_csv(path, encoding, error) from None
    except UnicodeDecodeError as error:
        raise _no_csv(path, encoding, error) from None
    except OSError as error:
        raise InvalidInput.single(source, f"cannot be read ({error.strerror or error})") from None
    if ragged:
        more = [Fault(source, None, None, None, f"{count:,} rows have too few or too many cells")]
        raise InvalidInput([*ragged, *more] if count > len(ragged) else ragged)
    _refuse_swallowed(path, encoding, delimiter, blank + records)


def _block(path: Path) -> int:
    """Bytes read at once; a row must fit in it."""
    return max(BLOCK, min(LARGEST_BLOCK, path.stat().st_size // 64))


def _refuse_swallowed(path: Path, encoding: str, delimiter: str, records: int) -> None:
    """Refuse a quote that is not closed where its cell ends.

    The reader takes all lines up to the next quote, or to the end, as one cell: their rows would be gone. Where each
    line is a record, and quotes come in pairs, there is none; else the rules of CSV decide.
    """
    quotes, lines, block = 0, 0, b""
    with path.open("rb") as file:
        wide = "utf-16-be" if file.peek(2).startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
        quote, line_end = (mark.encode(wide if encoding == "utf-16" else "utf-8") for mark in ('"', "\n"))
        while some := file.read(BLOCK):
            block = some
            quotes += block.count(quote)
            lines += block.count(line_end)
    lines += not block.endswith(line_end)
    if quotes == 0 or (quotes % 2 == 0 and lines == records):
        return
    csv.field_size_limit(CELL_LIMIT)
    with path.open(encoding=python_encoding(encoding), newline="") as text:
        found = csv.reader(text, strict=True, delimiter=delimiter)
        row = -1
        try:
            for row, _ in enumerate(found):  # noqa: B007
                pass
        except csv.Error as error:
            rule = f"is no CSV ({error}); a quote is opened and never closed, or the file is not whole yet"
            raise InvalidInput.single(str(path), rule, row=row + 1 or None) from None


def _no_csv(path: Path, encoding: str, error: Exception) -> InvalidInput:
    wrong = undecodable(path, encoding)
    if wrong is not None:
        return wrong
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    hint = f"; a row may have at most {_block(path) // 2**20} MB" if re.search("straddl|block", said) else ""
    return InvalidInput.single(str(path), f"is no CSV ({said}){hint}")


def undecodable(path: Path, encoding: str) -> InvalidInput | None:
    """The refusal that names the first byte that is not of this encoding, with its line; None where all are."""
    decoder = codecs.getincrementaldecoder(python_encoding(encoding))()
    lines = 1
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            try:
                lines += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                line = lines + bytes(error.object[: error.start]).count(b"\n")
                name, byte = encoding.upper(), error.object[error.start]
                rule = f"byte 0x{byte:02x} in line {line} is not {name}; save the file as UTF-8"
                return InvalidInput.single(str(path), rule)
            if not block:
                return None
