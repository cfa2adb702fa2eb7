"""Intervals of one number: proportions, ROC AUC, means.

Wilson's score interval (Wilson 1927; Newcombe 1998, method 3) is the one that is shown and judged by, because it stays
inside [0, 1] and says something at 0 of n and n of n, which is where regression tests mostly are. A two-sided interval
of confidence 0.90 has the two one-sided 95% bounds as its ends.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincinv, ndtri, stdtrit

Interval = tuple[float, float]
CONFIDENCE = 0.95
# The confidence of a two-sided interval whose ends are one-sided 95% bounds.
ONE_SIDED = 0.90
_NEAR = 1e-9


def wilson(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The two-sided interval (low, high) of k of n; (0, 1) where nothing was counted.

    Raises ValueError unless 0 <= k <= n and 0 < confidence < 1.
    """
    _check(k, n, confidence)
    return _bounds(k, n, float(ndtri(0.5 + confidence / 2)))


def wilson_lower(k: int, n: int, confidence: float = CONFIDENCE) -> float:
    """The one-sided lower bound of k of n; 0 where nothing was counted. Raises like wilson."""
    _check(k, n, confidence)
    return _bounds(k, n, float(ndtri(confidence)))[0]


def clopper_pearson(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval (Clopper and Pearson 1934), which is never too narrow. Raises like wilson."""
    _check(k, n, confidence)
    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return low, high


def jeffreys(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The equal-tailed posterior interval under Jeffreys' prior, Beta(1/2, 1/2). Raises like wilson."""
    _check(k, n, confidence)
    tail = (1 - confidence) / 2
    return float(betaincinv(k + 0.5, n - k + 0.5, tail)), float(betaincinv(k + 0.5, n - k + 0.5, 1 - tail))


def f1_interval(true: int, false: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of F1 with `true` positives and `false` answers (false positives and false negatives).

    F1 = 2J / (1 + J) grows with J = true / (true + false), a proportion: its Wilson interval, mapped.
    """
    low, high = wilson(true, true + false, confidence)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def auc_interval(value: float, positives: int, negatives: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a ROC AUC (Newcombe 2006, method 5): the variance is taken at the bound, not at the value.

    So it has a width at 1 as well, and at 0.5 it is that of the rank-sum test. Raises ValueError unless
    0 <= value <= 1 and both classes are there.
    """
    if not 0 <= value <= 1 or positives < 1 or negatives < 1:
        raise ValueError(f"an AUC of {value} on {positives} positives and {negatives} negatives has no interval")
    z, half = float(ndtri(0.5 + confidence / 2)), (positives + negatives) / 2

    def miss(bound: float) -> float:
        spread = 2 * half - 1 - (3 * half - 3) / ((2 - bound) * (1 + bound))
        return abs(value - bound) - z * math.sqrt(bound * (1 - bound) * spread / (positives * negatives))

    # At 0 and at 1 the variance is none: the bound is the other root, just off the value.
    low = 0.0 if value == 0 else float(brentq(miss, 0.0, min(value, 1 - _NEAR)))
    high = 1.0 if value == 1 else float(brentq(miss, max(value, _NEAR), 1.0))
    return low, high


def mean_interval(values: "Sequence[float] | np.ndarray", confidence: float = CONFIDENCE) -> Interval | None:
    """Student's interval of the mean of values that are not negative.

    None for fewer than two values, for values that are all the same (an interval without width would say that so few
    of them leave no doubt), and where they are too large for a floating-point number.
    """
    count = len(values)
    if count < 2:
        return None
    data = np.asarray(values, dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = float(data.mean()), float(data.std(ddof=1))
    half = float(stdtrit(count - 1, 0.5 + confidence / 2)) * spread / math.sqrt(count)
    return (max(0.0, mean - half), mean + half) if half > 0 and math.isfinite(mean + half) else None


def _check(k: int, n: int, confidence: float) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"k must lie between 0 and n, but k is {k} and n is {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, but is {confidence}")


def _bounds(k: int, n: int, z: float) -> Interval:
    if n == 0:
        return 0.0, 1.0
    rate = k / n
    scale = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / scale
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / scale
    # At both ends the bound is exact; the formula would miss it by a rounding error.
    low = 0.0 if k == 0 else max(0.0, centre - half)
    high = 1.0 if k == n else min(1.0, centre + half)
    return low, high
