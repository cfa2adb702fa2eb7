"""Schemas: every fault of a frame at once, in plain words, by row."""

import pandas as pd
import pytest

from ml_regress.core.pattern_fields import FIELDS, input_column
from ml_regress.core.problem import Problem
from ml_regress.errors import InvalidInput
from ml_regress.intake.problems import parse_problem
from ml_regress.schemas import CELLS, OUTCOMES, PREDICTIONS, STORED_PATTERNS, pattern_table, validated


def problem(**given: object) -> Problem:
    return parse_problem({"id": "p", "title": "T", "inputs": {"x": "number"}, **given}, "p.yaml")


def table(*rows: dict[str, str | None], **more: str) -> pd.DataFrame:
    names = [*FIELDS, "x"]
    filled = [{"pattern_id": f"a{place}", "x": "1", "expected": "1", **more, **row} for place, row in enumerate(rows)]
    return pd.DataFrame([{name: row.get(name) for name in names} for row in filled], columns=names, dtype=object)


def faults(frame: pd.DataFrame, of: Problem, known: frozenset[str] = frozenset()) -> list[str]:
    try:
        validated(pattern_table(of, known=known), frame, "t.csv")
    except InvalidInput as refused:
        return [str(fault) for fault in refused.faults]
    return []


def only_rule(of: Problem, **row: str) -> str:
    (said,) = faults(table(row), of)
    return said


def test_all_faults_are_reported_by_row_and_then_by_column() -> None:
    frame = table({"x": "one", "pattern_id": ""}, {}, {"x": "", "polarity": "neutral", "canary": "yes"})
    assert faults(frame, problem()) == [
        "t.csv, row 1, column 'pattern_id': '': is blank; every pattern needs an id",
        "t.csv, row 1, column 'x': 'one': must be a finite number",
        "t.csv, row 3, column 'polarity': 'neutral': must be one of positive, negative",
        "t.csv, row 3, column 'canary': 'yes': must be true or false",
        "t.csv, row 3, column 'x': '': is missing, and the input type is not optional ('?')",
    ]


def test_a_missing_field_is_named() -> None:
    frame = table({}).drop(columns="note")
    said = faults(frame, problem())
    assert "t.csv, column 'note': the column is missing" in said


def test_an_empty_table_keeps_the_schema() -> None:
    assert faults(table({}).iloc[:0], problem()) == []


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"pattern_id": "a|b"}, "an id starts with a letter or digit"),
        ({"pattern_id": ".."}, "an id starts with a letter or digit"),
        ({"origin": "mars"}, "must be one of production, contrived, outlier, rating, import"),
        ({"status": "on"}, "must be one of proposed, active, retired"),
        ({"selected_on": "c1 c|2"}, "must be ids of candidates, separated by spaces"),
        ({"selected_on": '["c1", 2]'}, "must be ids of candidates"),
        ({"selected_on": "[c1"}, "must be ids of candidates"),
        ({"twin": "zz"}, "must be the id of another pattern of this problem"),
        ({"twin": "a0"}, "must be the id of another pattern of this problem"),
        ({"parent": "a0"}, "must be the id of another pattern of this problem"),
        ({"expectation": "equal"}, "must be one of equals, close_to"),
        ({"expectation": "between"}, "between takes a JSON list such as [1, 5]"),
        ({"expectation": "between", "expected": "[5, 1]"}, "low at most high"),
        ({"expectation": "one_of"}, "one_of takes a JSON list"),
        ({"expectation": "matches", "expected": "("}, "must be a regular expression"),
        ({"expectation": "close_to", "expected": "x"}, "must be a finite number"),
        ({"expectation": "close_to", "tolerance": "-1"}, "column 'tolerance': '-1': must be a number of at least 0"),
        ({"tolerance": "1"}, "column 'tolerance': '1': belongs to close_to"),
        ({"expectation": "same_as", "expected": "zz"}, "must be the id of another pattern of this problem"),
        ({"expectation": "not_higher_than", "expected": "a0"}, "must be the id of another pattern of this problem"),
        ({"expected": "one"}, "must be a finite number"),
        ({"expected": "9"}, "is none of the labels 1, 8"),
        ({"expectation": "not_one_of", "expected": "[1, 9]"}, "is none of the labels 1, 8"),
        ({"output": "score:9", "expectation": "less_than"}, "names the score of no label; the labels are 1, 8"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_refused_with_that_rule_alone(row: dict[str, str], rule: str) -> None:
    assert rule in only_rule(problem(answer="integer", labels=["1", "8"]), **row)


def test_kinds_that_compare_numbers_need_answers_that_are_numbers() -> None:
    assert "compares numbers, but answers of this problem are text" in only_rule(problem(), expectation="greater_than")
    assert faults(table({"expectation": "greater_than", "output": "score:8"}), problem()) == []


def test_patterns_of_the_same_table_and_known_ones_may_be_named() -> None:
    frame = table({"twin": "a1", "expectation": "same_as", "expected": "a1"}, {"parent": "old", "twin": "a0"})
    assert faults(frame, problem(), frozenset({"old"})) == []
    assert len(faults(frame, problem())) == 1


def test_a_family_that_has_no_first_pattern_is_refused() -> None:
    frame = table({"parent": "a1"}, {"parent": "a2"}, {"parent": "a1"}, {})
    said = faults(frame, problem())
    assert [line.split(",")[1] for line in said] == [" row 2", " row 3"]
    assert "leads back to the pattern itself" in said[0]


def test_an_input_named_like_a_field_has_a_column_of_its_own() -> None:
    assert (input_column("origin"), input_column("x"), input_column("inputs.x")) == (
        "inputs.origin",
        "x",
        "inputs.inputs.x",
    )


def test_a_large_table_is_checked_in_a_moment() -> None:
    of = problem(inputs={"x": "number"})
    frame = table(*({"pattern_id": f"p{place}"} for place in range(5000)))
    assert faults(frame, of) == []


# -- guards ----------------------------------------------------------------------------------------


def test_an_outcome_is_one_of_three_and_an_error_carries_its_reason() -> None:
    sound = pd.DataFrame({"pattern": ["a", "b"], "outcome": ["passed", "error"], "reason": [None, "raised"]})
    assert len(validated(OUTCOMES, sound, "outcomes")) == 2
    with pytest.raises(InvalidInput, match="row 1, column 'outcome': 'ok': must be one of passed, failed, error"):
        validated(OUTCOMES, sound.assign(outcome=["ok", "error"]), "outcomes")
    with pytest.raises(InvalidInput, match="row 2, column 'reason': an error carries its reason"):
        validated(OUTCOMES, sound.assign(reason=[None, None]), "outcomes")
    with pytest.raises(InvalidInput, match="column 'pattern'"):
        validated(OUTCOMES, sound.assign(pattern=["a", "a"]), "outcomes")


def test_a_prediction_is_an_answer_or_an_error() -> None:
    frame = pd.DataFrame({"answer": [1, None], "outputs": [None, None], "error": [None, "raised"]}, index=["d1", "d2"])
    assert len(validated(PREDICTIONS, frame, "predictions")) == 2
    with pytest.raises(InvalidInput, match="row 2, column 'error': 'raised': an error comes without an answer"):
        validated(PREDICTIONS, frame.assign(answer=[1, 2]), "predictions")
    assert validated(PREDICTIONS, frame.iloc[:0], "predictions").empty


def test_a_cell_passes_at_most_what_it_answered() -> None:
    frame = pd.DataFrame(
        {
            "candidate": ["c", "c"],
            "problem": ["p", "q"],
            "state": ["ok", "error"],
            "passes": [3, None],
            "answered": [3, 0],
            "errors": [0, 0],
        }
    )
    assert len(validated(CELLS, frame, "cells")) == 2
    with pytest.raises(InvalidInput, match=r"row 1, column 'passes': .*: cannot be more than the patterns answered"):
        validated(CELLS, frame.assign(passes=[4, None]), "cells")
    with pytest.raises(InvalidInput, match="row 2, column 'problem': 'p': is there twice for one candidate"):
        validated(CELLS, frame.assign(problem=["p", "p"]), "cells")
    with pytest.raises(InvalidInput, match="row 2, column 'errors': '-1': must be at least 0"):
        validated(CELLS, frame.assign(errors=[0, -1]), "cells")


def test_stored_patterns_need_their_columns() -> None:
    with pytest.raises(InvalidInput, match="column 'expected': the column is missing"):
        validated(STORED_PATTERNS, pd.DataFrame({"problem": ["p"], "id": ["a"]}), "table patterns")
