"""Bytes of a file as text: what a byte order mark or UTF-8 decide, or what is stated; nothing is guessed."""

import codecs
import re
from pathlib import Path

from ml_regress.errors import InvalidInput
from ml_regress.intake.delimited import DELIMITERS, unquoted

UNSTORABLE_RULE = "holds a NUL or half a surrogate pair, which no text can keep"
# The mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-16", "utf-32")  # as Python names them where the order of bytes is left to the mark
_AROUND = 12  # bytes shown before and after the first wrong one


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; raises InvalidInput where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput.single(str(path), "there is no such file") from None
    except OSError as error:
        raise InvalidInput.single(str(path), f"cannot be read ({error.strerror or error})") from None


def known_encoding(name: str) -> str:
    """The name of a text encoding, where Python knows it; raises ValueError otherwise."""
    try:
        if "a,1\n".encode(name).decode(name) == "a,1\n":
            return name
    except (LookupError, UnicodeError, ValueError):
        pass
    raise ValueError("must be an encoding of text, such as utf-8, latin-1, cp1252 or utf-16-le")


def read_text(path: Path) -> str:
    """The text of a YAML file, line ends as they stand: UTF-8, or as its byte order mark says."""
    data = read_bytes(path)
    encoding, start = _marked(data)
    try:
        return data[start:].decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = _before(data[start:], error).count("\n") + 1
        name = (encoding or "utf-8").upper()
        wrong = f"byte 0x{error.object[error.start]:02x} in line {line} is not {name}"
        raise InvalidInput.single(str(path), f"{wrong}; save the file as UTF-8") from None


def read_table_text(path: Path, stated: str | None, *, quoted: bool) -> tuple[str, list[str]]:
    """The text of a table and notes on how it was read; raises InvalidInput with the row of the first wrong byte.

    `stated` is the encoding that the YAML file names. `quoted` tables may hold line breaks inside a
    cell, so that a row is not a line.
    """
    data, source = read_bytes(path), str(path)
    marked, start = _marked(data)
    encoding = marked or "utf-8"
    if stated is not None:
        encoding = _stated(stated, marked, source)
    elif marked is None and _is_wide(data):
        order = "utf-16-le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16-be"
        rule = f"looks like UTF-16 without its byte order mark; say `table: {{encoding: {order}}}`, or save it as UTF-8"
        raise InvalidInput.single(source, rule)
    body = data[start:]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(body, error, encoding, source, stated=stated is not None, quoted=quoted) from None
    return text, _notes(body, text, stated, marked, source)


def _marked(data: bytes) -> tuple[str | None, int]:
    """The encoding that a byte order mark names, and where the text begins."""
    return next(((name, len(mark)) for mark, name in _MARKS if data.startswith(mark)), (None, 0))


def _is_wide(data: bytes) -> bool:
    """Whether so many bytes are NUL that this is no text of single bytes."""
    return data.count(0) * 5 > len(data)


def _stated(stated: str, marked: str | None, source: str) -> str:
    """The encoding to read with; a byte order mark that says something else is a fault."""
    name = codecs.lookup(stated).name
    if marked is None:
        if name in _WIDE:
            rule = f"there is no byte order mark in the file; state {name}-le or {name}-be"
            raise InvalidInput.single(source, rule, column="table.encoding", value=stated)
        return name
    if name in (marked, marked.removesuffix("-le").removesuffix("-be"), f"{marked}-sig"):
        return marked
    rule = f"contradicts the file, whose byte order mark says {marked}; leave it out"
    raise InvalidInput.single(source, rule, column="table.encoding", value=stated)


def _notes(body: bytes, text: str, stated: str | None, marked: str | None, source: str) -> list[str]:
    if stated is None and marked not in (None, "utf-8"):
        return [f"{source}: is read as {str(marked).upper()}, as its byte order mark says"]
    if stated is None or marked is not None or text.isascii() or codecs.lookup(stated).name == "utf-8":
        return []
    try:
        other = body.decode("utf-8")
    except UnicodeDecodeError:
        return []
    shown, meant = (next(word for word in each.split() if not word.isascii()) for each in (text, other))
    return [f"{source}: is read as {stated}, as stated, though it is sound UTF-8 too: {shown!r} would be {meant!r}"]


def _undecodable(
    body: bytes, error: UnicodeDecodeError, encoding: str, source: str, *, stated: bool, quoted: bool
) -> InvalidInput:
    """The refusal of the first wrong byte, with its row and the two likeliest readings of its text."""
    before = _before(body, error)
    wrong = f"byte 0x{body[error.start]:02x} in line {before.count(chr(10)) + 1} is not {encoding.upper()}"
    if stated:
        rule = f"{wrong}, which `table:` states"
    elif encoding != "utf-8":
        rule = f"{wrong}, which its byte order mark says; save the file as UTF-8"
    else:
        western = "cp1252" if re.search(rb"[\x80-\x9f]", body) else "latin-1"
        first, second = (_word(body, error.start, name) for name in (western, "cp850"))
        rule = (
            f"{wrong}: it is {first!r} in {western} and {second!r} in cp850, for example; "
            f"say `table: {{encoding: {western}}}` or the right one, or save the file as UTF-8"
        )
    row = _row_at_end(before) if quoted else len([line for line in before.split("\n")[:-1] if line.strip()]) + 1
    return InvalidInput.single(source, rule if row else f"{rule} (it is in the header)", row=row or None)


def _before(body: bytes, error: UnicodeDecodeError) -> str:
    return body[: error.start].decode(error.encoding, "replace")


def _word(body: bytes, place: int, encoding: str) -> str:
    """The word round a byte, read in an encoding."""
    before = re.split(rb"[\x00-\x20,;|\"]", body[max(0, place - _AROUND) : place])[-1]
    after = re.split(rb"[\x00-\x20,;|\"]", body[place : place + _AROUND])[0]
    return (before + after).decode(encoding, "replace")


def _row_at_end(text: str) -> int:
    """The row in which this beginning of a CSV ends; 0 is the header."""
    lines = re.split("\r\n|\r|\n", "".join(unquoted(text, tuple(DELIMITERS))))
    return sum(bool(line.strip()) for line in lines[:-1])
