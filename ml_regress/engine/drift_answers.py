"""Answers of a batch against those of its reference: predictions, scores, labels, and the metric of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow.compute as pc

from ml_regress.core.batch import Batch
from ml_regress.core.candidate import Candidate
from ml_regress.core.compared import Compared
from ml_regress.core.drift import not_compared
from ml_regress.core.drift_metric import Labelled, metric_drift
from ml_regress.core.drift_result import CATEGORY, NOT_COMPARED, NUMBER, MetricDrift
from ml_regress.core.inputs import InputTypes, parse_input_types
from ml_regress.core.production import LABEL, PREDICTION, ProductionSchema
from ml_regress.engine.asking import SAMPLE, kept_answers
from ml_regress.engine.drift_columns import Named, alike
from ml_regress.engine.drift_question import Today, answered_by, answering
from ml_regress.engine.profiles import compare_kept, reference_profile
from ml_regress.engine.references import Reference
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError
from ml_regress.intake.kept import Kept
from ml_regress.intake.kept_columns import SCORE
from ml_regress.predictors.host import PredictorHost

_NAMED = 5


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a check: its kept rows, their digest, the types of its inputs, and its words.

    `own` says whether the answers among the rows are those of the candidate that is asked about.
    """

    kept: Kept
    digest: str
    types: InputTypes
    words: str
    own: bool = False


@dataclass(frozen=True)
class ComparedAnswers:
    """Predictions, scores and labels, not judged yet, and the metric."""

    compared: tuple[Compared, ...]
    metric: MetricDrift
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Given:
    """Where the answers of a side lie, and the rows of it that have a label (None where none has)."""

    digest: str
    kept: Kept
    labelled: Kept | None
    notes: tuple[str, ...]


def sides_of(
    now: Today, batch: Batch, reference: Reference, rows: tuple[Kept, Kept], then: InputTypes
) -> tuple[Side, Side]:
    """The reference and the batch with their kept rows; the batch's inputs had the types `then` when it came."""
    reference_kept, kept = rows
    who = answering(now, batch)
    known = who.candidate is not None and answered_by(now, reference, who.candidate)
    # A window over two answer types leaves their answers out: the candidate is asked again.
    known = known and PREDICTION in reference_kept.names
    known = known and alike(now.schema.answer_type, reference_kept.type_of(PREDICTION))
    there = _without(now.schema.inputs, reference.absent)
    return (
        Side(reference_kept, reference.digest, _kept_types(there, reference_kept), "the reference", own=known),
        Side(kept, batch.digest, _kept_types(then, kept), "the batch", own=who.kept),
    )


def compare_answers(
    workspace: Workspace, now: Today, batch: Batch, sides: tuple[Side, Side], host: PredictorHost
) -> ComparedAnswers:
    """Everything that was answered, or would be, and what turned out to be right.

    Both sides have answers of one candidate: those that came with the rows, or that it gives when it is asked. What
    cannot be asked is not compared, and its reason says so.
    """
    schema, who = now.schema, answering(now, batch)
    notes = [who.note] if who.note else []
    compared = list[Compared]()
    given: list[_Given] = []
    why_not = who.reason
    if who.candidate is not None:
        try:
            given = [_given(workspace, schema, who.candidate, side, host) for side in sides]
        except MlRegressError as error:
            why_not = f"{who.candidate.id} was not asked: {error}"
    if given:
        notes += [note for each in given for note in each.notes]
        compared += _compare_predictions(workspace, schema, given[0], given[1], notes)
    else:
        compared.append(not_compared(PREDICTION, _kind(schema), why_not))
    compared.append(_compare_labels(workspace, schema, sides))
    return ComparedAnswers(tuple(compared), _metric(schema, sides, given, why_not), tuple(notes))


def _given(
    workspace: Workspace, schema: ProductionSchema, candidate: Candidate, side: Side, host: PredictorHost
) -> _Given:
    """The answers of a side, asked for where they did not come with it. Raises what asking raises."""
    if side.own:
        silent = int(side.kept.column(PREDICTION).null_count)
        rows = f"{silent:,} of {side.kept.rows:,} rows of {side.words}"
        note = f"{rows} came without an answer, and are left out of the comparison of answers"
        return _Given(side.digest, side.kept, side.kept, (note,) if silent else ())
    options: dict[str, Any] = {"types": side.types, "answer_type": schema.answer_type, "host": host}
    digest, answers = kept_answers(workspace, candidate, side.kept, side.digest, **options)
    notes = []
    if answers.rows < side.kept.rows:
        notes.append(
            f"{candidate.id} was asked about a sample of {answers.rows:,} of {side.kept.rows:,} rows of {side.words}"
        )
    silent = int(answers.column(PREDICTION).null_count)
    if silent:
        rows = f"{silent:,} of {answers.rows:,} rows of {side.words}"
        notes.append(f"{candidate.id} gave no answer of type {schema.answer_type} to {rows}")
    labelled = None
    labels = _labels(side.kept)
    if labels:
        apart = SAMPLE < side.kept.rows != labels  # a sample of all rows may hold few of the labelled ones
        labelled = (
            kept_answers(workspace, candidate, side.kept, side.digest, labelled=True, **options)[1]
            if apart
            else answers
        )
    return _Given(digest, answers, labelled, tuple(notes))


def _compare_predictions(
    workspace: Workspace, schema: ProductionSchema, before: _Given, now: _Given, notes: list[str]
) -> list[Compared]:
    kind = _kind(schema)
    columns = [(PREDICTION, kind)]
    scores = [[name for name in each.kept.names if name.startswith(SCORE)] for each in (before, now)]
    columns += [(name, NUMBER) for name in scores[0] if name in scores[1]]
    for names, others, side in ((*scores, "batch"), (*reversed(scores), "reference")):
        lacking = [name for name in names if name not in others]
        if lacking:
            notes.append(f"not compared, because answers of the {side} have no such score: {_listed(lacking)}")
    return _without_gaps(workspace, schema, before, now.kept, columns)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _compare_labels(workspace: Workspace, schema: ProductionSchema, sides: tuple[Side, Side]) -> Compared:
    kind = _kind(schema)
    counts = [_labels(side.kept) for side in sides]
    none = [side.words for side, count in zip(sides, counts, strict=True) if not count]
    if none:
        why = f"{' and '.join(none)} {'have' if len(none) > 1 else 'has'} no labels"
        return not_compared(LABEL, kind, why, counts[0], counts[1])
    for side in sides:
        found = side.kept.type_of(LABEL)
        if not alike(schema.answer_type, found):
            return not_compared(LABEL, kind, f"was {found} in {side.words}, is {schema.answer_type} now", *counts)
    reference, batch = sides
    return _without_gaps(workspace, schema, reference, batch.kept, [(LABEL, kind)])[0]


def _without_gaps(
    workspace: Workspace, schema: ProductionSchema, before: "Side | _Given", now: Kept, columns: Sequence[Named]
) -> list[Compared]:
    """Columns of answers compared by what is there: an answer or a label that has not come yet is no drift."""
    alike_on_both = []
    left_out = list[Compared]()
    for name, kind in columns:
        declared = "number" if name.startswith(SCORE) else schema.answer_type
        odd = [kept.type_of(name) for kept in (before.kept, now) if not alike(declared, kept.type_of(name))]
        if odd:
            left_out.append(not_compared(name, kind, f"was {odd[0]}, is {declared} now"))
        else:
            alike_on_both.append((name, kind))
    profiles = reference_profile(workspace, before.digest, before.kept, alike_on_both) if alike_on_both else {}
    found = compare_kept(profiles, now, alike_on_both, schema.rules)
    return [replace(each, gaps=None) for each in found] + left_out


def _metric(schema: ProductionSchema, sides: tuple[Side, Side], given: list[_Given], why_not: str) -> MetricDrift:
    counts = [_labels(side.kept) for side in sides]
    none = [side.words for side, count in zip(sides, counts, strict=True) if not count]
    if none:
        reason = f"{' and '.join(none)} {'have' if len(none) > 1 else 'has'} no labels"
        return MetricDrift(schema.metric, NOT_COMPARED, reason)
    if not given:
        return MetricDrift(schema.metric, NOT_COMPARED, why_not)
    pairs = [_pairs(schema, each.labelled) for each in given]
    return metric_drift(
        schema.metric,
        pairs[0][0],
        pairs[1][0],
        answer_type=schema.answer_type,
        rules=schema.rules,
        positive_label=schema.positive_label,
        labels=schema.labels,
        scores=(pairs[0][1], pairs[1][1]),
    )


def _pairs(schema: ProductionSchema, kept: Kept | None) -> tuple[Labelled | None, Mapping[str, Any] | None]:
    """Labels, answers and scores of the rows that have both a label and an answer."""
    if kept is None or not {LABEL, PREDICTION} <= set(kept.names):
        return None, None
    labels, answers = kept.column(LABEL), kept.column(PREDICTION)
    both = np.flatnonzero(pc.and_(labels.is_valid(), answers.is_valid()).to_numpy())
    if not len(both) or not all(alike(schema.answer_type, kept.type_of(name)) for name in (LABEL, PREDICTION)):
        return None, None
    scores = {
        name: np.asarray(kept.column(name, both).to_numpy(), dtype=np.float64)
        for name in kept.names
        if name.startswith(SCORE)
    }
    return (labels.take(both).to_pylist(), answers.take(both).to_pylist()), scores or None


def _labels(kept: Kept) -> int:
    """How many rows have a label."""
    if LABEL not in kept.names:
        return 0
    column = kept.column(LABEL)
    return len(column) - int(column.null_count)


def _kind(schema: ProductionSchema) -> str:
    """Labels that are whole numbers are levels: only a number is measured as one."""
    return NUMBER if schema.answer_type == "number" else CATEGORY


def _without(types: InputTypes, absent: frozenset[str]) -> InputTypes:
    if not absent:
        return types
    images = {image.name: image for image in types.images}
    kept = {
        name: declaration
        for name, declaration in types.declared
        if not absent & ({name} if name not in images else set(images[name].columns))
    }
    return parse_input_types(kept)


def _kept_types(types: InputTypes, kept: Kept) -> InputTypes:
    """The types of the columns that are there: a candidate that needs another one says so itself."""
    return _without(types, frozenset(name for name in types.names if name not in kept.names))
