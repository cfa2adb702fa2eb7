import numpy as np
import pytest
from scipy.stats import fisher_exact, ttest_ind

from ml_regress.core.drift_metric import Labelled, metric_drift
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, NOT_ENOUGH
from ml_regress.core.production import DriftRules

RULES = DriftRules()


def answered(rng: np.random.Generator, count: int, accuracy: float) -> Labelled:
    truth = rng.random(count) < 0.4
    return truth.tolist(), np.where(rng.random(count) < accuracy, truth, ~truth).tolist()


def test_accuracy_is_tested_as_counts_of_right_answers() -> None:
    reference = (["a"] * 100, ["a"] * 90 + ["b"] * 10)
    current = (["a"] * 80, ["a"] * 60 + ["b"] * 20)
    found = metric_drift("accuracy", reference, current, answer_type="text", rules=RULES)
    assert found.state == DRIFT
    assert (found.reference, found.current, found.rows) == (0.9, 0.75, (100, 80))
    assert found.test is not None
    assert found.test.p == pytest.approx(fisher_exact([[90, 10], [60, 20]]).pvalue)
    assert found.test.size == pytest.approx(0.15)
    assert "0.9 in the reference, 0.75 in the batch" in found.reason


def test_precision_and_recall_count_on_their_own_denominators() -> None:
    truth, answers = [True] * 50 + [False] * 50, [True] * 40 + [False] * 10 + [True] * 5 + [False] * 45
    other = ([True] * 50 + [False] * 50, [True] * 20 + [False] * 30 + [True] * 5 + [False] * 45)
    recall = metric_drift("recall", (truth, answers), other, answer_type="boolean", rules=RULES)
    precision = metric_drift("precision", (truth, answers), other, answer_type="boolean", rules=RULES)
    assert recall.test is not None
    assert precision.test is not None
    assert recall.test.p == pytest.approx(fisher_exact([[40, 10], [20, 30]]).pvalue)
    assert precision.test.p == pytest.approx(fisher_exact([[40, 5], [20, 5]]).pvalue)
    assert (recall.state, precision.state) == (DRIFT, NO_DRIFT)


def test_errors_are_tested_by_welch() -> None:
    rng = np.random.default_rng(1)
    truth, other = rng.normal(size=300), rng.normal(size=200)
    noise, more = rng.normal(size=300), 1.5 * rng.normal(size=200)
    for metric, power in (("mae", 1), ("rmse", 2)):
        found = metric_drift(
            metric,
            (truth.tolist(), (truth + noise).tolist()),
            (other.tolist(), (other + more).tolist()),
            answer_type="number",
            rules=RULES,
        )
        expected = ttest_ind(np.abs(more) ** power, np.abs(noise) ** power, equal_var=False)
        assert found.state == DRIFT
        assert found.test is not None
        assert found.test.p == pytest.approx(expected.pvalue, rel=1e-6)
        assert found.reference is not None
        assert found.current is not None
        assert found.test.size == pytest.approx(abs(found.current - found.reference) / found.reference)


def test_an_error_that_was_none_drifts_by_any_change_and_is_a_number() -> None:
    found = metric_drift("mae", ([1.0] * 30, [1.0] * 30), ([1.0] * 30, [2.0] * 30), answer_type="number", rules=RULES)
    assert found.state == DRIFT
    assert found.test is not None
    assert found.test.size == 1.0
    same = metric_drift("mae", ([1.0] * 30, [1.0] * 30), ([1.0] * 30, [1.0] * 30), answer_type="number", rules=RULES)
    assert (same.state, same.test and same.test.size) == (NO_DRIFT, 0.0)


@pytest.mark.parametrize("metric", ["f1", "roc_auc"])
def test_a_metric_without_a_sum_over_rows_is_tested_by_permutation(metric: str) -> None:
    rng = np.random.default_rng(4)

    def side(count: int, strength: float) -> tuple[Labelled, dict[str, list[float]]]:
        truth = rng.random(count) < 0.4
        score = truth * strength + rng.normal(size=count)
        return (truth.tolist(), (score > strength / 2).tolist()), {"score:true": score.tolist()}

    (reference, scores), (clean, clean_scores), (worse, worse_scores) = side(600, 2), side(500, 2), side(500, 0.7)
    options = {"answer_type": "boolean", "rules": RULES}
    moved = metric_drift(metric, reference, worse, scores=(scores, worse_scores), **options)
    again = metric_drift(metric, reference, worse, scores=(scores, worse_scores), **options)
    calm = metric_drift(metric, reference, clean, scores=(scores, clean_scores), **options)
    assert (moved.state, calm.state) == (DRIFT, NO_DRIFT)
    assert moved.test is not None
    assert moved.test.p == pytest.approx(1 / 2001)
    assert moved == again


@pytest.mark.parametrize("metric", ["accuracy", "f1"])
def test_clean_labels_alarm_seldom(metric: str) -> None:
    rng = np.random.default_rng(7)
    found = [
        metric_drift(metric, answered(rng, 200, 0.8), answered(rng, 100, 0.8), answer_type="boolean", rules=RULES)
        for _ in range(200)
    ]
    # 95% of binomials of 200 at 5% are at most 15; the size has to be exceeded as well.
    assert sum(each.state == DRIFT for each in found) <= 15


def test_a_side_without_labels_is_named() -> None:
    some = (["a"] * 30, ["a"] * 30)
    assert "the reference" in metric_drift("accuracy", None, some, answer_type="text", rules=RULES).reason
    found = metric_drift("accuracy", some, ([], []), answer_type="text", rules=RULES)
    assert (found.state, found.test, found.rows) == (NOT_COMPARED, None, (30, 0))
    assert "the batch" in found.reason
    why = metric_drift("accuracy", some, None, answer_type="text", rules=RULES, why_not="no labels came yet")
    assert why.reason == "no labels came yet"


def test_too_few_labels_are_not_enough_data() -> None:
    found = metric_drift("accuracy", (["a"] * 30, ["a"] * 30), (["a"] * 3, ["b"] * 3), answer_type="text", rules=RULES)
    assert (found.state, found.test, found.current) == (NOT_ENOUGH, None, 0.0)
    assert found.reason == "the batch has 3 labelled rows; it takes 20 on each side"


def test_a_metric_that_is_undefined_says_why_and_on_which_side() -> None:
    none_positive = ([False] * 30, [False] * 30)
    found = metric_drift("recall", answered(np.random.default_rng(0), 40, 0.9), none_positive,
                         answer_type="boolean", rules=RULES)  # fmt: skip
    assert (found.state, found.current) == (NOT_COMPARED, None)
    assert found.reason.startswith("the batch: no expected answer is the positive label")
    unknown = metric_drift("custom", none_positive, none_positive, answer_type="boolean", rules=RULES)
    assert "custom" in unknown.reason
