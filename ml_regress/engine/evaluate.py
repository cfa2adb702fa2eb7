"""Evaluation: the cells of a claim are measured, a candidate at a time, each in one transaction.

A candidate is opened once for all that it has not predicted yet, and not at all where every
prediction is stored.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ml_regress.core.candidate import RECORDED
from ml_regress.core.evaluation import ERROR, Evaluation
from ml_regress.engine.measurement import Counts, Measurement, measure_each
from ml_regress.engine.recorded import undrawable
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import NotFound, Unavailable
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.draws import DRAWN_AGAIN
from ml_regress.store.due import Cell

__all__ = ["CandidateResult", "Counts", "evaluate"]


@dataclass(frozen=True)
class CandidateResult:
    """What is stored of a candidate's requested cells, after its commit.

    `measured` are the cells that this call measured; the others of `evaluations` were there before.
    `elsewhere` are cells that another run holds. `undrawn` says why further draws that were asked for
    were not made.
    """

    candidate: str
    evaluations: tuple[Evaluation, ...] = ()
    measured: frozenset[Cell] = frozenset()
    counts: Counts = field(default_factory=Counts)
    elsewhere: tuple[Cell, ...] = ()
    undrawn: str | None = None


def evaluate(
    workspace: Workspace,
    cells: Iterable[Cell],
    *,
    claim: str,
    run: str = "",
    asked: bool = False,
    again: int = 0,
    host: PredictorHost | None = None,
) -> Iterator[CandidateResult]:
    """Measure what is due of these cells and yield each candidate's result after its commit.

    `asked` says that a person wants them: cells that rest as error are tried again. `again` is how many
    further draws are made, of those that can be drawn and that nobody else holds. Raises NotFound where
    a cell is no part of the matrix, before anything is measured.
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
    with store.database.write():  # so that nobody else takes what is only due because it is drawn again
        if again:
            drawn = [cell for cell in wanted if undrawable(candidates[cell[0]], dimension[cell[1]]) is None]
            store.due.request(drawn, DRAWN_AGAIN)
        held = {cell.cell: cell for cell in store.due.claim(wanted, claim)}
    requested: dict[str, list[Cell]] = {}
    for cell in wanted:
        requested.setdefault(cell[0], []).append(cell)
    try:
        with contextlib.nullcontext(host) if host is not None else PredictorHost() as serving:
            formats = {candidates[name].manifest.format for name, _ in held} - {RECORDED}
            if formats:  # the imports of the models' process take seconds: they go on beside our planning
                serving.start(formats)
            due = {
                name: [held[cell] for cell in requested[name] if cell in held]
                for name in candidates
                if name in requested
            }
            work = [(candidates[name], cells) for name, cells in due.items() if cells]
            measured = measure_each(workspace, serving, work, dimension, run=run or claim, asked=asked, again=again)
            with contextlib.closing(measured):
                for name, mine in due.items():
                    made = _commit(workspace, name, next(measured), claim) if mine else CandidateResult(name)
                    yield _with_others(workspace, made, requested[name])
    except Unavailable:  # the disk is full, the database away: it was not the candidate, and counts no attempt
        raise
    except Exception:
        # Nobody planned for this: it counts as a crash, so that it is not tried for ever.
        store.due.release(claim, crashed=True)
        raise
    finally:
        store.due.release(claim, crashed=False)


def _commit(workspace: Workspace, candidate: str, made: Measurement, claim: str) -> CandidateResult:
    stored = workspace.store.evaluations.commit(
        candidate,
        made.evaluations,
        predictions=made.predictions,
        environment=made.environment,
        claim=claim,
        draws=made.draws,
    )
    measured = frozenset((candidate, item.problem) for item in stored)
    return CandidateResult(candidate, stored, measured, made.counts, undrawn=made.undrawn)


def _with_others(workspace: Workspace, result: CandidateResult, cells: Sequence[Cell]) -> CandidateResult:
    """The result with the requested cells that were not due: they are stored, or another run holds them."""
    others = [cell for cell in cells if cell not in result.measured]
    if not others:
        return result
    known = {cell: stored.evaluation for cell, stored in workspace.store.evaluations.current(others).items()}
    known.update(((result.candidate, item.problem), item) for item in result.evaluations)
    return replace(
        result,
        evaluations=tuple(known[cell] for cell in cells if cell in known),
        elsewhere=tuple(cell for cell in cells if cell not in known),
    )
