"""From strange rows to proposals: a few diverse ones that nobody has yet, and usual neighbours to guard what works."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ml_regress.core.clusters import clusters_of, without_near_duplicates
from ml_regress.core.ids import folded, slug_of
from ml_regress.core.inputs import InputTypes
from ml_regress.core.outlier_result import CAUSES, CONFIDENT_ERROR, DISAGREEMENT, LOW_RATING, OUTLIER
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.proposal import Proposal
from ml_regress.core.selection import nearest, representatives
from ml_regress.engine.batch_points import Ground
from ml_regress.engine.evidence_of_rows import Guards
from ml_regress.engine.near_patterns import Neighbour, neighbours, takes, typed
from ml_regress.engine.strange_causes import Strange
from ml_regress.engine.strange_words import title_of
from ml_regress.engine.workspace import Workspace
from ml_regress.store.proposals import input_digest

POSITIVES, NEGATIVES, MOST = 10, 5, 15
FEWEST_OF_A_PROBLEM = 5
ORIGINS = {OUTLIER: "outlier", LOW_RATING: "rating"}
_NAMES = {**ORIGINS, CONFIDENT_ERROR: "error", DISAGREEMENT: "disputed"}


@dataclass(frozen=True)
class Made:
    """Proposals as they were stored, and notes for a person."""

    proposals: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Kept:
    """Strange rows that nobody has yet, with their points and clusters; `digests` of inputs that are taken."""

    strange: list[Strange]
    points: np.ndarray
    clusters: np.ndarray
    digests: set[str]
    notes: list[str] = field(default_factory=list)

    def inputs(self, place: int) -> Mapping[str, Any]:
        return self.strange[place].inputs or {}


@dataclass(frozen=True, eq=False)
class _Recipient:
    """The problem that a proposal is for, one that is there or one that is proposed with a title, and its types."""

    problem: str
    title: str | None
    types: InputTypes


def propose(workspace: Workspace, ground: Ground, strange: Sequence[Strange], usual: Guards) -> Made:
    """Store at most MOST proposals of a batch (those of an earlier look that wait count), two thirds of them strange.

    Never more than there are: near-duplicates of patterns and of earlier proposals are left out, and so are negatives
    where no usual row is near.
    """
    waiting = [each for each in workspace.store.proposals.all("proposed") if each.batch == ground.batch.id]
    room = MOST - len(waiting)
    if not strange:
        return Made(notes=("nothing strange was found: nothing is proposed",))
    if room < 2:
        return Made(notes=(f"{len(waiting)} proposals of this batch wait: decide on them first, and more may come",))
    near = neighbours(workspace, ground)
    kept = _new_ones(workspace, ground, strange, near)
    if not kept.strange:
        return Made(notes=(*kept.notes, "nothing of it is new: nothing is proposed"))
    chosen = _chosen(kept, min(POSITIVES, max(1, round(room * POSITIVES / MOST))))
    targets, notes = _targets(workspace, ground, kept, chosen, near)
    targets = {place: targets[place] for place in chosen if place in targets}
    pairs = _pairs(ground, kept, targets, usual, min(NEGATIVES, room - len(targets), (len(targets) + 1) // 2))
    if targets and not pairs:
        notes.append("no usual row near them is known to be right: there are no negative ones")
    made = _made(ground, kept, targets, pairs, usual)
    return Made(tuple(workspace.store.proposals.add(made, actor="outliers")), (*kept.notes, *notes))


def _new_ones(workspace: Workspace, ground: Ground, strange: Sequence[Strange], near: Sequence[Neighbour]) -> _Kept:
    """Strange rows without near-duplicates, also of patterns and of proposals that were made before."""
    known = workspace.store.proposals.all()
    digests = {input_digest(each.inputs) for each in known} | {digest for each in near for digest in each.digests}
    rows = ground.inputs([each.row for each in strange if each.row is not None])
    of_batch = iter(rows)
    filled = [each if each.row is None else replace(each, inputs=next(of_batch)) for each in strange]
    kinds = [ground.types, *(each.definition.inputs for each in near)]
    # A released batch has rows that no pattern could have.
    possible = [each for each in filled if any(takes(types, each.inputs or {}) for types in kinds)]
    notes = []
    if len(possible) < len(filled):
        lost = len(filled) - len(possible)
        notes.append(f"{lost} strange rows are not proposed: they lack what the production schema asks for")
    fresh = [each for each in possible if input_digest(each.inputs or {}) not in digests]
    # None of them guards what works, whatever becomes of it.
    taken = digests | {input_digest(each.inputs or {}) for each in filled}
    if not fresh:
        return _Kept([], np.zeros((0, ground.features.width)), np.zeros(0, dtype=int), taken, notes)
    points = ground.points_of([each.inputs or {} for each in fresh])
    before = [each.inputs for each in known if ground.takes(each.inputs)]
    among = [each.points for each in near] + ([ground.points_of(before)] if before else [])
    there = np.vstack(among) if among else np.zeros((0, points.shape[1]), dtype=points.dtype)
    places = without_near_duplicates(points, there, max(ground.near, 1e-9))
    points = points[places]
    if len(places) < len(possible):
        notes.append(
            f"{len(possible) - len(places)} of {len(strange)} strange rows are near others, patterns or proposals"
        )
    return _Kept([fresh[place] for place in places], points, clusters_of(points), taken, notes)


def _chosen(kept: _Kept, count: int) -> list[int]:
    """Places of at most so many rows that stand for all, each cause with an equal share as far as it has so many."""
    by_cause = {
        cause: [place for place, each in enumerate(kept.strange) if each.cause == cause]
        for cause in CAUSES
        if any(each.cause == cause for each in kept.strange)
    }
    shares = dict.fromkeys(by_cause, 0)
    while sum(shares.values()) < count and any(shares[cause] < len(places) for cause, places in by_cause.items()):
        for cause, places in by_cause.items():
            if shares[cause] < len(places) and sum(shares.values()) < count:
                shares[cause] += 1
    return [
        places[position]
        for cause, places in by_cause.items()
        for position in representatives(kept.points[places].astype(float), shares[cause])
    ]


def _targets(
    workspace: Workspace, ground: Ground, kept: _Kept, chosen: Sequence[int], near: Sequence[Neighbour]
) -> tuple[dict[int, _Recipient], list[str]]:
    """The problem of each chosen place; those without one are left out."""
    fitting = [each for each in near if each.answer_type == ground.schema.answer_type]
    targets: dict[int, _Recipient] = {}
    far: list[int] = []
    for cluster in dict.fromkeys(kept.clusters[chosen].tolist()):
        places = [place for place in chosen if kept.clusters[place] == cluster]
        members = kept.points[kept.clusters == cluster]
        best = min(fitting, key=lambda each: each.median_distance(members), default=None)
        if best is not None and best.median_distance(members) <= 3 * ground.near:
            taken = [place for place in places if best.takes(kept.inputs(place))]
            targets.update(dict.fromkeys(taken, _Recipient(best.problem, None, best.definition.inputs)))
        far += [place for place in places if place not in targets]
    proposed = _proposed_before(workspace, ground)
    fit = [place for place in far if takes(ground.types, kept.inputs(place))]
    if proposed is None and len(fit) >= FEWEST_OF_A_PROBLEM:
        title = title_of(ground, [kept.strange[place] for place in fit])
        proposed = _Recipient(_free_id(workspace, f"strange-{ground.batch.id}"), title, ground.types)
    if proposed is not None:
        targets.update(dict.fromkeys(fit, proposed))
        far = [place for place in far if place not in targets]
    for place in far:
        takers = [each for each in fitting if each.takes(kept.inputs(place))]
        if takers:
            best = min(takers, key=lambda each: each.median_distance(kept.points[[place]]))
            targets[place] = _Recipient(best.problem, None, best.definition.inputs)
    left = sum(place not in targets for place in far)
    if not left:
        return targets, []
    return targets, [
        f"{left} strange rows are not proposed: no problem has these inputs and answers, and they are fewer than "
        f"{FEWEST_OF_A_PROBLEM}, too few for a problem of their own"
    ]


def _proposed_before(workspace: Workspace, ground: Ground) -> _Recipient | None:
    """The problem that an earlier look at this batch proposed, where it waits."""
    for each in workspace.store.proposals.all("proposed"):
        if each.batch == ground.batch.id and each.problem_title is not None:
            return _Recipient(each.problem, each.problem_title, ground.types)
    return None


def _free_id(workspace: Workspace, wanted: str) -> str:
    """An id that no problem, benchmark or proposed problem has."""
    store = workspace.store
    taken = [each.id for each in store.problems.all(closed=True)]
    taken += [each.id for each in store.problems.benchmarks(closed=True)]
    taken += [each.problem for each in store.proposals.all()]
    there = {folded(each) for each in taken}
    return next(name for name in _numbered(slug_of(wanted)[:110]) if folded(name) not in there)


def _numbered(name: str) -> "itertools.chain[str]":
    return itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))


def _pairs(
    ground: Ground, kept: _Kept, targets: Mapping[int, _Recipient], usual: Guards, wanted: int
) -> list[tuple[int, int]]:
    """(place of a usual row, place of the strange one that it is near), spread over the strange ones.

    Where rightness is known, only rows that were answered rightly are taken.
    """
    chosen = list(targets)
    if not chosen or wanted <= 0 or not len(usual.rows):
        return []
    known = any(each is not None for each in usual.right)
    allowed = {i for i, right in enumerate(usual.right) if right or (not known and right is None)}
    taken = set(kept.digests)
    pairs: list[tuple[int, int]] = []
    for place in chosen[:wanted]:
        for i in nearest(usual.points.astype(float), kept.points[place].astype(float)).tolist():
            if i not in allowed:
                continue
            (row,) = ground.inputs([usual.rows[i]])
            if input_digest(row) not in taken and takes(targets[place].types, row):
                taken.add(input_digest(row))
                allowed.discard(i)
                pairs.append((i, place))
                break
    return pairs


def _made(
    ground: Ground,
    kept: _Kept,
    targets: Mapping[int, _Recipient],
    pairs: Sequence[tuple[int, int]],
    usual: Guards,
) -> list[Proposal]:
    """The proposals, each positive followed by its negative."""
    batch, twins = ground.batch.id, {place: i for i, place in pairs}
    tolerance = _tolerance(ground, usual)
    made = []
    for number, (place, target) in enumerate(targets.items(), start=1):
        each = kept.strange[place]
        name = slug_of(f"{batch[:80]}-{_NAMES[each.cause]}-{number}")
        twin = f"{name}-usual" if place in twins else None
        common: dict[str, Any] = {
            "problem": target.problem, "problem_title": target.title, "cause": each.cause, "batch": batch,
            "cluster": int(kept.clusters[place]),
        }  # fmt: skip
        made.append(
            Proposal(
                name, inputs=typed(target.types, each.inputs or {}), origin=ORIGINS.get(each.cause, "production"),
                why=each.why, twin=twin,
                selected_on=each.failed, row=each.row, **common, **_expects(each.label, each.suggested, tolerance),
            )
        )  # fmt: skip
        if place in twins:
            i = twins[place]
            (inputs,) = ground.inputs([usual.rows[i]])
            said = ", and was answered rightly" if usual.right[i] else ""
            made.append(
                Proposal(
                    f"{name}-usual", inputs=typed(target.types, inputs), origin="production", polarity="negative",
                    twin=name, row=int(usual.rows[i]), why=f"a usual row near {name}{said}", **common,
                    **_expects(usual.labels[i], usual.suggested[i], tolerance),
                )
            )  # fmt: skip
    return made


def _expects(label: Any, suggested: Any, tolerance: str | None) -> dict[str, Any]:
    return {
        "expected": None if label is None else answer_text(label),
        "suggested": None if suggested is None or label is not None else answer_text(suggested),
        "expectation": "equals" if tolerance is None else "close_to",
        "tolerance": tolerance,
    }


def _tolerance(ground: Ground, usual: Guards) -> str | None:
    """For answers that are numbers within what they are one answer; None for other answers."""
    if ground.schema.answer_type != "number":
        return None
    return answer_text(usual.tolerance)
