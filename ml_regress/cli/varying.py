"""The command that varies a pattern."""

from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import json_option, opened, print_json, print_table, speaking, workspace_option
from ml_regress.core.proposal import Proposal
from ml_regress.engine import varying
from ml_regress.engine.varying import MOST, USUAL


@click.command()
@click.argument("pattern")
@click.option("--problem", metavar="ID", help="The pattern's problem, where several have a pattern of this id.")
@click.option("--count", type=click.IntRange(1, MOST), default=USUAL, show_default=True, help="How many neighbours.")
@click.option("--only", metavar="NAME", multiple=True, help="An input to vary; may be given again. Otherwise all.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another one gives others.")
@json_option
@workspace_option
@speaking
def vary(  # noqa: PLR0917 - click calls it with keywords
    pattern: str,
    problem: str | None,
    count: int,
    only: tuple[str, ...],
    seed: int,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Propose contrived neighbours of a PATTERN (PROBLEM/PATTERN, or its id alone): one input varied at a time.

    Nothing is measured until a person accepts one: ml-regress proposals.
    """
    made = varying.vary(opened(folder), pattern, problem=problem, count=count, only=only, seed=seed)
    parent = f"{made.parent.problem}/{made.parent.id}"
    rows = [_facts(each) for each in made.proposals]
    if as_json:
        print_json({"parent": parent, "proposals": rows, "known": made.known, "notes": list(made.notes)})
        return
    click.echo(f"{len(rows)} neighbours of {parent} are proposed, where {made.parent.expectation.words}")
    if made.known:
        click.echo(f"note: {made.known} were proposed before; --seed gives others")
    for note in made.notes:
        click.echo(f"note: {note}")
    shown = [{**row, "expects": row["expected"] or f"? (its parent: {row['suggested']})"} for row in rows]
    print_table(("id", "varied", "polarity", "expects"), shown, "none of them is new")
    if rows:
        click.echo("a person looks at them, and accepts, edits or rejects each: ml-regress proposals list")


def _facts(proposal: Proposal) -> dict[str, Any]:
    names = ("id", "varied", "polarity", "expectation", "expected", "suggested", "tolerance", "output", "why")
    return {**{name: getattr(proposal, name) for name in names}, "inputs": dict(proposal.inputs)}
