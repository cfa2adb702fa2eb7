"""The look for strange rows in a batch: what is worth a person's word, and what no pattern is near."""

from collections.abc import Mapping

import numpy as np

from ml_regress.core.batch import Batch
from ml_regress.core.outlier_result import CAUSES, CONFIDENT_ERROR, DISAGREEMENT, LOW_RATING, OUTLIER, OutlierReport
from ml_regress.core.outliers import Usual
from ml_regress.core.sampling import sample_of
from ml_regress.core.threads import one_thread
from ml_regress.engine.batch_points import LARGEST_SAMPLE, Ground, ground_of
from ml_regress.engine.candidate_answers import ask, newest_candidates
from ml_regress.engine.coverage import clusters_in
from ml_regress.engine.evidence_of_rows import Seen, guards_of, with_evidence
from ml_regress.engine.near_patterns import neighbours
from ml_regress.engine.proposing import propose
from ml_regress.engine.strange_causes import (
    Found,
    confident_errors,
    disagreements,
    low_ratings,
    outlier_rows,
    strangest,
)
from ml_regress.engine.strange_question import complaints_by_batch, outlier_question
from ml_regress.engine.trained_rows import not_in_reference
from ml_regress.engine.workspace import Workspace
from ml_regress.store.database import now

__all__ = ["check_outliers", "outlier_question"]

SHOWN = 100


def check_outliers(workspace: Workspace, batch: Batch, *, again: bool = False) -> OutlierReport:
    """Look for strange rows of a batch, propose some, and keep what was found.

    What is known of the same question is returned, unless `again`. Raises NotFound or Unavailable where the rows
    of the batch are gone, and InvalidInput where they have no input in common with the reference.
    """
    question = outlier_question(workspace, batch)
    before = workspace.store.drift.outliers_of(batch.id)
    if before is not None and before.question == question and not again:
        return before
    with one_thread():
        report = _look(workspace, batch, question)
    workspace.store.drift.keep_outliers(report)
    return report


def _look(workspace: Workspace, batch: Batch, question: str) -> OutlierReport:
    ground = ground_of(workspace, batch)
    rows = sample_of(ground.kept.rows, LARGEST_SAMPLE)
    points = ground.points(rows)
    found, strangeness, notes = _unasked(workspace, ground)
    seen = _asked(workspace, ground, rows, found)
    if CONFIDENT_ERROR not in found:
        found[CONFIDENT_ERROR] = confident_errors(ground, seen.rows, seen.served)
    found[DISAGREEMENT] = disagreements(ground, seen.rows, seen.newest)
    for each in found.values():
        notes += each.notes
    strange = strangest(found)
    new = set(not_in_reference(ground, [each.row for each in strange if each.row is not None]))
    fresh = [each for each in strange if each.row is None or each.row in new]
    if len(fresh) < len(strange):
        notes.append(f"{len(strange) - len(fresh)} strange rows are rows that the candidate was trained on")
    guards = guards_of(ground, rows, points, strangeness, seen)
    made = propose(workspace, ground, with_evidence(ground, fresh, seen, guards), guards)
    shown = [each.shown for each in fresh]
    return OutlierReport(
        batch.id,
        question,
        ground.kept.rows,
        tuple(each for each in shown if each is not None)[:SHOWN],
        {cause: found[cause].count for cause in CAUSES if cause in found},
        clusters_in(ground, rows, points, neighbours(workspace, ground)) if len(rows) else (),
        tuple(each.id for each in workspace.store.proposals.all() if each.batch == batch.id),
        tuple(dict.fromkeys([*ground.notes, *notes, *seen.notes, *made.notes])),
        checked_at=now(),
    )


def _unasked(workspace: Workspace, ground: Ground) -> tuple[dict[str, Found], np.ndarray, list[str]]:
    """What is strange without asking a candidate, how strange each row is (NaN where nobody knows), and notes."""
    found: dict[str, Found] = {}
    notes, strangeness = list[str](), np.full(ground.kept.rows, np.nan)
    try:
        if ground.no_reference:
            raise ValueError(ground.no_reference)
        usual = Usual.fit(ground.like_points)
    except ValueError as error:
        notes.append(f"no outliers were looked for: {error}")
    else:
        found[OUTLIER], strangeness = outlier_rows(ground, usual)
    usable = [each for each in workspace.store.batches.all() if each.usable]
    found[LOW_RATING] = low_ratings(ground, complaints_by_batch(workspace, usable).get(ground.batch.id, []))
    if ground.batch.predicted:
        found[CONFIDENT_ERROR] = confident_errors(ground, np.array([], dtype=int), None)
    return found, strangeness, notes


def _asked(workspace: Workspace, ground: Ground, rows: np.ndarray, found: Mapping[str, Found]) -> Seen:
    """What the newest candidates, and the one that served the batch, say to these rows and to what is strange."""
    odd = [each for cause in found.values() for each in cause.rows]
    asked = np.unique(np.concatenate([rows, [each.row for each in odd if each.row is not None]]).astype(int))
    rated = [each.inputs or {} for each in odd if each.row is None]
    newest = newest_candidates(workspace)
    server = ground.batch.candidate or workspace.store.candidates.production()
    others = [each for each in workspace.store.candidates.all() if each.id == server and not each.recorded]
    wanted = list(newest) if len(newest) > 1 else []
    if ground.batch.labelled and not ground.batch.predicted:
        wanted += [each for each in others if each not in wanted]
    frames = [ground.frame(asked), ground.types.frame(rated)] if rated else [ground.frame(asked)]
    said, notes = ask(workspace, wanted, frames, ground.schema.answer_type)
    count, names = len(asked), {each.id for each in newest}
    of_rows = [each.part(slice(0, count)) for each in said]
    return Seen(
        asked,
        [each for each in of_rows if each.candidate in names],
        [each.part(slice(count, None)) for each in said if each.candidate in names],
        next((each for each in of_rows if each.candidate == server), None),
        tuple(notes),
    )
