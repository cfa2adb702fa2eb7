"""The values of one column of a frame as a plain array: numbers, days or texts, whatever its dtype is."""

from typing import Any

import numpy as np
import pandas as pd

# Beyond it sums and means of a few values overflow; what is so far away is no farther for being farther.
FARTHEST_NUMBER = 1e300
_DAY = r"\d{4}-\d{2}-\d{2}"


def is_number(values: "pd.Series[Any]") -> bool:
    """Whether the dtype is one of numbers or booleans."""
    return bool(pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype))


def numbers_of(values: "pd.Series[Any]") -> np.ndarray:
    """float64 with NaN where missing; booleans as 0 and 1, infinities as a number that is very large."""
    if is_number(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        # An optional column without a value has no dtype of its own.
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(np.clip(numbers, -FARTHEST_NUMBER, FARTHEST_NUMBER))


def texts_of(values: "pd.Series[Any]") -> np.ndarray:
    """Texts as an object array, None where missing; what is no text is written as one, so that sorting never fails."""
    missing = values.isna().to_numpy(dtype=bool)
    found = np.empty(len(values), dtype=object)
    found[:] = [
        None if gap else value if isinstance(value, str) else _written(value)
        for value, gap in zip(values, missing, strict=True)
    ]
    return found


def are_dates(texts: np.ndarray) -> bool:
    """Whether there are texts and all that are there are written YYYY-MM-DD."""
    there = pd.Series(texts).dropna()
    return len(there) > 0 and bool(there.str.fullmatch(_DAY).all())


def days_of(texts: np.ndarray) -> np.ndarray:
    """Days since 1970 as float64 of dates written YYYY-MM-DD; NaN where missing or no date."""
    days = pd.to_datetime(pd.Series(texts), format="%Y-%m-%d", errors="coerce")
    found = days.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(found), np.nan, found.astype(np.int64).astype(np.float64))


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)
