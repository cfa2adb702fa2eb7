"""The patterns of all problems as points beside the rows of a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml_regress.core.inputs import InputTypes
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.problem import Problem
from ml_regress.engine.batch_points import Ground
from ml_regress.engine.workspace import Workspace

_KINDS = {"integer": "number", "category": "text", "date": "text"}
_VALUES = 4_000_000


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A problem whose inputs are those of the batch: its active patterns by name, input digest and point."""

    problem: str
    definition: Problem
    patterns: tuple[str, ...]
    digests: tuple[str, ...]
    points: np.ndarray

    @property
    def answer_type(self) -> str:
        return self.definition.answer_type

    def median_distance(self, points: np.ndarray) -> float:
        """The median of the distances from these points to the nearest pattern of each."""
        return float(np.median(nearest_of(points, self.points)[0]))

    def takes(self, inputs: Mapping[str, Any]) -> bool:
        """Whether a pattern of this problem may have these inputs."""
        return takes(self.definition.inputs, inputs)


def takes(types: InputTypes, inputs: Mapping[str, Any]) -> bool:
    """Whether a pattern of these types may have these inputs."""
    try:
        typed(types, inputs)
    except ValueError:
        return False
    return True


def typed(types: InputTypes, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs with these columns as values of these types; raises ValueError."""
    values = {column: inputs[column.name] for column in types.columns}
    return {
        column.name: column.parse(None if value is None else answer_text(value)) for column, value in values.items()
    }


def neighbours(workspace: Workspace, ground: Ground) -> list[Neighbour]:
    """Open and watched problems with active patterns and exactly the input columns of the batch, by id."""
    store, kinds = workspace.store, _kinds(ground)
    problems = {each.id: each for each in store.problems.all()}
    current = {each.id: each.suite for each in store.problems.measured() if each.kind == "problem"}
    alike = {
        name: problem
        for name, problem in problems.items()
        if name in current
        and {column.name: _KINDS.get(column.kind, column.kind) for column in problem.inputs.columns} == kinds
    }
    suites = store.problems.suites((name, current[name]) for name in alike)
    found = []
    for name, problem in alike.items():
        asked = [each for each in suites[name].patterns if each.inputs is not None] if name in suites else []
        if asked:
            points = ground.points_of([each.inputs or {} for each in asked])
            ids, digests = tuple(each.id for each in asked), tuple(each.input_digest for each in asked)
            found.append(Neighbour(name, problem, ids, digests, points))
    return found


def _kinds(ground: Ground) -> dict[str, str]:
    return {column.name: _KINDS.get(column.kind, column.kind) for column in ground.types.columns}


def nearest_of(points: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each point the distance to the nearest of `among` (at least one), and which it is."""
    distances, places = np.empty(len(points)), np.empty(len(points), dtype=int)
    step = max(1, _VALUES // max(1, among.size))
    for start in range(0, len(points), step):
        some = points[start : start + step].astype(np.float64)
        apart = np.sqrt(((some[:, None, :] - among[None, :, :].astype(np.float64)) ** 2).sum(axis=2))
        places[start : start + step] = apart.argmin(axis=1)
        distances[start : start + step] = apart.min(axis=1)
    return distances, places


def nearest_pattern(near: Sequence[Neighbour], point: np.ndarray) -> tuple[str, str, float] | None:
    """Problem, pattern and distance of the pattern nearest to a point; None where there is none."""
    best: tuple[str, str, float] | None = None
    for each in near:
        distances, places = nearest_of(point[None, :], each.points)
        if best is None or distances[0] < best[2]:
            best = (each.problem, each.patterns[int(places[0])], float(distances[0]))
    return best
