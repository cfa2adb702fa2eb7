import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, false_discovery_control

from ml_regress.core.paired import (
    BENJAMINI_HOCHBERG,
    BENJAMINI_YEKUTIELI,
    BONFERRONI,
    CORRECTIONS,
    HOLM,
    Compatibility,
    adjusted,
    compatibility,
    mcnemar,
    newcombe_difference,
)
from ml_regress.core.statistics import wilson

FLIPS = st.integers(0, 60)

# b, c, exact, mid-p, chi-squared with its p, one-sided. (11, 1) and (25, 15) are scenarios of the documentation of
# mlxtend.
TESTS = [
    (1, 0, 1.000000, 0.500000, 0, 1, 0.500000),
    (4, 0, 0.125000, 0.062500, 2.2500, 0.133614, 0.062500),
    (5, 0, 0.062500, 0.031250, 3.2000, 0.073638, 0.031250),
    (6, 0, 0.031250, 0.015625, 4.1667, 0.041227, 0.015625),
    (7, 1, 0.070312, 0.039063, 3.1250, 0.077100, 0.035156),
    (8, 1, 0.039062, 0.021484, 4.0000, 0.045500, 0.019531),
    (10, 2, 0.038574, 0.022461, 4.0833, 0.043308, 0.019287),
    (11, 1, 0.006348, 0.003418, 6.7500, 0.009375, 0.003174),
    (25, 15, 0.153860, 0.117275, 2.0250, 0.154729, 0.076930),
]


@pytest.mark.parametrize(("b", "c", "exact", "mid_p", "chi2", "chi2_p", "one_sided"), TESTS)
def test_mcnemar_gives_the_reference_values(
    b: int, c: int, exact: float, mid_p: float, chi2: float, chi2_p: float, one_sided: float
) -> None:
    for found in (mcnemar(b, c), mcnemar(c, b)):
        assert (found.exact, found.mid_p, found.one_sided) == pytest.approx((exact, mid_p, one_sided), abs=6e-7)
        assert found.chi2 == pytest.approx(chi2, abs=5.1e-5)
        assert found.chi2_p == pytest.approx(chi2_p, abs=5.1e-7)


@given(FLIPS, FLIPS)
def test_the_exact_test_is_the_binomial_test_of_scipy(b: int, c: int) -> None:
    found = mcnemar(b, c)
    assert found.exact == pytest.approx(binomtest(b, b + c).pvalue if b + c else 1.0)
    assert 0 < found.mid_p <= found.exact <= 1
    assert found.one_sided <= found.exact


@pytest.mark.parametrize(("b", "c"), [(999, 0), (1000, 0), (1030, 0), (520, 500), (0, 20_000)])
def test_many_flips_are_tested_as_exactly_as_few(b: int, c: int) -> None:
    total, less = b + c, min(b, c)
    counted = sum(math.comb(total, k) for k in range(less + 1))
    point = Fraction(math.comb(total, less), 2**total)
    tail = Fraction(counted, 2**total)
    found = mcnemar(b, c)
    assert found.exact == pytest.approx(float(2 * tail), rel=1e-9)
    assert found.mid_p == pytest.approx(float(2 * tail - point), rel=1e-9)


def test_without_a_flip_and_with_as_many_both_ways_nothing_speaks_against_equality() -> None:
    for flips in (0, 1, 7, 600):
        found = mcnemar(flips, flips)
        assert (found.exact, found.mid_p, found.chi2, found.chi2_p) == (1.0, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(("b", "c"), [(-1, 3), (3, -1)])
def test_flips_below_nothing_are_refused(b: int, c: int) -> None:
    with pytest.raises(ValueError, match=f"there are {b} and {c}"):
        mcnemar(b, c)


# The change of the rate. The published examples are of the old rate minus the new one: the signs are the other way.


@pytest.mark.parametrize(
    ("table", "difference", "low", "high"),
    [
        ((36, 12, 2, 0), 0.2, 0.056930, 0.340428),
        ((20, 12, 2, 16), 0.2, 0.056156, 0.329207),
        ((150, 8, 25, 37), -0.077273, -0.128764, -0.026251),
        ((5, 2, 3, 0), -0.1, -0.475410, 0.314645),
    ],
)
def test_the_change_of_a_rate_has_the_reference_interval(
    table: tuple[int, int, int, int], difference: float, low: float, high: float
) -> None:
    assert newcombe_difference(*table) == pytest.approx((-difference, -high, -low), abs=6e-7)


TABLES = st.tuples(FLIPS, FLIPS, FLIPS, FLIPS).filter(any)


@given(TABLES)
def test_the_change_of_a_rate_turns_with_its_sides(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    change, low, high = newcombe_difference(a, b, c, d)
    assert -1 - 1e-12 <= low <= change <= high <= 1 + 1e-12
    assert newcombe_difference(a, c, b, d) == pytest.approx((-change, -high, -low), abs=1e-12)
    # What passes and what fails may be exchanged.
    assert newcombe_difference(d, c, b, a) == pytest.approx((-change, -high, -low), abs=1e-12)


def test_patterns_that_are_all_right_by_both_leave_a_width() -> None:
    assert newcombe_difference(10, 0, 0, 0) == pytest.approx((0.0, wilson(10, 10)[0] - 1, 1 - wilson(10, 10)[0]))


@pytest.mark.parametrize("table", [(0, 0, 0, 0), (1, -1, 1, 1)])
def test_an_impossible_table_is_refused(table: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="a table of paired patterns cannot hold"):
        newcombe_difference(*table)


# Backward compatibility


def test_a_better_rate_may_break_trusted_answers() -> None:
    old, new = "1111111000", "1111100111"
    pairs = [first + second for first, second in zip(old, new, strict=True)]
    found = compatibility(*(pairs.count(wanted) for wanted in ("11", "10", "01", "00")))
    assert (found.negative, found.positive, found.net) == pytest.approx((0.2, 0.3, 0.1))
    assert found.trust == pytest.approx(0.714286, abs=5e-7)
    assert found.error == 0.0
    assert found.relative_negative == pytest.approx(1.428571, abs=5e-7)


@given(TABLES)
def test_compatibilities_are_those_of_the_flip_rates(table: tuple[int, int, int, int]) -> None:
    a, b, c, _ = table
    found, total = compatibility(*table), sum(table)
    old, new = Fraction(a + b, total), Fraction(a + c, total)
    assert found.negative is not None and found.positive is not None
    assert found.net == pytest.approx(float(new - old))
    assert (found.trust is None) == (old == 0) and (found.error is None) == (old == 1)
    assert (found.relative_negative is None) == (old == 0 or new == 1)
    if found.trust is not None:
        assert found.trust == pytest.approx(1 - found.negative / float(old))
    if found.error is not None:
        assert found.error == pytest.approx(1 - found.positive / float(1 - old))
    if found.relative_negative is not None:
        assert found.relative_negative == pytest.approx(found.negative / float((1 - new) * old))


def test_an_empty_denominator_leaves_undefined_and_is_never_zero() -> None:
    assert compatibility(0, 0, 0, 0) == Compatibility(None, None, None, None, None, None)
    assert compatibility(9, 1, 0, 0).error is None  # a perfect old candidate has no errors to keep
    assert compatibility(0, 0, 1, 9).trust is None  # one that was never right has no trust to lose
    assert compatibility(9, 0, 1, 0).relative_negative is None  # a perfect new one cannot break anything


# Many tests at once

MANY = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]
ADJUSTED = {
    BONFERRONI: ([0.01, 0.08, 0.39, 0.41, 0.42, 0.6, 0.74, 1, 1, 1], 1),
    HOLM: ([0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615], 1),
    BENJAMINI_HOCHBERG: ([0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.10571, 0.216, 0.216, 0.216], 2),
    BENJAMINI_YEKUTIELI: ([0.02929, 0.11716], 1),
}


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_adjusted_gives_the_reference_values(correction: str) -> None:
    wanted, rejected = ADJUSTED[correction]
    found = adjusted(MANY, correction)
    assert found[: len(wanted)] == pytest.approx(wanted, abs=5.1e-6)
    assert sum(p < 0.05 for p in found) == rejected


@pytest.mark.parametrize(("p", "rejected"), [([0.02, 0.03, 0.04, 0.001], 4), ([0.2, 0.001, 0.5, 0.03], 1)])
def test_benjamini_hochberg_ranks_values_wherever_they_stand(p: list[float], rejected: int) -> None:
    assert sum(value <= 0.05 for value in adjusted(p, BENJAMINI_HOCHBERG)) == rejected


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_nothing_to_correct_stays_nothing_and_one_test_stays_as_it_is(correction: str) -> None:
    assert adjusted([], correction) == []
    assert adjusted([0.03], correction) == pytest.approx([0.03])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_every_correction_raises_p_keeps_the_order_and_goes_by_value_not_by_place(
    p: list[float], random: object
) -> None:
    order = list(range(len(p)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for correction in CORRECTIONS:
        found = adjusted(p, correction)
        assert all(one <= 1 and one >= value - 1e-15 for one, value in zip(found, p, strict=True))
        ranked = [found[at] for at in sorted(range(len(p)), key=p.__getitem__)]
        assert ranked == sorted(ranked)
        assert adjusted([p[at] for at in order], correction) == pytest.approx([found[at] for at in order])
    assert all(
        holm <= bonferroni + 1e-15 for holm, bonferroni in zip(adjusted(p), adjusted(p, BONFERRONI), strict=True)
    )
    assert adjusted(p, BENJAMINI_HOCHBERG) == pytest.approx(list(false_discovery_control(p)))


def test_a_correction_that_there_is_not_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="there is no correction 'sidak'; use one of holm, benjamini-hochberg"):
        adjusted([0.5], "sidak")
