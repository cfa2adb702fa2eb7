"""Reconciling: from what is due to what should run now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ml_regress.core.digest import digest_of
from ml_regress.engine.rectangles import Rectangle, cover
from ml_regress.engine.workspace import Workspace
from ml_regress.store.due import DueCell

RUNNING, CRASHED, STOPPED = "running", "crashed", "stopped"
# Tells for each claim whether what holds it is still at work.
ClaimStates = Callable[[Sequence[str]], Mapping[str, str]]


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
    due = workspace.store.due
    names = [claim.name for claim in due.claims()]
    said = states(names) if names else {}
    rested: list[tuple[str, str]] = []
    for name in names:
        if said.get(name, RUNNING) != RUNNING:
            rested.extend(due.release(name, crashed=said[name] == CRASHED))
    return rested


def plan(
    workspace: Workspace,
    candidate_keys: Sequence[str],
    problem_keys: Sequence[str],
    *,
    states: ClaimStates,
    limit: int = 4,
) -> list[Request]:
    """Claim what is due and say which runs to start, at most `limit`, the largest first.

    The keys are the partition keys in Dagster's order, for a range is read by position. What is not
    claimed now stays due for the next look.
    """
    release_ended(workspace, states)
    unclaimed = {cell.cell: cell for cell in workspace.store.due.all() if cell.claimed_by is None}
    requests = []
    for rectangle in cover(unclaimed, candidate_keys, problem_keys)[:limit]:
        wanted = [unclaimed[cell] for cell in rectangle.cells]
        key = claim_name(wanted)
        held = {cell.cell for cell in workspace.store.due.claim(rectangle.cells, key)}
        if held == set(rectangle.cells):
            requests.append(Request(key, rectangle, ", ".join(sorted({cell.reason for cell in wanted}))))
        else:  # somebody else took some of them since we looked: the next look covers the rest
            workspace.store.due.release(key, crashed=False)
    return requests


def claim_name(cells: Sequence[DueCell]) -> str:
    """The name of a claim: what it will do, and the how-manieth time, so that it is used once."""
    content = [[cell.candidate, cell.problem, cell.suite, cell.attempts, cell.claims] for cell in cells]
    return f"evaluate-{digest_of(content)[:20]}"
