"""Two candidates on the same patterns: the exact test, the difference, flip rates, and many tests at once.

With both right (a), broken by the new one (b, regressions), fixed by it (c, fixes) and both wrong (d):
only b and c tell the two apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, chdtrc
from scipy.stats import false_discovery_control

from ml_regress.core.statistics import CONFIDENCE, wilson

HOLM, BENJAMINI_HOCHBERG, BENJAMINI_YEKUTIELI, BONFERRONI = (
    "holm",
    "benjamini-hochberg",
    "benjamini-yekutieli",
    "bonferroni",
)
CORRECTIONS = (HOLM, BENJAMINI_HOCHBERG, BENJAMINI_YEKUTIELI, BONFERRONI)


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of b against c flips: `exact` is the two-sided p that is shown and judged by.

    `mid_p` and `chi2` with its `chi2_p` (continuity-corrected) are for comparison with other programs; `one_sided`
    asks in the direction of the larger count.
    """

    exact: float
    mid_p: float
    chi2: float
    chi2_p: float
    one_sided: float


def mcnemar(b: int, c: int) -> McNemar:
    """The test of b flips in one direction and c in the other (McNemar 1947; Fay 2010 for the mid-p).

    Without a flip nothing speaks against equality: p is 1. Raises ValueError for negative counts.
    """
    if b < 0 or c < 0:
        raise ValueError(f"flips are counted from 0, but there are {b} and {c}")
    total, less = b + c, min(b, c)
    if not total:
        return McNemar(1.0, 1.0, 0.0, 1.0, 1.0)
    tail = float(bdtr(less, total, 0.5))
    exact = min(1.0, 2 * tail)
    point = tail - float(bdtr(less - 1, total, 0.5)) if less else tail
    mid = 1.0 if b == c else exact - point
    chi2 = max(0, abs(b - c) - 1) ** 2 / total
    return McNemar(exact, mid, chi2, float(chdtrc(1, chi2)), min(1.0, tail))


def newcombe_difference(a: int, b: int, c: int, d: int, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """(difference, low, high) of the new rate minus the old one on paired patterns (Newcombe 1998, method 10).

    Raises ValueError for negative counts or for no pattern at all.
    """
    total = a + b + c + d
    if min(a, b, c, d) < 0 or not total:
        raise ValueError(f"a table of paired patterns cannot hold {a}, {b}, {c}, {d}")
    old, new = (a + b) / total, (a + c) / total
    old_low, old_high = wilson(a + b, total, confidence)
    new_low, new_high = wilson(a + c, total, confidence)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    product = float(a * d - b * c)
    if product > 0:
        product = max(product - total / 2, 0)
    phi = product / math.sqrt(margins) if margins else 0.0
    below, above = _halves(new - new_low, old_high - old, phi), _halves(new_high - new, old - old_low, phi)
    return new - old, new - old - below, new - old + above


def _halves(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


@dataclass(frozen=True)
class Compatibility:
    """How far a new candidate keeps what the old one did; None where a rate is undefined.

    `negative` = b/N and `positive` = c/N are flip rates (Yan et al. 2021), `net` = positive - negative is the
    change of the rate. `trust` = a/(a+b) is backward trust compatibility (Bansal et al. 2019): of what the old one
    had right, the share that stays right. `error` = d/(c+d) is backward error compatibility: of what the old one had
    wrong, the share that stays wrong. `relative_negative` is the negative flip rate beside that of two candidates
    that err independently: 1 is as many as chance gives.
    """

    negative: float | None
    positive: float | None
    net: float | None
    trust: float | None
    error: float | None
    relative_negative: float | None


def compatibility(a: int, b: int, c: int, d: int) -> Compatibility:
    """Flip rates and compatibilities of a table of paired patterns; an empty denominator leaves one undefined."""
    total = a + b + c + d
    chance = (b + d) * (a + b)
    return Compatibility(
        negative=b / total if total else None,
        positive=c / total if total else None,
        net=(c - b) / total if total else None,
        trust=a / (a + b) if a + b else None,
        error=d / (c + d) if c + d else None,
        relative_negative=b * total / chance if chance else None,
    )


def adjusted(p: Sequence[float], correction: str = HOLM) -> list[float]:
    """p values adjusted for being many, in their own order.

    Holm (1979) and Bonferroni bound the chance of any false finding, Benjamini-Hochberg (1995) and
    Benjamini-Yekutieli (2001) the share of false ones among the findings. Raises ValueError for another name.
    """
    if correction not in CORRECTIONS:
        raise ValueError(f"there is no correction {correction!r}; use one of {', '.join(CORRECTIONS)}")
    values = np.asarray(p, dtype=float)
    if not len(values):
        return []
    if correction == BONFERRONI:
        return [float(value) for value in np.minimum(1, values * len(values))]
    if correction != HOLM:
        found = false_discovery_control(values, method="bh" if correction == BENJAMINI_HOCHBERG else "by")
        return [float(value) for value in found]
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    result = np.empty(len(values))
    result[order] = np.minimum(1, steps)
    return [float(value) for value in result]
