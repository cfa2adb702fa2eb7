"""Predictions: what a candidate said to one input, raw."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Prediction(NamedTuple):
    """An answer with its outputs, or an error: then the answer is none.

    `answer` is a raw JSON scalar, `outputs` maps `score:<class>` and other names to JSON scalars.
    `environment` is the digest of where it was made, `made_at` when; None where it was here and now.
    """

    answer: Any = None
    outputs: Mapping[str, Any] | None = None
    error: str | None = None
    environment: str | None = None
    made_at: str | None = None


# By input digest: a prediction is joined to what asked for it, never by position.
Predictions = Mapping[str, Prediction]


class RecordedRow(NamedTuple):
    """One row of a table of recorded predictions (`row`, from 1): the input digest that it answers.

    `key` is the digest of problem and pattern, None where the row is keyed by inputs; `problems` are
    the ids of those that ask for it.
    """

    row: int
    digest: str
    key: str | None
    problems: tuple[str, ...]
    prediction: Prediction
