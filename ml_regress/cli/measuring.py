"""The command that measures: evaluate."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ml_regress.cli.output import WITH_ERRORS, json_option, known, opened, print_json, speaking, workspace_option
from ml_regress.core.draws import FLAKY, MOST_DRAWS
from ml_regress.core.evaluation import ERROR
from ml_regress.engine import registry
from ml_regress.engine.claims import command_claim, command_state
from ml_regress.engine.draws import draw_again, drawable
from ml_regress.engine.estimate import estimate
from ml_regress.engine.evaluate import CandidateResult, Counts
from ml_regress.engine.evaluate import evaluate as measure
from ml_regress.engine.reconcile import RUNNING, release_ended
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict

Cell = tuple[str, str]
HELD = "another run holds the cell: draw it again when that is done"


@click.command()
@click.argument("candidates", nargs=-1)
@click.option("--problem", "problems", multiple=True, help="Only these problems or benchmarks; may be given again.")
@click.option("--dry-run", is_flag=True, help="Say what is due and about how long it takes; measure nothing.")
@click.option("--again-errors", is_flag=True, help="Measure cells that rest as error again, too.")
@click.option(
    "--again",
    type=click.IntRange(1, MOST_DRAWS),
    metavar="K",
    help="Predict everything K more times and score over all draws: it shows what does not always answer alike.",
)
@json_option
@workspace_option
@speaking
def evaluate(  # noqa: PLR0917 - click calls it with keywords
    candidates: tuple[str, ...],
    problems: tuple[str, ...],
    dry_run: bool,
    again_errors: bool,
    again: int | None,
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
    drawn, others = _drawn(workspace, asked, candidates, problems) if again else (set(), {})
    wanted = sorted({*due, *resting, *drawn})
    plan: dict[str, Any] = {"draws": again, "drawn_cells": len(drawn), "not_drawn": others} if again else {}
    if dry_run:
        cost = estimate(workspace, wanted, again or 0)
        print_json({**cost.__dict__, **plan}) if as_json else click.echo(cost.words)
    else:
        said = _measure(workspace, wanted, again_errors, again or 0, quiet=as_json)
        if as_json:
            print_json({**said, **plan})
        else:
            _say(said, again)
    if again and not as_json:
        click.echo(f"{'to draw' if dry_run else 'asked'}: {len(drawn)} cells, {again} draws more of each")
        for reason, count in others.items():
            click.echo(f"not drawn: {count} cells: {reason}")
    return 0 if dry_run or not (said["errors"] or said["undrawn"]) else WITH_ERRORS


def _say(said: dict[str, Any], again: int | None) -> None:
    draws = f"{said['drawn']} predictions drawn again, " if again else ""
    click.echo(
        f"measured {said['cells']} cells: {said['opened']} candidates opened, "
        f"{said['predicted']} predictions made, {draws}{said['reused']} reused, {said['scored']} outcomes scored; "
        f"{len(said['errors'])} cells are errors"
    )
    for cell, warning in said["flaky"].items():
        click.echo(f"{cell}: {warning}")
    for error in said["errors"]:
        click.echo(f"error: {error['cell']}: {error['reason']}", err=True)
    for name, reason in said["undrawn"].items():
        click.echo(f"not drawn: {name}: {reason}", err=True)


def _drawn(
    workspace: Workspace, asked: set[Cell], candidates: tuple[str, ...], problems: tuple[str, ...]
) -> tuple[set[Cell], dict[str, int]]:
    """The asked cells that can be drawn again, and how many of the others cannot, by reason.

    Raises Conflict where nothing of a candidate or problem that was named can be drawn.
    """
    found = drawable(workspace, asked)
    for place, names in ((0, candidates), (1, problems)):
        for name in names:
            if not any(cell[place] == name for cell in found.cells):
                reasons = sorted({reason for cell, reason in found.others.items() if cell[place] == name})
                why = "; ".join(reasons) or "there is nothing to measure"
                raise Conflict(f"{name!r} cannot be drawn again: {why}; leave it out")
    return set(found.cells), dict(Counter(found.others.values()))


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


def _measure(workspace: Workspace, cells: list[Cell], again_errors: bool, again: int, *, quiet: bool) -> dict[str, Any]:
    counts, measured = Counts(), set[Cell]()
    errors, flaky, undrawn = dict[str, str | None](), dict[str, str](), dict[str, str]()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("cells measured", total=len(cells))
        for result in _results(workspace, cells, again_errors, again):
            counts, measured = counts + result.counts, measured | result.measured
            if again:
                undrawn.update({f"{name}|{problem}": HELD for name, problem in result.elsewhere})
                undrawn.update({} if result.undrawn is None else {result.candidate: result.undrawn})
            for item in result.evaluations:
                cell = f"{item.candidate}|{item.problem}"
                errors.pop(cell, None)
                if item.state == ERROR:
                    errors[cell] = item.reason
                if again:
                    flaky.update((cell, warning) for warning in item.warnings if FLAKY in warning)
            progress.update(task, completed=len(measured), description=result.candidate)
    listed = [{"cell": cell, "reason": reason} for cell, reason in errors.items()]
    return {"cells": len(measured), **counts.as_dict(), "errors": listed, "flaky": flaky, "undrawn": undrawn}


def _results(workspace: Workspace, cells: list[Cell], again_errors: bool, again: int) -> Iterable[CandidateResult]:
    if not cells:
        return ()
    if again:
        return draw_again(workspace, cells, again, claim=command_claim(), asked=again_errors)
    return measure(workspace, cells, claim=command_claim(), asked=again_errors)
