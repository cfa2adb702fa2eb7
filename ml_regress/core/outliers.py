"""Rows that are stranger than nearly all rows of a reference.

Three measures see different strangeness: an isolation forest rows that few splits set apart, the
distance to the nearest reference rows combinations that do not occur, and the largest single
feature one odd value. Each is held against reference rows that were kept out of its fit, and so
is the strangest of the three; without the latter a clean row would have three chances to be
called strange.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.features import AT_ONCE, Features

FEWEST_ROWS = 50
LIMIT = 0.995
FOREST, NEIGHBOURS, FEATURE = "isolation forest", "nearest reference rows", "single feature"
MEASURES = (FOREST, NEIGHBOURS, FEATURE)
_LARGEST_SAMPLE = 8_000_000
_MOST_ROWS = 20_000
_TREES = 200
_NEIGHBOURS = 5
# Distances to more rows than this cost more than they tell.
_MOST_NEIGHBOURS = 5_000
# With fewer rows than this each is judged by a fit on the other folds, so that all of them calibrate.
_FEW_ROWS = 1_000
_FOLDS = 5
# Beyond as many held-out rows as this the shares are extrapolated: no held-out row says more than "stranger than all".
_TAIL = 10
_TAIL_FROM = 100
# The lightest tail that a measure is believed to have; a lighter one would make a little more infinitely strange.
_LIGHTEST = 0.05
# A feature that is always the same in the reference has no spread; the total of each input is 1.
_SMALLEST_SPREAD = 0.01
_ALIKE = 1e-3
_WORDS = 3


@dataclass(frozen=True, eq=False)
class Scores:
    """Of each row the share of clean rows that are as strange (`chance`), and the measure it is strangest by."""

    chance: np.ndarray
    measure: list[str]

    @property
    def score(self) -> np.ndarray:
        """The share of reference rows that are less strange, in 0 to 1; a clean row exceeds 0.99 in 1 of 100 cases."""
        return np.asarray(1.0 - self.chance)

    @property
    def order(self) -> np.ndarray:
        """Positions of all rows, the strangest first: by chances, which differ where scores are all 1.0."""
        return np.argsort(self.chance, kind="stable")


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual in a reference: its fitted measures, and what held-out reference rows have by each of them."""

    fitted: "_Fitted"
    tails: tuple["_Tail", ...]
    together: "_Together"

    @classmethod
    def fit(cls, points: np.ndarray, seed: int = 0) -> "Usual":
        """Fitted on points of reference rows (rows x features), of which a sample is taken where there are many.

        Raises ValueError, with a reason to show, where there are fewer than `FEWEST_ROWS` rows, or so wide ones that
        no more fit into memory.
        """
        rows, width = points.shape
        if rows < FEWEST_ROWS:
            raise ValueError(f"the reference has {rows} rows; what is usual takes at least {FEWEST_ROWS}")
        random = np.random.default_rng(seed)
        order = random.permutation(rows)[: min(_MOST_ROWS, max(FEWEST_ROWS, _LARGEST_SAMPLE // max(1, width)))]
        sampled = points[order]
        if len(sampled) < _FEW_ROWS:
            folds = np.arange(len(sampled)) % _FOLDS
            parts = [(_fit(sampled[folds != fold], seed), sampled[folds == fold]) for fold in range(_FOLDS)]
            measures = np.concatenate([_measures(fitted, held_out) for fitted, held_out in parts])
            fitted = _fit(sampled, seed)
        else:
            half = len(sampled) // 2
            fitted = _fit(sampled[half:], seed)
            measures = _measures(fitted, sampled[:half])
        tails = tuple(_tail(measures[:, place]) for place in range(len(MEASURES)))
        strangest = _chances(tails, measures).min(axis=1)
        return cls(fitted, tails, _Together(np.sort(strangest)))

    def scores(self, points: np.ndarray) -> Scores:
        """How strange rows are, in pieces of bounded memory."""
        at_once = max(1, AT_ONCE // max(1, points.shape[1]))
        chances = [np.zeros((0, len(MEASURES)))]
        chances += [
            _chances(self.tails, _measures(self.fitted, points[start : start + at_once]))
            for start in range(0, len(points), at_once)
        ]
        each = np.concatenate(chances)
        measure = [MEASURES[place] for place in each.argmin(axis=1)] if len(each) else []
        return Scores(self.together.chances(each.min(axis=1, initial=1.0)), measure)


def outliers(usual: Usual, points: np.ndarray, limit: float = LIMIT) -> np.ndarray:
    """Positions of the rows whose score is above the limit, the strangest first."""
    scores = usual.scores(points)
    order = scores.order
    return np.asarray(order[scores.score[order] > limit])


def why(features: Features, frame: pd.DataFrame, position: int) -> str:
    """The inputs of a row that are farthest from usual, in words; where none is, that their combination is."""
    found = features.deviations(frame, position)
    far = [each.words for each in found if each.distance > 1.0][:_WORDS]
    if far:
        return "; ".join(far)
    names = ", ".join(each.name for each in found[:_WORDS])
    return f"each input is usual, their combination is not: {names}"


@dataclass(frozen=True, eq=False)
class _Fitted:
    forest: Any
    neighbours: Any
    middle: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True, eq=False)
class _Tail:
    """Values of held-out rows, ascending, and how fast the share beyond the largest ones falls (Hill's estimate)."""

    values: np.ndarray
    index: float

    def chances(self, values: np.ndarray) -> np.ndarray:
        """The share of clean rows that have at least this value."""
        count = len(self.values)
        beyond = count - np.searchsorted(self.values, values, side="left")
        edge = self.values[-_TAIL]
        far = (_TAIL + 1) / (count + 1) * (np.maximum(values, edge) / edge) ** (-1.0 / self.index)
        # Where held-out rows are beyond, they are what there is to say.
        return np.where(values > edge, np.maximum(far, beyond / (count + 1)), (1 + beyond) / (count + 1))


@dataclass(frozen=True, eq=False)
class _Together:
    """The smallest of a row's chances, of held-out rows, ascending."""

    smallest: np.ndarray

    def chances(self, smallest: np.ndarray) -> np.ndarray:
        """The share of clean rows whose smallest chance is at most this; proportional to it below the first few."""
        count = len(self.smallest)
        edge = self.smallest[_TAIL - 1]
        within = (1 + np.searchsorted(self.smallest, smallest, side="right")) / (count + 1)
        return np.minimum(1.0, np.where(smallest < edge, (_TAIL + 1) / (count + 1) * smallest / edge, within))


def _fit(points: np.ndarray, seed: int) -> _Fitted:
    # Importing them takes as long as a whole command that looks at no row.
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415

    low, middle, high = np.quantile(points.astype(np.float64), [0.25, 0.5, 0.75], axis=0)
    # Quartiles of normal values are 1.349 standard deviations apart.
    spread = np.where(high > low, (high - low) / 1.349, points.std(axis=0, dtype=np.float64))
    forest = IsolationForest(n_estimators=_TREES, random_state=seed).fit(points)
    near = points[:_MOST_NEIGHBOURS]
    neighbours = NearestNeighbors(n_neighbors=_NEIGHBOURS, algorithm="auto").fit(near)
    return _Fitted(forest, neighbours, middle, np.maximum(spread, _SMALLEST_SPREAD))


def _measures(fitted: _Fitted, points: np.ndarray) -> np.ndarray:
    """Rows x MEASURES, each larger the stranger, and above 0."""
    forest = -fitted.forest.score_samples(points)
    distances = fitted.neighbours.kneighbors(points)[0].mean(axis=1)
    feature = (np.abs(points - fitted.middle) / fitted.spread).max(axis=1)
    return np.column_stack([forest, distances + _ALIKE, feature + _ALIKE])


def _tail(values: np.ndarray) -> _Tail:
    ascending = np.sort(values)
    # Of the last few as well: a measure may be bounded for nearly all rows and not for the rest.
    indices = [_hill(ascending[-used:]) for used in (_TAIL, max(_TAIL, min(_TAIL_FROM, len(ascending) // 10)))]
    return _Tail(ascending, max(_LIGHTEST, *indices))


def _hill(largest: np.ndarray) -> float:
    return float(np.log(largest[1:] / largest[0]).mean())


def _chances(tails: tuple[_Tail, ...], measures: np.ndarray) -> np.ndarray:
    return np.column_stack([tail.chances(measures[:, place]) for place, tail in enumerate(tails)])
