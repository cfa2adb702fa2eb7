"""Attribution: every part goes to the cause that explains it, and the parts add up exactly."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_regress.core.attribution import Attribution, Part, attribute, attribute_benchmark
from ml_regress.core.evaluation import Evaluation, Measure
from ml_regress.core.expectation import Expectation
from ml_regress.core.pattern import SuitePattern
from ml_regress.core.prediction import Prediction
from ml_regress.core.scoring import score, summarise
from ml_regress.core.stages import CAUSES, State

CONTENT: dict[str, Any] = {
    "inputs": [],
    "answer_type": "text",
    "labels": [],
    "positive_label": None,
    "metric": "pass_rate",
}
PASSED, FAILED, ERROR = "passed", "failed", "error"


def pattern(
    name: str, expected: Any = "yes", *, digest: str = "", kind: str = "equals", **changes: Any
) -> SuitePattern:
    wanted = Expectation(kind, expected, output=changes.pop("output", "answer"))
    given: dict[str, Any] = {"polarity": "positive", "canary": False, "twin": None, **changes}
    return SuitePattern(name, None, digest or name, wanted, **given)


def measured(*patterns: SuitePattern, candidate: str = "a", answers: Mapping[str, Any], **changes: Any) -> State:
    """The state that scoring gives: answers by input digest, an Exception stands for an error."""
    problem = {**CONTENT, **{key: changes.pop(key) for key in list(changes) if key in CONTENT}}
    predictions = {
        digest: Prediction(error=str(answer)) if isinstance(answer, Exception) else Prediction(answer)
        for digest, answer in answers.items()
    }
    outcomes = score(patterns, predictions, problem["answer_type"])
    metric = summarise(problem, patterns, outcomes, predictions).measures[0].value
    found = {each.pattern: each.outcome for each in outcomes}
    return replace(State(candidate, problem, patterns, found, predictions=predictions, metric=metric), **changes)


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    """Libraries that metrics load at their first use draw random numbers, which hypothesis does not let pass."""
    measured(pattern("p"), answers={"p": "yes"}, metric="f1", positive_label="yes")


def said(before: State, after: State) -> list[tuple[str, tuple[str, ...], int, int]]:
    return [(part.cause, part.patterns, part.passes, part.answered) for part in attribute(before, after).parts]


def test_nothing_moved_has_no_parts() -> None:
    state = measured(pattern("p"), answers={"p": "yes"})
    assert attribute(state, state) == Attribution(())


def test_patterns_that_came_and_went_are_named_with_what_they_brought() -> None:
    before = measured(pattern("kept"), pattern("old"), answers={"kept": "yes", "old": "no"})
    after = measured(
        pattern("kept"), pattern("new"), pattern("odd"), answers={"kept": "yes", "new": "yes", "odd": "no"}
    )
    assert said(before, after) == [
        ("pattern retired", ("old",), 0, -1),
        ("pattern added", ("new", "odd"), 1, 2),
    ]
    retired, added = attribute(before, after).parts
    assert (retired.rate, added.rate) == (Fraction(1, 2), Fraction(-1, 3))
    assert (retired.words, added.words) == (
        "+0 pattern retired (old; -1 answered)",
        "+1 patterns added (new, odd; +2 answered)",
    )


def test_the_same_pattern_with_other_inputs_is_no_added_pattern() -> None:
    before = measured(pattern("p", digest="one"), answers={"one": "no"})
    after = measured(pattern("p", digest="two"), answers={"two": "yes"})
    assert said(before, after) == [("inputs changed", ("p",), 1, 0)]


def test_a_corrected_expectation_explains_what_the_same_answer_gives_now() -> None:
    before = measured(pattern("p", "yes"), pattern("q"), answers={"p": "no", "q": "yes"})
    after = measured(pattern("p", "no"), pattern("q"), answers={"p": "no", "q": "yes"})
    assert said(before, after) == [("expectation corrected", ("p",), 1, 0)]
    without = [replace(state, predictions={}) for state in (before, after)]
    assert said(*without) == [("expectation corrected", ("p",), 1, 0)]


def test_a_correction_that_changes_no_outcome_is_no_part() -> None:
    before = measured(pattern("p", "yes"), answers={"p": "yes"})
    after = measured(pattern("p", "yes", canary=True), answers={"p": "yes"})
    assert said(before, after) == []


def test_inputs_and_expectation_that_changed_together_are_told_apart_by_the_answers() -> None:
    answers = {"one": "yes", "two": "no"}
    before = measured(pattern("p", "yes", digest="one"), answers=answers)
    after = measured(pattern("p", "no", digest="two"), answers=answers)
    assert said(before, after) == [("inputs changed", ("p",), -1, 0), ("expectation corrected", ("p",), 1, 0)]


def test_what_cannot_be_told_apart_goes_to_the_first_cause_and_is_said() -> None:
    before = measured(pattern("p", "yes", digest="one"), answers={"one": "no"}, predictions={})
    after = measured(pattern("p", "no", digest="two"), answers={"two": "no"}, predictions={})
    (part,) = attribute(before, after).parts
    assert (part.cause, part.passes) == ("inputs changed", 1)
    assert part.notes == ("cannot be told apart from expectation corrected on p",)


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [({"e1"}, {"e2"}, "environment"), ({"e1"}, {"e1"}, "answers"), (set(), {"e1"}, "answers")],
)
def test_another_outcome_of_the_same_question_is_the_environment_where_it_differs(
    before: set[str], after: set[str], cause: str
) -> None:
    old = measured(pattern("p"), pattern("q"), answers={"p": "yes", "q": "no"}, environments=frozenset(before))
    new = measured(pattern("p"), pattern("q"), answers={"p": "yes", "q": "yes"}, environments=frozenset(after))
    assert said(old, new) == [(cause, ("q",), 1, 0)]


def test_an_error_that_gave_way_is_an_answer_even_where_the_expectation_was_corrected_too() -> None:
    before = measured(pattern("p", "yes"), pattern("q"), answers={"p": ValueError("no flour"), "q": "yes"})
    after = measured(pattern("p", "no"), pattern("q"), answers={"p": "no", "q": "yes"})
    before = replace(before, predictions=after.predictions)  # the error is no longer kept
    assert said(before, after) == [("answers", ("p",), 1, 1)]


def test_an_expectation_of_another_output_explains_an_error_that_is_gone() -> None:
    before = measured(pattern("p", "yes", output="reason"), answers={"p": "yes"})
    after = measured(pattern("p", "yes"), answers={"p": "yes"})
    assert before.outcomes == {"p": ERROR}
    assert said(before, after) == [("expectation corrected", ("p",), 1, 1)]


def test_other_answers_explain_what_a_correction_alone_does_not() -> None:
    before = measured(pattern("p", "yes"), answers={"p": "no"})
    after = measured(pattern("p", "yes", polarity="negative"), answers={"p": "yes"})
    before = replace(before, predictions=after.predictions)  # most of several draws say otherwise now
    assert said(before, after) == [("answers", ("p",), 1, 0)]


def test_a_pattern_that_is_compared_with_another_moves_with_the_inputs_of_that_one() -> None:
    same = pattern("same", "other", kind="same_as")
    before = measured(pattern("other", digest="one"), same, answers={"one": "yes", "same": "yes"})
    after = measured(pattern("other", digest="two"), same, answers={"two": "no", "same": "yes"})
    assert said(before, after) == [("inputs changed", ("other", "same"), -2, 0)]


def test_a_pattern_that_is_compared_with_another_does_not_move_with_the_expectation_of_that_one() -> None:
    same = pattern("same", "other", kind="same_as")
    before = measured(pattern("other"), same, answers={"other": "no", "same": "no"})
    after = measured(pattern("other", "no"), same, answers={"other": "no", "same": "no"})
    assert said(before, after) == [("expectation corrected", ("other",), 1, 0)]


def test_another_candidate_and_a_corrected_expectation_are_told_apart() -> None:
    before = measured(pattern("p", "yes"), pattern("q"), answers={"p": "no", "q": "no"})
    after = measured(pattern("p", "no"), pattern("q"), candidate="b", answers={"p": "yes", "q": "yes"})
    assert said(before, after) == [("expectation corrected", ("p",), 1, 0), ("candidate", ("p", "q"), 0, 0)]


def test_another_type_of_the_answer_is_the_scorer_and_corrects_nothing() -> None:
    before = measured(pattern("p", "1"), answers={"p": "1.0"})
    after = measured(pattern("p", 1.0), answers={"p": "1.0"}, answer_type="number")
    assert said(before, after) == [("expectation corrected", ("p",), 1, 0)]  # "1" is not "1.0" as text
    after = measured(pattern("p", 1), answers={"p": "1.0"}, answer_type="integer")
    assert said(before, after) == [("scorer", ("p",), 1, 0)]


def test_a_metric_is_attributed_step_by_step_where_its_answers_are_at_hand() -> None:
    patterns = [pattern("p"), pattern("q"), pattern("r", "no")]
    answers = {"p": "yes", "q": "no", "r": "no", "s": "yes"}
    before = measured(*patterns, answers=answers, metric="accuracy")
    after = measured(pattern("p"), pattern("q", "no"), pattern("r", "no"), pattern("s", "no"), answers=answers,
                     metric="accuracy")  # fmt: skip
    found = attribute(before, after)
    assert (found.metric, found.undefined) == ("accuracy", None)
    assert [(part.cause, part.metric) for part in found.parts] == [
        ("expectation corrected", 1 - Fraction(2 / 3)),
        ("pattern added", Fraction(-1, 4)),
    ]
    assert found.parts[1].metric_words == "-0.25 pattern added (s)"


def test_another_metric_is_the_scorer() -> None:
    patterns = [pattern("p"), pattern("q", "no", kind="contains")]
    answers = {"p": "yes", "q": "yes"}
    before, after = measured(*patterns, answers=answers), measured(*patterns, answers=answers, metric="accuracy")
    (part,) = attribute(before, after).parts
    assert (part.cause, part.passes, part.metric) == ("scorer", 0, Fraction(1, 2))


def test_a_metric_whose_answers_are_gone_is_not_attributed_and_says_so() -> None:
    before = measured(pattern("p"), pattern("q"), answers={"p": "yes", "q": "no"}, metric="accuracy", predictions={})
    after = measured(pattern("q"), pattern("r"), answers={"q": "no", "r": "yes"}, metric="accuracy")
    found = attribute(before, after)
    assert found.undefined == "the answers that accuracy before was computed from are not all kept as they were"
    assert [(part.cause, part.metric) for part in found.parts] == [("pattern retired", None), ("pattern added", None)]


def test_one_cause_alone_has_all_of_a_metric_even_without_the_answers() -> None:
    before = measured(pattern("p"), answers={"p": "yes"}, metric="accuracy", predictions={})
    after = measured(pattern("p"), pattern("q"), answers={"p": "yes", "q": "no"}, metric="accuracy", predictions={})
    (part,) = attribute(before, after).parts
    assert part.metric == Fraction(-1, 2)
    drawn = replace(before, metric=0.875)  # the outcomes are the same, and the answers are others
    (part,) = attribute(before, drawn).parts
    assert (part.cause, part.metric, part.passes) == ("answers", Fraction(-1, 8), 0)


def test_an_undefined_metric_is_said() -> None:
    before = measured(pattern("p"), answers={"p": ValueError("no flour")}, metric="accuracy")
    after = measured(pattern("p"), answers={"p": "yes"}, metric="accuracy")
    found = attribute(before, after)
    assert found.undefined == "accuracy is undefined before"
    assert [(part.cause, part.passes, part.rate) for part in found.parts] == [("answers", 1, None)]


def test_a_step_without_a_rate_is_part_of_the_next_and_said() -> None:
    before = measured(pattern("p"), answers={"p": "yes"})
    after = measured(pattern("q"), pattern("r"), answers={"q": "no", "r": "yes"})
    retired, added = attribute(before, after).parts
    assert (retired.rate, added.rate) == (None, Fraction(-1, 2))
    assert added.notes == ("the change of the pass rate includes that by pattern retired",)


def benchmark(value: float | None, **changes: Any) -> Evaluation:
    measure = Measure("accuracy", value, None if value is not None else "no row was answered")
    given: dict[str, Any] = {"answered": 10, "measures": (measure,), **changes}
    return Evaluation("a", "bench", "suite", "ok", **given)


def test_a_benchmark_has_one_part_and_its_notes_name_the_other_causes() -> None:
    was = {"data": "d1", "target": "y", "metrics": ["accuracy"], **CONTENT}
    found = attribute_benchmark(benchmark(0.5), benchmark(0.75, answered=12), was, {**was, "data": "d2"})
    assert found.parts == (Part("inputs changed", (), 0, 2, None, Fraction(1, 4)),)
    is_ = {**was, "data": "d2", "metrics": ["accuracy", "f1"]}
    (part,) = attribute_benchmark(benchmark(0.5), benchmark(0.75), was, is_).parts
    assert part.notes == ("cannot be told apart from scorer",)
    (part,) = attribute_benchmark(benchmark(0.5), replace(benchmark(0.75), candidate="b"), was, was).parts
    assert part.cause == "candidate"
    assert attribute_benchmark(benchmark(0.5), benchmark(None), was, is_).undefined == "accuracy is undefined after"
    assert attribute_benchmark(benchmark(0.5), benchmark(0.5), was, is_).parts == ()


# -- the parts add up -------------------------------------------------------------------------------------------------

NAMES = ("p", "q", "r", "s")
ANSWERS = st.sampled_from(["yes", "no", "1", 1, None, ValueError("no flour")])


@st.composite
def made_patterns(draw: st.DrawFn, answer_type: str) -> list[SuitePattern]:
    found = []
    for name in sorted(draw(st.sets(st.sampled_from(NAMES)))):
        kind = draw(st.sampled_from(["equals", "same_as", "contains"]))
        output = draw(st.sampled_from(["answer", "answer", "reason"]))
        value = draw(st.sampled_from([1.0, 2.0] if answer_type == "number" else ["yes", "1"]))
        if kind == "same_as":
            value = draw(st.sampled_from([other for other in NAMES if other != name]))
        elif kind == "contains" or output == "reason":
            value = str(value)
        polarity = draw(st.sampled_from(["positive", "negative"]))
        digest = f"{name}{draw(st.integers(0, 1))}"
        found.append(pattern(name, value, digest=digest, kind=kind, output=output, polarity=polarity))
    return found


@st.composite
def states(draw: st.DrawFn) -> State:
    """A state as scoring gives it, or one whose answers are gone, in part or as a whole, or others now."""
    answers = {f"{name}{number}": draw(ANSWERS) for name in NAMES for number in (0, 1)}
    answer_type = draw(st.sampled_from(["text", "text", "number"]))
    state = measured(
        *draw(made_patterns(answer_type)),
        candidate=draw(st.sampled_from(["a", "b"])),
        answers=answers,
        metric=draw(st.sampled_from(["pass_rate", "accuracy", "f1"])),
        positive_label=1.0 if answer_type == "number" else "yes",
        answer_type=answer_type,
        environments=frozenset(draw(st.sets(st.sampled_from(["e1", "e2"])))),
    )
    gone = draw(st.sets(st.sampled_from(sorted(answers)), max_size=3))
    state = replace(state, predictions={key: made for key, made in state.predictions.items() if key not in gone})
    others = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from([PASSED, FAILED, ERROR]), max_size=2))
    absent = draw(st.sets(st.sampled_from(NAMES), max_size=1))
    outcomes = {name: others.get(name, each) for name, each in state.outcomes.items() if name not in absent}
    return replace(state, outcomes=outcomes)


@given(states(), states())
def test_the_parts_add_up_exactly_whatever_the_states_are(before: State, after: State) -> None:
    found = attribute(before, after)
    parts = found.parts
    assert sum(part.passes for part in parts) == after.passes - before.passes
    assert sum(part.answered for part in parts) == after.answered - before.answered
    if before.answered and after.answered:
        moved = Fraction(after.passes, after.answered) - Fraction(before.passes, before.answered)
        assert sum(part.rate or 0 for part in parts) == moved
    if {before.problem["metric"], after.problem["metric"]} != {"pass_rate"} and found.undefined is None:
        assert before.metric is not None
        assert after.metric is not None
        assert sum(part.metric or 0 for part in parts) == Fraction(after.metric) - Fraction(before.metric)
    places = [CAUSES.index(part.cause) for part in parts]
    assert places == sorted(set(places))


@given(states())
def test_the_same_state_moves_by_nothing(state: State) -> None:
    assert attribute(state, state).parts == ()


@given(states(), st.randoms(use_true_random=False))
def test_it_does_not_depend_on_the_order_of_the_patterns(state: State, random: Any) -> None:
    other = measured(pattern("p"), pattern("q", "no"), answers={"p": "yes", "q": "yes"})
    shuffled = list(state.patterns)
    random.shuffle(shuffled)
    mixed = replace(state, patterns=tuple(shuffled), metric=None)
    assert attribute(replace(state, metric=None), other) == attribute(mixed, other)


@given(states(), st.sampled_from(NAMES))
def test_a_pattern_that_is_retired_alone_is_the_only_part(state: State, name: str) -> None:
    rest = tuple(each for each in state.patterns if name not in (each.id, each.expectation.value))
    after = replace(state, patterns=rest, metric=None)
    causes = {part.cause for part in attribute(replace(state, metric=None), after).parts}
    assert causes <= {"pattern retired"}
