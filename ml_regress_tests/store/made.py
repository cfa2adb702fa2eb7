"""What the tests of the store store."""

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from ml_regress.core.evaluation import Evaluation, Outcome
from ml_regress.core.pattern import Pattern, freeze
from ml_regress.core.prediction import Prediction
from ml_regress.core.problem import Problem
from ml_regress.store import Store
from ml_regress.store.due import Cell
from ml_regress_tests.scenario import muffin_problem

ENVIRONMENT = {"python": "3.11"}


def freeze_stale(store: Store, patterns: Sequence[Pattern], problem: Problem | None = None) -> str:
    """Freeze what changed as the registry would, with these patterns; returns the suite's digest."""
    given = problem or muffin_problem()
    suite = freeze(given.measured_content(), given.id, patterns, "")
    for stale in store.problems.stale():
        if stale.id == given.id:
            store.problems.freeze(given, suite, stale.revision)
    return suite.digest


def cells(store: Store) -> list[Cell]:
    return [cell.cell for cell in store.due.all()]


def suite_of(store: Store, problem: str = "muffin") -> str:
    return next(entry.suite for entry in store.problems.measured() if entry.id == problem)


def evaluation(store: Store, candidate: str, problem: str = "muffin", **changes: Any) -> Evaluation:
    """An evaluation of a cell on its current suite, ok unless told otherwise."""
    given: dict[str, Any] = {"suite": suite_of(store, problem), "state": "ok", "passes": 1, "answered": 2}
    return Evaluation(candidate, problem, **{**given, **changes})


def outcomes(*rows: tuple[str, str]) -> tuple[Outcome, ...]:
    return tuple(Outcome(*row) for row in rows)


def predictions(**answers: Any) -> dict[str, Prediction]:
    """Predictions by input digest; an Exception stands for an error."""
    return {
        name: Prediction(error=str(value)) if isinstance(value, Exception) else Prediction(value)
        for name, value in answers.items()
    }


def commit(
    store: Store, candidate: str, *made: Evaluation, claim: str = "run-1", **answers: Any
) -> tuple[Evaluation, ...]:
    return store.evaluations.commit(
        candidate, made, predictions=predictions(**answers), environment=ENVIRONMENT if answers else None, claim=claim
    )


def in_processes(work: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> list[int | None]:
    """Run a function in one process for each tuple of arguments, at once; returns their exit codes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ml_regress_tests.store.made"])  # imported once, not by every process
    running = [context.Process(target=work, args=given) for given in arguments]
    for process in running:
        process.start()
    for process in running:
        process.join(timeout=120)
    return [process.exitcode for process in running]
