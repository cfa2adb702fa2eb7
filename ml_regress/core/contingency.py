"""Counts of two samples in the same cells: chi-square, Fisher's exact test, and the bias-corrected V of Cramer."""

import math

import numpy as np
from scipy.special import chdtrc, gammaln

FEWEST_EXPECTED = 5.0  # below it chi-square is no longer distributed as its name says (Cochran 1954)
_EXACT_UP_TO = 2000


def chi_square(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """(statistic, p) of the two-sample test on a 2 x k table, without continuity correction.

    Cells that are empty on both sides do not count; with fewer than two others nothing can differ: 0 and 1.
    """
    a, b = _filled(reference, current)
    if len(a) < 2:
        return 0.0, 1.0
    pooled = (a + b) / (a.sum() + b.sum())
    statistic = sum(float(((side - side.sum() * pooled) ** 2 / (side.sum() * pooled)).sum()) for side in (a, b))
    return statistic, float(chdtrc(len(a) - 1, statistic))


def cramers_v(reference: np.ndarray, current: np.ndarray) -> float:
    """The bias-corrected V of Cramer (Bergsma 2013) between side and cell, 0 to 1.

    V of the table itself vanishes when one side is much smaller than the other. So it is taken of both sides' shares
    as though each side had 2nm/(n + m) values: of equal sizes this is the table itself, and of others the correction
    still takes away what chance adds.
    """
    a, b = _filled(reference, current)
    if len(a) < 2:
        return 0.0
    p, q = a / a.sum(), b / b.sum()
    total = 4 * a.sum() * b.sum() / (a.sum() + b.sum())
    if total <= 2:
        return 0.0
    squared = float(((p - q) ** 2 / (p + q)).sum()) / 2
    cells, sides = len(a), 2
    corrected = max(0.0, squared - (cells - 1) * (sides - 1) / (total - 1))
    fewer = min(cells - (cells - 1) ** 2 / (total - 1), sides - (sides - 1) ** 2 / (total - 1)) - 1
    return min(1.0, math.sqrt(corrected / fewer)) if fewer > 0 else 0.0


def shares_differ(hits: int, total: int, other_hits: int, other_total: int) -> tuple[str, float, float]:
    """(test, statistic, p), two-sided, of hits among total against other hits among another total.

    Fisher's exact test, whose statistic is the difference of both shares; chi-square where counts are large.
    """
    margins = (hits + other_hits, total + other_total - hits - other_hits, total, other_total)
    if min(margins) <= _EXACT_UP_TO:
        difference = other_hits / other_total - hits / total if total and other_total else 0.0
        return "Fisher", difference, fisher(hits, total - hits, other_hits, other_total - other_hits)
    found = chi_square(np.array([hits, total - hits]), np.array([other_hits, other_total - other_hits]))
    return ("chi-square", *found)


def fisher(a: int, b: int, c: int, d: int) -> float:
    """Two-sided p of Fisher's exact test on [[a, b], [c, d]]: all tables at most as likely as this one."""
    first, row, total = a + c, a + b, a + b + c + d
    low, high = max(0, row + first - total), min(row, first)
    if low >= high:
        return 1.0
    found = np.arange(low, high + 1)
    logs = (
        _log_choose(first, found) + _log_choose(total - first, row - found) - _log_choose(total, np.array(float(row)))
    )
    likely = logs <= logs[a - low] + 1e-7  # tables as likely as this one may be off by rounding
    return min(1.0, float(np.exp(logs[likely]).sum()))


def _log_choose(n: int, k: np.ndarray) -> np.ndarray:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _filled(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    there = (reference + current) > 0
    return reference[there].astype(np.float64), current[there].astype(np.float64)
