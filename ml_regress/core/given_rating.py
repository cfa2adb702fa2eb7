"""A rating as somebody gives it, and its values brought to their types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from ml_regress.core.answers import UNSTORABLE, is_na
from ml_regress.core.inputs import Column, InputTypes, parse_integer
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.rating import STARS, THUMBS

UNSTORABLE_RULE = "holds a NUL or half a surrogate pair, which no text can keep"
SINGLE_RULE = "must be a single value"


@dataclass(frozen=True)
class GivenRating:
    """A rating before anything of it is checked.

    `inputs` are values by name, of any kind or as texts; None where `batch` and `key` name a row that holds them.
    `texts`: everything was written as text, so that a prediction is one too, whatever the type of answers. `row` is
    that of the file it was read from, counted from 1.
    """

    inputs: Mapping[str, Any] | None = None
    prediction: Any = None
    thumb: str | None = None
    stars: Any = None
    words: str = ""
    candidate: str | None = None
    person: str = ""
    batch: str | None = None
    key: str | None = None
    texts: bool = False
    row: int | None = None


def plain_value(value: Any) -> Any:
    """A single value as plain Python has it, None where there is none (NaN, NaT, pandas.NA); raises ValueError."""
    if isinstance(value, (np.generic, np.ndarray)) and value.size == 1:
        value = value.item()
    if isinstance(value, (list, tuple, set, frozenset, Mapping, np.ndarray)) or hasattr(value, "dtypes"):
        raise ValueError(SINGLE_RULE)
    if is_na(value):
        return None
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    # A subclass, such as a model's own kind of text, would not outlive its process.
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    text = str.__str__(value) if isinstance(value, str) else str(value)
    if UNSTORABLE.search(text):
        raise ValueError(UNSTORABLE_RULE)
    return text


def typed_inputs(types: InputTypes, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The typed inputs in the order of `types`, and by name the rule that a value breaks or that is not known.

    An input that is not given is missing. A broken one has the value None.
    """
    typed: dict[str, Any] = {}
    broken: dict[str, str] = {}
    for column in types.columns:
        try:
            typed[column.name] = _typed(column, given.get(column.name))
        except ValueError as error:
            typed[column.name], broken[column.name] = None, str(error)
    for name in given:
        if name not in types.by_name:
            broken[name] = f"is no input; there are {', '.join(types.names)}"
    return typed, broken


def _typed(column: Column, value: Any) -> Any:
    plain = plain_value(value)
    return column.parse(None if plain is None else answer_text(plain))


def judgement(thumb: str | None, stars: Any) -> tuple[str | None, int | None]:
    """The thumb or the stars, of which one is given; raises ValueError with the broken rule."""
    thumb = None if is_na(thumb) else str(thumb).strip().lower() or None
    stars = plain_value(stars)
    stars = None if stars == "" else stars
    if (thumb is None) == (stars is None):
        raise ValueError("give either a thumb (up, down) or stars (1 to 5), and not both")
    if thumb is not None:
        if thumb not in THUMBS:
            raise ValueError(f"a thumb is {' or '.join(THUMBS)}, not {thumb!r}")
        return thumb, None
    rule = f"stars are a whole number from {STARS[0]} to {STARS[-1]}, not {stars!r}"
    try:
        # A table whose other rows have thumbs is often written with 5.0.
        count = parse_integer(stars.strip()) if isinstance(stars, str) else stars
    except ValueError:
        raise ValueError(rule) from None
    if isinstance(count, bool) or count not in STARS:
        raise ValueError(rule)
    return None, int(count)
