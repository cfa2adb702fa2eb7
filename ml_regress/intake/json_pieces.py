"""JSON lines piece by piece: every value as its text, numbers with all their digits."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from ml_regress.core.answers import UNSTORABLE
from ml_regress.errors import FAULTS_SHOWN, Fault, InvalidInput
from ml_regress.intake.csv_pieces import encoding_of, python_encoding, undecodable
from ml_regress.intake.exact import Exact
from ml_regress.intake.text_files import UNSTORABLE_RULE


def json_pieces(path: Path, rows: int, notes: list[str]) -> Iterator[pa.Table]:
    """Tables of texts of at most this many rows; raises InvalidInput with the rows that are no JSON objects."""
    source, encoding = str(path), encoding_of(path)
    if encoding != "utf-8":
        notes.append(f"{source}: is read as {encoding.upper()}, as its byte order mark says")
    doubled: set[str] = set()
    decoder = _decoder(doubled)
    shown: list[Fault] = []
    start, count = 0, 0
    with path.open(encoding=python_encoding(encoding), newline="\n") as file:
        lines = (stripped for line in file if (stripped := line.strip()))
        while some := _some(lines, rows, path, encoding):
            faults: list[Fault] = []
            items = [_object(decoder, line, start + place, source, faults) for place, line in enumerate(some, start=1)]
            table = _table(items, start, source, faults)
            start += len(some)
            count += len(faults)
            shown += faults[: FAULTS_SHOWN - len(shown)]
            if not count:
                yield table
    if count:
        more = [Fault(source, None, None, None, f"{count:,} rows are at fault")] if count > len(shown) else []
        raise InvalidInput([*shown, *more])
    notes += [f"{source}: a row has the key {name!r} twice with one value; one was kept" for name in sorted(doubled)]


def _some(lines: Iterator[str], rows: int, path: Path, encoding: str) -> list[str]:
    try:
        return list(islice(lines, rows))
    except OSError as error:
        raise InvalidInput.single(str(path), f"cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        wrong = undecodable(path, encoding)
        raise wrong or InvalidInput.single(str(path), f"cannot be read as text ({error})") from None


def _decoder(doubled: set[str]) -> json.JSONDecoder:
    """One for all lines, as to make one takes longer than to read a line."""

    def of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            _refuse_two_values(pairs, doubled)
        return found

    return json.JSONDecoder(parse_int=Exact, parse_float=Exact, parse_constant=_no_constant, object_pairs_hook=of_pairs)


def _object(decoder: json.JSONDecoder, line: str, row: int, source: str, faults: list[Fault]) -> dict[str, str | None]:
    try:
        item = decoder.decode(line)
        if not isinstance(item, dict):
            raise ValueError("it is no mapping of column names to values")
        texts = {name.strip(): value if value.__class__ is str else _cell(value) for name, value in item.items()}
        if len(texts) < len(item):
            raise ValueError("two keys differ by spaces only; keep one")
        if "" in texts:
            raise ValueError("a key is empty")
        if any(UNSTORABLE.search(name) for name in texts):
            raise ValueError(f"a key {UNSTORABLE_RULE}")
    except (ValueError, RecursionError) as error:
        faults.append(Fault(source, row, None, line, f"is no JSON object on one line ({error})"))
        return {}
    else:
        return texts


def _refuse_two_values(pairs: list[tuple[str, Any]], doubled: set[str]) -> None:
    seen: dict[str, Any] = {}
    for name, value in pairs:
        if name in seen:
            # 1 and "1" are equal as text, but not one value.
            if (type(seen[name]), seen[name]) != (type(value), value):
                raise ValueError(f"the key {name!r} is written twice with other values")
            doubled.add(name)
        seen[name] = value


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON; write null for a missing value")


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, dict):
        raise ValueError("it holds a nested mapping; give each value a column of its own")
    if isinstance(value, list):
        return f"[{', '.join(_json(item) for item in value)}]"
    return str(value) if isinstance(value, Exact) else json.dumps(value, ensure_ascii=False)


def _table(items: list[dict[str, str | None]], start: int, source: str, faults: list[Fault]) -> pa.Table:
    names = list(dict.fromkeys(name for item in items for name in item))
    columns = []
    for name in names:
        cells = [item.get(name) for item in items]
        try:
            columns.append(pa.array(cells, pa.string()))
        except UnicodeEncodeError:  # half of a surrogate pair
            wrong = [place for place, cell in enumerate(cells, start=1) if cell and UNSTORABLE.search(cell)]
            faults.extend(Fault(source, start + place, name, None, UNSTORABLE_RULE) for place in wrong)
            columns.append(pa.nulls(len(cells), pa.string()))
    return pa.table(columns, names=names)
