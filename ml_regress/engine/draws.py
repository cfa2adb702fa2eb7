"""Drawing again: candidates answer what they answered before, and their cells are scored over all draws."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ml_regress.engine.claims import command_state
from ml_regress.engine.evaluate import CandidateResult, evaluate
from ml_regress.engine.reconcile import RUNNING, release_ended
from ml_regress.engine.recorded import undrawable
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.draws import DRAWN_AGAIN
from ml_regress.store.due import Cell

# How long cells are waited for that another run holds, after the last one came free.
PATIENCE = 60.0
_LOOK = 0.2


@dataclass(frozen=True)
class Drawable:
    """Cells that can be drawn again, and why the others cannot."""

    cells: frozenset[Cell]
    others: Mapping[Cell, str]


def drawable(workspace: Workspace, cells: Iterable[Cell]) -> Drawable:
    """Which of these cells of the matrix can be drawn again."""
    candidates = {candidate.id: candidate for candidate in workspace.store.candidates.all()}
    dimension = {entry.id: entry for entry in workspace.store.problems.measured()}
    reasons = {cell: undrawable(candidates[cell[0]], dimension[cell[1]]) for cell in cells}
    return Drawable(
        frozenset(cell for cell, reason in reasons.items() if reason is None),
        {cell: reason for cell, reason in reasons.items() if reason is not None},
    )


def draw_again(
    workspace: Workspace,
    cells: Iterable[Cell],
    draws: int,
    *,
    claim: str,
    asked: bool = False,
    patience: float = PATIENCE,
    host: PredictorHost | None = None,
) -> Iterator[CandidateResult]:
    """Measure cells with so many further draws of each that can be drawn; a result a candidate, after its commit.

    Cells that another run holds are waited for. What is held too long is `elsewhere` in a last result of its
    candidate, and was not drawn.
    """
    left = list(dict.fromkeys(cells))
    wanted = drawable(workspace, left).cells
    drawn, until = set[Cell](), time.monotonic() + patience
    while left:
        for result in evaluate(workspace, left, claim=claim, asked=asked, again=draws, host=host):
            if result.measured:
                drawn |= result.measured
                until = time.monotonic() + patience
                yield result
        left = [cell for cell in left if cell in wanted and cell not in drawn]
        if left and time.monotonic() > until:
            break
        if left:
            time.sleep(_LOOK)
            claims = workspace.store.due.claims()
            release_ended(workspace, {each.name: command_state(each.name) or RUNNING for each in claims})
    yield from _held_elsewhere(left)
    # Somebody drew the same inputs while we did: what was scored without these draws is scored over all.
    owed = [each.cell for each in workspace.store.due.all() if each.cell in drawn and each.reason == DRAWN_AGAIN]
    for result in evaluate(workspace, owed, claim=claim, host=host) if owed else ():
        if result.measured:
            yield result


def _held_elsewhere(cells: Iterable[Cell]) -> Iterator[CandidateResult]:
    by_candidate: dict[str, list[Cell]] = {}
    for cell in cells:
        by_candidate.setdefault(cell[0], []).append(cell)
    for candidate, mine in by_candidate.items():
        yield CandidateResult(candidate, elsewhere=tuple(mine))
