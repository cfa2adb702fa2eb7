"""Draws: most of them decide, a tie goes to the worse, and what differs is said."""

from collections.abc import Sequence
from typing import Any

import pytest

from ml_regress.core.draws import Decided, decide
from ml_regress.core.expectation import Expectation
from ml_regress.core.pattern import SuitePattern
from ml_regress.core.prediction import Prediction
from ml_regress.core.scoring import score, summarise

BROKE = ValueError("broke")


def pattern(name: str, expectation: Expectation | None = None, digest: str | None = None) -> SuitePattern:
    wanted = expectation or Expectation("equals", "cat")
    return SuitePattern(name, None, digest or f"digest of {name}", wanted, "positive", False, None)


def said(answer: Any) -> Prediction:
    return Prediction(error=str(answer)) if isinstance(answer, Exception) else Prediction(answer)


def decided(patterns: Sequence[SuitePattern], answer_type: str = "text", **draws: Sequence[Any]) -> Decided:
    """A suite scored over the draws of each pattern's input, by the pattern's name."""
    first = {f"digest of {name}": said(answers[0]) for name, answers in draws.items() if answers}
    further = {
        f"digest of {name}": {number: said(answer) for number, answer in enumerate(answers[1:], start=1)}
        for name, answers in draws.items()
        if len(answers) > 1
    }
    (found,) = decide([patterns], first, further, answer_type)
    return found


@pytest.mark.parametrize(
    ("answers", "outcome", "reason", "reliability"),
    [
        (["cat", "dog", "cat"], "passed", "2 of 3 draws passed", (2, 3)),
        (["cat", "dog", "dog"], "failed", "1 of 3 draws passed", (1, 3)),
        (["cat", "dog"], "failed", "1 of 2 draws passed", (1, 2)),
        (["cat", BROKE], "error", "1 of 2 draws passed, 1 ended in an error; broke", (1, 2)),
        (["dog", BROKE], "error", "0 of 2 draws passed, 1 ended in an error; broke", (0, 2)),
        (["cat", "dog", BROKE], "error", "1 of 3 draws passed, 1 ended in an error; broke", (1, 3)),
        ([BROKE, "cat", "cat"], "passed", "2 of 3 draws passed, 1 ended in an error", (2, 3)),
        (["dog", "cow", "dog"], "failed", "0 of 3 draws passed, with 2 different answers", (0, 3)),
    ],
)
def test_the_outcome_is_the_one_of_most_draws_and_a_tie_goes_to_the_worse(
    answers: list[Any], outcome: str, reason: str, reliability: tuple[int, int]
) -> None:
    found = decided([pattern("p")], p=answers)
    assert found.outcomes == (("p", outcome, reason),)
    assert found.reliabilities == {"p": reliability}
    assert found.flaky == ("p",)
    assert found.warning == "1 of 1 patterns are flaky: their draws differ in outcome or answer"


@pytest.mark.parametrize("answers", [["cat"] * 5, ["dog"] * 4])
def test_draws_that_agree_are_not_flaky_and_are_scored_as_one(answers: list[str]) -> None:
    patterns = [pattern("p")]
    found = decided(patterns, p=answers)
    assert found.outcomes == score(patterns, {"digest of p": Prediction(answers[0])}, "text")
    assert (found.flaky, found.warning) == ((), None)
    assert found.reliabilities["p"][1] == len(answers)


def test_a_pattern_with_one_draw_is_scored_as_ever_beside_one_with_many() -> None:
    found = decided([pattern("one"), pattern("many")], one=["dog"], many=["cat", "dog", "cat"])
    assert [each.outcome for each in found.outcomes] == ["failed", "passed"]
    assert found.outcomes[0].reason is None
    assert found.reliabilities == {"many": (2, 3)}


def test_without_further_draws_nothing_is_copied() -> None:
    patterns = [pattern("p")]
    found = decided(patterns, p=["cat"])
    assert found.patterns is patterns
    assert found.reliabilities == {}


def test_a_pattern_is_compared_with_its_twin_within_one_draw() -> None:
    pair = [pattern("a", Expectation("same_as", "b")), pattern("b", Expectation("contains", ""))]
    # Held against the first draw of `b` alone, the second draw of `a` would fail.
    found = decided(pair, a=["cat", "dog"], b=["cat", "dog"])
    assert found.reliabilities == {"a": (2, 2), "b": (2, 2)}
    assert found.outcomes[0] == ("a", "passed", "2 of 2 draws passed, with 2 different answers")


def test_a_draw_that_the_twin_does_not_have_does_not_count() -> None:
    pair = [pattern("a", Expectation("same_as", "b")), pattern("b")]
    found = decided(pair, a=["cat", "dog", "dog"], b=["cat"])
    assert found.outcomes[0] == ("a", "passed", None)
    assert found.reliabilities == {}
    fewer = decided(pair, a=["cat", "dog", "dog"], b=["cat", "cat"])
    assert fewer.reliabilities == {"a": (1, 2), "b": (2, 2)}


def test_a_twin_that_is_in_no_suite_is_an_error_in_every_draw() -> None:
    found = decided([pattern("a", Expectation("same_as", "gone"))], a=["cat", "cat"])
    assert found.outcomes[0].outcome == "error"
    assert "not in the suite" in str(found.outcomes[0].reason)
    assert found.reliabilities == {"a": (0, 2)}


def test_a_first_draw_that_is_missing_is_a_draw_without_a_prediction() -> None:
    further = {"digest of p": {1: Prediction("cat"), 2: Prediction("cat")}}
    (found,) = decide([[pattern("p")]], {}, further, "text")
    assert (found.outcomes[0].outcome, found.reliabilities) == ("passed", {"p": (2, 3)})


def test_the_prediction_that_stands_for_a_pattern_is_of_the_first_draw_with_its_outcome() -> None:
    # Two patterns ask the same and are decided by different draws.
    patterns = [pattern("cat", digest="digest of p"), pattern("dog", Expectation("equals", "dog"), "digest of p")]
    found = decided(patterns, p=["cow", "dog", "dog", "cat"])
    assert [each.outcome for each in found.outcomes] == ["failed", "failed"]
    assert [found.predictions[each.input_digest].answer for each in found.patterns] == ["cow", "cow"]
    found = decided(patterns, p=["cow", "dog", "dog"])
    assert [found.predictions[each.input_digest].answer for each in found.patterns] == ["cow", "dog"]
    assert [each.id for each in found.patterns] == ["cat", "dog"]


def test_metrics_are_of_the_decided_answers() -> None:
    patterns = [pattern("p"), pattern("q", Expectation("equals", "dog"))]
    found = decided(patterns, p=["dog", "cat", "cat"], q=["dog", "dog", "dog"])
    content = {"metric": "accuracy", "answer_type": "text", "labels": ["cat", "dog"], "positive_label": None}
    summary = summarise(content, found.patterns, found.outcomes, found.predictions)
    assert (summary.passes, summary.measures[0].value) == (2, 1.0)


def test_suites_are_decided_each_by_itself() -> None:
    suites = [[pattern("p")], [pattern("p", Expectation("equals", "dog"), "digest of p")]]
    further = {"digest of p": {1: Prediction("dog"), 2: Prediction("dog")}, "digest of other": {1: Prediction("x")}}
    one, two = decide(suites, {"digest of p": Prediction("cat")}, further, "text")
    assert (one.reliabilities, two.reliabilities) == ({"p": (1, 3)}, {"p": (2, 3)})
    assert (one.outcomes[0].outcome, two.outcomes[0].outcome) == ("failed", "passed")
