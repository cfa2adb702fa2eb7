"""p of the two-sample Kolmogorov-Smirnov test: exact where that is affordable, else in the limit."""

import math

import numpy as np
from scipy.special import gammaln, kolmogorov

# Steps of the exact count, each about as dear as this many values; at most some milliseconds a column.
_STEP, _AFFORDABLE = 5000, 4_000_000
_LARGE = 1e200


def kolmogorov_p(n: int, m: int, statistic: float) -> float:
    """The chance that samples of n and m values of one distribution are apart by the statistic or more.

    Exact where n = m <= 10,000 or one side is small; else Kolmogorov's limit, which is a little too large then. With
    ties both are upper bounds.
    """
    if statistic <= 0:
        return 1.0
    if n == m and n <= 10_000:
        return _equal_sizes(n, round(statistic * n))
    if min(n, m) * (_STEP + max(n, m)) <= _AFFORDABLE:
        return _paths_outside(min(n, m), max(n, m), statistic)
    return float(kolmogorov(math.sqrt(n * m / (n + m)) * statistic))


def _equal_sizes(n: int, steps: int) -> float:
    """By reflections of lattice paths (Gnedenko and Korolyuk 1951), summed from the smallest term on."""
    result = 0.0
    for again in range(n // steps, 0, -1):
        shift = again * steps
        places = np.arange(shift - steps, shift)
        result = float(np.prod((n - places) / (n + places + 1.0))) * (1 - result)
    return min(1.0, 2 * result)


def _paths_outside(n: int, m: int, statistic: float) -> float:
    """The share of the lattice paths from (0, 0) to (n, m) that leave |i/n - j/m| < statistic (Hodges 1958).

    Row by row the paths that stayed inside are counted; each that leaves is counted where it does, so that a tiny
    share is as exact as a large one.
    """
    common = math.gcd(n, m)
    up, right = n // common, m // common
    height = round(statistic * n * right)  # |i * right - j * up| >= height is outside
    rows = np.arange(n + 1)
    low = np.maximum(0, (rows * right - height) // up + 1)
    high = np.minimum(m, -((-(rows * right + height)) // up) - 1)
    paths, scale = np.ones(int(high[0]) + 1), 0.0
    counts: list[np.ndarray] = []  # logarithms of the paths that leave, with the point they leave to
    points: list[tuple[np.ndarray, np.ndarray]] = []

    def leave(leaving: np.ndarray, i: int, j: np.ndarray) -> None:
        with np.errstate(divide="ignore"):
            counts.append(np.log(leaving) + scale)
        points.append((np.full(len(j), i), j))

    for i in range(n + 1):
        first, last = int(low[i]), int(high[i])
        if last < m:
            leave(paths[-1:], i, np.array([last + 1]))
        if i == n:
            break
        following, end = int(low[i + 1]), int(high[i + 1])
        if following > last or following > end:
            return 1.0  # nothing stays inside
        if following > first:
            leave(paths[: following - first], i + 1, np.arange(first, following))
        entering = np.cumsum(paths[following - first :])
        paths = np.concatenate([entering, np.full(end - last, entering[-1])])
        if paths[-1] > _LARGE:
            scale += math.log(paths[-1])
            paths = paths / paths[-1]
    across, along = (np.concatenate(each) for each in zip(*points, strict=True))
    left, above = n - across, m - along
    remaining = gammaln(left + above + 1) - gammaln(left + 1) - gammaln(above + 1)
    total = gammaln(n + m + 1) - gammaln(n + 1) - gammaln(m + 1)
    return min(1.0, float(np.exp(np.concatenate(counts) + remaining - total).sum()))
