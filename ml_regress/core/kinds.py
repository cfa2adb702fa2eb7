"""What each kind of expectation means: arrays of answers in, an array of truth values out.

Unusable answers hold a filler here: the caller never lets them pass.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ml_regress.core.answers import typed_answer
from ml_regress.core.expectation import Expectation
from ml_regress.core.typed_column import TypedColumn, typed_column

_Held = Callable[[TypedColumn, Sequence[Expectation], TypedColumn | None], np.ndarray]


def _values(column: TypedColumn, values: Sequence[Any]) -> TypedColumn:
    """Expected values in the type of the answers they are held against."""
    types = {"O": "text", "i": "integer", "f": "number", "b": "boolean"}
    return typed_column(types[column.values.dtype.kind], values)


def _equals(column: TypedColumn, expectations: Sequence[Expectation], _: TypedColumn | None) -> np.ndarray:
    expected = _values(column, [wanted.value for wanted in expectations])
    return np.asarray((column.values == expected.values) & expected.usable, dtype=bool)


def _one_of(column: TypedColumn, expectations: Sequence[Expectation], _: TypedColumn | None) -> np.ndarray:
    sizes = [len(wanted.value) for wanted in expectations]
    expected = _values(column, [item for wanted in expectations for item in wanted.value])
    rows = np.repeat(np.arange(len(sizes)), sizes)
    hits = rows[np.asarray((column.values[rows] == expected.values) & expected.usable, dtype=bool)]
    return np.asarray(np.bincount(hits, minlength=len(sizes)) > 0)


def _bounds(expectations: Sequence[Expectation]) -> np.ndarray:
    return np.array([wanted.value for wanted in expectations], dtype=np.float64)


def _between(column: TypedColumn, expectations: Sequence[Expectation], _: TypedColumn | None) -> np.ndarray:
    bounds = _bounds(expectations)
    return np.asarray((bounds[:, 0] <= column.values) & (column.values <= bounds[:, 1]))


def _close_to(column: TypedColumn, expectations: Sequence[Expectation], _: TypedColumn | None) -> np.ndarray:
    values, expected = column.values.astype(np.float64), _bounds(expectations)
    tolerance = np.array([wanted.tolerance or 0.0 for wanted in expectations])
    # 1.1 is within 0.1 of 1.0 though the floats nearest to them are not: each is off by half a
    # spacing at most. Without a tolerance the floats must be equal.
    rounding = np.where(tolerance > 0, (np.spacing(np.abs(values)) + np.spacing(np.abs(expected))) / 2, 0.0)
    with np.errstate(over="ignore"):
        return np.asarray(np.abs(values - expected) <= tolerance + rounding)


def _texts(column: TypedColumn) -> list[str]:
    if column.values.dtype == object:
        return column.values.tolist()  # type: ignore[no-any-return]
    return [str(typed_answer("text", item)) for item in column.values.tolist()]


def _contains(column: TypedColumn, expectations: Sequence[Expectation], _: TypedColumn | None) -> np.ndarray:
    pairs = zip(_texts(column), expectations, strict=True)
    return np.array([wanted.value in text for text, wanted in pairs], dtype=bool)


def _matches(column: TypedColumn, expectations: Sequence[Expectation], _: TypedColumn | None) -> np.ndarray:
    rules = {wanted.value: re.compile(wanted.value) for wanted in expectations}
    pairs = zip(_texts(column), expectations, strict=True)
    return np.array([rules[wanted.value].search(text) is not None for text, wanted in pairs], dtype=bool)


def _other(expected: TypedColumn | None) -> np.ndarray:
    assert expected is not None  # noqa: S101  score() looks the other pattern up for these kinds
    return expected.values


# Kinds that name another pattern get its answers as the third argument. `matches` searches: anchor
# with ^ and $ to match a whole answer. `between` includes both ends.
HOLDS: dict[str, _Held] = {
    "equals": _equals,
    "one_of": _one_of,
    "between": _between,
    "close_to": _close_to,
    "greater_than": lambda column, expectations, _: np.asarray(column.values > _bounds(expectations)),
    "less_than": lambda column, expectations, _: np.asarray(column.values < _bounds(expectations)),
    "contains": _contains,
    "matches": _matches,
    "same_as": lambda column, _, other: np.asarray(column.values == _other(other), dtype=bool),
    "higher_than": lambda column, _, other: np.asarray(column.values > _other(other), dtype=bool),
    "lower_than": lambda column, _, other: np.asarray(column.values < _other(other), dtype=bool),
}
