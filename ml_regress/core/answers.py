"""Answers: what a predictor said, brought to the type that its problem declares.

A label that was read from a file is text, a predictor may answer 1, 1.0, "1", True or "01": the
answer type of the problem says which of these are the same. Answers are kept raw in the store and
brought to their type here, when they are scored.
"""

import json
import math
import re
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.inputs import BOOLEANS, EXACT_INTEGER, parse_value

# Neither can be kept: PostgreSQL holds no NUL, UTF-8 has no place for half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
ANSWER_TYPES = ("text", "integer", "number", "boolean")


def parse_answer(answer_type: str, text: str) -> Any:
    """The typed answer of a text that a person wrote; raises ValueError with the broken rule."""
    return parse_value(answer_type, text)


def typed_answer(answer_type: str, raw: Any) -> Any:
    """The typed answer of a raw one, or None where it cannot be one of this type.

    None is never equal to an expectation: an answer of another type is a wrong answer, not an
    error of measurement.
    """
    if raw is None or (isinstance(raw, float) and not math.isfinite(raw)):
        return None
    if answer_type == "text":
        return _as_text(raw)
    if answer_type == "boolean":
        if isinstance(raw, bool):
            return raw
        return BOOLEANS.get(_as_text(raw).strip().lower())
    try:
        if answer_type == "integer" and isinstance(raw, int):
            return int(raw) if abs(raw) <= EXACT_INTEGER else None  # as for a text
        if answer_type == "number" and isinstance(raw, (int, float)):
            return float(raw)
        return parse_value(answer_type, _as_text(raw))
    except (ValueError, OverflowError):
        return None


def _as_text(raw: Any) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 2**53:
        return str(int(raw))  # a label 1 that went through a float column is still the label 1
    return str(raw)


def to_raw(values: "Sequence[Any] | pd.Series[Any] | np.ndarray") -> list[Any]:
    """Predictor outputs as plain JSON scalars: numpy scalars unwrapped, NaN and NaT as None."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        values = pd.Series(values)  # the array's own tolist would give nanoseconds
    if getattr(values, "dtype", None) == np.float64:
        floats = np.asarray(values)
        if np.isfinite(floats).all():
            return floats.tolist()  # type: ignore[no-any-return]
    # A list is read item by item: as an array, [1, "a"] would be all text and [1, 2.5] all floats.
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return [_scalar(item.item() if isinstance(item, np.generic) else item) for item in plain]


def _scalar(item: Any) -> Any:
    if item is None or item is pd.NA or item is pd.NaT:
        return None
    if isinstance(item, Enum):
        return _scalar(item.value)
    # A model's own kind of text or number must not leave its process: nobody else knows the class.
    if isinstance(item, bool):
        return item
    if isinstance(item, int):
        return int(item)
    if isinstance(item, float):
        return float(item) if math.isfinite(item) else None
    if isinstance(item, bytes):
        return storable(item.decode("utf-8", "backslashreplace"))
    return storable(str.__str__(item) if isinstance(item, str) else str(item))


def storable(text: str) -> str:
    """The text with escapes for what no store keeps: a NUL, half of a surrogate pair."""
    return UNSTORABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def is_na(raw: Any) -> bool:
    """True for None, NaN and pandas.NA: no answer at all."""
    return raw is None or raw is pd.NA or raw != raw  # noqa: PLR0124  NaN differs from itself


_encode = json.JSONEncoder(ensure_ascii=False).encode


def dump_raw(raw: Any) -> str:
    """A raw answer as the JSON text that the store keeps."""
    return _encode(raw)


def load_raw(text: str | None) -> Any:
    """A raw answer back from the store's JSON text."""
    return None if text is None else json.loads(text)
