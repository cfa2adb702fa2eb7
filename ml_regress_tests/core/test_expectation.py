from typing import Any

import pytest

from ml_regress.core.expectation import Expectation, parse_expectation


def parsed(
    name: str, text: str, answer_type: str = "text", output: str = "answer", tolerance: str | None = None
) -> Expectation:
    return parse_expectation(name, text, output=output, tolerance=tolerance, answer_type=answer_type)


@pytest.mark.parametrize(
    ("name", "text", "answer_type", "value"),
    [
        ("equals", "01", "text", "01"),
        ("equals", "01", "integer", 1),
        ("equals", "TRUE", "boolean", True),
        ("equals", "NA", "text", "NA"),
        ("one_of", "[1, 2]", "integer", (1, 2)),
        ("one_of", '["no", "yes"]', "text", ("no", "yes")),
        ("one_of", "[true]", "text", ("true",)),
        ("between", "[1, 5.5]", "number", (1.0, 5.5)),
        ("greater_than", "3", "integer", 3.0),
        ("contains", "ca", "text", "ca"),
        ("matches", "^ca.$", "text", "^ca.$"),
        ("same_as", "p-1", "text", "p-1"),
        ("higher_than", "p-1", "number", "p-1"),
    ],
)
def test_the_value_is_typed_by_kind_and_answer(name: str, text: str, answer_type: str, value: Any) -> None:
    found = parsed(name, text, answer_type).value
    assert found == value and type(found) is type(value)


def test_not_before_a_kind_negates_it() -> None:
    wanted = parsed("not_equals", "8", "integer")
    assert (wanted.kind, wanted.negated, wanted.name) == ("equals", True, "not_equals")
    assert wanted.words == "answer not equals 8"


def test_a_score_is_a_number_whatever_the_answer_is() -> None:
    assert parsed("greater_than", "0.5", "text", output="score:cat").value == 0.5
    assert parsed("equals", "0.5", "text", output="score:cat").value == 0.5


def test_close_to_has_a_tolerance_of_its_own() -> None:
    assert parsed("close_to", "2", "number").tolerance == 1e-6
    assert parsed("close_to", "2", "number", tolerance="0.5").tolerance == 0.5
    assert parsed("close_to", "2", "number", tolerance="0").tolerance == 0.0


@pytest.mark.parametrize(
    ("name", "text", "answer_type", "tolerance", "rule"),
    [
        ("is", "1", "text", None, "expectation must be one of"),
        ("equals", "x", "integer", None, "finite number"),
        ("equals", "1.5", "integer", None, "whole number"),
        ("greater_than", "1", "text", None, "compares numbers"),
        ("higher_than", "p", "boolean", None, "compares numbers"),
        ("equals", "1", "number", "0.1", "belongs to close_to"),
        ("close_to", "1", "number", "-1", "at least 0"),
        ("matches", "(", "text", None, "regular expression"),
        ("one_of", "cat", "text", None, "JSON list"),
        ("one_of", "[]", "text", None, "JSON list"),
        ("one_of", "[null]", "text", None, "JSON list"),
        ("one_of", "[NaN]", "text", None, "JSON list"),
        ("between", "[5, 1]", "number", None, "low at most high"),
        ("between", "[1]", "number", None, "JSON list"),
    ],
)
def test_a_broken_rule_is_named(name: str, text: str, answer_type: str, tolerance: str | None, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        parsed(name, text, answer_type, tolerance=tolerance)


def test_an_expectation_needs_an_output() -> None:
    with pytest.raises(ValueError, match="output must be"):
        parsed("equals", "1", output="")


@pytest.mark.parametrize("name", ["equals", "one_of", "between", "close_to"])
def test_an_expectation_comes_back_from_its_plain_data(name: str) -> None:
    text = {"one_of": "[1, 2]", "between": "[1, 2]"}.get(name, "1")
    wanted = parsed(name, text, "number")
    assert Expectation.from_dict(wanted.as_dict()) == wanted


def test_words_say_what_is_expected() -> None:
    assert parsed("between", "[1, 2]", "number").words == "answer between 1.0 and 2.0"
    assert parsed("one_of", '["a", "b"]').words == "answer one of a, b"
    assert parsed("close_to", "2", "number", tolerance="0.5").words == "answer close to 2.0 (within 0.5)"
