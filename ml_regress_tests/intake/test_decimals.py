"""The decimal mark: what the numbers of a table decide is used and said, the rest is refused with both readings."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_regress.intake.problems import read_problem
from ml_regress_tests.intake.ways import TYPED_WAYS, WAYS, coming_out, going_in, read, refusal, values

every_way = pytest.mark.parametrize("way", WAYS)
some_ways = pytest.mark.parametrize("way", ["patterns csv", "benchmark parquet", "recorded jsonl"])


@every_way
def test_points_are_decimal_points_and_nothing_is_said(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, ["1.5", "0.25", "3"]) == ([1.5, 0.25, 3.0], "")


@every_way
def test_a_comma_that_can_only_be_decimal_is_used_and_said(way: str, tmp_path: Path) -> None:
    found, notes = values(way, tmp_path, ["1,500", "0,25", "3", "-7,5"])
    assert found == [1.5, 0.25, 3.0, -7.5]
    assert "the comma is read as the decimal mark, as row 2" in notes


@every_way
def test_a_comma_that_could_separate_thousands_is_refused_with_both_readings(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(["1,500", "2"]), takes="number")
    assert "row 1" in said
    assert "is 1.5 with a decimal comma, or 1500 with a thousands separator" in said
    assert 'table: {decimal: ","}' in said


@pytest.mark.parametrize("way", TYPED_WAYS)
def test_a_point_in_a_whole_number_that_could_separate_thousands_is_refused_with_both_readings(
    way: str, tmp_path: Path
) -> None:
    said = refusal(way, tmp_path, going_in(["7", "12.000"]), takes="integer")
    assert "row 2" in said
    assert "is 12 with a decimal point, or 12000 with a thousands separator" in said
    assert 'table: {decimal: "."}' in said
    assert "or 12000 with" in refusal(way, tmp_path, coming_out(["7", "12.000"]), answer="integer")
    assert values(way, tmp_path, ["7", "12.000"], "integer", decimal=".") == ([7, 12], "")
    assert values(way, tmp_path, ["7.0", "12.000"], "integer") == ([7, 12], "")  # 7.0 decides
    assert values(way, tmp_path, ["7", "12.000"], "number") == ([7.0, 12.0], "")


@every_way
def test_a_stated_mark_is_taken_strictly(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, ["1,500", "2"], decimal=",") == ([1.5, 2.0], "")
    mixed = going_in(["1.5", "2,5"])
    assert "row 1" in (said := refusal(way, tmp_path, mixed, takes="number", decimal=","))
    assert "states the decimal mark ','" in said
    assert "row 2" in (said := refusal(way, tmp_path, mixed, takes="number", decimal="."))
    assert "states the decimal mark '.'" in said


@some_ways
@pytest.mark.parametrize("grouped", ["1.234,5", "1,234.5", "1 234", "1'234.5", "1\u00a0234", "12.345.678", "12,34,567"])
def test_thousands_are_never_separated(way: str, grouped: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(["1", grouped]), takes="number")
    assert "row 2" in said
    assert "remove the thousands separator" in said


@every_way
def test_two_decimal_marks_in_one_table_are_refused_with_a_row_of_each(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(["1.25", "2,75"]), takes="number")
    assert "row 2" in said
    assert "has a comma where row 1" in said


@every_way
def test_answers_that_are_numbers_follow_the_same_rules(way: str, tmp_path: Path) -> None:
    rows, notes = read(way, tmp_path, coming_out(["0,5", "1"]), answer="number")
    assert [row.answer for row in rows] == [0.5, 1.0]
    assert "the comma is read as the decimal mark" in notes
    assert "1.5 with a decimal comma, or 1500" in refusal(way, tmp_path, coming_out(["1,500"]), answer="number")


@every_way
def test_a_label_and_a_text_have_no_decimal_mark(way: str, tmp_path: Path) -> None:
    columns = [("name", ["p1", "p2"]), ("in", ["1,500", "2.5"]), ("out", ["1,5", "1.234.567"])]
    rows, notes = read(way, tmp_path, columns)
    assert [row[1:] for row in rows] == [("1,500", "1,5"), ("2.5", "1.234.567")]
    assert notes == ""


@pytest.mark.parametrize("way", [way for way in WAYS if way.endswith(("jsonl", "parquet"))])
def test_a_number_of_json_or_parquet_is_no_text_to_be_read_again(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, [1.5, 0.25], decimal=",") == ([1.5, 0.25], "")


@pytest.mark.parametrize("kind", [pa.string_view(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
@pytest.mark.parametrize("way", [way for way in WAYS if way.endswith("parquet")])
def test_every_kind_of_text_in_parquet_is_a_text(way: str, kind: pa.DataType, tmp_path: Path) -> None:
    cells = pa.array(["1,5", "2,25"]).cast(kind)
    assert values(way, tmp_path, cells)[0] == [1.5, 2.25]


def test_a_tolerance_and_a_score_are_numbers_of_the_table_whatever_the_answers_are(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("id: p\ntitle: P\ninputs: {x: text}\n")
    header = "pattern_id;x;expected;expectation;output;tolerance\n"
    (tmp_path / "p.csv").write_text(header + "a;1;0,5;close_to;score:yes;0,25\nb;1;1,5;equals;answer;\n")
    close, label = (pattern.expectation for pattern in read_problem(tmp_path / "p.yaml").patterns)
    assert (close.value, close.tolerance, label.value) == (0.5, 0.25, "1,5")


def test_a_list_is_json_and_keeps_its_points(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("id: p\ntitle: P\ninputs: {x: number}\nanswer: number\n")
    (tmp_path / "p.csv").write_text("pattern_id;x;expected;expectation\na;1,5;[0.5, 2.5];between\n")
    (pattern,) = read_problem(tmp_path / "p.yaml").patterns
    assert (pattern.inputs, pattern.expectation.value) == ({"x": 1.5}, (0.5, 2.5))


def test_what_is_no_number_decides_nothing_and_is_refused_as_no_number(tmp_path: Path) -> None:
    said = refusal("patterns csv", tmp_path, going_in(["1,5", "about 2"]), takes="number")
    assert said == "t.csv, row 2, column 'x': 'about 2': must be a finite number"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.decimals(-(10**6), 10**6, places=4), min_size=1, max_size=6))
def test_every_number_comes_back_from_either_writing(numbers: list[object], tmp_path: Path) -> None:
    texts = [f"{number:f}" for number in numbers]
    wanted = [float(text) for text in texts]
    for way in ("patterns csv", "benchmark parquet", "recorded jsonl"):
        assert values(way, tmp_path, texts)[0] == wanted
        assert values(way, tmp_path, [text.replace(".", ",") for text in texts])[0] == wanted
