"""Scoring a candidate's cells: its predictions, old and new, become evaluations."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd

from ml_regress.core.answer_map import mapped_predictions
from ml_regress.core.candidate import Candidate
from ml_regress.core.draws import Decided, Further, Reliabilities, decide
from ml_regress.core.evaluation import ERROR, OK, OUTCOME_ERROR, Evaluation
from ml_regress.core.metrics import measure_all, unknown_answers
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.core.scoring import summarise
from ml_regress.engine.claimed import Asked, AskedBenchmark, Claimed
from ml_regress.engine.predicting import Answers, environment_warnings
from ml_regress.predictors.batch import Batch
from ml_regress.store.due import Cell, DueCell
from ml_regress.store.evaluations import environment_digest


class Scoring:
    """The predictions of one candidate, old and new, held against suites and benchmarks.

    `stored` are its first draws and `further` the others that were there before; `reliabilities` hold those of each
    problem with more than one draw that was scored.
    """

    def __init__(
        self, candidate: Candidate, claimed: Claimed, answers: Answers, stored: Predictions, further: Further
    ) -> None:
        answer_map = candidate.manifest.answer_map
        self.reliabilities: dict[str, Reliabilities] = {}
        self._candidate, self._claimed = candidate.id, claimed
        self._answers = answers.as_meant(answer_map)
        self._environment = None if answers.environment is None else environment_digest(answers.environment)
        made = {name: each._replace(environment=self._environment) for name, each in answers.made.items()}
        self._predictions: Predictions = {
            **mapped_predictions(answer_map, {**stored, **made}),
            **{name: Prediction(error=reason) for name, reason in answers.failed.items()},
        }
        self._further = self._all_further(further, answers.drawn, answer_map)
        self._said: dict[Any, tuple[str, ...]] = {}

    def _all_further(
        self, stored: Further, drawn: Mapping[str, Sequence[Prediction]], answer_map: Mapping[str, str]
    ) -> Further:
        """The further draws by input digest and number, as the answer map means them; new ones follow the stored."""
        found: dict[str, dict[int, Prediction]] = {digest: dict(draws) for digest, draws in stored.items()}
        for digest, draws in drawn.items():
            mine = found.setdefault(digest, {})
            after = max(mine, default=0) + 1
            mine.update(enumerate((each._replace(environment=self._environment) for each in draws), start=after))
        if not answer_map:
            return found
        flat = {f"{number} {digest}": each for digest, draws in found.items() for number, each in draws.items()}
        meant = mapped_predictions(answer_map, flat)
        return {digest: {number: meant[f"{number} {digest}"] for number in draws} for digest, draws in found.items()}

    def problems(self, cells: Sequence[DueCell]) -> list[Evaluation]:
        """The evaluations of suites, scored together where their answers have one type."""
        by_type: dict[str, list[DueCell]] = {}
        for cell in cells:
            by_type.setdefault(self._claimed.suite(cell).suite.content["problem"]["answer_type"], []).append(cell)
        found: dict[Cell, Evaluation] = {}
        for answer_type, members in by_type.items():
            asked = [self._claimed.suite(cell) for cell in members]
            suites = [each.suite.patterns for each in asked]
            decided = decide(suites, self._predictions, self._further, answer_type)
            for cell, each, scored in zip(members, asked, decided, strict=True):
                found[cell.cell] = self._problem(cell, each, scored)
        return [found[cell.cell] for cell in cells]

    def _problem(self, cell: DueCell, asked: Asked, decided: Decided) -> Evaluation:
        suite, outcomes = asked.suite, decided.outcomes
        wanted = [pattern.input_digest for pattern in suite.patterns]
        reasons = {self._answers.failed.get(digest) for digest in wanted}
        if len(reasons) == 1 and None not in reasons and not decided.reliabilities:
            return self._failed(cell, str(reasons.pop()), len(wanted))
        if decided.reliabilities:
            self.reliabilities[cell.problem] = decided.reliabilities
        summary = summarise(suite.content["problem"], decided.patterns, outcomes, decided.predictions)
        draws = chain.from_iterable(self._further[digest].values() for digest in wanted if digest in self._further)
        made_in = {made.environment for made in chain(map(self._predictions.get, wanted), draws) if made is not None}
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
            warnings=(
                *self._warnings(environments, asked.types.names),
                *summary.warnings,
                *(() if decided.warning is None else (decided.warning,)),
            ),
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
