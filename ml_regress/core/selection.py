"""Choosing a few rows of many: features of a frame, representatives of a crowd, nearest rows.

Everything is deterministic. Give rows in an order of their own content where the choice must not
depend on the order of a file.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.inputs import Column, InputTypes
from ml_regress.core.sampling import sample_of

SEED = 0
# More rows than this on a side are sampled: more of them no longer change who is representative.
LARGEST_SIDE = 20_000
_FARTHEST = 10.0  # in robust units: beyond it an odd value says no more than that it is odd
_FEW_LEVELS = 30
_TEXT_DIMENSIONS = 16
_TEXT_FEATURES = 2_000
# Which answer was taken for which tells failures apart at least half as well as all inputs together.
_PAIR_SHARE = 0.5
# Sums of floats differ in their last digits with the number of threads; ties must not.
_DIGITS = 9


@dataclass(frozen=True)
class Answered:
    """Rows with answers: typed `inputs`, `expected` and `predicted` (None where it is not of the type), and who is
    `right`. A prediction within `tolerance` of an expectation says the same.
    """

    types: InputTypes
    inputs: Sequence[Mapping[str, Any]]
    expected: Sequence[Any]
    predicted: Sequence[Any]
    right: np.ndarray
    tolerance: float | None = None


@dataclass(frozen=True)
class Choice:
    """Positions of failures, and of right rows each with the failure it is a near neighbour of."""

    positives: tuple[int, ...]
    negatives: tuple[tuple[int, int], ...]


def features(types: InputTypes, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Points (rows x features) in which each input that varies has the same weight, an image as one."""
    frame = types.frame(rows)
    pixels = {name for image in types.images for name in image.columns}
    blocks = [frame[list(image.columns)].fillna(image.low).to_numpy(dtype=float) for image in types.images]
    blocks += [_block(column, frame[column.name]) for column in types.columns if column.name not in pixels]
    scaled = [block for each in blocks if (block := _of_variance(each, 1.0)) is not None]
    return np.hstack(scaled) if scaled else np.zeros((len(rows), 1))


def representatives(points: np.ndarray, count: int) -> list[int]:
    """The positions of `count` points that stand for all: the real point nearest to the centre of each of so many
    clusters, the largest cluster first.
    """
    # Importing it takes as long as a whole command that chooses nothing.
    from sklearn.cluster import KMeans  # noqa: PLC0415

    if count >= len(points):
        return list(range(len(points)))
    points = points.round(_DIGITS)
    clusters = min(count, len(np.unique(points, axis=0)))
    found = KMeans(clusters, n_init=4, random_state=SEED).fit(points)
    chosen = []
    for cluster in range(clusters):
        members = np.flatnonzero(found.labels_ == cluster)
        if len(members):
            distances = _distances(points[members], found.cluster_centers_[cluster])
            chosen.append((-len(members), int(members[distances.argmin()])))
    positions = [position for _, position in sorted(chosen)]
    return positions + _farthest(points, positions, count - len(positions))


def nearest(points: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The positions of all points, the nearest to `wanted` (one point) first."""
    return _distances(points, wanted).argsort(kind="stable")


def choose(rows: Answered, count: int) -> Choice:
    """`count` rows, about two thirds of them failures that stand for all failures, the others right rows near them.

    A right row whose expectation is what the failure was taken for is preferred: it is the other
    half of the confusion. Where one side has too few, the other has more.
    """
    failures, rights = _sampled(np.flatnonzero(~rows.right)), _sampled(np.flatnonzero(rows.right))
    wrong = min(len(failures), max(round(count * 2 / 3), count - len(rights)))
    positions = np.concatenate([failures, rights])
    points = features(rows.types, [rows.inputs[position] for position in positions])
    ours, others = points[: len(failures)], points[len(failures) :]
    pairs = _pairs([rows.expected[i] for i in failures], [rows.predicted[i] for i in failures], rows.tolerance)
    weight = _PAIR_SHARE * max(1.0, float(ours.var(axis=0).sum()))
    paired = _of_variance(pairs, weight)
    chosen = representatives(ours if paired is None else np.hstack([ours, paired]), wrong)
    positives = [int(failures[position]) for position in chosen]
    wanted = min(count - wrong, len(rights))
    neighbours = _neighbours(rows, dict(zip(positives, ours[chosen], strict=True)), rights, others, wanted)
    return Choice(tuple(positives), tuple(neighbours))


def _neighbours(
    rows: Answered, positives: Mapping[int, np.ndarray], rights: np.ndarray, points: np.ndarray, wanted: int
) -> list[tuple[int, int]]:
    """Right rows (with their points) spread over the positives, each the best one left for its positive."""
    found: list[tuple[int, int]] = []
    taken: set[int] = set()
    orders: dict[int, list[int]] = {}
    for positive in itertools.islice(itertools.cycle(positives), wanted):
        if positive not in orders:
            order = nearest(points, positives[positive])
            said = np.array([_same(rows.expected[i], rows.predicted[positive], rows.tolerance) for i in rights])
            orders[positive] = [*order[said[order]], *order[~said[order]]]
        best = next(place for place in orders[positive] if place not in taken)
        taken.add(best)
        found.append((int(rights[best]), positive))
    return found


def _same(expected: Any, predicted: Any, tolerance: float | None) -> bool:
    if predicted is None:
        return False
    return bool(expected == predicted if tolerance is None else abs(expected - predicted) <= tolerance)


def _sampled(positions: np.ndarray) -> np.ndarray:
    return np.asarray(positions[sample_of(len(positions), LARGEST_SIDE, SEED)])


def _pairs(expected: list[Any], predicted: list[Any], tolerance: float | None) -> np.ndarray:
    """Which answer was taken for which; for numbers where, and how far off."""
    if tolerance is None:
        return _levels(pd.Series([f"{wanted!r} {given!r}" for wanted, given in zip(expected, predicted, strict=True)]))
    wanted = pd.Series(expected, dtype=float)
    error = pd.Series([np.nan if given is None else given for given in predicted], dtype=float) - wanted
    blocks = [_of_variance(_numbers(values), 1.0) for values in (wanted, error)]
    kept = [block for block in blocks if block is not None]
    return np.hstack(kept) if kept else np.zeros((len(expected), 1))


def _block(column: Column, values: "pd.Series[Any]") -> np.ndarray:
    if column.kind in ("number", "integer"):
        return _numbers(values.astype("Float64").astype(float))
    if column.kind == "date":
        days = pd.Series([None if day is None else np.datetime64(day, "D").astype(float) for day in values])
        return _numbers(days.astype(float))
    texts = pd.Series(["" if pd.isna(value) else str(value) for value in values])
    few = texts.nunique() <= min(_FEW_LEVELS, max(2, len(texts) // 2))
    return _levels(texts) if few or column.kind != "text" else _texts(texts)


def _numbers(values: "pd.Series[float]") -> np.ndarray:
    """Numbers by their median and quartiles, and whether they are missing."""
    there = values.dropna()
    if there.empty:
        return np.zeros((len(values), 1))
    low, middle, high = there.quantile([0.25, 0.5, 0.75])
    # A column that is mostly one value has no quartiles apart.
    width = (high - low) or float(there.std(ddof=0)) or 1.0
    scaled = ((values - middle) / width).clip(-_FARTHEST, _FARTHEST)
    return np.column_stack([scaled.fillna(0.0), values.isna().astype(float)])


def _levels(texts: "pd.Series[str]") -> np.ndarray:
    return np.asarray(pd.get_dummies(texts, dtype=float))


def _texts(texts: "pd.Series[str]") -> np.ndarray:
    """Texts by their shorter runs of characters, in a few dimensions."""
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415  as above
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    runs = TfidfVectorizer(analyzer="char", ngram_range=(2, 4), max_features=_TEXT_FEATURES, sublinear_tf=True)
    weights = runs.fit_transform([f" {text} " for text in texts])
    if min(weights.shape) <= _TEXT_DIMENSIONS:
        return np.asarray(weights.toarray())
    return np.asarray(TruncatedSVD(_TEXT_DIMENSIONS, random_state=SEED).fit_transform(weights))


def _of_variance(block: np.ndarray, variance: float) -> np.ndarray | None:
    """The block round its mean with this variance in all, or None where it does not vary."""
    centred = block - block.mean(axis=0)
    total = float((centred**2).sum() / max(1, len(block)))
    return centred * np.sqrt(variance / total) if total > 1e-18 else None


def _distances(points: np.ndarray, centre: np.ndarray) -> np.ndarray:
    return np.asarray(((points - centre) ** 2).sum(axis=1).round(_DIGITS))


def _farthest(points: np.ndarray, chosen: list[int], count: int) -> list[int]:
    """`count` more positions, each the one farthest from all that are chosen."""
    more: list[int] = []
    while len(more) < count:
        taken = [*chosen, *more]
        distances = np.min([_distances(points, points[position]) for position in taken], axis=0)
        distances[taken] = -1.0
        more.append(int(distances.argmax()))
    return more
