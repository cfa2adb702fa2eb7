import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_regress.core.answers import typed_answer
from ml_regress.core.evaluation import Measure
from ml_regress.core.expectation import NUMERIC_KINDS, PATTERN_KINDS, Expectation
from ml_regress.core.pattern import SuitePattern
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.core.scoring import score, summarise
from ml_regress.core.statistics import wilson


def pattern(name: str, expectation: Expectation, digest: str | None = None) -> SuitePattern:
    return SuitePattern(name, None, digest or f"digest of {name}", expectation, "positive", False, None)


def equals(name: str, value: Any) -> SuitePattern:
    return pattern(name, Expectation("equals", value))


def predictions(rows: Mapping[str, tuple[Any, Any, Any]]) -> Predictions:
    """Predictions by the name of the pattern that asks for them: answer, outputs, error."""
    return {f"digest of {name}": Prediction(*row) for name, row in rows.items()}


def answering(**answers: Any) -> Predictions:
    return predictions({name: (answer, None, None) for name, answer in answers.items()})


def scored(patterns: Sequence[SuitePattern], given: Predictions, answer_type: str = "integer") -> dict[str, Any]:
    found = score(patterns, given, answer_type)
    assert [outcome.pattern for outcome in found] == [item.id for item in patterns]
    return {name: (outcome, reason) for name, outcome, reason in found}


def outcome_of(
    expectation: Expectation, answer: Any, answer_type: str = "text", outputs: Any = None
) -> tuple[str, Any]:
    return scored([pattern("p", expectation)], predictions({"p": (answer, outputs, None)}), answer_type)["p"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("kind", "value", "answer_type", "passing", "failing"),
    [
        ("equals", 8, "integer", [8, 8.0, "8", "08"], [1, "x", 8.5]),
        ("equals", "8", "text", ["8", 8, 8.0], ["08", "8.0"]),
        ("equals", True, "boolean", [True, 1, "TRUE"], [False, 0, 2]),
        ("one_of", (1, 8), "integer", [1, "8"], [7]),
        ("one_of", ("cat", "dog"), "text", ["dog"], ["Dog"]),
        ("between", (1.0, 2.0), "number", [1, 2, "1.5"], [0.999, 2.001]),
        ("greater_than", 3.0, "number", [3.1], [3, "x"]),
        ("less_than", 3.0, "integer", [2], [3]),
        ("contains", "at", "text", ["cat"], ["CAT"]),
        ("contains", "0", "integer", ["010"], ["01"]),
        ("matches", "^c.t$", "text", ["cat"], ["cats"]),
        ("matches", "a", "text", ["cat"], ["dog"]),
        ("matches", "^true$", "boolean", [1], [0]),
    ],
)
def test_a_kind_passes_what_it_means_and_nothing_else(
    kind: str, value: Any, answer_type: str, passing: list[Any], failing: list[Any]
) -> None:
    for answer in passing:
        assert outcome_of(Expectation(kind, value), answer, answer_type)[0] == "passed", answer
        assert outcome_of(Expectation(kind, value, True), answer, answer_type)[0] == "failed", answer
    for answer in failing:
        assert outcome_of(Expectation(kind, value), answer, answer_type)[0] == "failed", answer


def test_close_to_takes_decimals_at_their_word() -> None:
    within = Expectation("close_to", 1.0, tolerance=0.1)
    found = {answer: outcome_of(within, answer, "number")[0] for answer in (1.1, 0.9, 1.1001, 0.8999)}
    assert found == {1.1: "passed", 0.9: "passed", 1.1001: "failed", 0.8999: "failed"}
    exact = Expectation("close_to", 0.3, tolerance=0.0)
    assert outcome_of(exact, 0.3, "number")[0] == "passed"
    assert outcome_of(exact, 0.1 + 0.2, "number")[0] == "failed"


def test_integers_beyond_the_exact_floats_stay_apart() -> None:
    assert outcome_of(Expectation("equals", 2**53 + 1), 2**53, "integer")[0] == "failed"
    assert outcome_of(Expectation("equals", 2**53 + 1), str(2**53 + 1), "integer")[0] == "passed"
    made = answering(a=2**53 + 1, b=2**53)
    assert scored([pattern("a", Expectation("higher_than", "b")), equals("b", 2**53)], made)["a"] == ("passed", None)


@pytest.mark.parametrize("negated", [False, True])
def test_an_unusable_answer_never_passes(negated: bool) -> None:
    for kind, value in (("equals", 8), ("one_of", (8,)), ("greater_than", 0.0), ("matches", "x")):
        found = outcome_of(Expectation(kind, value, negated), "x", "integer")
        assert found == ("failed", "the answer 'x' is no integer")


def test_labels_named_like_missing_values_can_pass() -> None:
    labels = ["NA", "None", "null", "nan", "EU"]
    made = predictions({label: (label, None, None) for label in labels})
    found = scored([equals(label, label) for label in labels], made, "text")
    assert set(found.values()) == {("passed", None)}


def test_what_was_not_measured_is_an_error_with_its_reason() -> None:
    made = predictions({"b": (None, None, "took longer than 60 s"), "c": (None, {}, None), "d": (8, None, None)})
    found = scored([equals(name, 8) for name in "abcd"], made)
    assert found == {
        "a": ("error", "no prediction"),
        "b": ("error", "took longer than 60 s"),
        "c": ("error", "the answer is missing"),
        "d": ("passed", None),
    }


def test_a_negated_expectation_does_not_pass_on_an_error() -> None:
    assert scored([pattern("a", Expectation("equals", 8, True))], predictions({}))["a"] == ("error", "no prediction")


def test_outputs_are_held_against_expectations() -> None:
    outputs = {"score:8": 0.75, "language": "de", "length": 12, "empty": None}
    cases = {
        ("greater_than", 0.5, "score:8"): ("passed", None),
        ("equals", "de", "language"): ("passed", None),
        ("less_than", 12.0, "length"): ("failed", None),
        ("equals", "12", "length"): ("passed", None),
        ("greater_than", 1.0, "language"): ("failed", "output 'language' 'de' is no number"),
        ("equals", "x", "empty"): ("error", "output 'empty' is missing"),
        ("less_than", 0.5, "score:9"): (
            "error",
            "no output 'score:9'; the candidate gives score:8, language, length, empty",
        ),
    }
    for (kind, value, output), expected in cases.items():
        assert outcome_of(Expectation(kind, value, output=output), 8, "integer", outputs) == expected
    assert outcome_of(Expectation("equals", 1.0, output="score:8"), 8, "integer") == (
        "error",
        "no output 'score:8'; the candidate gives only an answer",
    )


def test_an_output_that_holds_a_list_is_judged_as_its_text() -> None:
    outputs = {"tags": ["a", "b"]}
    assert outcome_of(Expectation("contains", "'b'", output="tags"), 8, "integer", outputs)[0] == "passed"
    assert outcome_of(Expectation("less_than", 3.0, output="tags"), 8, "integer", outputs)[0] == "failed"


def test_without_predictions_every_pattern_is_an_error() -> None:
    assert scored([equals("a", 8)], {}) == {"a": ("error", "no prediction")}


def test_an_output_is_judged_even_where_the_answer_is_missing() -> None:
    assert outcome_of(Expectation("equals", "de", output="language"), None, "text", {"language": "de"})[0] == "passed"


def test_a_pattern_is_compared_with_another_of_its_suite() -> None:
    patterns = [
        pattern("a", Expectation("same_as", "b")),
        equals("b", 1),
        pattern("c", Expectation("higher_than", "b")),
        pattern("d", Expectation("lower_than", "b", True)),
        pattern("e", Expectation("same_as", "b")),
    ]
    found = scored(patterns, answering(a="01", b=1, c=2, d=1, e=3))
    assert [found[name][0] for name in "abcde"] == ["passed", "passed", "passed", "passed", "failed"]
    assert found["e"][1] == "pattern 'b': answer is '1'"


def test_a_comparison_with_what_was_not_measured_is_an_error() -> None:
    patterns = [
        pattern("a", Expectation("same_as", "gone")),
        pattern("b", Expectation("same_as", "broken", True)),
        equals("broken", 1),
        pattern("c", Expectation("higher_than", "a", output="score:8")),
    ]
    made = predictions(
        {
            "a": (1, None, None),
            "b": (1, None, None),
            "broken": (None, None, "raised ValueError"),
            "c": (1, {"score:8": 1.0}, None),
        }
    )
    found = scored(patterns, made)
    assert found["a"] == ("error", "pattern 'gone' is not in the suite")
    assert found["b"] == ("error", "pattern 'broken': raised ValueError")
    assert found["c"] == ("error", "pattern 'a': no output 'score:8'; the candidate gives only an answer")


@pytest.mark.parametrize("negated", [False, True])
def test_a_comparison_with_an_unusable_answer_fails(negated: bool) -> None:
    patterns = [pattern("a", Expectation("same_as", "b", negated)), equals("b", 1)]
    found = scored(patterns, answering(a=1, b="one"))
    assert found["a"] == ("failed", "pattern 'b': the answer 'one' is no integer")


def test_patterns_with_the_same_inputs_share_a_prediction() -> None:
    patterns = [pattern("a", Expectation("equals", 1), "x"), pattern("b", Expectation("equals", 8), "x")]
    assert [outcome for outcome, _ in scored(patterns, {"x": Prediction(8)}).values()] == ["failed", "passed"]


def test_a_suite_without_patterns_has_no_outcomes() -> None:
    assert scored([], answering(a=1)) == {}


# Every kind against the plainest way to say it.

NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.5, "1", "01", "2.0", "x", "", True, None]))
WORDS = st.one_of(st.sampled_from(["cat", "at", "c", "", "1", "01", None, 1, 1.0, True]))
VALUES = {
    "equals": st.integers(-3, 3),
    "one_of": st.lists(st.integers(-3, 3), min_size=1, max_size=3).map(tuple),
    "between": st.tuples(st.integers(-3, 0), st.integers(0, 3)).map(lambda pair: (float(pair[0]), float(pair[1]))),
    "close_to": st.integers(-3, 3).map(float),
    "greater_than": st.integers(-3, 3).map(float),
    "less_than": st.integers(-3, 3).map(float),
    "contains": st.sampled_from(["1", "-", "t", ""]),
    "matches": st.sampled_from(["^1", "a", "2$", "^$"]),
    "same_as": st.sampled_from(["p0", "p1", "p9"]),
    "higher_than": st.sampled_from(["p0", "p1", "p9"]),
    "lower_than": st.sampled_from(["p0", "p1", "p9"]),
}
WORD_VALUES = {
    "equals": st.sampled_from(["cat", "1", "01", ""]),
    "one_of": st.lists(st.sampled_from(["cat", "1", ""]), min_size=1, max_size=3).map(tuple),
    **{kind: VALUES[kind] for kind in ("contains", "matches", "same_as")},
}


@st.composite
def suites(draw: st.DrawFn) -> tuple[str, list[SuitePattern], Predictions]:
    answer_type = draw(st.sampled_from(["integer", "number", "text"]))
    values = WORD_VALUES if answer_type == "text" else VALUES
    raw = WORDS if answer_type == "text" else NUMBERS
    patterns = []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(sorted(values)))
        # An expectation on "length" is a number for numeric kinds and a text else, as when it is parsed.
        output = (
            draw(st.sampled_from(["answer", "answer", "length"])) if kind in ("greater_than", "same_as") else "answer"
        )
        tolerance = draw(st.sampled_from([0.0, 1.0])) if kind == "close_to" else None
        wanted = Expectation(kind, draw(values[kind]), draw(st.booleans()), output, tolerance)
        patterns.append(pattern(f"p{number}", wanted))
    rows = {
        item.id: (
            draw(raw),
            draw(st.one_of(st.none(), st.fixed_dictionaries({}, optional={"length": NUMBERS}))),
            draw(st.sampled_from([None, None, None, "raised"])),
        )
        for item in patterns
        if draw(st.integers(0, 9))
    }
    return answer_type, patterns, predictions(dict(reversed(rows.items())))


class TroubleError(Exception):
    """The plain reference's word for an outcome that is an error."""


def looked_at(given: Predictions, digest: str, wanted: Expectation, answer_type: str) -> Any:
    if digest not in given or given[digest].error is not None:
        raise TroubleError
    row = given[digest]
    if wanted.output == "answer":
        raw, value_type = row.answer, answer_type
    else:
        raw = (row.outputs or {}).get(wanted.output)
        value_type = "number" if wanted.kind in NUMERIC_KINDS else "text"
    if raw is None:
        raise TroubleError
    return typed_answer(value_type, raw)


def outcome_in_plain_python(
    item: SuitePattern, patterns: Sequence[SuitePattern], given: Predictions, answer_type: str
) -> str:
    wanted = item.expectation
    try:
        value, other = looked_at(given, item.input_digest, wanted, answer_type), wanted.value
        if wanted.kind in PATTERN_KINDS:
            named = {each.id: each for each in patterns}
            if wanted.value not in named:
                raise TroubleError
            other = looked_at(given, named[wanted.value].input_digest, wanted, answer_type)
    except TroubleError:
        return "error"
    if value is None or other is None:
        return "failed"
    text = typed_answer("text", value)
    held = {
        "equals": lambda: value == other,
        "one_of": lambda: value in other,
        "between": lambda: other[0] <= value <= other[1],
        "close_to": lambda: math.isclose(value, other, rel_tol=0, abs_tol=wanted.tolerance or 0.0),
        "greater_than": lambda: value > other,
        "less_than": lambda: value < other,
        "contains": lambda: other in text,
        "matches": lambda: re.search(other, text) is not None,
        "same_as": lambda: value == other,
        "higher_than": lambda: value > other,
        "lower_than": lambda: value < other,
    }[wanted.kind]()
    return "passed" if held != wanted.negated else "failed"


@settings(max_examples=300, deadline=None)
@given(suites())
def test_groups_of_arrays_score_as_patterns_one_by_one(suite: tuple[str, list[SuitePattern], Predictions]) -> None:
    answer_type, patterns, made = suite
    found = score(patterns, made, answer_type)
    expected = [outcome_in_plain_python(item, patterns, made, answer_type) for item in patterns]
    assert [item.outcome for item in found] == expected
    assert all(item.reason for item in found if item.outcome == "error")


def test_many_patterns_are_scored_at_once() -> None:
    patterns = [equals(f"p{number}", number % 10) for number in range(20_000)]
    made = predictions({item.id: (str(number % 7), None, None) for number, item in enumerate(patterns)})
    start = time.perf_counter()
    found = score(patterns, made, "integer")
    assert time.perf_counter() - start < 3
    assert sum(item.outcome == "passed" for item in found) == sum(number % 10 == number % 7 for number in range(20_000))


# The numbers of a cell.


def content(metric: str = "pass_rate", **more: Any) -> dict[str, Any]:
    return {
        "inputs": [],
        "answer_type": "integer",
        "labels": [0, 1, 8],
        "positive_label": 8,
        "metric": metric,
        **more,
    }


PATTERNS = [
    equals("a", 8),
    equals("b", 8),
    equals("c", 1),
    pattern("d", Expectation("equals", 8, True)),
    equals("e", 1),
]
ROWS = {
    "a": (8, {"score:8": 0.9}, None),
    "b": (1, {"score:8": 0.4}, None),
    "c": ("8", {"score:8": 0.6}, None),
    "d": (1, {"score:8": 0.1}, None),
    "e": (None, None, "raised"),
}


def summary_of(
    metric: str, rows: Mapping[str, Any] = ROWS, patterns: Sequence[SuitePattern] = PATTERNS, **more: Any
) -> Any:
    made = predictions(rows)
    given = content(metric, **more)
    outcomes = score(patterns, made, given["answer_type"])
    return summarise(given, patterns, outcomes[::-1], dict(reversed(made.items())))


def test_errors_stand_beside_the_rate_and_never_in_it() -> None:
    found = summary_of("pass_rate")
    assert (found.passes, found.answered, found.errors) == (2, 4, 1)
    assert found.measures == (Measure("pass_rate", 0.5, None, *wilson(2, 4), *wilson(2, 4, 0.90)),)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("metric", "value"),
    [("accuracy", 1 / 3), ("precision", 1 / 2), ("recall", 1 / 2), ("f1", 1 / 2), ("roc_auc", 1 / 2), ("mae", 14 / 3)],
)
def test_a_metric_is_taken_over_the_answered_patterns_that_expect_an_answer(metric: str, value: float) -> None:
    found = summary_of(metric)
    assert [one.name for one in found.measures] == [metric, "pass_rate"]
    assert found.measures[0].value == pytest.approx(value)
    assert found.measures[1].value == 0.5


def test_nothing_answered_is_undefined_and_says_so() -> None:
    broken = {item.id: (None, None, "raised") for item in PATTERNS}
    found = summary_of("accuracy", broken)
    assert (found.passes, found.answered, found.errors) == (0, 0, 5)
    assert [(one.value, one.reason) for one in found.measures] == [(None, "no pattern was answered: 5 had errors")] * 2
    empty = summary_of("recall", {}, [])
    assert {one.reason for one in empty.measures} == {"the suite has no pattern"}


def test_a_suite_that_expects_no_answer_has_no_accuracy() -> None:
    found = summary_of("accuracy", ROWS, PATTERNS[3:4])
    assert found.measures[0].value is None and "expects an answer" in str(found.measures[0].reason)
    errors_only = summary_of("accuracy", ROWS, PATTERNS[3:])
    assert str(errors_only.measures[0].reason).endswith("1 had errors")
    assert errors_only.measures[1].value == 1.0


def test_answers_outside_the_labels_are_a_warning() -> None:
    rows = {**ROWS, "a": ("01", None, None), "b": (7, None, None), "c": ("eight", None, None), "d": (7, None, None)}
    assert summary_of("pass_rate", rows).warnings == ("answers outside the labels: '7' x2, 'eight' x1",)
    texts = [equals(name, "1") for name in "abc"]
    made = answering(a="01", b="01", c="1")
    outcomes = score(texts, made, "text")
    found = summarise(content(answer_type="text", labels=["0", "1"], positive_label=None), texts, outcomes, made)
    assert found.passes == 1 and found.warnings == ("answers outside the labels: '01' x2",)


def test_a_custom_scorer_sees_the_answered_patterns() -> None:
    seen: list[pd.DataFrame] = []

    class KeepingScorer:
        version = "1"

        def __call__(self, frame: pd.DataFrame, /) -> float:
            seen.append(frame)
            return 0.25

    made = predictions(ROWS)
    outcomes = score(PATTERNS, made, "integer")
    found = summarise(content("scorer:mine"), PATTERNS, outcomes, made, KeepingScorer())
    assert found.measures[0] == Measure("scorer:mine", 0.25)
    assert list(seen[0].columns) == ["pattern", "expected", "answer", "outputs", "outcome", "polarity"]
    assert seen[0]["pattern"].tolist() == ["a", "b", "c", "d"]
    assert seen[0]["answer"].tolist() == [8, 1, 8, 1]
    assert seen[0]["outcome"].tolist() == ["passed", "failed", "failed", "passed"]
    assert seen[0]["outputs"][0] == {"score:8": 0.9}


def test_a_scorer_that_is_not_installed_leaves_the_pass_rate() -> None:
    found = summary_of("scorer:missing")
    assert found.measures[0].value is None and "entry point" in str(found.measures[0].reason)
    assert found.measures[1].value == 0.5


def test_outcomes_of_another_suite_are_refused() -> None:
    made = predictions(ROWS)
    with pytest.raises(ValueError, match="pattern 'e' has no outcome"):
        summarise(content(), PATTERNS, score(PATTERNS[:4], made, "integer"), made)
