"""Predictions put in the order of input digests: joined by digest, never by position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Aligned:
    """Predictions in the order of digests; None where there is no value, and where there is no prediction."""

    answers: list[Any]
    outputs: list[Any]
    errors: list[str | None]
    missing: np.ndarray

    @classmethod
    def of(cls, predictions: pd.DataFrame, digests: Sequence[str]) -> "Aligned":
        places = predictions.index.get_indexer(pd.Index(digests, dtype=object))
        missing = places < 0
        columns = []
        for name in ("answer", "outputs", "error"):
            # As objects: whole numbers would become floats where a prediction is missing.
            values = np.append(predictions[name].to_numpy(dtype=object), [None])
            columns.append(values[places].tolist())
        return cls(columns[0], columns[1], [None if is_na(error) else error for error in columns[2]], missing)


def is_na(value: Any) -> bool:
    """True for None, NaN and pandas.NA, which a frame takes for a missing value."""
    return value is None or value is pd.NA or value != value  # noqa: PLR0124  NaN differs from itself
