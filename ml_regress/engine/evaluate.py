"""Evaluation: the cells of a claim are measured, a candidate at a time, each in one transaction.

A candidate is opened once for all that it has not predicted yet, and not at all where every
prediction is stored.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import ERROR, Evaluation
from ml_regress.engine.measurement import Counts, measure
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import NotFound
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.due import Cell, DueCell
from ml_regress.store.problems import Measured

__all__ = ["CandidateResult", "Counts", "evaluate"]


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
        current = store.evaluations.current(wanted)
        resting = [cell for cell, stored in current.items() if stored.evaluation.state == ERROR]
        store.due.request(resting, "asked for")
    held = {cell.cell: cell for cell in store.due.claim(wanted, claim)}
    requested: dict[str, list[Cell]] = {}
    for cell in wanted:
        requested.setdefault(cell[0], []).append(cell)
    try:
        with contextlib.nullcontext(host) if host is not None else PredictorHost() as serving:
            if held:  # the imports of the models' process take seconds: they go on beside our planning
                serving.start({candidates[name].manifest.format for name, _ in held})
            for name, candidate in candidates.items():
                if name not in requested:
                    continue
                due = [held[cell] for cell in requested[name] if cell in held]
                counts = _measure_and_commit(
                    workspace, serving, candidate, due, dimension, claim=claim, run=run, asked=asked
                )
                yield _result(workspace, name, requested[name], due, counts)
    except Exception:
        # Nobody planned for this: it counts as a crash, so that it is not tried for ever.
        store.due.release(claim, crashed=True)
        raise
    finally:
        store.due.release(claim, crashed=False)


def _measure_and_commit(
    workspace: Workspace,
    host: PredictorHost,
    candidate: Candidate,
    due: Sequence[DueCell],
    dimension: Mapping[str, Measured],
    *,
    claim: str,
    run: str,
    asked: bool,
) -> Counts:
    if not due:
        return Counts()
    made = measure(workspace, host, candidate, due, dimension, run=run or claim, asked=asked)
    workspace.store.evaluations.commit(
        candidate.id,
        made.evaluations,
        predictions=made.predictions,
        environment=made.environment,
        claim=claim,
    )
    return made.counts


def _result(
    workspace: Workspace, candidate: str, cells: Sequence[Cell], due: Sequence[DueCell], counts: Counts
) -> CandidateResult:
    stored = workspace.store.evaluations.current(cells)
    return CandidateResult(
        candidate,
        tuple(stored[cell].evaluation for cell in cells if cell in stored),
        frozenset(cell.cell for cell in due),
        counts,
        tuple(cell for cell in cells if cell not in stored),
    )
