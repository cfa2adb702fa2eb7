"""Problem files: typed, checked together with their patterns, and written back without loss."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_regress.core.expectation import Expectation
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Requirement
from ml_regress.errors import InvalidInput
from ml_regress.intake.problems import (
    ProblemFile,
    parse_patterns,
    parse_problem,
    read_problem,
    table_of_patterns,
    table_of_stored,
)

TEXT_PROBLEM = "id: p\ntitle: T\ninputs: {input: text}\n"
LABELLED = TEXT_PROBLEM + "labels: [a, b, c]\n"


def read(folder: Path, yaml: str, table: str | None = None, name: str = "p.csv") -> ProblemFile:
    (folder / "p.yaml").write_text(yaml, encoding="utf-8")
    if table is not None:
        (folder / name).write_bytes(table.encode())
    return read_problem(folder / "p.yaml")


def faults(folder: Path, yaml: str, table: str | None = None, name: str = "p.csv") -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(folder, yaml, table, name)
    return [str(fault).replace(str(folder) + "/", "") for fault in caught.value.faults]


def expected_values(file: ProblemFile) -> dict[str, Any]:
    return {pattern.id: pattern.expectation.value for pattern in file.patterns}


# -- the YAML file ---------------------------------------------------------------------------------


def test_a_problem_is_read_with_all_it_declares(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "table.csv").write_text("pattern_id,p0,p1,expected\na,0,16,08\n")
    file = read(
        tmp_path,
        "id: one-or-eight\ntitle: 1 or 8\ndescription: d\nowner: team\nseverity: high\nreported_by: someone\n"
        "reported_at: 2026-06-14\nstate: watched\ninputs:\n  image: image(1, 2, p{index}, 0..16)\n  size: number?\n"
        "answer: integer\nlabels: [1, 8]\npositive_label: 8\nmetric: f1\n"
        "requirement: {at_least: 1, metric_at_least: 0.9, canaries: none, max_regressions: 0}\n"
        "patterns: sub/table.csv\n",
    )
    problem = file.problem
    assert (problem.labels, problem.positive_label, problem.metric) == ((1, 8), 8, "f1")
    assert problem.requirement == Requirement(1, 0.9, None, False, 0)
    assert (problem.severity, problem.state, problem.reported_at) == ("high", "watched", "2026-06-14")
    assert file.patterns[0].inputs == {"p0": 0.0, "p1": 16.0, "size": None}
    assert expected_values(file) == {"a": 8}
    assert file.files == (tmp_path / "p.yaml", tmp_path / "sub" / "table.csv")


def test_missing_keys_are_named(tmp_path: Path) -> None:
    said = faults(tmp_path, "owner: x\npatterns: []\n")
    assert [line.split(":")[0] for line in said] == [
        "p.yaml, column 'id'",
        "p.yaml, column 'title'",
        "p.yaml, column 'inputs'",
    ]


def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path) -> None:
    said = faults(tmp_path, TEXT_PROBLEM + "severty: high\nrequirement: {at_leest: 3}\npatterns: []\n")
    assert "column 'severty': is not known; do you mean 'severity'?" in said[0]
    assert "column 'requirement.at_leest': is not known; do you mean 'at_least'?" in said[1]


def test_faults_of_the_yaml_and_of_the_table_come_together(tmp_path: Path) -> None:
    said = faults(tmp_path, LABELLED + "severity: huge\n", "pattern_id,input,expected\n1,x,z\n")
    assert said == [
        "p.yaml, column 'severity': 'huge': must be one of low, medium, high, critical",
        "p.csv, row 1, column 'expected': 'z': is none of the labels a, b, c",
    ]


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("labels: [a, a]", "labels': 'a': is there twice"),
        ("answer: integer\nlabels: [1, 1.0]", "is there twice"),
        ("answer: integer\nlabels: [one]", "labels': 'one': must be a finite number (answers are integer)"),
        ("labels: a", "labels': must be a list"),
        ("labels: [a, b]\npositive_label: c", "positive_label': 'c': must be one of the labels"),
        ("metric: f1", "metric': 'f1': needs `positive_label`"),
        ("metric: mae", "metric': 'mae': compares numbers, but answers are text"),
        ("metric: accurate", "must be one of pass_rate, accuracy"),
        ("metric: 'scorer:'", "must name its entry point"),
        ("answer: word", "answer': 'word': must be one of text, integer, number, boolean"),
        ("reported_at: 14.06.2026", "reported_at': '14.06.2026': must be a date written YYYY-MM-DD"),
        ("requirement: {at_least: -1}", "requirement.at_least': '-1': must be a whole number of at least 0"),
        ("requirement: {at_least: some}", "must be a whole number of at least 0"),
        ("requirement: {metric_at_least: 90}", "must be between 0 and 1, as pass_rate is"),
        ("requirement: {metric_at_least: 0.9, metric_at_most: 0.8}", "must not be above metric_at_most"),
        ("answer: number\nmetric: mae\nrequirement: {metric_at_most: -1}", "must be at least 0, as mae is"),
        ("requirement: {canaries: some}", "must be one of all, true, none, false"),
        ("requirement: 10", "must be a mapping with at_least"),
        ("title2: x\ndescription: [a]", "description': must be a text"),
    ],
)
def test_a_faulty_key_is_refused_with_its_rule(tmp_path: Path, lines: str, rule: str) -> None:
    assert rule in "\n".join(faults(tmp_path, TEXT_PROBLEM + lines + "\npatterns: []\n"))


def test_every_faulty_input_is_named(tmp_path: Path) -> None:
    said = faults(tmp_path, "id: p\ntitle: T\ninputs: {a: numbr, b: text, c: [x]}\npatterns: []\n")
    assert "column 'inputs.a'" in said[0] and "is no input type" in said[0]
    assert "column 'inputs.c'" in said[1]
    assert (
        "twice"
        in faults(tmp_path, "id: p\ntitle: T\ninputs:\n  p0: text\n  i: image(1, 2, p{index})\npatterns: []\n")[0]
    )


@pytest.mark.parametrize("name", ["a|b", "..", "team/a", "small, fast", "naïve", " p ", "a\\nb"])
def test_an_id_that_breaks_a_partition_or_a_file_is_refused(tmp_path: Path, name: str) -> None:
    said = faults(tmp_path, f'id: "{name}"\ntitle: T\ninputs: {{input: text}}\n', "pattern_id,input,expected\n1,x,a\n")
    assert "column 'id'" in said[0] and "an id starts with a letter or digit" in said[0]


def test_a_problem_without_patterns_needs_to_say_so(tmp_path: Path) -> None:
    assert "no p.csv, .jsonl or .parquet stands beside" in faults(tmp_path, TEXT_PROBLEM)[0]
    assert "holds no pattern" in faults(tmp_path, TEXT_PROBLEM, "", "p.jsonl")[0]
    (tmp_path / "p.jsonl").unlink()
    file = read(tmp_path, TEXT_PROBLEM, "pattern_id,input,expected\n")
    assert file.patterns == () and "0 patterns" in file.notes[0]
    assert read(tmp_path, TEXT_PROBLEM + "patterns: []\n").patterns == ()


def test_two_tables_beside_the_file_are_no_guess(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text("{}\n")
    assert "p.csv, p.jsonl could all be" in faults(tmp_path, TEXT_PROBLEM, "pattern_id,input,expected\n")[0]


def test_a_requirement_that_the_patterns_cannot_meet_is_said(tmp_path: Path) -> None:
    file = read(tmp_path, TEXT_PROBLEM + "requirement: {at_least: 3}\n", "pattern_id,input,expected\n1,x,a\n")
    assert "1 active patterns, but the requirement asks for 3 passes" in file.notes[0]


def test_a_row_of_the_store_is_parsed_like_a_file() -> None:
    row = {
        "id": "p",
        "title": "T",
        "description": "",
        "reported_at": "",
        "inputs": {"x": "number"},
        "answer": "boolean",
        "labels": [True, False],
        "positive_label": None,
        "requirement": {"at_least": 10, "canaries": True, "max_regressions": None},
    }
    problem = parse_problem(row, "table problems")
    assert problem.labels == (True, False) and problem.requirement == Requirement(at_least=10)
    with pytest.raises(InvalidInput, match="table problems, column 'state': 'shut'"):
        parse_problem({**row, "state": "shut"}, "table problems")


# -- tables that people really brought --------------------------------------------------------------


def test_ids_that_differ_only_by_case_are_refused_naming_both(tmp_path: Path) -> None:
    said = faults(tmp_path, LABELLED, "pattern_id,input,expected\nv1,x,a\nV1,y,b\n")
    assert "row 2, column 'pattern_id': 'V1': differs only by case from 'v1' of row 1" in said[0]
    problem = read(tmp_path, LABELLED, "pattern_id,input,expected\nv1,x,a\n").problem
    table = pd.DataFrame({"pattern_id": ["v1"], "input": ["x"], "expected": ["a"]}, dtype=object)
    assert parse_patterns(problem, table, "t", frozenset({"v1"}))[0].id == "v1"
    with pytest.raises(InvalidInput, match="'V1', which the problem has already"):
        parse_patterns(problem, table, "t", frozenset({"V1"}))


def test_01_is_1_only_for_integer_labels(tmp_path: Path) -> None:
    table = "pattern_id,input,expected\na,x,1\nb,x,01\n"
    assert expected_values(read(tmp_path, TEXT_PROBLEM + "answer: integer\nlabels: [0, 1]\n", table)) == {
        "a": 1,
        "b": 1,
    }
    said = faults(tmp_path, TEXT_PROBLEM + "labels: [0, 1]\n", table)
    assert said == ["p.csv, row 2, column 'expected': '01': is none of the labels 0, 1"]


def test_the_order_of_columns_changes_nothing(tmp_path: Path) -> None:
    yaml = "id: p\ntitle: T\ninputs: {a: integer, b: integer}\n"
    one = read(tmp_path, yaml, "pattern_id,a,b,expected\n1,0,5,0\n2,1,6,1\n")
    other = read(tmp_path, yaml, "b,pattern_id,expected,a\n5,1,0,0\n6,2,1,1\n")
    assert one.patterns == other.patterns
    assert list(other.patterns[0].inputs or {}) == ["a", "b"]


# -- columns ---------------------------------------------------------------------------------------


def test_missing_and_unknown_columns_are_named(tmp_path: Path) -> None:
    yaml = "id: p\ntitle: T\ninputs: {amount: number, size: number}\n"
    said = faults(tmp_path, yaml, "pattern_id,amount,polarty\n1,5,x\n")
    assert "column 'polarty': the column is not known; do you mean 'polarity'?" in said[0]
    assert said[1] == "p.csv, column 'expected': the column is missing"
    assert said[2] == "p.csv, column 'size': the table misses inputs of the problem: size"


def test_an_input_that_is_called_like_a_field_is_written_in_full(tmp_path: Path) -> None:
    yaml = "id: p\ntitle: T\ninputs: {origin: text, x: number}\n"
    file = read(tmp_path, yaml, "pattern_id,inputs.origin,inputs.x,origin,expected\n1,Rome,2,contrived,a\n")
    assert file.patterns[0].inputs == {"origin": "Rome", "x": 2.0}
    assert file.patterns[0].origin == "contrived"
    said = faults(tmp_path, yaml, "pattern_id,inputs.origin,inputs.x,x,expected\n1,Rome,two,2,a\n")
    assert said == ["p.csv, column 'x': is the column 'x' a second time; keep one"]
    said = faults(tmp_path, yaml, "pattern_id,inputs.origin,inputs.x,expected\n1,Rome,two,a\n")
    assert said == ["p.csv, row 1, column 'inputs.x': 'two': must be a finite number"]


def test_patterns_without_input_columns_have_no_inputs(tmp_path: Path) -> None:
    assert read(tmp_path, LABELLED, "pattern_id,expected\n1,a\n").patterns[0].inputs is None


def test_patterns_with_and_without_inputs_can_stand_in_one_table(tmp_path: Path) -> None:
    file = read(tmp_path, LABELLED, "pattern_id,inputs,input,expected\n1,none,,a\n2,,,b\n")
    assert [pattern.inputs for pattern in file.patterns] == [None, {"input": ""}]
    said = faults(tmp_path, LABELLED, "pattern_id,inputs,input,expected\n1,none,x,a\n")
    assert "must be empty where `inputs` is none" in said[0]


def test_an_inline_table_and_json_lines_say_the_same_as_csv(tmp_path: Path) -> None:
    yaml = "id: p\ntitle: T\ninputs: {x: number}\nanswer: number\n"
    by_csv = read(
        tmp_path,
        yaml + "patterns: p.csv\n",
        'pattern_id,x,expected,expectation,selected_on,canary\n1,0.10,"[1, 5]",between,c1 c2,true\n',
    )
    inline = read(
        tmp_path,
        yaml
        + "patterns:\n- {pattern_id: 1, x: 0.10, expected: [1, 5], expectation: between, "
        "selected_on: [c1, c2], canary: yes}\n".replace("yes", "true"),
    )
    line = {"pattern_id": 1, "x": 0.1, "expected": [1, 5], "expectation": "between", "canary": True}
    lines = read(tmp_path, yaml + "patterns: p.jsonl\n", json.dumps({**line, "selected_on": ["c1", "c2"]}), "p.jsonl")
    assert by_csv.patterns == inline.patterns == lines.patterns
    assert by_csv.patterns[0].expectation == Expectation("between", (1.0, 5.0))
    assert by_csv.patterns[0].selected_on == ("c1", "c2") and by_csv.patterns[0].canary


def test_patterns_that_the_store_keeps_are_parsed_like_a_table() -> None:
    problem = parse_problem({"id": "p", "title": "T", "inputs": {"x": "number", "origin": "text?"}}, "t")
    row = {
        "problem": "p", "id": "a", "inputs": '{"x": 1e1, "origin": null}', "expected": "yes", "expectation": "equals",
        "output": "answer", "tolerance": None, "polarity": "positive", "origin": "contrived", "status": "active",
        "canary": False, "twin": "b", "parent": None, "selected_on": "", "note": "", "imported_digest": None,
    }  # fmt: skip
    frame = pd.DataFrame([row, {**row, "id": "b", "inputs": None, "canary": True, "twin": None}], dtype=object)
    found = parse_patterns(problem, table_of_stored(frame, problem, "table patterns"), "table patterns")
    assert [pattern.inputs for pattern in found] == [{"x": 10.0, "origin": None}, None]
    assert [pattern.canary for pattern in found] == [False, True] and found[0].origin == "contrived"
    for text, rule in (("[1]", "row 1, column 'inputs': '\\[1\\]': must be a JSON mapping"), ('{"y": 1}', "inputs.y")):
        with pytest.raises(InvalidInput, match=rule):
            frame.loc[0, "inputs"] = text
            parse_patterns(problem, table_of_stored(frame, problem, "table patterns"), "table patterns")


def test_a_stored_pattern_that_leaves_out_an_input_is_refused_with_its_row() -> None:
    problem = parse_problem({"id": "p", "title": "T", "inputs": {"x": "number", "y": "number"}}, "t")
    patterns = [Pattern("p", "a", {"x": 1.0, "y": 2.0}, Expectation("equals", "a"))]
    table = table_of_patterns(patterns, problem)
    table["y"] = pd.Series([None], dtype=object)
    with pytest.raises(InvalidInput, match="t, row 1, column 'y': is missing"):
        parse_patterns(problem, table, "t")
