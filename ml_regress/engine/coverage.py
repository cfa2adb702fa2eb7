"""Which kinds of rows recent production has, and which pattern is near each: where nobody looks yet."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ml_regress.core.batch import Batch
from ml_regress.core.clusters import clusters_of, patches_of, plane
from ml_regress.core.outlier_result import CoveredCluster
from ml_regress.engine.batch_points import Ground, ground_of
from ml_regress.engine.near_patterns import Neighbour, nearest_pattern, neighbours
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError

RECENT = 3


def clusters_in(
    ground: Ground, rows: np.ndarray, points: np.ndarray, near: Sequence[Neighbour]
) -> tuple[CoveredCluster, ...]:
    """The kinds of these rows (positions with their points), the largest first, each with its nearest pattern.

    The rows of a kind are counted for the whole batch: the share that it has of these rows.
    """
    labels, drawn = clusters_of(points), plane(points)
    if labels.max(initial=0) == 0:  # one crowd: that all of it is near some pattern would say nothing
        labels = patches_of(points)
    found = []
    for label in np.unique(labels):
        members = points[labels == label].astype(float)
        middle = int(((members - members.mean(axis=0)) ** 2).sum(axis=1).argmin())
        apart = np.sqrt(((members - members[middle]) ** 2).sum(axis=1))
        row = int(rows[labels == label][middle])
        x, y = drawn[labels == label].mean(axis=0).tolist()
        cluster = CoveredCluster(
            number=0, rows=round(len(members) * ground.kept.rows / len(rows)), row=row, inputs=ground.inputs([row])[0],
            problem=None, pattern=None, distance=None, x=x, y=y, near=max(ground.near, float(np.median(apart))),
        )  # fmt: skip
        found.append(_beside(cluster, members[middle], near))
    found.sort(key=lambda each: (-each.rows, each.row))
    return tuple(replace(each, number=number) for number, each in enumerate(found, start=1))


def _beside(cluster: CoveredCluster, point: np.ndarray, near: Sequence[Neighbour]) -> CoveredCluster:
    """The cluster with the pattern that is nearest to its point."""
    best = nearest_pattern(near, point)
    if best is None:
        return replace(cluster, problem=None, pattern=None, distance=None)
    problem, pattern, distance = best
    return replace(cluster, problem=problem, pattern=pattern, distance=distance / cluster.near)


def coverage(workspace: Workspace, batches: int = RECENT) -> list[tuple[Batch, CoveredCluster]]:
    """The kinds of rows of the newest checked batches beside the patterns of this moment: those without a near pattern
    first, the largest first.

    A batch whose rows are gone, or that has other inputs by now, is told with the patterns of its check.
    """
    checked = workspace.store.drift.outliers()
    recent = [batch for batch in workspace.store.batches.all() if batch.usable and batch.id in checked][-batches:]
    found: list[tuple[Batch, CoveredCluster]] = []
    for batch in recent:
        clusters = checked[batch.id].clusters
        if not clusters:
            continue
        ground: Ground | None
        try:
            ground = ground_of(workspace, batch)
        except MlRegressError:
            ground = None
        if ground is not None and all(ground.takes(each.inputs) for each in clusters):
            near = neighbours(workspace, ground)
            points = ground.points_of([each.inputs for each in clusters])
            clusters = tuple(_beside(each, point, near) for each, point in zip(clusters, points, strict=True))
        found += [(batch, each) for each in clusters]
    return sorted(found, key=lambda each: (each[1].covered, -each[1].rows))
