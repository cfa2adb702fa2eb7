"""Delimiters: the header or the rows decide and it is said, or both headers are shown."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_regress.errors import InvalidInput
from ml_regress.intake.reading import TableFormat
from ml_regress.intake.tables import NOTES, read_table
from ml_regress_tests.intake.ways import WAYS, going_in, patterns_of, refusal, refusal_of


@pytest.mark.parametrize(("mark", "named"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_delimiter_is_found_and_said(tmp_path: Path, mark: str, named: str) -> None:
    found, notes = patterns_of(tmp_path, f"pattern_id{mark}x{mark}expected\n1{mark}a, b{mark}yes\n")
    assert found == {"1": "a, b"}
    assert f"cells are separated by {named}" in notes
    path = tmp_path / "alone.csv"
    path.write_text(f"id{mark}x\n1{mark}2\n")
    assert f"cells are separated by {named}" in read_table(path).attrs[NOTES][0]


def test_a_mark_that_stands_in_a_cell_or_in_quotes_decides_nothing(tmp_path: Path) -> None:
    assert patterns_of(tmp_path, 'pattern_id,x,expected\n1,"a;b",yes\n2,c;d|e,no\n') == ({"1": "a;b", "2": "c;d|e"}, "")
    assert patterns_of(tmp_path, 'pattern_id,"x",expected\n1,a,"yes;no"\n') == ({"1": "a"}, "")
    path = tmp_path / "t.csv"
    path.write_text('id,"a;b ""c|d"""\n1;2,3\n')
    assert (list(read_table(path).columns), read_table(path).attrs[NOTES]) == (["id", 'a;b "c|d"'], ())


def test_of_two_delimiters_the_one_that_all_rows_fit_is_used_and_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id;size, weight;x\n1;2,5;a\n2;3;b, c, d\n")
    found = read_table(path)
    assert list(found.columns) == ["id", "size, weight", "x"]
    assert "cells are separated by semicolons, as not every row fits commas" in found.attrs[NOTES][0]


def test_two_delimiters_that_both_fit_are_refused_with_both_headers(tmp_path: Path) -> None:
    said = refusal_of(tmp_path, "a;b,c;d\n1;2,3;4\n")
    assert "['a;b', 'c;d'] by commas or ['a', 'b,c', 'd'] by semicolons" in said
    assert "say `table: {delimiter:" in said


def test_where_no_delimiter_fits_the_rows_are_named(tmp_path: Path) -> None:
    said = refusal_of(tmp_path, "pattern_id;x, y;expected\n1;a;b\n2;a;b;c\n")
    assert said == "t.csv, row 2: has 4 cells where the header has 3; a cell that holds a semicolon needs quotes"


@pytest.mark.parametrize(("stated", "mark"), [(";", ";"), ("tab", "\t"), ("\t", "\t"), (":", ":"), ("~", "~")])
def test_a_stated_delimiter_is_used(tmp_path: Path, stated: str, mark: str) -> None:
    found = patterns_of(tmp_path, f'pattern_id{mark}x{mark}expected\n1{mark}2,3{mark}"a,b"\n', delimiter=stated)
    assert found == ({"1": "2,3"}, "")


def test_a_stated_delimiter_is_used_whatever_else_the_header_holds(tmp_path: Path) -> None:
    said = refusal_of(tmp_path, "pattern_id:x,y;z:expected\n1:a:b\n", delimiter=":")
    assert "column 'x,y;z': the column is not known" in said
    assert "the header holds none; it holds commas" in refusal_of(tmp_path, "pattern_id,x,expected\n", delimiter=";")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mark=st.sampled_from([",", ";", "\t", "|"]),
    names=st.lists(st.sampled_from(["x", "a,b", "c;d", "e|f", "g\th", 'i"j', 'k",l']), max_size=3, unique=True),
    data=st.data(),
)
def test_a_table_is_read_right_or_refused_and_never_read_wrong(
    mark: str, names: list[str], data: st.DataObject, tmp_path: Path
) -> None:
    cells = st.text('ab,;|\t\n\r" ', max_size=6)
    rows = [[f"r{row}", *(data.draw(cells) for _ in names)] for row in range(data.draw(st.integers(1, 3)))]
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=mark).writerows([["id", *names], *rows])
    try:
        found = read_table(path)
    except InvalidInput as error:
        assert "and every row fits; say `table: {delimiter:" in str(error)
        found = read_table(path, TableFormat(delimiter=mark))
    assert [list(found.columns), *found.to_numpy().tolist()] == [["id", *names], *rows]


@pytest.mark.parametrize(
    ("stated", "rule"),
    [
        ({"delimiter": ";;"}, "must be one character"),
        ({"delimiter": " "}, "must be one character"),
        ({"delimiter": "a"}, "must be one character"),
        ({"encoding": "klingon"}, "must be an encoding of text"),
        ({"encoding": "rot13"}, "must be an encoding of text"),
        ({"decimal": ";"}, 'must be "." or ","'),
        ({"dates": "DD/MM"}, "must be YYYY, MM and DD in any order"),
        ({"dates": "DD/MM-YYYY"}, "must be YYYY, MM and DD in any order"),
        ({"dates": "DD/MM/DD"}, "must be YYYY, MM and DD in any order"),
        ({"decimals": ","}, "do you mean 'decimal'"),
    ],
)
def test_what_cannot_be_stated_is_refused_with_its_rule(tmp_path: Path, stated: dict[str, str], rule: str) -> None:
    said = refusal_of(tmp_path, "pattern_id,x,expected\n1,a,b\n", **stated)
    assert f"column 'table.{next(iter(stated))}'" in said
    assert rule in said


@pytest.mark.parametrize("way", [way for way in WAYS if not way.endswith("csv")])
def test_a_delimiter_is_stated_of_csv_alone(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(["a"]), delimiter=";")
    assert "column 'table.delimiter'" in said
    assert "has no meaning for" in said


@pytest.mark.parametrize("way", [way for way in WAYS if way.endswith(("parquet", "inline"))])
def test_an_encoding_is_stated_of_files_of_text_alone(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(["a"]), encoding="latin-1")
    assert "column 'table.encoding'" in said
    assert "has no meaning for" in said
