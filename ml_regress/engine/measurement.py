"""Measurement: the due cells of one candidate become evaluations."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, Evaluation
from ml_regress.core.inputs import InputTypes, parse_input_types
from ml_regress.core.metrics import measure_all, unknown_answers
from ml_regress.core.pattern import Suite
from ml_regress.core.problem import Benchmark
from ml_regress.core.scoring import score_suites, summarise
from ml_regress.engine.predicting import Answers, ask
from ml_regress.engine.workspace import Workspace
from ml_regress.intake.benchmarks import benchmark_frame
from ml_regress.predictors.batch import Batch
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.database import now
from ml_regress.store.due import DueCell
from ml_regress.store.evaluations import environment_digest
from ml_regress.store.problems import Measured


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
    """What there is to commit: evaluations, the new predictions and where they were made."""

    evaluations: tuple[Evaluation, ...]
    predictions: pd.DataFrame
    environment: Mapping[str, Any] | None
    counts: Counts


@dataclass(frozen=True)
class _Suites:
    """The suites of the due problems, with their input types: a newer edit never mixes with older patterns."""

    suites: Mapping[str, Suite]
    types: Mapping[str, InputTypes]

    @classmethod
    def read(cls, workspace: Workspace, cells: Iterable[DueCell]) -> "_Suites":
        suites = workspace.store.problems.suites((cell.problem, cell.suite) for cell in cells)
        known: dict[str, InputTypes] = {}
        types = {}
        for problem, suite in suites.items():
            declared = suite.content["problem"]["inputs"]
            key = repr(declared)  # many problems ask the same kind of question
            if key not in known:
                known[key] = parse_input_types(dict(declared))
            types[problem] = known[key]
        return cls(suites, types)


def measure(
    workspace: Workspace,
    host: PredictorHost,
    candidate: Candidate,
    due: Sequence[DueCell],
    dimension: Mapping[str, Measured],
    *,
    run: str,
    asked: bool,
) -> Measurement:
    """Predict what is missing, score all, and make one evaluation a due cell.

    `asked` has predictions that ended in an error made again.
    """
    started = time.perf_counter()
    excused = candidate.manifest.not_applicable
    living = [cell for cell in due if cell.problem not in excused]
    problem_cells = [cell for cell in living if dimension[cell.problem].kind == "problem"]
    benchmark_cells = [cell for cell in living if dimension[cell.problem].kind == "benchmark"]
    frozen = _Suites.read(workspace, problem_cells)
    benchmarks = _read_benchmarks(workspace, benchmark_cells)
    digests = {pattern.input_digest for suite in frozen.suites.values() for pattern in suite.patterns}
    stored = workspace.store.evaluations.predictions(candidate.id, digests)
    if asked:
        stored = stored[stored["error"].isna()]
    answers = ask(
        workspace,
        host,
        candidate,
        suites=[(suite, frozen.types[problem]) for problem, suite in frozen.suites.items()],
        benchmarks={name: inputs for name, (_, inputs, _) in benchmarks.items()},
        have=set(stored.index),
    )
    new = answers.frame()
    environment = None if answers.environment is None else environment_digest(answers.environment)
    scoring = _Scoring(workspace, candidate.id, answers, stored=stored, new=new, environment=environment)
    outcomes = scoring.outcomes(frozen.suites)
    evaluations = [
        *(
            scoring.problem(cell, frozen.suites[cell.problem], frozen.types[cell.problem], outcomes[cell.problem])
            for cell in problem_cells
        ),
        *(scoring.benchmark(cell, *benchmarks[cell.problem]) for cell in benchmark_cells),
    ]
    counts = Counts(
        opened=answers.opened,
        predicted=len(new),
        reused=len(stored),
        scored=sum(len(item.outcomes) for item in evaluations if item.outcomes is not None),
        rows=answers.rows,
    )
    evaluations += [
        Evaluation(candidate.id, cell.problem, cell.suite, NOT_APPLICABLE, excused[cell.problem])
        for cell in due
        if cell.problem in excused
    ]
    seconds, at = time.perf_counter() - started, now()
    return Measurement(
        tuple(
            replace(item, seconds=seconds, counts=counts.as_dict(), evaluated_at=at, run=run) for item in evaluations
        ),
        new,
        answers.environment,
        counts,
    )


def _read_benchmarks(
    workspace: Workspace, cells: Sequence[DueCell]
) -> dict[str, tuple[Benchmark, pd.DataFrame, list[Any]]]:
    """The benchmarks of these cells with their inputs and expected answers."""
    if not cells:
        return {}
    known = {benchmark.id: benchmark for benchmark in workspace.store.problems.benchmarks()}
    return {
        cell.problem: (
            known[cell.problem],
            *benchmark_frame(known[cell.problem], workspace.store.problems.benchmark_data(cell.problem)),
        )
        for cell in cells
    }


class _Scoring:
    """The predictions of one candidate, old and new, held against suites and benchmarks."""

    def __init__(
        self,
        workspace: Workspace,
        candidate: str,
        answers: Answers,
        *,
        stored: pd.DataFrame,
        new: pd.DataFrame,
        environment: str | None,
    ) -> None:
        self._workspace, self._candidate, self._answers, self._environment = workspace, candidate, answers, environment
        failed = pd.DataFrame(
            {"answer": None, "outputs": None, "error": list(answers.failed.values())},
            index=pd.Index(list(answers.failed), dtype=object),
            dtype=object,
        )
        parts = [stored, new.assign(environment=environment), failed.assign(environment=None)]
        self._predictions = pd.concat([part for part in parts if len(part)] or parts[:1])
        self._made_in = dict(zip(stored.index, stored["environment"], strict=True))
        self._made_in.update(dict.fromkeys(new.index, environment))
        self._contents: dict[str, Mapping[str, Any]] = {}

    def outcomes(self, suites: Mapping[str, Suite]) -> dict[str, pd.DataFrame]:
        """The outcomes of each problem's suite, scored together where their answers have one type."""
        by_type: dict[str, list[str]] = {}
        for problem, suite in suites.items():
            by_type.setdefault(suite.content["problem"]["answer_type"], []).append(problem)
        found: dict[str, pd.DataFrame] = {}
        for answer_type, problems in by_type.items():
            frames = score_suites([suites[problem].patterns for problem in problems], self._predictions, answer_type)
            found.update(zip(problems, frames, strict=True))
        return found

    def problem(self, cell: DueCell, suite: Suite, types: InputTypes, outcomes: pd.DataFrame) -> Evaluation:
        """The evaluation of a suite."""
        wanted = [pattern.input_digest for pattern in suite.patterns]
        reasons = {self._answers.failed.get(digest) for digest in wanted}
        if len(reasons) == 1 and None not in reasons:
            return self._failed(cell, str(reasons.pop()), len(wanted))
        summary = summarise(suite.content["problem"], suite.patterns, outcomes, self._predictions)
        environments = tuple(sorted({self._made_in[digest] for digest in wanted if digest in self._made_in}))
        reason = None
        if summary.errors:
            first = outcomes.loc[outcomes["outcome"] == "error", "reason"].iloc[0]
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
            warnings=(*self._warnings(environments, types.names), *summary.warnings),
            environments=environments,
            outcomes=outcomes,
        )

    def benchmark(self, cell: DueCell, benchmark: Benchmark, inputs: pd.DataFrame, truth: Sequence[Any]) -> Evaluation:
        """The evaluation of a benchmark: metrics over the rows that were answered."""
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

    def _warnings(self, environments: Iterable[str], columns: Sequence[str]) -> tuple[str, ...]:
        """What the environments of the predictions have to say: versions, and columns that were dropped."""
        return tuple(
            dict.fromkeys(text for name in environments for text in environment_warnings(self._content(name), columns))
        )

    def _content(self, digest: str) -> Mapping[str, Any]:
        if digest not in self._contents:
            mine = self._answers.environment if digest == self._environment else None
            self._contents[digest] = mine or self._workspace.store.evaluations.environment(digest)
        return self._contents[digest]


def environment_warnings(environment: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Warnings of an environment for a cell whose problem has these columns."""
    found = list(environment.get("warnings", ()))
    features = environment.get("features")
    if features is not None:
        known = set(features)
        dropped = [column for column in columns if column not in known]
        if dropped:
            found.append(f"columns the candidate does not use were dropped: {', '.join(dropped)}")
    return found


def _scores(batch: Batch, rows: Sequence[int]) -> dict[str, Any] | None:
    """Each score of a batch as numbers over some of its rows."""
    if batch.outputs is None:
        return None
    frame = pd.DataFrame([batch.outputs[row] for row in rows])
    return {str(name): frame[name].to_numpy() for name in frame.columns}
