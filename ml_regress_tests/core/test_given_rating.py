"""Values of a rating as programs and people give them, brought to their types."""

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_regress.core.given_rating import judgement, plain_value, typed_inputs
from ml_regress.core.inputs import parse_input_types

TYPES = parse_input_types(
    {
        "temp": "number",
        "hour": "integer?",
        "late": "boolean",
        "origin": "category(EWR, JFK)",
        "day": "date",
        "zip": "text",
    }
)
GOOD = {"temp": 21.5, "hour": 8, "late": True, "origin": "EWR", "day": "2013-01-31", "zip": "007"}


@pytest.mark.parametrize(
    "given",
    [
        GOOD,
        {name: str(value) for name, value in GOOD.items()},
        {
            **GOOD,
            "temp": np.float64(21.5),
            "hour": np.int64(8),
            "late": np.bool_(True),
            "origin": np.str_("EWR"),
            "day": date(2013, 1, 31),
        },
        {**GOOD, "temp": "21.50", "hour": 8.0, "late": 1, "day": pd.Timestamp("2013-01-31")},
        {**GOOD, "temp": np.array([21.5]), "hour": "8.0", "late": "TRUE", "day": datetime(2013, 1, 31)},
    ],
)
def test_values_of_any_kind_become_those_of_the_declared_types(given: dict[str, Any]) -> None:
    typed, broken = typed_inputs(TYPES, given)
    assert not broken
    assert typed == GOOD
    assert [type(value) for value in typed.values()] == [float, int, bool, str, str, str]


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_every_way_to_say_missing_is_missing(missing: Any) -> None:
    typed, broken = typed_inputs(TYPES, {**GOOD, "hour": missing, "temp": missing})
    assert typed["hour"] is None
    assert broken == {"temp": "is missing, and the input type is not optional ('?')"}


def test_every_fault_is_named_by_its_input() -> None:
    given = {"temp": "warm", "hour": 8.5, "late": "maybe", "origin": "LGA", "day": datetime(2013, 1, 31, 9), "extra": 1}
    _, broken = typed_inputs(TYPES, given)
    assert set(broken) == {"temp", "hour", "late", "origin", "day", "zip", "extra"}
    assert broken["temp"] == "must be a finite number"
    assert broken["origin"] == "must be one of EWR, JFK"
    assert broken["extra"] == "is no input; there are temp, hour, late, origin, day, zip"


@pytest.mark.parametrize("value", [[1], {"a": 1}, (1, 2), np.zeros(3), pd.Series([1.0]), pd.DataFrame({"a": [1]}), {1}])
def test_what_is_no_single_value_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a single value"):
        plain_value(value)


@pytest.mark.parametrize("value", [float("inf"), np.inf, "nan", "1_000"])
def test_infinity_and_texts_that_only_python_reads_are_no_numbers(value: Any) -> None:
    assert typed_inputs(TYPES, {**GOOD, "temp": value})[1] == {"temp": "must be a finite number"}


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800"])
def test_a_text_that_no_store_keeps_is_refused(text: str) -> None:
    assert "NUL" in typed_inputs(TYPES, {**GOOD, "zip": text})[1]["zip"]


@pytest.mark.parametrize(
    ("thumb", "stars", "meant"),
    [
        ("up", None, ("up", None)),
        (" Down ", "", ("down", None)),
        (None, 4, (None, 4)),
        (None, np.int64(1), (None, 1)),
        ("", "5", (None, 5)),
        (None, " 5.0", (None, 5)),
        (None, 2.0, (None, 2)),
    ],
)
def test_a_thumb_or_stars_are_a_judgement(thumb: Any, stars: Any, meant: tuple[Any, Any]) -> None:
    assert judgement(thumb, stars) == meant


@pytest.mark.parametrize(
    ("thumb", "stars"),
    [(None, None), ("up", 5), ("", " "), ("sideways", None), (None, 0), (None, 6), (None, 3.5), (None, True),
     (None, "many"), (None, float("nan"))],
)  # fmt: skip
def test_neither_or_both_or_what_is_none_of_them_is_refused(thumb: Any, stars: Any) -> None:
    with pytest.raises(ValueError, match=r"thumb|stars"):
        judgement(thumb, stars)
