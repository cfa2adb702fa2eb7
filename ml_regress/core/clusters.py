"""Kinds of rows: how many there are, which rows show the same, how near is near, and where a row is drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ml_regress.core.sampling import sample_of

MOST_CLUSTERS = 12
# A crowd without kinds falls into clusters of a certain silhouette as well; kinds are apart by this much more.
_KINDS_APART = 0.12
# Fewer rows than this on average, and a patch says more of them than of production.
_ROWS_OF_PATCH = 10
_SAMPLE = 1_000
_FITTED = 20_000
_AT_ONCE = 4_000_000  # distances, or values of points, that are in memory at once
# Sums of floats differ in their last digits with the number of threads; ties must not.
_DIGITS = 6
_SMALLEST_NEAR = 1e-6


def clusters_of(points: np.ndarray, largest: int = MOST_CLUSTERS, seed: int = 0) -> np.ndarray:
    """The cluster of each point (rows x features), from 0 for the cluster with the most rows.

    There are as many clusters, of 1 to `largest`, as the mean silhouette of a sample exceeds that of one crowd of the
    same size and extent (normal values with the same covariance) the most; 1 where it never does so by 0.12.
    """
    if len(points) == 0:
        return np.zeros(0, dtype=np.intp)
    random = np.random.default_rng(seed)
    few = points[sample_of(len(points), _SAMPLE, seed)].astype(np.float64).round(_DIGITS)
    most = min(largest, len(np.unique(few, axis=0)) - 1)
    crowd = _crowd(few, random)
    gains = [(_silhouette(few, count, seed) - _silhouette(crowd, count, seed), -count) for count in range(2, most + 1)]
    # All rows are of a few contents: then these are the kinds, and a silhouette says nothing.
    contents = most + 1
    if contents <= largest and contents <= len(few) // 2:
        gains.append((1.0, -contents))
    gain, count = max(gains, default=(0.0, -1))
    if gain < _KINDS_APART:
        return np.zeros(len(points), dtype=np.intp)
    return _labelled(points, -count, seed)


def patches_of(points: np.ndarray, largest: int = MOST_CLUSTERS, seed: int = 0) -> np.ndarray:
    """The patch of each point, from 0 for the largest: a crowd cut into as many parts as it has rows for.

    Unlike clusters_of it cuts a crowd without kinds as well: where its patches lie is known even so.
    """
    few = points[sample_of(len(points), _SAMPLE, seed)].astype(np.float64).round(_DIGITS)
    count = min(largest, len(few) // _ROWS_OF_PATCH, len(np.unique(few, axis=0)))
    if count < 2:
        return np.zeros(len(points), dtype=np.intp)
    return _labelled(points, count, seed)


def without_near_duplicates(points: np.ndarray, among: np.ndarray, limit: float) -> np.ndarray:
    """Positions of the points that are not nearer than `limit` to one of `among`, nor to an earlier one that is kept.

    A point that is the same as another is its duplicate whatever the limit is.
    """
    limit = max(limit, _SMALLEST_NEAR)
    left = np.flatnonzero(_nearest_distances(points, among) >= limit)
    kept: list[int] = []
    while len(left):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        left = left[_nearest_distances(points[left], points[[first]]) >= limit]
    return np.array(kept, dtype=np.intp)


def near_limit(points: np.ndarray, share: float = 0.5, seed: int = 0) -> float:
    """The distance below which two rows count as near: what this share of reference rows is nearer than to the
    nearest other row, among a sample of 1,000. At the median a pattern that is near is as alike as a neighbour.

    Where so many rows have a row that is the same, it is half of the smallest distance of two that are not. It is
    never 0, so that it may be divided by.
    """
    few = points[sample_of(len(points), _SAMPLE, seed)]
    if len(few) < 2:
        return _SMALLEST_NEAR
    distances = _distances(few, few)
    np.fill_diagonal(distances, np.inf)
    near = float(np.quantile(distances.min(axis=1), share))
    if near <= _SMALLEST_NEAR:
        apart = distances[distances > _SMALLEST_NEAR]
        near = float(apart.min()) / 2 if np.isfinite(apart).any() else 0.0
    return max(_SMALLEST_NEAR, near)


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane through a crowd in which it is widest (principal components)."""

    centre: np.ndarray
    axes: np.ndarray  # features x 2

    @classmethod
    def of(cls, points: np.ndarray, seed: int = 0) -> "Plane":
        """Fitted on a sample; an axis along which nothing varies is 0. Of each axis the largest part is positive."""
        few = points[sample_of(len(points), _SAMPLE, seed)].astype(np.float64)
        centre = few.mean(axis=0) if len(few) else np.zeros(points.shape[1])
        axes = np.zeros((points.shape[1], 2))
        if few.size:
            # By products of rows, of which there are fewer than pixels of an image.
            values, vectors = np.linalg.eigh((few - centre) @ (few - centre).T)
            for place in range(min(2, len(few))):
                axis = (few - centre).T @ vectors[:, -1 - place]
                length = float(np.linalg.norm(axis))
                if values[-1 - place] > 1e-9 * max(values[-1], 1e-9) and length > 0:
                    axis *= np.sign(axis[np.abs(axis).round(_DIGITS).argmax()])
                    axes[:, place] = axis / length
        return cls(centre, axes)

    def places(self, points: np.ndarray) -> np.ndarray:
        """Where points are drawn: rows x 2."""
        at_once = max(1, _AT_ONCE // max(1, points.shape[1]))
        found = np.zeros((len(points), 2))
        for start in range(0, len(points), at_once):
            found[start : start + at_once] = (points[start : start + at_once] - self.centre) @ self.axes
        return found


def plane(points: np.ndarray) -> np.ndarray:
    """Where points are drawn (rows x 2), in the plane in which they are widest."""
    return Plane.of(points).places(points)


def _crowd(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As many normal points with the same covariance: mixtures of all points, by normal weights."""
    count = len(points)
    weights = random.standard_normal((count, count)) / np.sqrt(count)
    mixed: np.ndarray = (weights @ (points - points.mean(axis=0))).round(_DIGITS)
    return mixed


def _fit(points: np.ndarray, count: int, seed: int) -> Any:
    # Importing it takes as long as a whole command that clusters nothing.
    from sklearn.cluster import KMeans  # noqa: PLC0415

    return KMeans(count, n_init=4, random_state=seed).fit(points)


def _silhouette(points: np.ndarray, count: int, seed: int) -> float:
    from sklearn.metrics import silhouette_score  # noqa: PLC0415  as above

    if len(np.unique(points, axis=0)) <= count:
        return 0.0
    return round(float(silhouette_score(points, _fit(points, count, seed).labels_)), _DIGITS)


def _labelled(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The nearest of so many centres for each point, numbered by size, then by the first member."""
    few = points[sample_of(len(points), _FITTED, seed)].astype(np.float64).round(_DIGITS)
    centres = _fit(few, count, seed).cluster_centers_
    at_once = max(1, _AT_ONCE // max(count, points.shape[1]))
    labels = np.concatenate(
        [
            _distances(points[start : start + at_once], centres).argmin(axis=1)
            for start in range(0, len(points), at_once)
        ]
    )
    found, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    ranks = np.zeros(count, dtype=np.intp)
    ranks[found[order]] = np.arange(len(found))
    return np.asarray(ranks[labels])


def _nearest_distances(points: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The distance of each point to the nearest of `among`; infinite where there is none."""
    nearest = np.full(len(points), np.inf)
    rows = max(1, _AT_ONCE // max(1, len(among), points.shape[1]))
    if len(among):
        for start in range(0, len(points), rows):
            nearest[start : start + rows] = _distances(points[start : start + rows], among).min(axis=1)
    return nearest


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Euclidean distances, rows of one x rows of the other."""
    from scipy.spatial.distance import cdist  # noqa: PLC0415  as above

    return np.asarray(cdist(points.astype(np.float64), others.astype(np.float64)).round(_DIGITS))
