"""Intervals of proportions.

Wilson's score interval (Wilson 1927; Newcombe 1998, method 3), because it stays inside [0, 1] and
says something at 0 of n and n of n, which is where regression tests mostly are.
"""

import math

from scipy.special import ndtri


def wilson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided interval (low, high) of k of n; (0, 1) where nothing was counted.

    Raises ValueError unless 0 <= k <= n and 0 < confidence < 1.
    """
    _check(k, n, confidence)
    return _bounds(k, n, float(ndtri(0.5 + confidence / 2)))


def wilson_lower(k: int, n: int, confidence: float = 0.95) -> float:
    """The one-sided lower bound of k of n; 0 where nothing was counted. Raises like wilson."""
    _check(k, n, confidence)
    return _bounds(k, n, float(ndtri(confidence)))[0]


def _check(k: int, n: int, confidence: float) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"k must lie between 0 and n, but k is {k} and n is {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, but is {confidence}")


def _bounds(k: int, n: int, z: float) -> tuple[float, float]:
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
