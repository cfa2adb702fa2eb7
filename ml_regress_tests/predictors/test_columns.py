"""Columns are brought to the declared order by name."""

import math

import pandas as pd
import pytest

from ml_regress.errors import PredictionFailed
from ml_regress.predictors.columns import arrange

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def test_no_declared_order_leaves_the_frame_as_it_is() -> None:
    arranged, dropped = arrange(FRAME, None, {})
    assert list(arranged) == ["a", "b"]
    assert dropped == ()


def test_defaults_are_numbers_where_they_are_numbers_and_nan_is_missing() -> None:
    arranged, dropped = arrange(FRAME, ("n", "t", "m", "a"), {"n": "1.5", "t": "red", "m": "nan"})
    assert arranged["n"].tolist() == [1.5, 1.5]
    assert arranged["t"].tolist() == ["red", "red"]
    assert all(math.isnan(value) for value in arranged["m"])
    assert arranged["a"].dtype == FRAME["a"].dtype
    assert dropped == ("b",)


def test_a_long_list_of_missing_columns_is_cut() -> None:
    with pytest.raises(PredictionFailed, match="c8, c9 and 54 more, which"):
        arrange(FRAME, [f"c{number}" for number in range(64)], {})
