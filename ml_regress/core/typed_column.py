"""Many answers brought to their type at once, as arrays that are compared without a Python call a row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml_regress.core.answers import typed_answer

_DTYPES: dict[str, Any] = {"text": object, "integer": np.int64, "number": np.float64, "boolean": np.bool_}
_FILLERS: dict[str, Any] = {"text": "", "integer": 0, "number": 0.0, "boolean": False}


@dataclass(frozen=True, eq=False)
class TypedColumn:
    """Many answers brought to one type.

    `values` has one dtype (object, int64, float64 or bool); where `usable` is False the answer is
    not of the type and its value means nothing.
    """

    values: np.ndarray
    usable: np.ndarray

    def take(self, rows: np.ndarray) -> "TypedColumn":
        return TypedColumn(self.values[rows], self.usable[rows])


def typed_column(answer_type: str, raws: Iterable[Any]) -> TypedColumn:
    """`typed_answer` of every raw answer, without a Python call a row where the column is uniform."""
    plain: list[Any] = raws.tolist() if hasattr(raws, "tolist") else list(raws)
    types = set(map(type, plain))
    try:
        if answer_type == "integer" and types == {int}:
            whole = np.array(plain, dtype=np.int64)
            return TypedColumn(whole, whole != np.iinfo(np.int64).min)
        if answer_type == "integer" and types == {float}:
            floats = np.array(plain, dtype=np.float64)
            usable = (np.abs(floats) < 2**53) & (np.floor(floats) == floats)
            return TypedColumn(np.where(usable, floats, 0).astype(np.int64), usable)
        if answer_type == "number" and types <= {int, float, bool, type(None)}:
            floats = np.array(plain, dtype=np.float64)
            return TypedColumn(floats, np.isfinite(floats))
    except OverflowError:
        pass  # a whole number that fits no machine type: value by value
    if (answer_type, types) in (("text", {str}), ("boolean", {bool})):
        return TypedColumn(np.array(plain, dtype=_DTYPES[answer_type]), np.ones(len(plain), dtype=bool))
    keys = list(zip(map(type, plain), plain, strict=True))  # 1, 1.0 and True are one key without the type
    try:
        known = {key: typed_answer(answer_type, key[1]) for key in set(keys)}
        typed = [known[key] for key in keys]
    except TypeError:  # a named output may hold a list
        typed = [typed_answer(answer_type, raw) for raw in plain]
    filler = _FILLERS[answer_type]
    return TypedColumn(
        np.array([filler if item is None else item for item in typed], dtype=_DTYPES[answer_type]),
        np.array([item is not None for item in typed], dtype=bool),
    )
