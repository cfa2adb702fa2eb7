"""Evaluation: the cells of a claim are measured, a candidate at a time, each in one transaction.

A candidate is opened once for all that it has not predicted yet, and not at all where every
prediction is stored.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, Evaluation
from ml_regress.core.metrics import measure_all, unknown_answers
from ml_regress.core.pattern import Suite
from ml_regress.core.problem import Benchmark, Problem
from ml_regress.core.scoring import score, summarise
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError, NotFound
from ml_regress.intake.benchmarks import benchmark_frame
from ml_regress.predictors.host import Batch, PredictorHost
from ml_regress.store.database import now
from ml_regress.store.due import Cell, DueCell
from ml_regress.store.evaluations import environment_digest
from ml_regress.store.problems import Measured

NO_INPUTS = "the pattern has no inputs, and this candidate is not a table of recorded predictions"


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
        return Counts(
            self.opened + other.opened,
            self.predicted + other.predicted,
            self.reused + other.reused,
            self.scored + other.scored,
            self.rows + other.rows,
        )

    def as_dict(self) -> dict[str, int]:
        return {
            "opened": self.opened,
            "predicted": self.predicted,
            "reused": self.reused,
            "scored": self.scored,
            "rows": self.rows,
        }


@dataclass(frozen=True)
class CandidateResult:
    """What is stored of a candidate's requested cells, after its commit.

    `measured` are the cells that this call measured; the others of `evaluations` were there before.
    `elsewhere` are cells that another run holds.
    """

    candidate: str
    evaluations: tuple[Evaluation, ...]
    measured: frozenset[Cell]
    counts: Counts
    elsewhere: tuple[Cell, ...] = ()


def evaluate(
    workspace: Workspace,
    cells: Iterable[Cell],
    *,
    claim: str,
    run: str = "",
    asked: bool = False,
    host: PredictorHost | None = None,
) -> Iterator[CandidateResult]:
    """Measure what is due of these cells and yield each candidate's result after its commit.

    `asked` says that a person wants them: cells that rest as error are tried again. Raises NotFound
    where a cell is no part of the matrix, before anything is measured.
    """
    store, wanted = workspace.store, list(dict.fromkeys(cells))
    candidates = {candidate.id: candidate for candidate in store.candidates.all()}
    dimension = {entry.id: entry for entry in store.problems.measured()}
    unknown = [cell for cell in wanted if cell[0] not in candidates or cell[1] not in dimension]
    if unknown:
        shown = ", ".join(f"{candidate}|{problem}" for candidate, problem in unknown[:5])
        raise NotFound(f"{len(unknown)} cells are no part of the matrix, among them {shown}")
    if asked:
        resting = [
            cell for cell, stored in store.evaluations.current(wanted).items() if stored.evaluation.state == ERROR
        ]
        store.due.request(resting, "asked for")
    held = {cell.cell: cell for cell in store.due.claim(wanted, claim)}
    try:
        with _hosted(host) as serving:
            if held:  # the imports of the models' process take seconds: they go on beside our planning
                serving.start({candidates[cell[0]].manifest.format for cell in held})
            for candidate in candidates.values():
                here = [cell for cell in wanted if cell[0] == candidate.id]
                if here:
                    due = [held[cell] for cell in here if cell in held]
                    yield _one_candidate(workspace, candidate, here, due, dimension, claim, run, asked, serving)
    except Exception:
        # Nobody planned for this: it counts as a crash, so that it is not tried for ever.
        store.due.release(claim, crashed=True)
        raise
    finally:
        store.due.release(claim, crashed=False)


class _hosted:
    """A host of one's own, closed at the end, where the caller brought none."""

    def __init__(self, given: PredictorHost | None) -> None:
        self._given = given
        self._own = PredictorHost() if given is None else None

    def __enter__(self) -> PredictorHost:
        return self._given or self._own.__enter__()  # type: ignore[union-attr]

    def __exit__(self, *exception: Any) -> None:
        if self._own is not None:
            self._own.__exit__(*exception)


def _one_candidate(
    workspace: Workspace,
    candidate: Candidate,
    cells: Sequence[Cell],
    due: Sequence[DueCell],
    dimension: Mapping[str, Measured],
    claim: str,
    run: str,
    asked: bool,
    host: PredictorHost,
) -> CandidateResult:
    counts = Counts()
    if due:
        work = _Measurement(workspace, candidate, due, dimension, run or claim, asked)
        measurement = work.measure(host)
        workspace.store.evaluations.commit(
            candidate.id,
            measurement.evaluations,
            predictions=measurement.predictions,
            environment=measurement.environment,
            claim=claim,
        )
        counts = measurement.counts
    stored = workspace.store.evaluations.current(cells)
    evaluations = tuple(stored[cell].evaluation for cell in cells if cell in stored)
    return CandidateResult(
        candidate.id,
        evaluations,
        frozenset(cell.cell for cell in due),
        counts,
        tuple(cell for cell in cells if cell not in stored),
    )


@dataclass(frozen=True)
class _Measured:
    evaluations: tuple[Evaluation, ...]
    predictions: pd.DataFrame
    environment: Mapping[str, Any] | None
    counts: Counts


@dataclass
class _Answers:
    """What one opening of a candidate gave, by input digest and by benchmark; errors are texts."""

    made: dict[str, tuple[Any, Any, str | None]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    benchmarks: dict[str, Batch | str] = field(default_factory=dict)
    environment: dict[str, Any] | None = None
    opened: int = 0
    rows: int = 0

    def note(self, batch: Batch) -> None:
        """Keep what a batch says of where it was made: it stands beside every number that comes of it."""
        known = self.environment or {"warnings": []}
        features = None if batch.features is None else list(batch.features)
        warnings = list(dict.fromkeys([*known["warnings"], *batch.warnings]))
        self.environment = {**batch.environment, "features": features, "warnings": warnings}


class _Measurement:
    """The due cells of one candidate, measured together."""

    def __init__(
        self,
        workspace: Workspace,
        candidate: Candidate,
        due: Sequence[DueCell],
        dimension: Mapping[str, Measured],
        run: str,
        asked: bool,
    ) -> None:
        self._workspace, self._candidate, self._run, self._asked = workspace, candidate, run, asked
        excused = candidate.manifest.not_applicable
        self._excused = [cell for cell in due if cell.problem in excused]
        living = [cell for cell in due if cell.problem not in excused]
        self._benchmark_cells = [cell for cell in living if dimension[cell.problem].kind == "benchmark"]
        self._problem_cells = [cell for cell in living if dimension[cell.problem].kind == "problem"]
        problems = workspace.store.problems
        self._suites = problems.suites((cell.problem, cell.suite) for cell in self._problem_cells)
        self._benchmarks = {benchmark.id: benchmark for benchmark in problems.benchmarks()}
        self._problems = {problem.id: problem for problem in problems.all()}

    def measure(self, host: PredictorHost) -> _Measured:
        """Predict what is missing, score all, and make one evaluation a cell."""
        started = time.perf_counter()
        digests = {pattern.input_digest for suite in self._suites.values() for pattern in suite.patterns}
        stored = self._workspace.store.evaluations.predictions(self._candidate.id, digests)
        if self._asked:
            stored = stored[stored["error"].isna()]
        answers = self._predict(host, set(stored.index))
        new = _prediction_frame(answers.made)
        environment = environment_digest(answers.environment) if answers.environment is not None else None
        known = stored if new.empty else pd.concat([stored, new.assign(environment=environment)])
        evaluations = [self._score(cell, known, answers) for cell in self._problem_cells]
        evaluations += [self._measure_benchmark(cell, answers, environment) for cell in self._benchmark_cells]
        counts = Counts(
            opened=answers.opened,
            predicted=len(new),
            reused=len(stored),
            scored=sum(len(item.outcomes) for item in evaluations if item.outcomes is not None),
            rows=answers.rows,
        )
        evaluations += [self._excuse(cell) for cell in self._excused]
        seconds, at = time.perf_counter() - started, now()
        return _Measured(
            tuple(
                replace(item, seconds=seconds, counts=counts.as_dict(), evaluated_at=at, run=self._run)
                for item in evaluations
            ),
            new,
            answers.environment,
            counts,
        )

    # -- predicting ------------------------------------------------------------------------------

    def _predict(self, host: PredictorHost, have: set[str]) -> _Answers:
        """Open the candidate once for all inputs without a prediction and for all benchmarks."""
        answers = _Answers()
        batches = self._missing_inputs(have, answers)
        frames = [frame for _, frame in batches]
        names = [cell.problem for cell in self._benchmark_cells]
        frames += [self._benchmark_inputs(name) for name in names]
        if not frames:
            return answers
        opened = host.opened
        try:
            results = host.predict_many(self._workspace.located(self._candidate), frames, self._workspace.policy)
        except MlRegressError as error:  # it could not be opened, was not permitted, or its process ended
            results = [error] * len(frames)
        answers.opened = host.opened - opened
        for (digests, _), result in zip(batches, results, strict=False):
            self._take(digests, result, answers)
        for name, frame, result in zip(names, frames[len(batches) :], results[len(batches) :], strict=True):
            answers.benchmarks[name] = str(result) if isinstance(result, MlRegressError) else result
            answers.rows += 0 if isinstance(result, MlRegressError) else len(frame)
            if isinstance(result, Batch):
                answers.note(result)
        return answers

    def _missing_inputs(self, have: set[str], answers: _Answers) -> list[tuple[list[str], pd.DataFrame]]:
        """The distinct inputs without a prediction: one frame for all problems with the same columns."""
        groups: dict[Any, tuple[list[str], list[Mapping[str, Any]]]] = {}
        seen = set(have)
        types = {}
        for problem, suite in self._suites.items():
            columns = self._problem(problem, suite).inputs
            for pattern in suite.patterns:
                if pattern.input_digest in seen:
                    continue
                seen.add(pattern.input_digest)
                if pattern.inputs is None:
                    answers.failed[pattern.input_digest] = NO_INPUTS
                    continue
                types[columns.columns] = columns
                digests, rows = groups.setdefault(columns.columns, ([], []))
                digests.append(pattern.input_digest)
                rows.append(pattern.inputs)
        return [(digests, types[key].frame(rows)) for key, (digests, rows) in groups.items()]

    def _problem(self, problem: str, suite: Suite) -> Problem:
        """The problem as its suite froze it: a newer edit must not mix with older patterns."""
        return frozen_problem(self._problems.get(problem), suite)

    def _benchmark_inputs(self, name: str) -> pd.DataFrame:
        data = self._workspace.store.problems.benchmark_data(name)
        return benchmark_frame(self._benchmarks[name], data)[0]

    def _take(self, digests: Sequence[str], result: Any, answers: _Answers) -> None:
        if isinstance(result, MlRegressError):
            answers.failed.update(dict.fromkeys(digests, str(result)))
            return
        answers.note(result)
        outputs = result.outputs or [None] * len(digests)
        for digest, answer, output, error in zip(digests, result.answers, outputs, result.errors, strict=True):
            answers.made[digest] = (answer, output, error)

    # -- scoring ---------------------------------------------------------------------------------

    def _score(self, cell: DueCell, known: pd.DataFrame, answers: _Answers) -> Evaluation:
        suite = self._suites[cell.problem]
        wanted = [pattern.input_digest for pattern in suite.patterns]
        reasons = list(dict.fromkeys(answers.failed[digest] for digest in wanted if digest in answers.failed))
        whole = len(reasons) == 1 and all(digest in answers.failed for digest in wanted)
        if whole:
            return self._failed(cell, reasons[0], len(wanted))
        missing = pd.DataFrame(
            {
                "answer": None,
                "outputs": None,
                "error": [answers.failed[name] for name in wanted if name in answers.failed],
            },
            index=pd.Index([name for name in wanted if name in answers.failed], dtype=object),
            dtype=object,
        )
        here = known.loc[known.index.isin(wanted)]
        predictions = pd.concat([here, missing[~missing.index.duplicated()]]) if len(missing) else here
        content = suite.content["problem"]
        outcomes = score(suite.patterns, predictions, content["answer_type"])
        summary = summarise(content, suite.patterns, outcomes, predictions)
        environments = tuple(sorted(set(here["environment"].dropna()))) if len(here) else ()
        reason = None
        if summary.errors:
            first = outcomes.loc[outcomes["outcome"] == "error", "reason"].iloc[0]
            reason = f"{summary.errors} of {len(wanted)} patterns could not be measured: {first}"
        return Evaluation(
            candidate=self._candidate.id,
            problem=cell.problem,
            suite=cell.suite,
            state=ERROR if summary.errors else OK,
            reason=reason,
            passes=summary.passes,
            answered=summary.answered,
            errors=summary.errors,
            measures=summary.measures,
            warnings=(*self._environment_warnings(environments, answers, suite), *summary.warnings),
            environments=environments,
            outcomes=outcomes,
        )

    def _environment_warnings(self, environments: Iterable[str], answers: _Answers, suite: Suite) -> tuple[str, ...]:
        """What the environments of the predictions have to say: versions, and columns that were dropped."""
        found: list[str] = []
        for digest in environments:
            if answers.environment is not None and environment_digest(answers.environment) == digest:
                content: Mapping[str, Any] = answers.environment
            else:
                content = self._workspace.store.evaluations.environment(digest)
            found.extend(environment_warnings(content, self._problem(suite.problem, suite).inputs.names))
        return tuple(dict.fromkeys(found))

    def _measure_benchmark(self, cell: DueCell, answers: _Answers, environment: str | None) -> Evaluation:
        benchmark: Benchmark = self._benchmarks[cell.problem]
        inputs, truth = benchmark_frame(benchmark, self._workspace.store.problems.benchmark_data(cell.problem))
        result = answers.benchmarks[cell.problem]
        if isinstance(result, str):
            return self._failed(cell, result, len(inputs))
        good = [row for row, error in enumerate(result.errors) if error is None]
        given = [result.answers[row] for row in good]
        scores = None
        if result.outputs is not None:
            rows = pd.DataFrame([result.outputs[row] for row in good])
            scores = {str(name): rows[name].to_numpy() for name in rows.columns}
        measures = measure_all(
            benchmark.metrics,
            [truth[row] for row in good],
            given,
            scores,
            answer_type=benchmark.answer_type,
            positive_label=benchmark.positive_label,
            labels=benchmark.labels,
        )
        errors = len(inputs) - len(good)
        unknown = unknown_answers(given, benchmark.answer_type, benchmark.labels)
        first = next((error for error in result.errors if error is not None), None)
        return Evaluation(
            candidate=self._candidate.id,
            problem=cell.problem,
            suite=cell.suite,
            state=ERROR if errors else OK,
            reason=f"{errors} of {len(inputs)} rows could not be measured: {first}" if errors else None,
            answered=len(good),
            errors=errors,
            measures=measures,
            warnings=(
                *environment_warnings(answers.environment or {}, benchmark.inputs.names),
                *(() if unknown is None else (unknown,)),
            ),
            environments=() if environment is None else (environment,),
        )

    def _failed(self, cell: DueCell, reason: str, errors: int) -> Evaluation:
        return Evaluation(self._candidate.id, cell.problem, cell.suite, ERROR, reason, answered=0, errors=errors)

    def _excuse(self, cell: DueCell) -> Evaluation:
        reason = self._candidate.manifest.not_applicable[cell.problem]
        return Evaluation(self._candidate.id, cell.problem, cell.suite, NOT_APPLICABLE, reason)


def frozen_problem(problem: Problem | None, suite: Suite) -> Problem:
    """A problem with the measured content that its suite froze."""
    from ml_regress.core.inputs import parse_input_types

    content = suite.content["problem"]
    base = problem or Problem(suite.problem, suite.problem, parse_input_types({}))
    return replace(
        base,
        inputs=parse_input_types(dict(content["inputs"])),
        answer_type=content["answer_type"],
        labels=tuple(content["labels"]),
        positive_label=content["positive_label"],
        metric=content["metric"],
    )


def environment_warnings(environment: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Warnings of an environment for a cell whose problem has these columns."""
    found = list(environment.get("warnings", ()))
    features = environment.get("features")
    if features is not None:
        dropped = [column for column in columns if column not in set(features)]
        if dropped:
            found.append(f"columns the candidate does not use were dropped: {', '.join(dropped)}")
    return found


def _prediction_frame(made: Mapping[str, tuple[Any, Any, str | None]]) -> pd.DataFrame:
    columns = list(zip(*made.values(), strict=True)) if made else [[], [], []]
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=object)
            for name, values in zip(("answer", "outputs", "error"), columns, strict=True)
        }
    ).set_axis(pd.Index(list(made), dtype=object))
