from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from ml_regress.core.drift import Compared, compare_levels, compare_numbers, judged, not_compared
from ml_regress.core.drift_numbers import wasserstein
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, NOT_ENOUGH, ColumnDrift
from ml_regress.core.paired import BENJAMINI_HOCHBERG, adjusted
from ml_regress.core.production import DriftRules
from ml_regress.core.profile import profile_levels, profile_numbers

LIMIT = 0.1
Values = Sequence[float] | np.ndarray


def numbers(reference: Values, current: Values, name: str = "x", limit: float = LIMIT) -> Compared:
    return compare_numbers(profile_numbers(name, np.array(reference)), np.array(current), limit)


def levels(reference: Mapping[str, int], current: Mapping[str, int], missing: tuple[int, int] = (0, 0)) -> Compared:
    return compare_levels(profile_levels("x", reference, missing[0]), current, missing[1], LIMIT)


def alone(compared: Compared, **rules: float) -> ColumnDrift:
    return judged([compared], DriftRules(**rules))[0]  # type: ignore[arg-type]


FAMILIES = {
    "normal": lambda rng, size: rng.normal(size=size),
    "counts": lambda rng, size: rng.poisson(3, size),
    "heavy tails": lambda rng, size: rng.standard_cauchy(size),
    "mostly zero": lambda rng, size: np.where(rng.random(size) < 0.6, 0.0, rng.lognormal(size=size)),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("sizes", [(1, 5), (7, 7), (200, 7), (300, 1000), (1000, 1000), (60_000, 41_111)])
def test_statistic_and_size_are_exactly_those_of_scipy(family: str, sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(sizes))
    reference, current = (FAMILIES[family](rng, size) for size in sizes)
    found = numbers(reference, current).values
    assert found is not None
    expected = ks_2samp(reference, current, method="asymp")  # the way to p; the statistic is exact
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-12)
    if reference.std():
        assert found.size == pytest.approx(wasserstein_distance(reference, current) / reference.std(), rel=1e-9)


def test_numbers_have_their_reference_values() -> None:
    shifted = numbers(np.arange(1000) / 1000, np.arange(1000) / 1000 + 0.1).values
    assert shifted is not None
    assert shifted.statistic == pytest.approx(0.101)
    assert shifted.p == pytest.approx(7.33592e-05, rel=1e-5)
    assert shifted.size == pytest.approx(0.3464103, abs=5e-8)
    small = numbers([1, 2, 3, 4, 5], [2, 3, 4, 5, 6]).values
    assert small is not None
    assert small.size == pytest.approx(0.7071068, abs=5e-8)  # by the sample's spread (ddof 1) it would be 0.632
    assert wasserstein(np.array([0.0, 1, 3]), np.array([5.0, 6, 8])) == 5


def test_one_wild_value_does_not_shrink_the_drift_of_all_others() -> None:
    # Trap 5: a distance in parts of the observed range would be 0.1 / 1e6 here.
    reference, current = np.arange(1000) / 1000, np.arange(1000) / 1000 + 0.1
    current[0] = 1e6
    found = alone(numbers(reference, current))
    assert found.drifts
    assert found.outside == 101


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1.0, 1e6, 1e300])
def test_a_drift_is_one_in_every_unit(unit: float) -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=500), rng.normal(0.5, 1, size=400)
    plain, scaled = alone(numbers(reference, current)), alone(numbers(reference * unit, current * unit))
    assert plain.values is not None
    assert scaled.values is not None
    assert scaled.state == DRIFT
    assert scaled.values.size == pytest.approx(plain.values.size)


@pytest.mark.parametrize(("before", "now"), [(5, 6), (1e-9, 2e-9), (0, 1e-9), (1e12, 1e12 + 1), (5, 4)])
def test_a_constant_that_changed_drifts_whatever_its_unit(before: float, now: float) -> None:
    found = alone(numbers([before] * 100, [now] * 100))
    assert found.state == DRIFT
    assert found.psi is not None
    assert found.psi > 5
    assert found.outside == 100


def test_the_constant_5_against_6_has_its_reference_values() -> None:
    found = numbers([5] * 100, [6] * 100).values
    assert found is not None
    assert (found.size, found.p) == (pytest.approx(1000), pytest.approx(2.2e-59, rel=0.01))


def test_the_same_constant_does_not_drift_and_its_size_is_0() -> None:
    for compared in (numbers([5] * 100, [5] * 10), levels({"a": 50}, {"a": 10})):
        found = alone(compared)
        assert found.state == NO_DRIFT
        assert found.reason == "the same constant on both sides"
        assert found.values is not None
        assert (found.values.size, found.values.p, found.psi, found.js) == (0.0, 1.0, 0.0, 0.0)


def test_a_constant_that_varies_now_drifts() -> None:
    assert alone(numbers([5] * 100, [5] * 30 + [6] * 30)).drifts
    assert alone(levels({"a": 100}, {"a": 30, "b": 30})).drifts


def test_a_level_that_replaced_the_only_one_drifts_even_with_ten_rows() -> None:
    found = alone(levels({"0": 200}, {"1": 10}))
    assert found.state == DRIFT
    assert (found.new_levels, found.vanished) == ((("1", 10),), (("0", 200),))
    assert alone(levels({"0": 200}, {"1": 1})).state == NOT_ENOUGH


def test_identical_distributions_do_not_drift_however_large_they_are() -> None:
    # Trap 1: a test of goodness of fit finds a difference in a third of such pairs.
    rng = np.random.default_rng(11)
    shares = [0.4, 0.25, 0.2, 0.1, 0.05]
    pairs = [(rng.multinomial(2000, shares), rng.multinomial(2000, shares)) for _ in range(200)]
    found = [levels(dict(zip("abcde", a.tolist(), strict=True)), dict(zip("abcde", b.tolist(), strict=True)))
             for a, b in pairs]  # fmt: skip
    assert sum(each.values.p <= 0.05 for each in found if each.values) <= 20  # the binomial's 99.9%


def test_p_values_are_ranked_in_their_order_and_not_by_their_places() -> None:
    # Trap 2: by the places that argsort gives, 2 would be rejected in both.
    for p, rejected in (([0.02, 0.03, 0.04, 0.001], 4), ([0.2, 0.001, 0.5, 0.03], 1), ([], 0)):
        assert sum(each <= 0.05 for each in adjusted(p, BENJAMINI_HOCHBERG)) == rejected
    many = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]
    expected = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.10571, 0.216, 0.216, 0.216]
    assert adjusted(many, BENJAMINI_HOCHBERG) == pytest.approx(expected, abs=5e-6)


def test_tests_of_all_columns_are_corrected_together() -> None:
    rng = np.random.default_rng(2)
    compared = [numbers(rng.normal(size=200), rng.normal(size=100), f"x{at}") for at in range(30)]
    compared.append(levels({"a": 100, "b": 100}, {"a": 70, "b": 30}, missing=(0, 8)))
    found = judged(compared, DriftRules())
    tests = [test for each in found for test in (each.values, each.gaps) if test]
    assert len(tests) == 32
    assert [each.adjusted for each in tests] == pytest.approx(adjusted([each.p for each in tests], BENJAMINI_HOCHBERG))
    assert judged([], DriftRules()) == ()


def test_one_rare_level_among_785_columns_is_found() -> None:
    rng = np.random.default_rng(3)
    compared = [numbers(rng.normal(size=300), rng.normal(size=200), f"x{at}") for at in range(784)]
    compared.append(levels({"usual": 2970, "rare": 30}, {"usual": 160, "rare": 40}))
    found = judged(compared, DriftRules())
    assert [each.column for each in found if each.drifts] == ["x"]
    assert found[-1].kind == "category"


def test_a_significant_difference_below_its_practical_size_is_no_drift() -> None:
    rng = np.random.default_rng(4)
    reference, current = rng.normal(size=200_000), rng.normal(0.03, 1, size=200_000)
    found = alone(numbers(reference, current))
    assert found.values is not None
    assert found.values.significant
    assert found.state == NO_DRIFT
    assert "less than the limit 0.1" in found.reason
    assert alone(numbers(reference, current, limit=0.02)).drifts


def test_a_large_difference_of_few_rows_is_no_drift() -> None:
    rng = np.random.default_rng(5)
    found = alone(numbers(rng.normal(size=2000), rng.normal(size=25)))
    assert found.values is not None
    assert found.values.size > LIMIT
    assert found.state == NO_DRIFT
    assert "which chance explains" in found.reason


def test_too_few_values_are_not_enough_data_and_no_number() -> None:
    found = alone(numbers(np.arange(100), [200, 300]))
    assert (found.state, found.values) == (NOT_ENOUGH, None)
    assert found.reason == "the batch has 2 values; it takes 20 on each side"
    assert alone(numbers(np.arange(100), [200, 300] * 10)).drifts
    assert alone(numbers(np.arange(100), [200, 300] * 5), fewest=10).drifts


def test_a_side_without_rows_is_no_data() -> None:
    for compared in (numbers([1, 2] * 30, []), levels({"a": 30, "b": 30}, {})):
        found = alone(compared)
        assert found.state == NOT_ENOUGH
        assert found.reason == "no data: the batch has no rows"
        assert (found.values, found.gaps, found.psi, found.js) == (None, None, None, None)


def test_a_column_that_is_missing_altogether_drifts_by_its_gaps() -> None:
    for compared in (numbers(np.arange(100), np.full(60, np.nan)), levels({"a": 60, "b": 40}, {}, missing=(0, 60))):
        found = alone(compared)
        assert found.state == DRIFT
        assert found.reason.startswith("100.0% missing, 0.0% in the reference")
        assert found.values is None
    both = alone(numbers(np.full(30, np.nan), np.full(40, np.nan)))
    assert both.state == NO_DRIFT
    assert both.reason == "missing on both sides: in all 30 and all 40 rows"
    few = alone(numbers(np.full(30, np.nan), np.full(4, np.nan)))
    assert few.state == NOT_ENOUGH


def test_a_share_of_missing_values_drifts_while_the_values_do_not() -> None:
    rng = np.random.default_rng(6)
    current = rng.normal(size=500)
    current[:100] = np.nan
    found = alone(numbers(rng.normal(size=1000), current))
    assert found.gaps is not None
    assert found.values is not None
    assert (found.gaps.drifts, found.values.drifts, found.state) == (True, False, DRIFT)
    assert found.gaps.size == pytest.approx(0.2)
    assert (found.current, found.missing_current) == (400, 100)


def test_no_nan_and_no_infinity_enters_a_summary() -> None:
    odd = [np.nan, np.inf, -np.inf, 1e308, -1e308, 0.0]
    for reference in ([0.0] * 30, odd * 10, [np.nan] * 30, [1e308, -1e308] * 30, list(range(30))):
        for current in ([0.0] * 30, odd * 10, [np.nan] * 30, [1e308, -1e308] * 30):
            found = alone(numbers(reference, current))
            tests = [test for test in (found.values, found.gaps) if test]
            shown = [each for test in tests for each in (test.statistic, test.p, test.size, test.adjusted)]
            shown += [
                each for each in (found.psi, found.psi_critical, found.js, *(found.means or ())) if each is not None
            ]
            shown += [each for part in found.shape.values() for each in part]
            assert np.isfinite(shown).all()


def test_names_of_rows_are_not_compared() -> None:
    found = alone(levels({f"a{at}": 1 for at in range(300)}, {f"b{at}": 1 for at in range(80)}))
    assert (found.state, found.values) == (NOT_COMPARED, None)
    assert "names rows" in found.reason
    constant = alone(levels({f"a{at}": 1 for at in range(5000)}, {"unknown": 80}))
    assert constant.drifts


def test_rare_levels_are_tested_in_one_cell_and_not_on_counts_that_chi_square_fails_on() -> None:
    rng = np.random.default_rng(8)
    shares = np.array([0.5, 0.3] + [0.2 / 40] * 40)
    names = [f"level {at}" for at in range(42)]
    found = []
    for _ in range(400):
        sides = [dict(zip(names, rng.multinomial(size, shares).tolist(), strict=True)) for size in (1000, 60)]
        test = levels(*sides).values
        assert test is not None
        found.append(test.p)
    assert 0.02 < np.mean(np.array(found) <= 0.05) < 0.085


def test_levels_too_rare_for_any_test_are_not_enough_data() -> None:
    found = alone(levels({f"a{at}": 2 for at in range(15)}, {f"b{at}": 2 for at in range(15)}))
    assert found.state == NOT_ENOUGH
    assert "too rare" in found.reason


def test_new_and_vanished_levels_are_counted_the_largest_first_and_at_most_20() -> None:
    old = {f"old{at:02d}": at + 1 for at in range(30)}
    found = alone(levels({"a": 500, **old}, {"a": 300, "new": 9, "newer": 9, "newest": 40}))
    assert found.new_levels == (("newest", 40), ("new", 9), ("newer", 9))
    assert found.vanished[0] == ("old29", 30)
    assert len(found.vanished) == 20
    assert found.shape["levels"][-1] == "other"
    assert len(found.shape["levels"]) == 13
    assert sum(found.shape["reference"]) == pytest.approx(1)
    assert sum(found.shape["current"]) == pytest.approx(1)


def test_each_column_has_the_limit_that_it_was_given() -> None:
    rules = DriftRules(number=0.2, columns={"strict": 0.01}, missing=0.5)
    assert rules.size_of("strict", "number") == 0.01
    current = np.concatenate([np.arange(100) + 15.0, np.full(20, np.nan)])
    found = judged([numbers(np.arange(100), current, limit=0.01)], rules)[0]
    assert found.values is not None
    assert found.gaps is not None
    assert (found.values.limit, found.gaps.limit, found.gaps.drifts) == (0.01, 0.5, False)


def test_a_column_that_is_not_compared_keeps_its_reason_and_is_no_test() -> None:
    found = judged([not_compared("x", "number", "was text, is number now", 10, 20), numbers([1, 2] * 30, [3, 4] * 30)],
                   DriftRules())  # fmt: skip
    assert (found[0].state, found[0].reason) == (NOT_COMPARED, "was text, is number now")
    assert (found[0].reference, found[0].current) == (10, 20)
    assert found[1].values is not None
    assert found[1].values.adjusted == found[1].values.p


def test_a_result_survives_the_way_through_json() -> None:
    for compared in (numbers(np.arange(100), np.arange(100) + 50.0), levels({"a": 60, "b": 40}, {"a": 60, "c": 40})):
        found = alone(compared)
        assert ColumnDrift.from_dict(found.as_dict()) == found
