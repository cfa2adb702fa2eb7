"""Profiles of a reference: what a comparison needs of each column, made once and held against every batch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Raised whenever a profile made before would be read wrongly.
PROFILE_VERSION = "1"
DECILES = 10
DRAWN = 18  # bins between the 1% and the 99% quantile; one more at each end holds what is beyond
_COARSE_POINTS = 16384
_FINEST_STEP = 32
# Below this share of its largest value a spread is rounding, not variation.
_ROUNDING = 1e-14
# Of a column in which hardly any value occurs twice no more levels are kept: each tells nothing.
IDENTIFIER_SHARE = 0.9
_IDENTIFIERS_KEPT = 1000


@dataclass(frozen=True, eq=False)
class NumberProfile:
    """A column of numbers: `values` are those that are there, sorted; `missing` counts the others.

    `coarse` is every `step`-th value and `below` the share of values at most as large: they bound where two
    distributions can differ most. `spread` is the standard deviation (ddof 0). `edges` are the inner edges of the
    bins that PSI is taken over (the outer bins are open), `drawn` all edges of the bins that are drawn; `shares` and
    `drawn_shares` are the reference's.
    """

    name: str
    count: int
    missing: int
    mean: float
    spread: float
    step: int
    values: np.ndarray
    coarse: np.ndarray
    below: np.ndarray
    edges: np.ndarray
    shares: np.ndarray
    drawn: np.ndarray
    drawn_shares: np.ndarray

    @property
    def magnitude(self) -> float:
        return magnitude(self.values)

    @property
    def constant(self) -> bool:
        """Whether all values are the same but for rounding."""
        return self.spread <= _ROUNDING * self.magnitude


@dataclass(frozen=True, eq=False)
class LevelProfile:
    """A column of levels as texts: the largest first, each with its count; `missing` counts the others.

    `distinct` counts all levels. Of an identifier only some are kept.
    """

    name: str
    count: int
    missing: int
    distinct: int
    levels: tuple[str, ...]
    counts: np.ndarray

    @property
    def identifier(self) -> bool:
        return is_identifier(self.distinct, self.count)

    @property
    def constant(self) -> bool:
        return self.distinct == 1


Profile = NumberProfile | LevelProfile


def is_identifier(distinct: int, count: int) -> bool:
    """Whether levels rather name the rows than say something of them: hardly any occurs twice."""
    return count >= 20 and distinct >= IDENTIFIER_SHARE * count


def profile_numbers(name: str, values: np.ndarray) -> NumberProfile:
    """The profile of n numbers: float64, where NaN and infinity count as missing, or whole numbers."""
    there, missing = sorted_finite(values)
    count = len(there)
    step = max(_FINEST_STEP, count // _COARSE_POINTS)
    coarse = np.ascontiguousarray(there[step - 1 :: step])
    edges, drawn = _psi_edges(there), _drawn_edges(there)
    return NumberProfile(
        name=name,
        count=count,
        missing=missing,
        mean=mean_of(there),
        spread=spread_of(there),
        step=step,
        values=there,
        coarse=coarse,
        below=np.searchsorted(there, coarse, "right") / max(count, 1),
        edges=edges,
        shares=shares_between(there, edges),
        drawn=drawn,
        drawn_shares=shares_between(there, drawn[1:-1]) if len(drawn) else drawn,
    )


def profile_levels(name: str, counts: Mapping[str, int], missing: int) -> LevelProfile:
    """The profile of a column whose levels occur `counts` times."""
    ordered = sorted(((level, count) for level, count in counts.items() if count), key=lambda each: (-each[1], each[0]))
    total = sum(count for _, count in ordered)
    kept = ordered[:_IDENTIFIERS_KEPT] if is_identifier(len(ordered), total) else ordered
    return LevelProfile(
        name=name,
        count=total,
        missing=missing,
        distinct=len(ordered),
        levels=tuple(level for level, _ in kept),
        counts=np.array([count for _, count in kept], dtype=np.int64),
    )


def sorted_finite(values: np.ndarray) -> tuple[np.ndarray, int]:
    """The finite values as float64, sorted, and how many others there are."""
    ordered = np.sort(values.astype(np.float64) if values.dtype != np.float64 else values)
    first, last = 0, len(ordered)
    if last and not np.isfinite(ordered[-1]):  # NaN comes last, behind infinity
        last = int(np.searchsorted(ordered, np.inf, "left"))
    if last and ordered[0] == -np.inf:
        first = int(np.searchsorted(ordered, -np.inf, "right"))
    return ordered[first:last], len(ordered) - max(last - first, 0)


def magnitude(ordered: np.ndarray) -> float:
    """The largest absolute value of sorted ones; 0 of none."""
    return float(max(abs(ordered[0]), abs(ordered[-1]))) if len(ordered) else 0.0


def unit_of(*magnitudes: float) -> float:
    """What values are divided by so that their squares and differences are floating-point numbers: 1 nearly always."""
    largest = max(magnitudes)
    return 1.0 if largest == 0 or 1e-140 < largest < 1e140 else largest


def mean_of(ordered: np.ndarray) -> float:
    """The mean of sorted values; 0 of none."""
    if not len(ordered):
        return 0.0
    if ordered[0] == ordered[-1]:  # exactly: the sum of many equal floats is off by rounding
        return float(ordered[0])
    unit = unit_of(magnitude(ordered))
    return float(ordered.mean()) if unit == 1.0 else float((ordered / unit).mean()) * unit


def spread_of(ordered: np.ndarray) -> float:
    """The standard deviation (ddof 0) of sorted values; 0 of none and of equal ones."""
    if not len(ordered) or ordered[0] == ordered[-1]:
        return 0.0
    unit = unit_of(magnitude(ordered))
    return float(ordered.std()) if unit == 1.0 else float((ordered / unit).std()) * unit


def shares_between(ordered: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The shares of sorted values in the bins between inner edges, each including its upper one; the ends are open."""
    if not len(ordered):
        return np.zeros(len(edges) + 1)
    upto = np.searchsorted(ordered, edges, "right")
    return np.asarray(np.diff(upto, prepend=0, append=len(ordered)) / len(ordered))


def _psi_edges(ordered: np.ndarray) -> np.ndarray:
    """The deciles, each once.

    Where the least value fills a bin of its own, what is smaller gets another one: a constant that falls must not
    stay in its bin.
    """
    count = len(ordered)
    if not count:
        return np.zeros(0)
    edges = np.unique(ordered[(count * np.arange(1, DECILES) - 1) // DECILES])
    if edges[0] == ordered[0]:
        edges = np.concatenate([[np.nextafter(edges[0], -np.inf)], edges])
    return edges


def _drawn_edges(ordered: np.ndarray) -> np.ndarray:
    """Edges of equal width between the 1% and the 99% quantile, and one more a side; none where they overflow."""
    count = len(ordered)
    if not count:
        return np.zeros(0)
    low, high = ordered[count // 100], ordered[(99 * (count - 1)) // 100]
    if low == high:
        low, high = ordered[0], ordered[-1]
    with np.errstate(over="ignore", invalid="ignore"):
        if low == high:
            half = abs(low) / 1000 or 0.001  # whatever differs from a constant is drawn beside it
            inner = np.array([low - half, low + half])
        elif high - low < DRAWN and bool((np.floor(ordered) == ordered).all()):
            inner = np.arange(low - 0.5, high + 1)  # a bin for each whole number
        else:
            inner = low + (high - low) * (np.arange(DRAWN + 1) / DRAWN)
        width = inner[1] - inner[0]
        edges = np.concatenate([[inner[0] - width], inner, [inner[-1] + width]])
        rises = bool((np.diff(edges) > 0).all())
    return edges if rises and np.isfinite(edges).all() else np.zeros(0)
