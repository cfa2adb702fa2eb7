"""What a cell holds stays what it is until a declared type says more: texts, ids, labels, booleans, line breaks."""

from pathlib import Path
from typing import Any

import pytest

from ml_regress_tests.intake.ways import (
    PATTERN_WAYS,
    RECORDED_WAYS,
    TYPED_WAYS,
    WAYS,
    coming_out,
    going_in,
    read,
    refusal,
    values,
)

every_way = pytest.mark.parametrize("way", WAYS)
keyed_way = pytest.mark.parametrize("way", [*PATTERN_WAYS, *RECORDED_WAYS])

WORDS = ["NA", "N/A", "None", "null", "nan", "NaN", "true", "007", "1e5", "1E5", "1-2", "1/2", "9007199254740993", "EU"]
LINES = [
    "first line\nsecond line",
    'she said "fine"\r\nand left, smiling',
    "=1+1\tdone",
    "old\rmac",
    " spaces ",
    "a;b|c,d",
    '"quoted"',
]


def blank(way: str) -> str | None:
    return "" if way.endswith("csv") else None


@every_way
@pytest.mark.parametrize("cells", [WORDS, LINES], ids=["words", "lines"])
def test_a_text_comes_through_byte_for_byte(way: str, cells: list[str], tmp_path: Path) -> None:
    assert values(way, tmp_path, cells, "text") == (cells, "")


@every_way
def test_words_that_look_like_nothing_are_labels(way: str, tmp_path: Path) -> None:
    rows, notes = read(way, tmp_path, coming_out(WORDS))
    assert ([row.answer for row in rows], notes) == (WORDS, "")


@every_way
def test_a_blank_answer_is_refused_with_its_row(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, coming_out(["NA", blank(way), "EU"]))
    assert "row 2" in said
    assert "is blank" in said or "is missing" in said
    assert "row 1" not in said and "row 3" not in said


@keyed_way
def test_an_id_is_a_text_and_keeps_every_digit(way: str, tmp_path: Path) -> None:
    names = ["007", "7", "1e5", "9007199254740993", "1-2"]
    rows, _ = read(way, tmp_path, [("name", names), ("in", ["x"] * 5), ("out", ["a"] * 5)])
    assert [row.name for row in rows] == names


@pytest.mark.parametrize("way", [way for way in (*PATTERN_WAYS, *RECORDED_WAYS) if way.endswith(("jsonl", "parquet"))])
def test_an_id_that_is_a_number_keeps_every_digit(way: str, tmp_path: Path) -> None:
    names = [7, 9007199254740993]
    rows, _ = read(way, tmp_path, [("name", names), ("in", ["x"] * 2), ("out", ["a"] * 2)])
    assert [row.name for row in rows] == ["7", "9007199254740993"]


@keyed_way
def test_a_blank_id_is_refused_with_its_row_and_makes_no_other_id_a_decimal(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, [("name", ["1", blank(way), "3"]), ("in", ["x"] * 3), ("out", ["a", "b", "a"])])
    assert "row 2, column 'pattern_id'" in said
    assert "row 1" not in said and "row 3" not in said


@keyed_way
def test_an_id_that_is_there_twice_is_refused_with_both_rows(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, [("name", ["1", "2", "1"]), ("in", ["x", "y", "z"]), ("out", ["a", "b", "b"])])
    assert "row 3, column 'pattern_id': '1'" in said
    assert "row 1" in said


@every_way
def test_a_whole_number_is_one_label_however_it_is_written(way: str, tmp_path: Path) -> None:
    rows, _ = read(way, tmp_path, coming_out(["1", "0", "01", "1.0", " 1"]), answer="integer")
    assert [row.answer for row in rows] == [1, 0, 1, 1, 1]
    assert all(type(row.answer) is int for row in rows)


@every_way
def test_01_and_1_are_two_labels_of_text(way: str, tmp_path: Path) -> None:
    assert [row.answer for row in read(way, tmp_path, coming_out(["1", "01", "1.0"]))[0]] == ["1", "01", "1.0"]


@every_way
def test_every_spelling_of_a_boolean_is_one_value(way: str, tmp_path: Path) -> None:
    cells = ["True", "TRUE", "true", "1", "1.0", "False", "false", "0", "0.0"]
    rows, _ = read(way, tmp_path, coming_out(cells), answer="boolean")
    assert [row.answer for row in rows] == [True] * 5 + [False] * 4
    if way in TYPED_WAYS:
        assert values(way, tmp_path, cells, "boolean")[0] == [True] * 5 + [False] * 4


@pytest.mark.parametrize("way", TYPED_WAYS)
def test_a_missing_boolean_changes_no_other(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, ["TRUE", blank(way), "false"], "boolean?")[0] == [True, None, False]
    said = refusal(way, tmp_path, going_in(["TRUE", blank(way), "false"]), takes="boolean")
    assert "row 2" in said
    assert "is missing" in said


@pytest.mark.parametrize("way", [way for way in WAYS if way.endswith("jsonl")])
def test_values_of_json_are_the_same_as_their_texts(way: str, tmp_path: Path) -> None:
    answers = {"boolean": [True, "TRUE", 1, 1.0, "1"], "integer": [1, 1.0, "1", "01"], "number": [1, "1", 1.0, "1.0"]}
    for answer, cells in answers.items():
        rows, _ = read(way, tmp_path, coming_out(cells), answer=answer)
        assert {row.answer for row in rows} == {1}


@pytest.mark.parametrize("way", [way for way in WAYS if way.endswith("parquet")])
@pytest.mark.parametrize(
    ("answer", "cells", "found"),
    [
        ("boolean", [True, False], [True, False]),
        ("boolean", [1.0, 0.0], [True, False]),
        ("integer", [1.0, 0.0], [1, 0]),
        ("text", [1, 0], ["1", "0"]),
        ("text", [1.0, 0.0], ["1", "0"]),  # whole labels that went through a column of floats
        ("text", [True, False], ["true", "false"]),
    ],
)
def test_typed_columns_of_parquet_are_labels(
    way: str, answer: str, cells: list[Any], found: list[Any], tmp_path: Path
) -> None:
    assert [row.answer for row in read(way, tmp_path, coming_out(cells), answer=answer)[0]] == found


@pytest.mark.parametrize("way", TYPED_WAYS)
def test_texts_numbers_and_gaps_in_one_column_stay_apart(way: str, tmp_path: Path) -> None:
    cells = ["SA0", "1", blank(way), "1.0", "SA0"]
    assert values(way, tmp_path, cells, "text?") == (["SA0", "1", None, "1.0", "SA0"], "")
    said = refusal(way, tmp_path, going_in(cells), takes="number?")
    assert "row 1" in said and "row 5" in said
    assert "must be a finite number" in said


@pytest.mark.parametrize("way", [way for way in TYPED_WAYS if way.endswith("jsonl")])
def test_texts_and_numbers_of_json_can_stand_in_one_column(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, ["SA0", 1, None, 1.0, True], "text?")[0] == ["SA0", "1", None, "1.0", "true"]
