import json
from dataclasses import replace
from typing import Any

import pytest

from ml_regress.core.digest import digest_of
from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern, freeze, key_digest, suite_from_content
from ml_regress.core.problem import Problem, Requirement

PROBLEM = Problem("shade", "Shade", parse_input_types({"x": "number"}), answer_type="integer", labels=(0, 1))
DARK = Pattern("shade", "dark", {"x": 0.25}, Expectation("equals", 1))
LIGHT = Pattern("shade", "light", {"x": 0.75}, Expectation("one_of", (0, 1)), twin="dark")


def digest_of_suite(*patterns: Pattern, problem: Problem = PROBLEM, scorer_version: str = "") -> str:
    return freeze(problem.measured_content(), problem.id, patterns, scorer_version).digest


def test_the_order_of_patterns_does_not_name_another_suite() -> None:
    assert digest_of_suite(DARK, LIGHT) == digest_of_suite(LIGHT, DARK)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"x": 0.5}},
        {"expectation": Expectation("equals", 0)},
        {"polarity": "negative"},
        {"canary": True},
        {"twin": "light"},
        {"status": "retired"},
        {"status": "proposed"},
        {"id": "darker"},
    ],
)
def test_what_is_measured_names_the_suite(change: dict[str, Any]) -> None:
    assert digest_of_suite(replace(DARK, **change), LIGHT) != digest_of_suite(DARK, LIGHT)


@pytest.mark.parametrize(
    "change", [{"note": "seen twice"}, {"origin": "rating"}, {"selected_on": ("model-1",)}, {"parent": "light"}]
)
def test_a_note_does_not_name_another_suite(change: dict[str, Any]) -> None:
    assert digest_of_suite(replace(DARK, **change), LIGHT) == digest_of_suite(DARK, LIGHT)


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "accuracy"},
        {"labels": (0, 1, 2)},
        {"positive_label": 1},
        {"inputs": parse_input_types({"x": "text"})},
    ],
)
def test_what_the_problem_measures_names_the_suite(change: dict[str, Any]) -> None:
    assert digest_of_suite(DARK, problem=replace(PROBLEM, **change)) != digest_of_suite(DARK)


@pytest.mark.parametrize(
    "change", [{"title": "Shades"}, {"owner": "eyes"}, {"requirement": Requirement(at_least=1)}, {"state": "watched"}]
)
def test_the_words_of_a_problem_do_not_name_another_suite(change: dict[str, Any]) -> None:
    assert digest_of_suite(DARK, problem=replace(PROBLEM, **change)) == digest_of_suite(DARK)


def test_another_version_of_the_scorer_is_another_suite() -> None:
    assert digest_of_suite(DARK, scorer_version="2") != digest_of_suite(DARK, scorer_version="1")


def test_a_suite_comes_back_from_the_text_of_its_content() -> None:
    suite = freeze(PROBLEM.measured_content(), "shade", [LIGHT, DARK], "")
    content = json.loads(json.dumps(suite.content))
    assert suite_from_content(suite.digest, "shade", content).patterns == suite.patterns
    assert [pattern.id for pattern in suite.patterns] == ["dark", "light"]


def test_patterns_that_ask_the_same_share_an_input_digest() -> None:
    assert DARK.input_digest == replace(DARK, problem="other", id="p").input_digest
    assert DARK.input_digest != LIGHT.input_digest


def test_a_pattern_without_inputs_is_asked_by_its_name() -> None:
    recorded = replace(DARK, inputs=None)
    assert recorded.input_digest == replace(recorded, expectation=Expectation("equals", 0)).input_digest
    assert recorded.input_digest != replace(recorded, id="other").input_digest
    assert recorded.input_digest != replace(recorded, problem="other").input_digest


@pytest.mark.parametrize(
    ("problem", "pattern"), [("a", "b"), ("sn_NP-S", 'with "quotes" \\ and é'), ("x", "line\nbreak")]
)
def test_the_digest_of_a_key_is_that_of_its_canonical_json(problem: str, pattern: str) -> None:
    assert key_digest(problem, pattern) == digest_of({"problem": problem, "pattern": pattern})
