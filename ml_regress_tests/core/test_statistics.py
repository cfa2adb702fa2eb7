from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from scipy.stats import t as student

from ml_regress.core.statistics import (
    ONE_SIDED,
    Interval,
    auc_interval,
    clopper_pearson,
    f1_interval,
    jeffreys,
    mean_interval,
    wilson,
    wilson_lower,
)

# Two-sided 95% intervals of k of n: Wilson, Clopper-Pearson, Jeffreys. The last four are published examples
# (Newcombe 1998).
INTERVALS = [
    (0, 10, (0.000000, 0.277533), (0.000000, 0.308497), (0.000048, 0.217196)),
    (5, 10, (0.236593, 0.763407), (0.187086, 0.812914), (0.223529, 0.776471)),
    (7, 10, (0.396778, 0.892209), (0.347547, 0.933260), (0.394182, 0.907305)),
    (9, 10, (0.595850, 0.982124), (0.554984, 0.997471), (0.618685, 0.988988)),
    (10, 10, (0.722467, 1.000000), (0.691503, 1.000000), (0.782804, 0.999952)),
    (12, 15, (0.548146, 0.929525), (0.519109, 0.956688), (0.556365, 0.940229)),
    (15, 15, (0.796117, 1.000000), (0.781981, 1.000000), (0.848183, 0.999968)),
    (0, 20, (0.000000, 0.161125), (0.000000, 0.168433), (0.000024, 0.116639)),
    (1, 29, (0.006113, 0.171755), (0.000873, 0.177644), (0.003746, 0.150078)),
    (15, 148, (0.062386, 0.160487), (0.057844, 0.161650), (0.060449, 0.157643)),
    (81, 263, (0.255289, 0.366210), (0.252737, 0.367622), (0.254522, 0.365647)),
]
LOWER = [(9, 10, 0.652281), (10, 10, 0.787058), (14, 15, 0.749249), (15, 15, 0.847192), (755, 1000, 0.731961)]
COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("k", "n", "score", "exact", "posterior"), INTERVALS)
def test_proportions_have_the_reference_intervals(
    k: int, n: int, score: Interval, exact: Interval, posterior: Interval
) -> None:
    assert wilson(k, n) == pytest.approx(score, abs=5e-7)
    assert clopper_pearson(k, n) == pytest.approx(exact, abs=5e-7)
    assert jeffreys(k, n) == pytest.approx(posterior, abs=5e-7)


def test_the_exact_interval_is_that_of_the_documentation_of_scipy() -> None:
    assert clopper_pearson(7, 50) == pytest.approx((0.0581917, 0.2673960), abs=5e-8)


@pytest.mark.parametrize(("k", "n", "low"), LOWER)
def test_wilson_lower_gives_the_one_sided_reference_bound(k: int, n: int, low: float) -> None:
    assert wilson_lower(k, n) == pytest.approx(low, abs=5e-7)


@given(COUNTS, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_intervals_are_those_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    test = binomtest(*counts)
    one_sided = binomtest(*counts, alternative="greater").proportion_ci(confidence, "wilson")
    assert wilson(*counts, confidence) == pytest.approx(test.proportion_ci(confidence, "wilson"), abs=1e-9)
    assert clopper_pearson(*counts, confidence) == pytest.approx(test.proportion_ci(confidence, "exact"), abs=1e-9)
    assert wilson_lower(*counts, confidence) == pytest.approx(one_sided.low, abs=1e-9)


@given(COUNTS)
def test_failures_have_the_mirrored_interval_of_passes(counts: tuple[int, int]) -> None:
    k, n = counts
    for interval in (wilson, clopper_pearson, jeffreys):
        low, high = interval(k, n)
        assert 0 <= low <= k / n <= high <= 1 or interval is jeffreys
        assert interval(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(COUNTS)
def test_a_two_sided_interval_of_ninety_percent_has_the_one_sided_bounds_as_its_ends(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = wilson(k, n, ONE_SIDED)
    assert (low, high) == pytest.approx((wilson_lower(k, n), 1 - wilson_lower(n - k, n)), abs=1e-12)


def test_nothing_counted_says_nothing() -> None:
    assert wilson(0, 0) == clopper_pearson(0, 0) == (0.0, 1.0)
    assert wilson_lower(0, 0) == 0.0


def test_the_ends_are_exact() -> None:
    assert all(wilson(0, n)[0] == 0.0 and wilson(n, n)[1] == 1.0 for n in range(1, 200))


@pytest.mark.parametrize("interval", [wilson, wilson_lower, clopper_pearson, jeffreys])
@pytest.mark.parametrize(("k", "n"), [(2, 1), (-1, 5), (0, -1), (-1, -1)])
def test_impossible_counts_are_refused(interval: Callable[[int, int], object], k: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"k is {k} and n is {n}"):
        interval(k, n)


@pytest.mark.parametrize("interval", [wilson, wilson_lower, clopper_pearson, jeffreys])
@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_an_impossible_confidence_is_refused(interval: Callable[[int, int, float], object], confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
        interval(1, 2, confidence)


# F1


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_interval_of_f1_is_that_of_its_proportion_mapped(true: int, false: int) -> None:
    low, high = f1_interval(true, false)
    # F1 = 2J / (1 + J), so J = F1 / (2 - F1).
    assert (low / (2 - low), high / (2 - high)) == pytest.approx(wilson(true, true + false), abs=1e-12)
    if true + false:
        assert low - 1e-12 <= 2 * true / (2 * true + false) <= high + 1e-12


# ROC AUC


@pytest.mark.parametrize(
    ("rows", "bound"), [(25, 0.6356), (50, 0.5954), (100, 0.5673), (250, 0.5425), (500, 0.5300), (1000, 0.5212)]
)
def test_an_auc_of_a_half_has_about_the_bound_of_the_rank_sum_test(rows: int, bound: float) -> None:
    low, high = auc_interval(0.5, rows, rows, ONE_SIDED)
    # That bound takes the variance at the half, where it is largest.
    assert -5e-5 < bound - high < 0.15 / rows
    assert low == pytest.approx(1 - high, abs=1e-9)


@given(st.floats(0, 1), st.integers(1, 200), st.integers(1, 200))
def test_the_ends_of_an_auc_are_where_the_value_is_just_as_far_as_the_quantile(
    value: float, positives: int, negatives: int
) -> None:
    low, high = auc_interval(value, positives, negatives)
    assert 0 <= low <= value <= high <= 1
    half = (positives + negatives) / 2
    for bound in (low, high):
        if 1e-6 < bound < 1 - 1e-6:
            spread = 2 * half - 1 - (3 * half - 3) / ((2 - bound) * (1 + bound))
            variance = bound * (1 - bound) * spread / (positives * negatives)
            assert abs(value - bound) == pytest.approx(norm.ppf(0.975) * variance**0.5, abs=1e-8)
    mirrored = auc_interval(1 - value, positives, negatives)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-6)


@pytest.mark.parametrize(("positives", "negatives"), [(1, 1), (1, 50), (5, 5), (100, 100)])
def test_a_perfect_auc_has_an_interval_with_a_width_which_more_rows_narrow(positives: int, negatives: int) -> None:
    low, high = auc_interval(1.0, positives, negatives)
    assert high == 1.0 and 0.1 < low < 1
    assert auc_interval(0.0, positives, negatives) == pytest.approx((0.0, 1 - low), abs=1e-6)
    assert auc_interval(1.0, 4 * positives, 4 * negatives)[0] > low


@pytest.mark.parametrize(
    ("value", "positives", "negatives"), [(1.1, 5, 5), (-0.1, 5, 5), (float("nan"), 5, 5), (0.5, 0, 5), (0.5, 5, 0)]
)
def test_an_auc_without_both_classes_has_no_interval(value: float, positives: int, negatives: int) -> None:
    with pytest.raises(ValueError, match="has no interval"):
        auc_interval(value, positives, negatives)


# Means


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=30))
def test_the_interval_of_a_mean_is_students(values: list[float]) -> None:
    found = mean_interval(values)
    if np.std(values, ddof=1) == 0:  # so few of them would seem to leave no doubt
        assert found is None
        return
    assert found is not None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = student.ppf(0.975, len(values) - 1) * error
    assert found == pytest.approx((max(0.0, mean - half), mean + half), rel=1e-9, abs=1e-9)


def test_one_value_has_no_interval_and_neither_have_values_too_large_for_a_number() -> None:
    assert mean_interval([]) is None
    assert mean_interval([3.0]) is None
    assert mean_interval([1e200, 2e200]) is None
    assert mean_interval([1e308, 1e308]) is None


def test_the_stream_of_the_global_generator_is_left_alone() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]
    wilson(3, 5), clopper_pearson(3, 5), jeffreys(3, 5), auc_interval(0.7, 5, 5), mean_interval([1.0, 2.0])
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index,union-attr]
