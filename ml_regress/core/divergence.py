"""How far two shares of the same bins are apart: PSI with its critical value, and Jensen-Shannon."""

import math

import numpy as np
from scipy.special import chdtri

# A share of 0 would make PSI infinite: both shares count as at least this.
SHARE_FLOOR = 1e-4


def psi(reference: np.ndarray, current: np.ndarray, floor: float = SHARE_FLOOR) -> float:
    """The population stability index, sum of (c - r) ln(c / r) over shares of which none counts as less than `floor`.

    It is finite, and depends on the floor where a bin is empty: with 1e-4 a level of half of the rows that vanishes
    adds 4.26.
    """
    r, c = np.maximum(reference, floor), np.maximum(current, floor)
    return float(((c - r) * np.log(c / r)).sum())


def psi_critical(bins: int, reference: int, current: int) -> float:
    """What PSI stays below in 95% of pairs of samples of these sizes from one distribution with `bins` bins.

    The 95% quantile of chi-square with bins - 1 degrees of freedom, times 1/n + 1/m (Yurdakul 2018). 0 for one bin.
    """
    return float(chdtri(bins - 1, 0.05)) * (1 / reference + 1 / current) if bins > 1 else 0.0


def jensen_shannon(reference: np.ndarray, current: np.ndarray) -> float:
    """The Jensen-Shannon distance: the root of the divergence in base 2, 0 to 1 (nothing in common)."""
    middle = (reference + current) / 2
    divergence = 0.0
    for shares in (reference, current):
        there = shares > 0
        divergence += float((shares[there] * np.log2(shares[there] / middle[there])).sum()) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))
