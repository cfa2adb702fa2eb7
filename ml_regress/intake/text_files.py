"""Bytes of a file as text: UTF-8 with or without a byte order mark, and nothing guessed."""

import csv
import io
import re
from pathlib import Path

from ml_regress.errors import InvalidInput

# Neither can be kept: PostgreSQL holds no NUL, UTF-8 has no place for half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
UNSTORABLE_RULE = "holds a NUL or half a surrogate pair, which no text can keep"
_OTHER_MARKS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; raises InvalidInput where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput.single(str(path), "there is no such file") from None
    except OSError as error:
        raise InvalidInput.single(str(path), f"cannot be read ({error.strerror or error})") from None


def read_text(path: Path, *, records: bool = False) -> str:
    """The text of a UTF-8 file, line ends as they stand; raises InvalidInput for other encodings.

    With `records` the file is CSV, and the refusal names the row that holds the first wrong byte.
    """
    data = read_bytes(path)
    for mark, name in _OTHER_MARKS:
        if data.startswith(mark):
            raise InvalidInput.single(
                str(path), f'is {name} (a spreadsheet calls it "Unicode text"); save it as CSV UTF-8'
            )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = data[error.start]
        before = data[: error.start].decode("utf-8-sig", "replace")
    rule = f"byte 0x{wrong:02x} in line {before.count(chr(10)) + 1} is not UTF-8; save the file as UTF-8"
    if not records:
        raise InvalidInput.single(str(path), rule)
    row = _row_at_end(before)
    raise InvalidInput.single(str(path), rule if row else f"{rule} (it is in the header)", row=row or None)


def _row_at_end(text: str) -> int:
    """The row in which this beginning of a CSV ends; 0 is the header."""
    read = csv.reader(io.StringIO(text + "x", newline=""))
    try:
        return sum(1 for record in read if record) - 1
    except csv.Error:
        return text.count("\n")
