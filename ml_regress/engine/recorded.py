"""Recorded candidates: a table of predictions that is held against what the store asks."""

import contextlib
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.core.problem import Problem
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput
from ml_regress.intake.patterns import parse_patterns, table_of_stored
from ml_regress.intake.recorded import Question, RecordedFile, read_recorded
from ml_regress.store.due import DueCell
from ml_regress.store.problems import Measured

NO_PREDICTION = "no prediction: the candidate's table has no row for it"
NO_DRAW = "its predictions are recorded: there is no model that could answer again"
NO_DRAW_OF_ROWS = "the rows of a benchmark are predicted once: draws are of patterns"
NO_BENCHMARK = "recorded predictions answer patterns, and not the rows of a benchmark"


def recorded_predictions(workspace: Workspace, folder: Path, candidate: Candidate) -> RecordedFile:
    """The predictions in a recorded candidate's folder; raises InvalidInput, UnknownPatterns."""
    store = workspace.store
    known = store.problems.pattern_digests()
    questions = []
    for problem in store.problems.all(closed=True):
        digests = known.get(problem.id, {})
        resting = {name for name, digest in digests.items() if digest is None}
        found = {name: digest for name, digest in digests.items() if digest is not None}
        found.update(_resting_digests(workspace, problem, resting) if resting else {})
        questions.append(Question(problem.id, problem.inputs, problem.answer_type, found))
    return read_recorded(folder, candidate, questions)


def _resting_digests(workspace: Workspace, problem: Problem, names: Set[str]) -> dict[str, str]:
    """Input digests of patterns that stand in no suite; one that is not valid is not known until it is mended."""
    rows = workspace.store.problems.patterns(problem.id)
    wanted, known = rows[rows["id"].isin(names)].reset_index(drop=True), frozenset(rows["id"])
    try:
        return _digests_of(problem, wanted, known)
    except InvalidInput:
        pass
    found: dict[str, str] = {}
    for place in range(len(wanted)):
        with contextlib.suppress(InvalidInput):
            found.update(_digests_of(problem, wanted.iloc[[place]].reset_index(drop=True), known))
    return found


def _digests_of(problem: Problem, rows: pd.DataFrame, known: frozenset[str]) -> dict[str, str]:
    source = f"table patterns, problem {problem.id}"
    patterns = parse_patterns(problem, table_of_stored(rows, problem, source), source, known)
    return {pattern.id: pattern.input_digest for pattern in patterns}


def excused_from(candidate: Candidate, due: Sequence[DueCell], dimension: Mapping[str, Measured]) -> Mapping[str, str]:
    """Why the candidate is not measured on a problem, by problem."""
    named = candidate.manifest.not_applicable
    if not candidate.recorded:
        return named
    benchmarks = (cell.problem for cell in due if dimension[cell.problem].kind == "benchmark")
    return {**dict.fromkeys(benchmarks, NO_BENCHMARK), **named}


def undrawable(candidate: Candidate, measured: Measured) -> str | None:
    """Why the candidate cannot be drawn again on a problem or benchmark; None where it can."""
    if candidate.recorded:
        return NO_DRAW
    if measured.kind == "benchmark":
        return NO_DRAW_OF_ROWS
    excuse = candidate.manifest.not_applicable.get(measured.id)
    return None if excuse is None else f"not applicable: {excuse}"
