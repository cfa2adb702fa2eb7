"""Columns of arrow typed at once, by the rules of core.inputs: what is missing, and which cells break a rule.

Texts (CSV, JSON lines) and columns that have a type of their own (Parquet) become one and the same typed column.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from ml_regress.core.inputs import BOOLEANS, Column, parse_value
from ml_regress.errors import InvalidInput
from ml_regress.intake.parquet import column_text
from ml_regress.intake.text_files import UNSTORABLE_RULE

NUMBER, INTEGER, BOOLEAN, TEXT = pa.float64(), pa.int64(), pa.bool_(), pa.string()
ARROW_TYPES = {"number": NUMBER, "integer": INTEGER, "boolean": BOOLEAN}
TIME_RULE = "must be a date or a time such as 2013-01-31T23:59:00Z"
_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\z"
_SHORT_INTEGER = r"^[+-]?[0-9]{1,18}\z"
_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?( ?(Z|[+-][0-9]{2}(:?[0-9]{2})?))?)?\z"
)
_TIME_ALONE = re.compile(_TIME.removeprefix("^").removesuffix(r"\z"))
_FLOAT_WHOLE = 2.0**53
_CALENDAR = (datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
)


@dataclass(frozen=True)
class Typed:
    """A typed column: null where a cell is missing or broken; `broken` marks the cells of each rule that they break."""

    values: pa.Array
    broken: tuple[tuple[str, pa.Array], ...] = ()


def arrow_type(kind: str) -> pa.DataType:
    """How a kind is kept: number, integer and boolean as such, all else as text."""
    return ARROW_TYPES.get(kind, TEXT)


def typed(column: pa.Array, declared: Column, source: str) -> Typed:
    """A column under its declared type; raises InvalidInput for a column that holds lists, mappings or bytes."""
    kind = column.type
    if pa.types.is_null(kind):
        return Typed(pa.nulls(len(column), arrow_type(declared.kind)))
    if not _is_text(kind):
        direct = _DIRECT.get(declared.kind)
        found = None if direct is None else direct(column)
        if found is not None:
            return found if found.broken == () else _ruled(found.values, found.broken[0][1], declared)
        column = texts(column, source, declared.name)
    return _of_texts(column, declared)


def texts(column: pa.Array, source: str, name: str) -> pa.Array:
    """Any column as texts, whole floats as 1; raises InvalidInput for lists, mappings and bytes."""
    kind = column.type
    if _is_text(kind):
        return column
    if pa.types.is_nested(kind) or any(is_bytes(kind) for is_bytes in _BYTES):
        rule = f"has the type {kind}; give each value a column of its own"
        raise InvalidInput.single(source, rule, column=name)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind):
        return column.cast(TEXT)
    if pa.types.is_timestamp(kind):
        return _times_as_texts(column)
    return pa.array(column_text(pa.chunked_array([column]), source), TEXT)


def moments(column: pa.Array, source: str, name: str) -> tuple[Typed, pa.Array]:
    """A column of dates or times as ISO texts in UTC with milliseconds, and as timestamps.

    A time without a zone counts as UTC.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return Typed(pa.nulls(len(column), TEXT)), pa.nulls(len(column), pa.timestamp("ms"))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        times, given = _naive(column), column
    else:
        times, given = _parsed_times(texts(column, source, name))
    times = _in_milliseconds(_only(times, _in_calendar(times)))
    wrong = pc.and_(pc.is_valid(given), pc.is_null(times))
    written = pc.strftime(times, "%Y-%m-%dT%H:%M:%SZ")
    broken = ((TIME_RULE, wrong),) if pc.any(wrong).as_py() else ()
    return Typed(written.cast(TEXT), broken), times


def moment_text(moment: datetime) -> str:
    """A moment as `moments` writes it; without a zone it counts as UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """The moment of an ISO date or time in UTC; raises ValueError with the rule."""
    stripped = text.strip()
    if not _TIME_ALONE.fullmatch(stripped):
        raise ValueError(TIME_RULE)
    try:
        found = datetime.fromisoformat(stripped.replace(" Z", "Z").replace(" +", "+"))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(TIME_RULE) from None


# -- texts -----------------------------------------------------------------------------------------


def _of_texts(column: pa.Array, declared: Column) -> Typed:
    if declared.kind in ("text", "category"):
        return _texts_typed(column, declared)
    stripped = pc.utf8_trim_whitespace(column)
    given = _only(stripped, pc.not_equal(stripped, ""))
    values, sound = _PARSERS[declared.kind](given)
    return _ruled(values, pc.and_(pc.is_valid(given), pc.invert(sound)), declared)


def _texts_typed(column: pa.Array, declared: Column) -> Typed:
    if declared.optional or declared.kind == "category":
        column = _only(column, pc.not_equal(column, ""))
    broken: list[tuple[str, pa.Array]] = []
    unstorable = pc.fill_null(pc.match_substring(column, "\x00"), False)
    if pc.any(unstorable).as_py():
        broken.append((UNSTORABLE_RULE, unstorable))
        column = _only(column, pc.invert(unstorable))
    return Typed(column, tuple(broken))


def _number(given: pa.Array) -> tuple[pa.Array, pa.Array]:
    sound = pc.fill_null(pc.match_substring_regex(given, _NUMBER), False)
    values = _only(given, sound).cast(NUMBER)
    finite = pc.and_(sound, pc.fill_null(pc.is_finite(values), False))
    return _only(values, finite), finite


def _integer(given: pa.Array) -> tuple[pa.Array, pa.Array]:
    short = pc.fill_null(pc.match_substring_regex(given, _SHORT_INTEGER), False)
    # Arrow knows no sign before a whole number.
    values = pc.replace_substring_regex(_only(given, short), r"^\+", "").cast(INTEGER)
    if pc.all(pc.or_(short, pc.is_null(given))).as_py():
        return values, short
    others = _only(given, pc.invert(short))
    parsed = _each(others, lambda text: parse_value("integer", text), INTEGER)
    merged = pc.coalesce(values, parsed)
    return merged, pc.is_valid(merged)


def _boolean(given: pa.Array) -> tuple[pa.Array, pa.Array]:
    lowered = pc.utf8_lower(given)
    sound = pc.is_in(lowered, pa.array(list(BOOLEANS)))
    true = pc.is_in(lowered, pa.array([word for word, value in BOOLEANS.items() if value]))
    return _only(true, sound), sound


def _date(given: pa.Array) -> tuple[pa.Array, pa.Array]:
    values = _each(given, lambda text: parse_value("date", text), TEXT)
    return values, pc.is_valid(values)


_PARSERS: dict[str, Callable[[pa.Array], tuple[pa.Array, pa.Array]]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
}


def _each(given: pa.Array, parse: Callable[[str], object], kind: pa.DataType) -> pa.Array:
    """Every different text parsed once; null where it breaks the rule."""
    encoded = given.dictionary_encode()
    words: Sequence[str] = encoded.dictionary.to_pylist()
    return pa.array([_or_none(parse, word) for word in words], kind).take(encoded.indices)


def _or_none(parse: Callable[[str], object], text: str) -> object | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _parsed_times(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Times, null where a text is none, and the texts, null where nothing is given."""
    stripped = pc.utf8_trim_whitespace(column)
    given = _only(stripped, pc.not_equal(stripped, ""))
    sound = _only(given, pc.match_substring_regex(given, _TIME))
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:  # all of them without a zone, or all with one
            times = sound.cast(kind)
            break
        except pa.ArrowInvalid:
            continue
    else:  # both, or no day of the calendar
        times = _each(sound, moment_of, pa.timestamp("us", "UTC"))
    return times.cast(pa.timestamp("us")), given


# -- columns of Parquet ----------------------------------------------------------------------------


def _number_direct(column: pa.Array) -> Typed | None:
    kind = column.type
    if pa.types.is_floating(kind):
        values = column.cast(NUMBER)
        there = pc.fill_null(pc.invert(pc.is_nan(values)), False)
        finite = pc.fill_null(pc.is_finite(values), False)
        return Typed(_only(values, finite), (("", pc.and_(there, pc.invert(finite))),))
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return Typed(column.cast(NUMBER, safe=False))
    return None


def _integer_direct(column: pa.Array) -> Typed | None:
    kind = column.type
    if pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        return Typed(column.cast(INTEGER))
    if pa.types.is_floating(kind):
        values = column.cast(NUMBER)
        there = pc.fill_null(pc.invert(pc.is_nan(values)), False)
        whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), _FLOAT_WHOLE))
        whole = pc.and_(there, pc.fill_null(whole, False))
        return Typed(_only(values, whole).cast(INTEGER), (("", pc.and_(there, pc.invert(whole))),))
    return None


def _boolean_direct(column: pa.Array) -> Typed | None:
    return Typed(column) if pa.types.is_boolean(column.type) else None


_DIRECT: dict[str, Callable[[pa.Array], Typed | None]] = {
    "number": _number_direct,
    "integer": _integer_direct,
    "boolean": _boolean_direct,
}


def _naive(column: pa.Array) -> pa.Array:
    """Timestamps in UTC without their zone, or the midnights of dates."""
    return column.cast(pa.timestamp("ms" if pa.types.is_date(column.type) else column.type.unit))


def _in_calendar(times: pa.Array) -> pa.Array:
    """Which times are of the years 1 to 9999, beyond which Python and the databases have none."""
    seconds = times.cast(pa.timestamp("s"), safe=False)
    first, last = (pa.scalar(moment, pa.timestamp("s")) for moment in _CALENDAR)
    return pc.and_(pc.greater_equal(seconds, first), pc.less_equal(seconds, last))


def _times_as_texts(column: pa.Array) -> pa.Array:
    """Times in ISO form, the same whatever their unit; midnights without a zone as dates: how pandas keeps a date."""
    written = pc.strftime(_naive(column), "%Y-%m-%dT%H:%M:%S").cast(TEXT)
    whole = pc.replace_substring_regex(written, r"(\.[0-9]*?)0+\z", r"\1")
    whole = pc.replace_substring_regex(whole, r"\.\z", "")
    if column.type.tz is not None:
        return pc.binary_join_element_wise(whole, "+00:00", "")
    return pc.replace_substring_regex(whole, r"T00:00:00\z", "")


def _in_milliseconds(times: pa.Array) -> pa.Array:
    return times.cast(pa.timestamp("ms"), safe=False)


def _ruled(values: pa.Array, wrong: pa.Array, declared: Column) -> Typed:
    return Typed(values, ((declared.rule, wrong),) if pc.any(wrong).as_py() else ())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


def _only(values: pa.Array, keep: pa.Array) -> pa.Array:
    """The values where `keep` is true, null elsewhere."""
    return pc.if_else(pc.fill_null(keep, False), values, pa.scalar(None, values.type))
