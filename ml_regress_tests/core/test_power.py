import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from ml_regress.core.paired import adjusted, mcnemar
from ml_regress.core.power import (
    certified,
    chance_of,
    false_fail,
    flakiness,
    least_flips,
    majority_reliability,
    patterns_needed,
)
from ml_regress.core.statistics import wilson, wilson_lower


@pytest.mark.parametrize(
    ("tests", "two_sided", "one_sided"), [(1, 6, 5), (5, 8, 7), (10, 9, 8), (20, 10, 9), (50, 11, 10)]
)
def test_the_least_flips_are_the_reference_ones_and_the_test_agrees(tests: int, two_sided: int, one_sided: int) -> None:
    assert (least_flips(tests), least_flips(tests, sides=1)) == (two_sided, one_sided)
    least = adjusted([mcnemar(two_sided, 0).exact, *[1.0] * (tests - 1)])[0]
    fewer = adjusted([mcnemar(two_sided - 1, 0).exact, *[1.0] * (tests - 1)])[0]
    assert least < 0.05 <= fewer


@pytest.mark.parametrize(
    ("rate", "two_sided", "one_sided", "exact"),
    [(0.7, 9, 7, 9), (0.8, 16, 11, 14), (0.9, 35, 25, 29), (0.95, 73, 52, 59), (0.99, 381, 268, 299)],
)
def test_the_patterns_needed_are_the_reference_ones(rate: float, two_sided: int, one_sided: int, exact: int) -> None:
    assert patterns_needed(rate) == two_sided
    assert patterns_needed(rate, sides=1) == one_sided
    assert patterns_needed(rate, exact=True) == exact


@given(st.floats(0.001, 0.999_999_9))
def test_the_patterns_needed_are_enough_and_one_less_is_not(rate: float) -> None:
    two, one, exact = patterns_needed(rate), patterns_needed(rate, sides=1), patterns_needed(rate, exact=True)
    assert wilson(two, two)[0] >= rate and wilson_lower(one, one) >= rate
    assert two == 1 or wilson(two - 1, two - 1)[0] < rate
    assert one == 1 or wilson_lower(one - 1, one - 1) < rate
    assert rate**exact <= 0.05 + 1e-9 and (exact == 1 or rate ** (exact - 1) > 0.05 - 1e-9)


@pytest.mark.parametrize("rate", [0.0, 1.0, 1.2, -0.5, float("nan")])
def test_no_number_of_patterns_certifies_that_nothing_ever_fails(rate: float) -> None:
    with pytest.raises(ValueError, match="lies between 0 and 1"):
        patterns_needed(rate)


def test_fifteen_green_patterns_certify_no_more_than_four_fifths() -> None:
    assert certified(15) == pytest.approx(0.796117, abs=5e-7)
    assert certified(12) == pytest.approx(0.757506, abs=5e-7)
    assert certified(0) == 0.0


# Gates that fail by chance


@pytest.mark.parametrize(
    ("patterns", "reliability", "at_least", "fails"),
    [
        (11, 0.94, 11, 0.4937),
        (11, 0.94, 10, 0.1382),
        (15, 0.95, 14, 0.1710),
        (10, 0.95, 9, 0.0861),
        (30, 53 / 60, 25, 0.1297),
    ],
)
def test_a_gate_of_flaky_patterns_fails_as_often_as_the_binomial_says(
    patterns: int, reliability: float, at_least: int, fails: float
) -> None:
    assert false_fail([reliability] * patterns, at_least) == pytest.approx(fails, abs=5.1e-5)


@given(st.integers(0, 20), st.floats(0, 1), st.integers(-1, 22))
def test_equal_patterns_are_binomial(patterns: int, reliability: float, at_least: int) -> None:
    found = false_fail([reliability] * patterns, at_least)
    assert found == pytest.approx(float(binom.cdf(at_least - 1, patterns, reliability)), abs=1e-9)


@given(st.lists(st.floats(0, 1), max_size=7), st.integers(0, 8))
def test_unequal_patterns_are_counted_over_every_way_they_may_come_out(reliabilities: list[float], least: int) -> None:
    fails = sum(
        math.prod(one if passed else 1 - one for one, passed in zip(reliabilities, ways, strict=True))
        for ways in itertools.product((True, False), repeat=len(reliabilities))
        if sum(ways) < least
    )
    assert false_fail(reliabilities, least) == pytest.approx(fails, abs=1e-9)
    assert chance_of(reliabilities).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("draws", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("reliability", [0.0, 0.3, 0.5, 0.94, 1.0])
def test_a_majority_is_more_than_half_of_the_draws(draws: int, reliability: float) -> None:
    chances = [math.comb(draws, k) * reliability**k * (1 - reliability) ** (draws - k) for k in range(draws + 1)]
    assert majority_reliability(reliability, draws) == pytest.approx(sum(chances[draws // 2 + 1 :]), abs=1e-12)


def test_flakiness_says_how_often_a_gate_fails_by_one_draw_and_by_the_majority() -> None:
    shares = {"sure": (3, 3), "shaky": (2, 3), "never": (0, 3)}
    found = flakiness(shares, 2)
    assert (found.draws, found.flaky) == (3, ("shaky",))
    assert found.one_draw == pytest.approx(1 / 3)
    assert found.majority == pytest.approx(1 - ((2 / 3) ** 3 + 3 * (2 / 3) ** 2 * (1 / 3)))
    assert found.majority < found.one_draw


def test_a_flaky_canary_fails_a_gate_that_its_count_would_pass() -> None:
    shares = {"canary": (4, 5), "other": (5, 5), "third": (5, 5)}
    assert flakiness(shares, 2).one_draw == pytest.approx(0.0)
    assert flakiness(shares, 2, ("canary",)).one_draw == pytest.approx(0.2)
    # A canary that passes counts for the gate as well.
    assert flakiness({"canary": (5, 5), "other": (1, 2)}, 2, ("canary",)).one_draw == pytest.approx(0.5)
    assert flakiness(shares, 0, ("canary", "of another suite")).one_draw == pytest.approx(0.2)


def test_patterns_that_always_answer_alike_make_no_gate_flaky() -> None:
    found = flakiness({"a": (5, 5), "b": (0, 5)}, 1, ("a",))
    assert (found.flaky, found.one_draw, found.majority) == ((), 0.0, 0.0)
    assert flakiness({"a": (5, 5), "b": (0, 3)}, 2).one_draw == 1.0
    assert flakiness({"a": (5, 5), "b": (0, 3)}, 2).draws == 3


def test_a_problem_without_patterns_is_not_flaky_and_a_pattern_without_a_draw_is_refused() -> None:
    assert flakiness({}, 0).draws == 0 and flakiness({}, 0).one_draw == 0.0
    with pytest.raises(ValueError, match="a pattern without a draw has no reliability"):
        flakiness({"a": (0, 0)}, 1)


def _rows(header: str) -> list[list[float]]:
    """The numbers of a table of the page about statistics."""
    page = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    lines = page.split(header, 1)[1].splitlines()[2:]
    table = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[float(item) for item in line.strip("|").split("|")] for line in table]


def test_the_tables_of_the_page_are_those_of_the_functions() -> None:
    flips = _rows("| problems | one-way flips needed |")
    green = _rows("| all pass | certify, two-sided | certify, one-sided |")
    needed = _rows("| rate | Wilson, two-sided | Wilson, one-sided | exact, one-sided |")
    assert flips == [[tests, least_flips(int(tests))] for tests, _ in flips]
    assert green == [[n, round(certified(int(n)), 3), round(wilson_lower(int(n), int(n)), 3)] for n, *_ in green]
    assert needed == [
        [rate, patterns_needed(rate), patterns_needed(rate, sides=1), patterns_needed(rate, exact=True)]
        for rate, *_ in needed
    ]
    assert min(map(len, (flips, green, needed))) >= 5
