"""Measurement: the due cells of one candidate become evaluations."""

import contextlib
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ml_regress.core.candidate import Candidate
from ml_regress.core.draws import DrawsMade
from ml_regress.core.evaluation import NOT_APPLICABLE, Evaluation
from ml_regress.core.prediction import Predictions
from ml_regress.engine.claimed import Asked, Claimed
from ml_regress.engine.predicting import Answers, ask, questions
from ml_regress.engine.recorded import excused_from
from ml_regress.engine.scored import Scoring
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.database import now
from ml_regress.store.due import DueCell
from ml_regress.store.evaluations import Held
from ml_regress.store.problems import Measured

# So many predictions are looked up, and held in memory, for candidates that are asked in one go.
PLANNED = 20_000


@dataclass(frozen=True)
class Counts:
    """What a measurement cost: candidates opened, predictions made and reused, outcomes scored.

    `drawn` are predictions that were made as further draws, beside those of `predicted`. `rows` are the rows of
    benchmarks that were predicted; they are not kept as predictions.
    """

    opened: int = 0
    predicted: int = 0
    reused: int = 0
    scored: int = 0
    rows: int = 0
    drawn: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        theirs = other.as_dict()
        return Counts(**{name: value + theirs[name] for name, value in self.as_dict().items()})

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Measurement:
    """What there is to commit of one candidate: evaluations, the new predictions and where they were made.

    `undrawn` says why draws that were asked for are not among them.
    """

    evaluations: tuple[Evaluation, ...]
    predictions: Predictions
    environment: Mapping[str, Any] | None
    counts: Counts
    draws: DrawsMade
    undrawn: str | None


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
    again: int = 0,
) -> Generator[Measurement]:
    """Predict what is missing, score all, and make one evaluation a due cell: a measurement a candidate, in order.

    `asked` has predictions that ended in an error made again; `again` is how many more draws are made of all that
    the problems ask, beside. While one is scored and committed the
    next ones predict.
    """
    claimed = Claimed(workspace, dimension, [cell for _, cells in due for cell in cells])
    digests = claimed.input_digests
    together = max(1, PLANNED // max(1, len(digests) * (1 + again)))
    for start in range(0, len(due), together):
        started = time.perf_counter()
        work = [_Work.of(candidate, cells, dimension, claimed) for candidate, cells in due[start : start + together]]
        held = workspace.store.evaluations.draws_of((each.candidate.id for each in work), digests)
        stored = [_usable(each, held.get(each.candidate.id, Held()), claimed, asked=asked) for each in work]
        given = [
            (
                each.candidate,
                questions(each.candidate, _suites(each, claimed), _names(each.benchmarks), have.first, again),
            )
            for each, have in zip(work, stored, strict=True)
        ]
        answered = ask(workspace, host, claimed, given)
        with contextlib.closing(answered):
            for each, have, answers in zip(work, stored, answered, strict=True):
                yield _measured(each, claimed, answers, have, started=started, run=run)
                started = time.perf_counter()


def _usable(work: _Work, held: Held, claimed: Claimed, *, asked: bool) -> Held:
    """The stored predictions that count for a candidate's cells."""
    digests = {pattern.input_digest for each in _suites(work, claimed) for pattern in each.suite.patterns}
    again = asked and not work.candidate.recorded
    return Held(
        {name: made for name, made in held.first.items() if name in digests and not (again and made.error is not None)},
        {name: draws for name, draws in held.further.items() if name in digests},
    )


def _suites(work: _Work, claimed: Claimed) -> list[Asked]:
    return [claimed.suite(cell) for cell in work.problems]


def _names(cells: Sequence[DueCell]) -> list[str]:
    return [cell.problem for cell in cells]


def _measured(
    work: _Work, claimed: Claimed, answers: Answers, stored: Held, *, started: float, run: str
) -> Measurement:
    scoring = Scoring(work.candidate, claimed, answers, stored.first, stored.further)
    evaluations = [
        *scoring.problems(work.problems),
        *(scoring.benchmark(cell, claimed.benchmark(cell.problem)) for cell in work.benchmarks),
    ]
    counts = Counts(
        opened=answers.opened,
        predicted=len(answers.made),
        reused=len(stored.first),
        scored=sum(len(item.outcomes) for item in evaluations if item.outcomes is not None),
        rows=answers.rows,
        drawn=sum(map(len, answers.drawn.values())),
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
    drawn = DrawsMade(
        answers.drawn,
        {digest: max(draws) for digest, draws in stored.further.items()},
        frozenset(_names(work.problems)) if answers.drawn else frozenset(),
        scoring.reliabilities,
    )
    return Measurement(
        tuple(replace(item, **common) for item in evaluations),
        answers.made,
        answers.environment,
        counts,
        drawn,
        answers.undrawn,
    )
