"""What is known of the right answer to strange rows, and which usual rows may guard what works."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ml_regress.core.outlier_result import LOW_RATING
from ml_regress.core.outliers import LIMIT
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.core.selection import nearest
from ml_regress.engine.batch_points import Ground
from ml_regress.engine.candidate_answers import Said, majority, tolerance_of
from ml_regress.engine.strange_causes import Strange


@dataclass(frozen=True, eq=False)
class Seen:
    """Answers to rows of a batch (positions in order): of the newest candidates, the same of rated inputs, and of the
    candidate that served the batch (None where it was not asked).
    """

    rows: np.ndarray
    newest: Sequence[Said]
    of_ratings: Sequence[Said]
    served: Said | None
    notes: tuple[str, ...] = ()

    def place(self, row: int) -> int | None:
        """Where the answers to a row stand, None where it was not asked."""
        found = int(np.searchsorted(self.rows, row))
        return found if found < len(self.rows) and self.rows[found] == row else None

    def answers(self, row: int) -> dict[str, Any]:
        """What each newest candidate answered to a row."""
        place = self.place(row)
        return {} if place is None else {each.candidate: each.answers[place] for each in self.newest}


@dataclass(frozen=True, eq=False)
class Guards:
    """Usual rows of the batch that may guard what works: positions and points, the labels and the rightness that are
    known (None where not), what the candidates say, and within what `tolerance` two numbers are one answer.
    """

    rows: np.ndarray
    points: np.ndarray
    labels: Sequence[Any]
    right: Sequence[bool | None]
    suggested: Sequence[Any]
    tolerance: float


def guards_of(ground: Ground, rows: np.ndarray, points: np.ndarray, strangeness: np.ndarray, seen: Seen) -> Guards:
    """The usual ones of these rows (with their points): none is unusual, none is disputed."""
    kind = ground.schema.answer_type
    answers = [[each for each in seen.answers(int(row)).values() if each is not None] for row in rows]
    tolerance = tolerance_of(ground.kept, seen.newest) if kind == "number" else 0.0
    disputed = np.array(
        [max(each) - min(each) > tolerance if kind == "number" and each else len(set(each)) > 1 for each in answers],
        dtype=bool,
    )
    usual = np.flatnonzero(~(np.nan_to_num(strangeness[rows], nan=0.0) > LIMIT) & ~disputed)
    labels, given = _kept(ground, LABEL, rows[usual]), _kept(ground, PREDICTION, rows[usual])
    if seen.served is not None:
        places = [seen.place(int(row)) for row in rows[usual]]
        asked = [None if place is None else seen.served.answers[place] for place in places]
        given = [one if one is not None else other for one, other in zip(given, asked, strict=True)]
    said = [majority(answers[place], kind) for place in usual]
    suggested = [one if one is not None else other for one, other in zip(said, given, strict=True)]
    return Guards(rows[usual], points[usual], labels, _right(kind, labels, given, tolerance), suggested, tolerance)


def _kept(ground: Ground, name: str, rows: np.ndarray) -> list[Any]:
    if name not in ground.kept.names:
        return [None] * len(rows)
    return [None if value != value else value for value in ground.kept.column(name, rows).to_pylist()]  # noqa: PLR0124


def _right(kind: str, labels: Sequence[Any], answers: Sequence[Any], tolerance: float) -> list[bool | None]:
    """Whether each answer is right, None where that is not known; a number is where its error is a usual one and the
    answer still the same.
    """
    pairs = list(zip(labels, answers, strict=True))
    if kind != "number":
        return [None if label is None or answer is None else label == answer for label, answer in pairs]
    errors = [None if label is None or answer is None else abs(label - answer) for label, answer in pairs]
    known = [error for error in errors if error is not None]
    usual = min(float(np.median(known)), tolerance) if known else 0.0
    return [None if error is None else error <= usual for error in errors]


def with_evidence(ground: Ground, strange: Sequence[Strange], seen: Seen, guards: Guards) -> list[Strange]:
    """Strange rows with their labels, what the evidence suggests where there is none, and the candidates that fail."""
    kind = ground.schema.answer_type
    with_row = [each.row for each in strange if each.row is not None]
    labels = dict(zip(with_row, _kept(ground, LABEL, np.array(with_row, dtype=int)), strict=True))
    rated = iter(range(sum(each.cause == LOW_RATING and each.row is None for each in strange)))
    told = []
    for each in strange:
        if each.row is None:
            place = next(rated)
            answers = {said.candidate: said.answers[place] for said in seen.of_ratings}
        else:
            answers = seen.answers(each.row)
        label = labels.get(each.row) if each.row is not None else None
        failed = each.failed
        if label is not None:
            wrong = [
                name
                for name, answer in answers.items()
                if answer is not None
                and (abs(answer - label) > guards.tolerance if kind == "number" else answer != label)
            ]
            failed = tuple(dict.fromkeys([*failed, *wrong]))
        suggested = majority(list(answers.values()), kind) if label is None else None
        if each.cause == LOW_RATING and suggested in (each.said or {}).values():
            suggested = None  # the user said that it is not that
        told.append(replace(each, label=label, suggested=suggested, failed=failed))
    return _beside_labelled(ground, told, guards)


def _beside_labelled(ground: Ground, strange: list[Strange], guards: Guards) -> list[Strange]:
    """What nobody suggests has the label of a labelled usual row, where one is near."""
    labelled = [i for i, label in enumerate(guards.labels) if label is not None]
    if not labelled:
        return strange
    points = guards.points[labelled].astype(float)
    told = []
    for each in strange:
        if each.row is not None and each.label is None and each.suggested is None:
            wanted = ground.points([each.row])[0].astype(float)
            best = int(nearest(points, wanted)[0])
            if np.linalg.norm(points[best] - wanted) <= 3 * ground.near:
                told.append(replace(each, suggested=guards.labels[labelled[best]]))
                continue
        told.append(each)
    return told
