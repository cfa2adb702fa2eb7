"""The command that measures: evaluate."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ml_regress.cli.output import WITH_ERRORS, json_option, known, opened, print_json, speaking, workspace_option
from ml_regress.core.evaluation import ERROR
from ml_regress.engine import registry
from ml_regress.engine.claims import command_claim, command_state
from ml_regress.engine.estimate import estimate
from ml_regress.engine.evaluate import Counts
from ml_regress.engine.evaluate import evaluate as measure
from ml_regress.engine.reconcile import RUNNING, release_ended
from ml_regress.engine.workspace import Workspace

Cell = tuple[str, str]


@click.command()
@click.argument("candidates", nargs=-1)
@click.option("--problem", "problems", multiple=True, help="Only these problems or benchmarks; may be given again.")
@click.option("--dry-run", is_flag=True, help="Say what is due and about how long it takes; measure nothing.")
@click.option("--again-errors", is_flag=True, help="Measure cells that rest as error again, too.")
@json_option
@workspace_option
@speaking
def evaluate(  # noqa: PLR0917 - click calls it with keywords
    candidates: tuple[str, ...],
    problems: tuple[str, ...],
    dry_run: bool,
    again_errors: bool,
    as_json: bool,
    folder: Path | None,
) -> int:
    """Measure what is due, of all CANDIDATES or of those named; needs no daemon.

    Changed files and rows are taken in first, as the daemon would.
    """
    workspace = opened(folder)
    registry.look_at_problems(workspace)
    registry.look_at_candidates(workspace, {})
    claims = workspace.store.due.claims()
    release_ended(workspace, {claim.name: command_state(claim.name) or RUNNING for claim in claims})
    asked = _asked(workspace, candidates, problems)
    resting = _resting(workspace, asked) if again_errors else []
    due = [cell.cell for cell in workspace.store.due.all() if cell.cell in asked and cell.claimed_by is None]
    wanted = sorted({*due, *resting})
    if dry_run:
        cost = estimate(workspace, wanted)
        print_json(cost.__dict__) if as_json else click.echo(cost.words)
        return 0
    said = _measure(workspace, wanted, again_errors, quiet=as_json)
    if as_json:
        print_json(said)
    else:
        click.echo(
            f"measured {said['cells']} cells: {said['opened']} candidates opened, "
            f"{said['predicted']} predictions made, {said['reused']} reused, {said['scored']} outcomes scored; "
            f"{len(said['errors'])} cells are errors"
        )
        for error in said["errors"]:
            click.echo(f"error: {error['cell']}: {error['reason']}", err=True)
    return WITH_ERRORS if said["errors"] else 0


def _asked(workspace: Workspace, candidates: tuple[str, ...], problems: tuple[str, ...]) -> set[Cell]:
    """The cells that were asked for; raises NotFound for a name that nothing has."""
    rows = [candidate.id for candidate in workspace.store.candidates.all()]
    columns = [entry.id for entry in workspace.store.problems.measured()]
    for given, names, kind in ((candidates, rows, "active candidate"), (problems, columns, "problem or benchmark")):
        for name in given:
            known(name, names, kind)
    return {(row, column) for row in candidates or rows for column in problems or columns}


def _resting(workspace: Workspace, asked: set[Cell]) -> list[Cell]:
    current = workspace.store.evaluations.current(asked)
    return [cell for cell, stored in current.items() if stored.evaluation.state == ERROR]


def _measure(workspace: Workspace, cells: list[Cell], again_errors: bool, *, quiet: bool) -> dict[str, Any]:
    counts, measured, errors = Counts(), 0, []
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("cells measured", total=len(cells))
        results = measure(workspace, cells, claim=command_claim(), asked=again_errors) if cells else ()
        for result in results:
            counts, measured = counts + result.counts, measured + len(result.measured)
            errors += [
                {"cell": f"{item.candidate}|{item.problem}", "reason": item.reason}
                for item in result.evaluations
                if item.state == ERROR
            ]
            progress.update(task, completed=measured, description=result.candidate)
    return {"cells": measured, **counts.as_dict(), "errors": errors}
