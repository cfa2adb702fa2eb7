"""Tables of failures: types that are found by strict rules, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from ml_regress.core.inputs import parse_input_types
from ml_regress.core.problem import Problem
from ml_regress.errors import InvalidInput
from ml_regress.intake.failures import AnsweredTable, Reading, read_failures
from ml_regress.intake.reading import TableFormat


def read(tmp_path: Path, text: str, *known: Problem, name: str = "f.csv", **reading: Any) -> AnsweredTable:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_failures(path, known, Reading(**reading))


def refusal(tmp_path: Path, text: str, *known: Problem, **reading: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, text, *known, **reading)
    return str(refused.value).replace(f"{tmp_path}/", "")


def column(tmp_path: Path, *cells: str, **reading: Any) -> AnsweredTable:
    """A table with the column `x` of these cells beside a column that tells rows apart."""
    lines = [f't{n},"{cell}",a,b' for n, cell in enumerate(cells)]
    return read(tmp_path, "\n".join(["n,x,expected,predicted", *lines, ""]), **reading)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (("1", "-2", "30"), "integer"),
        (("1", "", "30"), "integer?"),
        (("1", "2.5", "30"), "number"),
        (("1.0", "2.0"), "number"),
        (("1,5", "2,25"), "number"),
        (("1e-05", "0.5"), "number"),
        (("true", "False"), "boolean"),
        (("1", "0"), "integer"),
        (("2026-06-14", "2026-07-01"), "date"),
        (("14.06.2026", "01.07.2026"), "date"),
        (("007", "12"), "text"),
        (("+49301", "49302"), "text"),
        (("1E5", "2E5"), "text"),
        (("1-2", "3-4"), "text"),
        (("NA", "None"), "text"),
        (("money back", ""), "text"),
        (("12a", "12", "b"), "text"),
        (("9223372036854775808", "1"), "text"),
        (("2026-06-14 10:15", "2026-06-14 10:16"), "text"),
    ],
)
def test_the_whole_column_decides_its_type(tmp_path: Path, cells: tuple[str, ...], found: str) -> None:
    assert column(tmp_path, *cells).types.as_dict() == {"n": "text", "x": found}


def test_values_are_those_that_a_problem_would_read(tmp_path: Path) -> None:
    table = read(tmp_path, "zip;amount;day;expected;predicted\n007;1,5;14.06.2026;a;b\n12;2,25;01.07.2026;a;b\n")
    assert sorted([dict(row.inputs) for row in table.rows], key=lambda row: row["zip"]) == [
        {"zip": "007", "amount": 1.5, "day": "2026-06-14"},
        {"zip": "12", "amount": 2.25, "day": "2026-07-01"},
    ]
    assert any("comma" in note for note in table.notes)
    assert any("DD.MM.YYYY" in note for note in table.notes)


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        (("1", "2", "n/a"), "f.csv, row 3, column 'x': 'n/a': is no number, though 2 of 3 cells"),
        (("2026-06-14", "2026-06-15", "soon"), "row 3, column 'x': 'soon': is no date"),
        (("true", "false", "maybe"), "is no boolean"),
        (("", ""), "column 'x': is blank in every row"),
        (("1,234", "5,678"), "1.234 with a decimal comma, or 1234 with a thousands separator"),
        (("03/04/2026", "05/06/2026"), "no other row decides"),
    ],
)
def test_what_the_cells_leave_open_is_refused(tmp_path: Path, cells: tuple[str, ...], rule: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        column(tmp_path, *cells)
    assert rule in str(refused.value).replace(f"{tmp_path}/", "")


def test_what_is_left_open_can_be_stated(tmp_path: Path) -> None:
    assert column(tmp_path, "1", "2", "n/a", inputs={"x": "text"}).types.as_dict()["x"] == "text"
    assert (
        column(tmp_path, "03/04/2026", "05/06/2026", form=TableFormat(dates="DD/MM/YYYY")).types.as_dict()["x"]
        == "date"
    )
    assert column(tmp_path, "", "", inputs={"x": "text?"}).rows[0].inputs["x"] is None
    with pytest.raises(InvalidInput, match=r"command line.*--input.*no input type"):
        column(tmp_path, "1", inputs={"x": "nmber"})


def test_columns_of_an_image_can_be_stated_as_one(tmp_path: Path) -> None:
    text = "p0,p1,expected,predicted\n0,1,a,b\n1,0,a,a\n"
    table = read(tmp_path, text, inputs={"picture": "image(1, 2, p{index}, 0..1)"})
    assert table.types.as_dict() == {"picture": "image(1, 2, p{index}, 0..1)"}
    assert "column 'p9': the column is missing, though its type is stated" in refusal(
        tmp_path, text, inputs={"picture": "image(1, 10, p{index})"}
    )


def test_in_json_a_text_is_a_text_whatever_it_looks_like(tmp_path: Path) -> None:
    rows = [
        {"zip": "12", "n": 1e5, "b": True, "expected": "a", "predicted": "b"},
        {"zip": "34", "n": 2, "b": None, "expected": "a", "predicted": "a"},
    ]
    table = read(tmp_path, "\n".join(map(json.dumps, rows)), name="f.jsonl")
    assert table.types.as_dict() == {"zip": "text", "n": "number", "b": "boolean?"}


@pytest.mark.parametrize(
    ("expected", "predicted", "answer", "right"),
    [
        ("1", "1.0", "integer", True),
        ("3.0", "4", "integer", False),
        ("true", "1", "boolean", True),
        ("False", "True", "boolean", False),
        ("007", "7", "text", False),
        ("cat", "Cat", "text", False),
        ("2026-06-14", "2026-06-14", "text", True),
    ],
)
def test_answers_are_compared_in_the_one_type_that_all_of_them_have(
    tmp_path: Path, expected: str, predicted: str, answer: str, right: bool
) -> None:
    table = read(tmp_path, f"x,expected,predicted\nu,{expected},{predicted}\n")
    assert (table.answer_type, table.rows[0].right) == (answer, right)


def test_numbers_need_a_tolerance_and_are_held_close_to_it(tmp_path: Path) -> None:
    text = "x,expected,predicted\nu,1.0,1.1\nv,2.5,2.7\n"
    assert "--tolerance" in refusal(tmp_path, text)
    table = read(tmp_path, text, tolerance=0.1)
    assert {row.inputs["x"]: row.right for row in table.rows} == {"u": True, "v": False}
    assert {row.expectation.words for row in table.rows} == {
        "answer close to 1.0 (within 0.1)", "answer close to 2.5 (within 0.1)",
    }  # fmt: skip
    assert "has no meaning: answers are text" in refusal(tmp_path, "x,expected,predicted\nu,a,b\n", tolerance=1.0)


def test_one_answer_of_another_kind_is_refused_and_can_be_stated_to_be_wrong(tmp_path: Path) -> None:
    text = "x,expected,predicted\nu,1,2\nv,3,oops\n"
    assert "f.csv, row 2, column 'predicted': 'oops': is no number" in refusal(tmp_path, text)
    table = read(tmp_path, text, answer="integer")
    assert [(row.typed, row.right) for row in sorted(table.rows, key=lambda row: row.row)] == [
        (2, False),
        (None, False),
    ]


def test_blank_answers_are_refused_with_their_rows(tmp_path: Path) -> None:
    said = refusal(tmp_path, "x,expected,predicted\nu,,b\nv,a, \nw,a,b\n")
    assert "f.csv, row 1, column 'expected': is blank" in said
    assert "f.csv, row 2, column 'predicted': is blank" in said


def test_columns_can_have_other_names_and_a_missing_one_is_named(tmp_path: Path) -> None:
    text = "x,truth,model,ticket\nu,a,b,T/1\n"
    table = read(tmp_path, text, expected="truth", predicted="model", key="ticket")
    assert (table.types.names, table.rows[0].id, table.rows[0].key) == (("x",), "T-1", "T/1")
    said = refusal(tmp_path, text, predicted="modell")
    assert "column 'expected': the column is missing; name it with --expected" in said
    assert "do you mean 'model'?" in said
    assert "named for two things" in refusal(tmp_path, text, expected="model", predicted="model")
    assert "no column with inputs" in refusal(tmp_path, "expected,predicted\na,b\n")


def test_equal_inputs_are_kept_once_as_the_failure_if_there_is_one(tmp_path: Path) -> None:
    table = read(tmp_path, "x,n,expected,predicted\nu,1,a,a\nu,1.0,a,b\nv,2,a,a\nv,2,a,a\n")
    assert sorted((row.inputs["x"], row.right) for row in table.rows) == [("u", False), ("v", True)]
    assert any("2 rows had the inputs of another row" in note for note in table.notes)


def test_equal_inputs_that_expect_different_answers_are_refused_with_both_rows(tmp_path: Path) -> None:
    said = refusal(tmp_path, "x,expected,predicted\nu,a,b\nv,a,b\nu,b,b\n")
    assert "f.csv, row 3, column 'expected': 'b': has the inputs of row 1, which expects 'a'" in said


def test_keys_become_ids_and_those_that_meet_are_kept_apart(tmp_path: Path) -> None:
    rows = ["id,x,expected,predicted", "T/1,u,a,b", "T 1,v,a,b", "t-1,w,a,b", "007,y,a,b", "///,z,a,b"]
    table = read(tmp_path, "\n".join(rows))
    ids = {row.key: row.id for row in table.rows}
    assert ids["007"] == "007"
    assert ids["///"] == "row-5"
    apart = [ids["T/1"], ids["T 1"], ids["t-1"]]
    assert len({each.casefold() for each in apart}) == 3
    assert {each[:4].casefold() for each in apart} == {"t-1-"}
    again = read(tmp_path, "\n".join([rows[0], *rows[:0:-1]]))
    assert {row.key: row.id for row in again.rows if row.key != "///"} | {"///": "row-5"} == ids


def test_a_key_that_is_blank_or_there_twice_is_refused(tmp_path: Path) -> None:
    assert "row 2, column 'id': is blank" in refusal(tmp_path, "id,x,expected,predicted\n1,u,a,b\n,v,a,b\n")
    said = refusal(tmp_path, "id,x,expected,predicted\n1,u,a,b\n1,v,a,b\n")
    assert "row 2, column 'id': '1': is the key of row 1, too" in said
    assert len(read(tmp_path, "id,x,expected,predicted\n1,u,a,b\n1,u,a,b\n").rows) == 1


def test_without_a_key_the_row_is_the_id(tmp_path: Path) -> None:
    assert {row.id for row in read(tmp_path, "x,expected,predicted\nu,a,b\nv,a,b\n").rows} == {"row-1", "row-2"}


def zips(name: str, kind: str = "text", labels: tuple[str, ...] = ("a", "b")) -> Problem:
    return Problem(name, "Zips", parse_input_types({"zip": kind, "n": "number?"}), labels=labels)


ZIPS = "n,zip,expected,predicted\n,12,a,b\n"


def test_types_and_labels_are_those_of_a_problem_with_the_same_inputs(tmp_path: Path) -> None:
    table = read(tmp_path, ZIPS, zips("known"))
    assert table.types.as_dict() == {"zip": "text", "n": "number?"}
    assert table.labels == ("a", "b")
    assert table.rows[0].inputs == {"zip": "12", "n": None}
    assert any("'known'" in note for note in table.notes)
    said = refusal(tmp_path, ZIPS.replace(",a,b", ",c,b"), zips("known"))
    assert "f.csv, row 1, column 'expected': 'c': is none of the labels a, b" in said
    assert "row 1, column 'zip': 'x': must be a whole number" in refusal(
        tmp_path, ZIPS.replace("12", "x"), zips("known", "integer")
    )


def test_problems_that_type_the_same_inputs_differently_are_named_and_one_can_be_chosen(tmp_path: Path) -> None:
    known = (zips("as-text"), zips("as-number", "integer"))
    assert "as-text, as-number, which type them differently; say --like ID" in refusal(tmp_path, ZIPS, *known)
    assert read(tmp_path, ZIPS, *known, like="as-number").rows[0].inputs["zip"] == 12
    assert "has not the inputs of 'other'" in refusal(tmp_path, ZIPS, *known, like="other")
    assert "states all types already" in refusal(tmp_path, ZIPS, *known, like="as-text", answer="text")


def test_rows_come_in_an_order_of_their_own_content(tmp_path: Path) -> None:
    lines = [f"{n % 7},t{n},a,{'ab'[n % 2]}" for n in range(40)]
    header = "n,x,expected,predicted"
    tables = [read(tmp_path, "\n".join([header, *order])) for order in (lines, lines[::-1], lines[20:] + lines[:20])]
    first, *others = [[(dict(row.inputs), row.right) for row in table.rows] for table in tables]
    assert others == [first, first]
