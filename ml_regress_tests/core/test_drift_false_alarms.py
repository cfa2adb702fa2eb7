"""Clean pairs: how often a column alarms though nothing drifted, each column judged alone."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from ml_regress.core.drift import Compared, compare_levels, compare_numbers, judged
from ml_regress.core.production import DriftRules
from ml_regress.core.profile import profile_levels, profile_numbers

SIZES = [(200, 50), (1000, 100), (1000, 1000), (2000, 100), (2000, 200), (2000, 2000)]
SHARES = [0.4, 0.25, 0.2, 0.1, 0.05]
MOST = 0.072
RULES = DriftRules()
# Sizes of 0 leave significance alone: what the tests themselves do.
BARE = DriftRules(number=0.0, category=0.0, missing=0.0)


def of_numbers(draw: Callable[[np.random.Generator, int], np.ndarray], rules: DriftRules) -> Callable[..., Compared]:
    def compared(rng: np.random.Generator, n: int, m: int) -> Compared:
        return compare_numbers(profile_numbers("x", draw(rng, n)), draw(rng, m), rules.number)

    return compared


def of_levels(rules: DriftRules) -> Callable[..., Compared]:
    def compared(rng: np.random.Generator, n: int, m: int) -> Compared:
        sides = [dict(zip("abcde", rng.multinomial(size, SHARES).tolist(), strict=True)) for size in (n, m)]
        return compare_levels(profile_levels("x", sides[0], 0), sides[1], 0, rules.category)

    return compared


def normal(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.normal(size=size)


def with_gaps(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.where(rng.random(size) < 0.1, np.nan, rng.normal(size=size))


def whole(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.poisson(3, size)


def tied(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.where(rng.random(size) < 0.8, 0.0, rng.lognormal(size=size))


def alarms(rules: DriftRules, compare: Callable[..., Compared], n: int, m: int, repetitions: int) -> int:
    rng = np.random.default_rng(n * 31 + m)
    return sum(judged([compare(rng, n, m)], rules)[0].drifts for _ in range(repetitions))


def kinds(rules: DriftRules) -> dict[str, Callable[..., Compared]]:
    drawn = {"normal": normal, "with gaps": with_gaps, "whole": whole, "tied": tied}
    return {**{name: of_numbers(draw, rules) for name, draw in drawn.items()}, "levels": of_levels(rules)}


@pytest.mark.parametrize("kind", list(kinds(RULES)))
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_clean_columns_alarm_no_more_often_than_alpha(kind: str, n: int, m: int) -> None:
    found = alarms(RULES, kinds(RULES)[kind], n, m, 200)
    assert found <= binom.ppf(0.999, 200, RULES.alpha)


@pytest.mark.slow
@pytest.mark.parametrize("rules", [RULES, BARE], ids=["with its practical size", "by significance alone"])
@pytest.mark.parametrize("kind", list(kinds(RULES)))
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_at_most_72_in_1000_clean_columns_alarm(kind: str, n: int, m: int, rules: DriftRules) -> None:
    assert alarms(rules, kinds(rules)[kind], n, m, 1000) <= MOST * 1000
