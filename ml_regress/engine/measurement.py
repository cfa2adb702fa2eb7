"""Measurement: the due cells of one candidate become evaluations."""

import contextlib
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from ml_regress.core.answer_map import mapped_predictions
from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, OUTCOME_ERROR, Evaluation, Outcome
from ml_regress.core.metrics import measure_all, unknown_answers
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.core.scoring import score_suites, summarise
from ml_regress.engine.claimed import Asked, AskedBenchmark, Claimed
from ml_regress.engine.predicting import Answers, ask, environment_warnings, questions
from ml_regress.engine.recorded import excused_from
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.batch import Batch
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.database import now
from ml_regress.store.due import Cell, DueCell
from ml_regress.store.evaluations import environment_digest
from ml_regress.store.problems import Measured

# So many predictions are looked up, and held in memory, for candidates that are asked in one go.
PLANNED = 20_000


@dataclass(frozen=True)
class Counts:
    """What a measurement cost: candidates opened, predictions made and reused, outcomes scored.

    `rows` are the rows of benchmarks that were predicted; they are not kept as predictions.
    """

    opened: int = 0
    predicted: int = 0
    reused: int = 0
    scored: int = 0
    rows: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        theirs = other.as_dict()
        return Counts(**{name: value + theirs[name] for name, value in self.as_dict().items()})

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Measurement:
    """What there is to commit of one candidate: evaluations, the new predictions and where they were made."""

    evaluations: tuple[Evaluation, ...]
    predictions: Predictions
    environment: Mapping[str, Any] | None
    counts: Counts


@dataclass(frozen=True)
class _Work:
    """A candidate with its due cells: those of problems, of benchmarks, and those it is excused from, with why."""

    candidate: Candidate
    problems: Sequence[DueCell]
    benchmarks: Sequence[DueCell]
    excused: Sequence[tuple[DueCell, str]]

    @classmethod
    def of(
        cls, candidate: Candidate, due: Sequence[DueCell], dimension: Mapping[str, Measured], claimed: Claimed
    ) -> "_Work":
        excused = excused_from(candidate, due, dimension)
        living = [cell for cell in due if cell.problem not in excused]
        return cls(
            candidate,
            [cell for cell in living if not claimed.is_benchmark(cell)],
            [cell for cell in living if claimed.is_benchmark(cell)],
            [(cell, excused[cell.problem]) for cell in due if cell.problem in excused],
        )


def measure_each(
    workspace: Workspace,
    host: PredictorHost,
    due: Sequence[tuple[Candidate, Sequence[DueCell]]],
    dimension: Mapping[str, Measured],
    *,
    run: str,
    asked: bool,
) -> Generator[Measurement]:
    """Predict what is missing, score all, and make one evaluation a due cell: a measurement a candidate, in order.

    `asked` has predictions that ended in an error made again. While one is scored and committed the
    next ones predict.
    """
    claimed = Claimed(workspace, dimension, [cell for _, cells in due for cell in cells])
    digests = claimed.input_digests
    together = max(1, PLANNED // max(1, len(digests)))
    for start in range(0, len(due), together):
        started = time.perf_counter()
        work = [_Work.of(candidate, cells, dimension, claimed) for candidate, cells in due[start : start + together]]
        held = workspace.store.evaluations.predictions_of((each.candidate.id for each in work), digests)
        stored = [_usable(each, held.get(each.candidate.id, {}), claimed, asked=asked) for each in work]
        given = [
            (each.candidate, questions(each.candidate, _suites(each, claimed), _names(each.benchmarks), have))
            for each, have in zip(work, stored, strict=True)
        ]
        answered = ask(workspace, host, claimed, given)
        with contextlib.closing(answered):
            for each, have, answers in zip(work, stored, answered, strict=True):
                yield _measured(each, claimed, answers, have, started=started, run=run)
                started = time.perf_counter()


def _usable(work: _Work, held: Predictions, claimed: Claimed, *, asked: bool) -> Predictions:
    """The stored predictions that count for a candidate's cells."""
    digests = {pattern.input_digest for each in _suites(work, claimed) for pattern in each.suite.patterns}
    again = asked and not work.candidate.recorded
    return {name: made for name, made in held.items() if name in digests and not (again and made.error is not None)}


def _suites(work: _Work, claimed: Claimed) -> list[Asked]:
    return [claimed.suite(cell) for cell in work.problems]


def _names(cells: Sequence[DueCell]) -> list[str]:
    return [cell.problem for cell in cells]


def _measured(
    work: _Work, claimed: Claimed, answers: Answers, stored: Predictions, *, started: float, run: str
) -> Measurement:
    scoring = _Scoring(work.candidate, claimed, answers, stored)
    evaluations = [
        *scoring.problems(work.problems),
        *(scoring.benchmark(cell, claimed.benchmark(cell.problem)) for cell in work.benchmarks),
    ]
    counts = Counts(
        opened=answers.opened,
        predicted=len(answers.made),
        reused=len(stored),
        scored=sum(len(item.outcomes) for item in evaluations if item.outcomes is not None),
        rows=answers.rows,
    )
    evaluations += [
        Evaluation(work.candidate.id, cell.problem, cell.suite, NOT_APPLICABLE, reason) for cell, reason in work.excused
    ]
    common: dict[str, Any] = {
        "counts": counts.as_dict(),
        "seconds": time.perf_counter() - started,
        "evaluated_at": now(),
        "run": run,
    }
    return Measurement(
        tuple(replace(item, **common) for item in evaluations), answers.made, answers.environment, counts
    )


class _Scoring:
    """The predictions of one candidate, old and new, held against suites and benchmarks."""

    def __init__(self, candidate: Candidate, claimed: Claimed, answers: Answers, stored: Predictions) -> None:
        answer_map = candidate.manifest.answer_map
        self._candidate, self._claimed = candidate.id, claimed
        self._answers = answers.as_meant(answer_map)
        self._environment = None if answers.environment is None else environment_digest(answers.environment)
        made = {name: each._replace(environment=self._environment) for name, each in answers.made.items()}
        self._predictions: Predictions = {
            **mapped_predictions(answer_map, {**stored, **made}),
            **{name: Prediction(error=reason) for name, reason in answers.failed.items()},
        }
        self._said: dict[Any, tuple[str, ...]] = {}

    def problems(self, cells: Sequence[DueCell]) -> list[Evaluation]:
        """The evaluations of suites, scored together where their answers have one type."""
        by_type: dict[str, list[DueCell]] = {}
        for cell in cells:
            by_type.setdefault(self._claimed.suite(cell).suite.content["problem"]["answer_type"], []).append(cell)
        found: dict[Cell, Evaluation] = {}
        for answer_type, members in by_type.items():
            asked = [self._claimed.suite(cell) for cell in members]
            outcomes = score_suites([each.suite.patterns for each in asked], self._predictions, answer_type)
            for cell, each, scored in zip(members, asked, outcomes, strict=True):
                found[cell.cell] = self._problem(cell, each, scored)
        return [found[cell.cell] for cell in cells]

    def _problem(self, cell: DueCell, asked: Asked, outcomes: tuple[Outcome, ...]) -> Evaluation:
        suite = asked.suite
        wanted = [pattern.input_digest for pattern in suite.patterns]
        reasons = {self._answers.failed.get(digest) for digest in wanted}
        if len(reasons) == 1 and None not in reasons:
            return self._failed(cell, str(reasons.pop()), len(wanted))
        summary = summarise(suite.content["problem"], suite.patterns, outcomes, self._predictions)
        made_in = {made.environment for made in map(self._predictions.get, wanted) if made is not None}
        environments = tuple(sorted(digest for digest in made_in if digest is not None))
        reason = None
        if summary.errors:
            first = next(item.reason for item in outcomes if item.outcome == OUTCOME_ERROR)
            reason = f"{summary.errors} of {len(wanted)} patterns could not be measured: {first}"
        return Evaluation(
            candidate=self._candidate,
            problem=cell.problem,
            suite=cell.suite,
            state=ERROR if summary.errors else OK,
            reason=reason,
            passes=summary.passes,
            answered=summary.answered,
            errors=summary.errors,
            measures=summary.measures,
            warnings=(*self._warnings(environments, asked.types.names), *summary.warnings),
            environments=environments,
            outcomes=outcomes,
        )

    def benchmark(self, cell: DueCell, asked: AskedBenchmark) -> Evaluation:
        """The evaluation of a benchmark: metrics over the rows that were answered."""
        benchmark, inputs, truth = asked.benchmark, asked.inputs, asked.truth
        result = self._answers.benchmarks[cell.problem]
        if isinstance(result, str):
            return self._failed(cell, result, len(inputs))
        good = [row for row, error in enumerate(result.errors) if error is None]
        given = [result.answers[row] for row in good]
        measures = measure_all(
            benchmark.metrics,
            [truth[row] for row in good],
            given,
            _scores(result, good),
            answer_type=benchmark.answer_type,
            positive_label=benchmark.positive_label,
            labels=benchmark.labels,
        )
        errors = len(inputs) - len(good)
        first = next((error for error in result.errors if error is not None), None)
        environments = () if self._environment is None else (self._environment,)
        unknown = unknown_answers(given, benchmark.answer_type, benchmark.labels)
        return Evaluation(
            candidate=self._candidate,
            problem=cell.problem,
            suite=cell.suite,
            state=ERROR if errors else OK,
            reason=f"{errors} of {len(inputs)} rows could not be measured: {first}" if errors else None,
            answered=len(good),
            errors=errors,
            measures=measures,
            warnings=(
                *self._warnings(environments, benchmark.inputs.names),
                *(() if unknown is None else (unknown,)),
            ),
            environments=environments,
        )

    def _failed(self, cell: DueCell, reason: str, errors: int) -> Evaluation:
        return Evaluation(self._candidate, cell.problem, cell.suite, ERROR, reason, answered=0, errors=errors)

    def _warnings(self, environments: tuple[str, ...], columns: tuple[str, ...]) -> tuple[str, ...]:
        """What the environments of the predictions have to say: versions, and columns that were dropped."""
        if (environments, columns) not in self._said:
            said = (text for name in environments for text in environment_warnings(self._content(name), columns))
            self._said[environments, columns] = tuple(dict.fromkeys(said))
        return self._said[environments, columns]

    def _content(self, digest: str) -> Mapping[str, Any]:
        mine = self._answers.environment if digest == self._environment else None
        return mine or self._claimed.environment(digest)


def _scores(batch: Batch, rows: Sequence[int]) -> dict[str, Any] | None:
    """Each score of a batch as numbers over some of its rows."""
    if batch.outputs is None:
        return None
    frame = pd.DataFrame([batch.outputs[row] for row in rows])
    return {str(name): frame[name].to_numpy() for name in frame.columns}
