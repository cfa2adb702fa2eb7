from typing import Any

import numpy as np
import pytest

from ml_regress.core.inputs import parse_input_types, parse_value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "1e5", 100000.0),
        ("number", " 2.5 ", 2.5),
        ("integer", "007", 7),
        ("integer", "3.0", 3),
        ("integer", "1234567890123456789", 1234567890123456789),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("text", "007", "007"),
        ("text", " NA ", " NA "),
        ("date", "2024-02-29", "2024-02-29"),
    ],
)
def test_a_text_becomes_a_value_of_its_type(kind: str, text: str, value: Any) -> None:
    found = parse_value(kind, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        ("number", "nan", "finite number"),
        ("number", "inf", "finite number"),
        ("number", "1e999", "finite number"),
        ("number", "1_000", "finite number"),
        ("number", "1,5", "finite number"),
        ("integer", "3.5", "whole number"),
        ("integer", str(2**63), "64 bits"),
        ("boolean", "yes", "true or false"),
        ("date", "01/02/2024", "YYYY-MM-DD"),
        ("date", "2023-02-29", "calendar"),
    ],
)
def test_a_text_that_breaks_its_type_is_refused_with_the_rule(kind: str, text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        parse_value(kind, text)


def test_a_missing_value_needs_an_optional_type() -> None:
    types = parse_input_types({"age": "integer", "note": "text", "size": "number?", "word": "text?"})
    assert types.by_name["size"].parse("") is None
    assert types.by_name["word"].parse(None) is None
    assert types.by_name["note"].parse("") == ""
    with pytest.raises(ValueError, match="is missing"):
        types.by_name["age"].parse("")


def test_an_image_is_number_columns_row_by_row() -> None:
    types = parse_input_types({"image": "image(2, 3, pixel_{row}_{column}, 0..16)", "id": "text"})
    assert types.names == ("pixel_0_0", "pixel_0_1", "pixel_0_2", "pixel_1_0", "pixel_1_1", "pixel_1_2", "id")
    assert (types.images[0].low, types.images[0].high) == (0.0, 16.0)
    assert {column.kind for column in types.columns[:-1]} == {"number"}
    assert parse_input_types({"image": "image(1, 2, p{index})"}).names == ("p0", "p1")


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("float", "no input type"),
        ("category", "needs its levels"),
        ("category(a, a)", "each once"),
        ("number(3)", "takes no arguments"),
        ("image(8, 8)", "write image"),
        ("image(2, 2, p{row})", "4 columns apart"),
        ("image(2, 2, p{x})", "write image"),
        ("image(2, 2, p{index}, 5..5)", "write image"),
        ("image(0, 2, p{index})", "1 to 65536 pixels"),
    ],
)
def test_a_wrong_declaration_is_named(declaration: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_input_types({"size": declaration})
    assert "'size'" in str(caught.value)


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'p0' twice"):
        parse_input_types({"image": "image(1, 2, p{index})", "p0": "number"})


def test_a_category_takes_its_levels_only() -> None:
    column = parse_input_types({"kind": "category(cat, dog)"}).by_name["kind"]
    assert column.parse("cat") == "cat"
    with pytest.raises(ValueError, match="one of cat, dog"):
        column.parse("Cat")


def test_a_frame_has_one_dtype_a_column() -> None:
    types = parse_input_types({"a": "number?", "b": "integer", "c": "integer?", "d": "boolean", "e": "text?"})
    rows = [
        {"a": None, "b": 1, "c": None, "d": True, "e": None},
        {"a": 2.0, "b": 2**53 + 1, "c": 2**53 + 1, "d": False, "e": "007"},
    ]
    frame = types.frame(rows)
    assert [str(dtype) for dtype in frame.dtypes] == ["float64", "int64", "Int64", "bool", "object"]
    assert np.isnan(frame["a"][0]) and frame["c"][1] == 2**53 + 1 and frame["e"].tolist() == [None, "007"]
