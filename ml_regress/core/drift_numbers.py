"""A column of numbers against its profile: Kolmogorov-Smirnov, and Wasserstein as the size. Both are exact."""

import math
from typing import Any

import numpy as np

from ml_regress.core.compared import Compared, gaps_test
from ml_regress.core.divergence import jensen_shannon, psi, psi_critical
from ml_regress.core.drift_result import NUMBER, Test
from ml_regress.core.kolmogorov import kolmogorov_p
from ml_regress.core.profile import NumberProfile, magnitude, mean_of, shares_between, sorted_finite, unit_of

# A spread of 0 cannot measure a change. This takes its place, for values of less than 1 the same part of them.
SPREAD_FLOOR = 0.001
LARGEST_SIZE = 1e300
_BLOCKS_AT_ONCE = 64
_PIECE = 1 << 14  # values that stay in the processor's cache


def compare_numbers(profile: NumberProfile, values: np.ndarray, size_limit: float) -> Compared:
    """Numbers of a batch (float64 with NaN for missing, or whole numbers) against the profile of the reference.

    The size is the Wasserstein distance in standard deviations (ddof 0) of the reference.
    """
    current, missing = sorted_finite(values)
    known: dict[str, Any] = {
        "column": profile.name,
        "kind": NUMBER,
        "reference": profile.count,
        "current": len(current),
        "missing_reference": profile.missing,
        "missing_current": missing,
        "gaps": gaps_test(profile.count, profile.missing, len(current), missing),
    }
    if not profile.count or not len(current):
        return Compared(**known)
    statistic = kolmogorov_smirnov(profile, current)
    shares = shares_between(current, profile.edges)
    bins = int(((profile.shares > 0) | (shares > 0)).sum())
    low, high = profile.values[0], profile.values[-1]
    inside = int(np.searchsorted(current, high, "right") - np.searchsorted(current, low, "left"))
    return Compared(
        **known,
        values=Test(
            "Kolmogorov-Smirnov",
            statistic,
            kolmogorov_p(profile.count, len(current), statistic),
            normalised_distance(profile, current),
            size_limit,
        ),
        psi=psi(profile.shares, shares),
        psi_critical=psi_critical(bins, profile.count, len(current)),
        js=jensen_shannon(profile.shares, shares),
        outside=len(current) - inside,
        means=(profile.mean, mean_of(current)),
        shape=_shape(profile, current),
        simple=profile.constant,
    )


def kolmogorov_smirnov(profile: NumberProfile, current: np.ndarray) -> float:
    """The largest distance of both distribution functions, ties included.

    It is known at the coarse points of the profile. Between two of them it is at most the later share of one side
    less the earlier of the other, so only blocks that could hold a larger one are looked at, the likeliest first.
    """
    values, step, count, size = profile.values, profile.step, profile.count, len(current)
    upto = np.searchsorted(current, profile.coarse, "right") / size
    best = float(np.abs(profile.below - upto).max(initial=0.0))
    reference, other = np.concatenate([[0.0], profile.below, [1.0]]), np.concatenate([[0.0], upto, [1.0]])
    bound = np.maximum(reference[1:] - other[:-1], other[1:] - reference[:-1])
    promising = np.flatnonzero(bound > best)
    promising = promising[np.argsort(bound[promising])[::-1]]
    for start in range(0, len(promising), _BLOCKS_AT_ONCE):
        blocks = promising[start : start + _BLOCKS_AT_ONCE]
        if bound[blocks[0]] <= best:
            break
        places = (np.sort(blocks)[:, None] * step + np.arange(step)).ravel()
        points = values[places[places < count]]
        for side in ("right", "left"):  # just at a value, and just below it
            below = np.searchsorted(values, points, side) / count
            gap = np.abs(below - np.searchsorted(current, points, side) / size)
            best = max(best, float(gap.max(initial=0.0)))
    return best


def normalised_distance(profile: NumberProfile, current: np.ndarray) -> float:
    """The Wasserstein distance in standard deviations of the reference, whatever the unit of the column is.

    Where the reference is constant, in `SPREAD_FLOOR` (of values below 1: that part of the largest). At most
    `LARGEST_SIZE`, so that it stays a number.
    """
    largest = max(profile.magnitude, magnitude(current))
    unit = unit_of(largest)
    if unit == 1.0:
        distance = wasserstein(profile.values, current)
    else:
        distance = wasserstein(profile.values / unit, current / unit)
    spread = SPREAD_FLOOR * min(1.0, largest) if profile.constant else profile.spread
    if distance == 0.0:
        return 0.0
    with np.errstate(over="ignore", divide="ignore"):
        size = float(np.float64(distance) / np.float64(spread / unit))
    return size if math.isfinite(size) and size < LARGEST_SIZE else LARGEST_SIZE


def wasserstein(one: np.ndarray, other: np.ndarray) -> float:
    """The first Wasserstein distance of two sorted samples: the mean distance of their quantile functions.

    Of equal sizes the values are paired. Else each value of the larger sample spans 1/m of the quantiles, and meets
    at most two values of the smaller one there; where it splits is counted in whole units of 1/(nm).
    """
    if len(one) == len(other):
        pieces = range(0, len(one), _PIECE)
        return sum(float(np.abs(one[at : at + _PIECE] - other[at : at + _PIECE]).sum()) for at in pieces) / len(one)
    few, many = (one, other) if len(one) < len(other) else (other, one)
    n, m = len(few), len(many)
    total = 0.0
    for start in range(0, m, _PIECE):
        piece = many[start : start + _PIECE]
        begins = np.arange(start, start + len(piece), dtype=np.float64) * n
        place = np.floor(begins / m)
        before_split = np.minimum((place + 1) * m - begins, n)
        first = place.astype(np.int64)
        near = np.abs(piece - few.take(first))
        far = np.abs(piece - few.take(np.minimum(first + 1, n - 1)))
        total += float(np.dot(near - far, before_split)) + float(far.sum()) * n
    # Large parts were added and taken away: what is left of none may be just below 0.
    return max(total, 0.0) / (n * m)


def _shape(profile: NumberProfile, current: np.ndarray) -> dict[str, Any]:
    """The bins that are drawn: finite edges, though the outer bins hold all that is beyond."""
    if not len(profile.drawn):
        return {}
    shares = shares_between(current, profile.drawn[1:-1])
    return {
        "edges": profile.drawn.tolist(),
        "reference": profile.drawn_shares.tolist(),
        "current": shares.tolist(),
    }
