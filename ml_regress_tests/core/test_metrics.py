import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from ml_regress.core.evaluation import Measure
from ml_regress.core.metrics import measure, measure_all, unknown_answers
from ml_regress.core.scorer import load_scorer, measure_scorer, scorer_version
from ml_regress.core.statistics import CONFIDENCE, ONE_SIDED, auc_interval, f1_interval, mean_interval, wilson
from ml_regress.errors import NotFound

ALL = ("accuracy", "precision", "recall", "f1", "roc_auc", "mae", "rmse")


def measured(name: str, truth: list[Any], answers: list[Any], answer_type: str = "integer", **given: Any) -> Measure:
    return measure(name, truth=truth, answers=answers, answer_type=answer_type, **given)


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0, 1)), min_size=1, max_size=20),
)
def test_values_are_those_of_scikit_learn_where_it_defines_one(rows: list[tuple[int, int, float]]) -> None:
    truth, answers, score = (list(column) for column in zip(*rows, strict=True))
    found = {
        one.name: one
        for one in measure_all(ALL, truth, answers, {"score:1": score}, answer_type="integer", positive_label=1)
    }
    expected, said = [item == 1 for item in truth], [item == 1 for item in answers]
    assert found["accuracy"].value == sklearn_metrics.accuracy_score(truth, answers)
    assert found["mae"].value == sklearn_metrics.mean_absolute_error(truth, answers)
    assert found["rmse"].value == sklearn_metrics.root_mean_squared_error(truth, answers)
    assert (found["precision"].value is None) == (not any(said))
    assert (found["recall"].value is None) == (found["f1"].value is None) == (not any(expected))
    assert (found["roc_auc"].value is None) == (len(set(expected)) == 1)
    if any(said):
        assert found["precision"].value == sklearn_metrics.precision_score(expected, said)
    if any(expected):
        assert found["recall"].value == sklearn_metrics.recall_score(expected, said)
        assert found["f1"].value == sklearn_metrics.f1_score(expected, said)
    if len(set(expected)) == 2:
        assert found["roc_auc"].value == sklearn_metrics.roc_auc_score(expected, score)
    assert all((one.value is None) != (one.reason is None) for one in found.values())


def test_proportions_have_the_interval_of_their_own_denominator() -> None:
    truth, answers = [8, 8, 8, 1, 1], [8, 8, 1, 8, 1]
    found = measure_all(
        ("accuracy", "precision", "recall", "f1"), truth, answers, answer_type="integer", positive_label=8
    )
    assert [(one.low, one.high) for one in found] == [wilson(3, 5), wilson(2, 3), wilson(2, 3), f1_interval(2, 2)]
    one_sided = [
        wilson(3, 5, ONE_SIDED),
        wilson(2, 3, ONE_SIDED),
        wilson(2, 3, ONE_SIDED),
        f1_interval(2, 2, ONE_SIDED),
    ]
    assert [(one.lower, one.upper) for one in found] == one_sided


@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
)
def test_every_value_lies_in_its_interval_and_one_side_is_nearer_than_two(rows: list[tuple[int, int, float]]) -> None:
    truth, answers, score = (list(column) for column in zip(*rows, strict=True))
    for one in measure_all(ALL, truth, answers, {"score:1": score}, answer_type="integer", positive_label=1):
        assert (one.low is None) == (one.high is None) == (one.lower is None) == (one.upper is None)
        assert one.low is None or one.value is not None
        if one.value is None or one.low is None:
            alike = len({abs(expected - given) for expected, given, _ in rows}) == 1
            assert one.value is None or (one.name in ("mae", "rmse") and alike)
            continue
        assert one.lower is not None and one.upper is not None and one.high is not None
        ends = [one.low, one.lower, one.value, one.upper, one.high]
        assert all(left <= right + 1e-9 for left, right in pairwise(ends))


@pytest.mark.parametrize(("answers", "f1"), [([8, 8, 1], 1.0), ([1, 1, 8], 0.0)])
def test_an_f1_at_an_end_has_an_interval_with_a_width(answers: list[int], f1: float) -> None:
    found = measured("f1", [8, 8, 1], answers, positive_label=8)
    true, false = (2, 0) if f1 else (0, 3)
    assert (found.value, found.low, found.high) == (f1, *f1_interval(true, false))
    assert (found.lower, found.upper) == f1_interval(true, false, ONE_SIDED)
    assert found.low is not None and found.high is not None and found.high - found.low > 0.3


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_an_auc_has_an_interval_with_a_width_also_at_its_ends(value: float) -> None:
    scores = {0.0: [0.1, 0.2, 0.8, 0.9], 0.5: [0.5] * 4, 1.0: [0.9, 0.8, 0.2, 0.1]}[value]
    found = measured("roc_auc", [1, 1, 0, 0], [1, 1, 0, 0], labels=(0, 1), scores={"score:1": scores})
    assert (found.value, found.low, found.high) == (value, *auc_interval(value, 2, 2))
    assert (found.lower, found.upper) == auc_interval(value, 2, 2, ONE_SIDED)
    assert found.low is not None and found.high is not None and found.high - found.low > 0.4


def test_an_auc_counts_the_rows_of_each_class() -> None:
    found = measured("roc_auc", [1, 0, 0, 0], [1, 0, 0, 0], labels=(0, 1), scores={"score:1": [0.9, 0.1, 0.2, 0.95]})
    assert (found.value, found.low, found.high) == pytest.approx((2 / 3, *auc_interval(2 / 3, 1, 3)))


def test_errors_have_students_interval_and_that_of_rmse_is_the_root_of_that_of_the_squares() -> None:
    mae, rmse = measure_all(("mae", "rmse"), [0, 0, 0, 0], [1, -2, 3, 4], answer_type="integer")
    assert (mae.value, (mae.low, mae.high)) == (2.5, mean_interval([1, 2, 3, 4]))
    assert (mae.lower, mae.upper) == mean_interval([1, 2, 3, 4], ONE_SIDED)
    squares = [mean_interval([1, 4, 9, 16], confidence) for confidence in (CONFIDENCE, ONE_SIDED)]
    assert squares[0] is not None and squares[1] is not None
    assert rmse.value == 7.5**0.5
    assert (rmse.low, rmse.high, rmse.lower, rmse.upper) == pytest.approx(tuple(end**0.5 for end in sum(squares, ())))


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_the_error_of_one_row_has_a_value_and_no_interval(name: str) -> None:
    assert measured(name, [1], [3]) == Measure(name, 2.0)


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_errors_that_are_all_alike_have_no_interval_for_it_would_have_no_width(name: str) -> None:
    found = measured(name, [1, 2, 3], [3, 4, 5])
    assert (found.value, found.low, found.high, found.lower, found.upper) == (2.0, None, None, None, None)


def test_errors_of_which_the_squares_are_no_numbers_leave_a_value_without_an_interval() -> None:
    assert measured("mae", [0.0, 0.0], [1e200, 2e200], "number") == Measure("mae", 1.5e200)
    assert measured("rmse", [0.0, 0.0], [1e100, 2e100], "number").low is None


@pytest.mark.parametrize(
    ("answers", "answer_type"),
    [
        ([1, 0, 1, 1], "integer"),
        ([1.0, 0.0, 1.0, 1.0], "integer"),
        (["1", "0", "1", "1"], "integer"),
        (["01", "00", "01", "01"], "integer"),
        ([True, False, True, True], "integer"),
        ([True, False, True, True], "boolean"),
        ([1, 0, 1, 1], "text"),
        ([1.0, 0.0, 1.0, 1.0], "text"),
    ],
)
def test_one_label_may_be_said_in_many_types(answers: list[Any], answer_type: str) -> None:
    truth = {"integer": [1, 0, 1, 0], "text": ["1", "0", "1", "0"], "boolean": [True, False, True, False]}[answer_type]
    assert measured("accuracy", truth, answers, answer_type).value == 0.75


def test_a_text_label_with_a_zero_before_it_is_another_label_and_is_named() -> None:
    answers = ["01", "00", "01", "1"]
    assert measured("accuracy", ["1", "0", "1", "1"], answers, "text").value == 0.25
    assert unknown_answers(answers, "text", ("0", "1")) == "answers outside the labels: '01' x2, '00' x1"
    assert unknown_answers(answers, "integer", (0, 1)) is None


@pytest.mark.parametrize(
    ("answers", "answer_type", "labels", "warning"),
    [
        (["NA", "None", "nan"], "text", ("NA", "None", "nan"), None),
        (["x", 1.5, 1, None], "integer", (), "answers that are no integer: 'x' x1, '1.5' x1"),
        ([7, 8, None, float("nan")], "integer", (8,), "answers outside the labels: '7' x1"),
        (["a", None], "text", (), None),
        ([True], "boolean", (False,), "answers outside the labels: 'true' x1"),
        ([], "text", ("a",), None),
    ],
)
def test_unknown_answers_are_listed_with_their_counts(
    answers: list[Any], answer_type: str, labels: tuple[Any, ...], warning: str | None
) -> None:
    assert unknown_answers(answers, answer_type, labels) == warning


def test_many_unknown_answers_are_cut() -> None:
    warning = unknown_answers([f"a{row}" for row in range(15)], "text", ("b",))
    assert warning is not None and warning.endswith("and 5 more")


@pytest.mark.parametrize(
    ("name", "truth", "answers", "given", "reason"),
    [
        ("precision", [7, 8], [7, 8], {}, "declare `positive_label`"),
        ("f1", [7, 8], [7, 8], {"labels": (7, 8)}, "declare `positive_label`"),
        ("precision", [8, 1], [1, 1], {"positive_label": 8}, "never answered the positive label 8"),
        ("recall", [1, 1], [8, 1], {"positive_label": 8}, "no expected answer is the positive label 8"),
        ("f1", [1, 1], [8, 1], {"positive_label": 8}, "no expected answer is the positive label 8"),
        ("roc_auc", [8, 1], [8, 1], {"positive_label": 8}, "needs the output 'score:8'"),
        ("roc_auc", [8, 8], [8, 1], {"positive_label": 8}, "every expected answer is 8"),
        ("roc_auc", [1, 1], [8, 1], {"positive_label": 8}, "no expected answer is 8"),
        (
            "roc_auc",
            [8, 1],
            [8, 1],
            {"positive_label": 8, "scores": {"score:8": [0.5, np.nan]}},
            "1 of 2 answers have no number",
        ),
        ("mae", [8, 1], [8, "x"], {}, "1 of 2 answers are no integer"),
        ("accuracy", [], [], {}, "there is no answer"),
    ],
)
def test_an_undefined_metric_says_why(
    name: str, truth: list[Any], answers: list[Any], given: dict[str, Any], reason: str
) -> None:
    found = measured(name, truth, answers, **given)
    assert (found.value, found.low, found.high, found.lower, found.upper) == (None, None, None, None, None)
    assert found.reason is not None and reason in found.reason


def test_errors_of_text_are_undefined() -> None:
    assert measured("mae", ["a"], ["a"], "text").reason == "it needs numbers, but answers are text"


def test_errors_too_large_for_a_float_are_undefined() -> None:
    assert "too large" in str(measured("rmse", [1e308], [-1e308], "number").reason)


@pytest.mark.parametrize(
    ("truth", "answer_type", "labels"),
    [([True, False], "boolean", ()), ([1, 0], "integer", (0, 1)), ([1, -1], "integer", (-1, 1))],
)
def test_binary_labels_need_no_positive_label(truth: list[Any], answer_type: str, labels: tuple[Any, ...]) -> None:
    assert measured("f1", truth, truth, answer_type, labels=labels).value == 1.0


def test_a_candidate_that_misses_every_positive_has_an_f1_of_zero() -> None:
    assert measured("f1", [8, 1], [1, 1], positive_label=8).value == 0.0


@pytest.mark.parametrize("name", ["score:1", "score:1.0", "score:True"])
def test_the_score_of_a_class_is_found_however_the_class_is_written(name: str) -> None:
    found = measured("roc_auc", [True, False], [1, 0], "boolean", scores={name: [0.9, 0.1]})
    assert found.value == 1.0
    assert measured("roc_auc", [1, 0], [1, 0], labels=(0, 1), scores={"score:1.0": [0.9, 0.1]}).value == 1.0


def test_an_answer_of_another_type_is_a_wrong_label() -> None:
    assert measured("accuracy", [0, 0], ["zero", None]).value == 0.0


@pytest.mark.parametrize(
    ("names", "truth", "answers", "message"),
    [
        (("accuracy", "pass_rate"), [1], [1], "cannot measure 'pass_rate'"),
        (("accuracy",), [1, 2], [1], "2 expected answers, but 1 answers"),
        (("accuracy",), [1, "x"], [1, 1], "expected answer 2 is no integer"),
    ],
)
def test_a_wrong_call_is_refused(names: tuple[str, ...], truth: list[Any], answers: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure_all(names, truth, answers, answer_type="integer")


def test_a_benchmark_of_many_rows_is_measured_at_once() -> None:
    random = np.random.default_rng(7)
    truth = random.integers(0, 10, 100_000)
    answers = np.where(random.random(100_000) < 0.9, truth, 0)
    found = measure_all(
        ALL,
        truth.tolist(),
        answers.tolist(),
        {"score:8": random.random(100_000)},
        answer_type="integer",
        positive_label=8,
    )
    assert found[0].value == float((truth == answers).mean())


# Custom scorers, as an installed package brings them.

SCORERS = """
import sys

def share_of_short_answers(frame):
    return float((frame["answer"].str.len() < 4).mean())

share_of_short_answers.version = "2"

def without_version(frame):
    return 1.0
"""


@pytest.fixture
def scorer_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "team_scorers.py").write_text(SCORERS)
    info = tmp_path / "team_scorers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: team-scorers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ml_regress.scorers]\nshort = team_scorers:share_of_short_answers\n"
        "bare = team_scorers:without_version\ngone = team_scorers_of_old:anything\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "team_scorers", raising=False)


@pytest.mark.usefixtures("scorer_package")
def test_a_custom_scorer_comes_from_its_entry_point() -> None:
    assert scorer_version("scorer:short") == "2"
    frame = pd.DataFrame({"answer": ["cat", "horse"]})
    assert measure_scorer("scorer:short", frame) == Measure("scorer:short", 0.5)
    assert load_scorer("short")(frame) == 0.5


@pytest.mark.usefixtures("scorer_package")
@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("scorer:none", "no installed package has the entry point 'none' of group 'ml_regress.scorers'"),
        ("scorer:gone", "cannot be loaded .ModuleNotFoundError"),
        ("scorer:bare", "a text `version`"),
        ("accurracy", "there is no metric 'accurracy'"),
    ],
)
def test_a_scorer_that_is_not_there_is_not_found(metric: str, message: str) -> None:
    with pytest.raises(NotFound, match=message):
        scorer_version(metric)


def test_built_in_metrics_have_no_version() -> None:
    assert {scorer_version(name) for name in ("pass_rate", *ALL)} == {""}


class Giving:
    """A scorer that gives one value, or raises it."""

    version = "1"

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, frame: pd.DataFrame, /) -> float:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "no finite number"),
        (float("inf"), "no finite number"),
        ("0.5", "no finite number"),
        (None, "the scorer failed: TypeError"),
        (KeyError("column"), "the scorer failed: KeyError: 'column'"),
    ],
)
def test_a_scorer_that_gives_no_number_is_undefined_with_the_reason(value: Any, reason: str) -> None:
    found = measure_scorer("scorer:mine", pd.DataFrame(), Giving(value))
    assert found.value is None and reason in str(found.reason)


def test_a_scorer_that_is_not_installed_is_undefined_with_the_reason() -> None:
    found = measure_scorer("scorer:missing", pd.DataFrame())
    assert found.value is None and "entry point 'missing'" in str(found.reason)
