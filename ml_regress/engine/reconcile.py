"""Reconciling: from what is due to what should run now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ml_regress.engine.rectangles import Rectangle, cover
from ml_regress.engine.workspace import Workspace

RUNNING, CRASHED, STOPPED = "running", "crashed", "stopped"
# For each claim whether what holds it is still at work; one that is not named was made since, and runs.
ClaimStates = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One run to be started: it holds its cells under `key`, which is also its run key."""

    key: str
    rectangle: Rectangle
    reason: str


def release_ended(workspace: Workspace, states: ClaimStates) -> list[tuple[str, str]]:
    """Give back the cells of claims whose holder is over; returns the cells that rest now.

    A crashed holder counts an attempt on each cell it left; one that was stopped does not.
    """
    rested: list[tuple[str, str]] = []
    for name, state in states.items():
        if state != RUNNING:
            rested.extend(workspace.store.due.release(name, crashed=state == CRASHED))
    return rested


def plan(
    workspace: Workspace,
    candidate_keys: Sequence[str],
    problem_keys: Sequence[str],
    *,
    states: ClaimStates,
    name: Callable[[], str],
    limit: int = 4,
) -> list[Request]:
    """Claim what is due and say which runs to start, at most `limit`, the largest first.

    The keys are the partition keys in Dagster's order, for a range is read by position. Each request
    holds its cells under a new `name`. What is not claimed now stays due for the next look.
    """
    release_ended(workspace, states)
    unclaimed = {cell.cell: cell for cell in workspace.store.due.all() if cell.claimed_by is None}
    requests = []
    for rectangle in cover(unclaimed, candidate_keys, problem_keys)[:limit]:
        key = name()
        held = {cell.cell for cell in workspace.store.due.claim(rectangle.cells, key)}
        if held == set(rectangle.cells):
            reasons = {unclaimed[cell].reason for cell in rectangle.cells}
            requests.append(Request(key, rectangle, ", ".join(sorted(reasons))))
        else:  # somebody else took some of them since we looked: the next look covers the rest
            workspace.store.due.release(key, crashed=False)
    return requests
