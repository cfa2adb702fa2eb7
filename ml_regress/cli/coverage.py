"""The command that shows which kinds of rows of production no pattern is near."""

from typing import Any

import click

from ml_regress.cli.output import json_option, opened, print_json, print_table, speaking, workspace_option
from ml_regress.cli.proposals import inputs_line
from ml_regress.engine.coverage import RECENT
from ml_regress.engine.coverage import coverage as coverage_of


@click.command()
@click.option("--batches", type=click.IntRange(min=1), default=RECENT, help="How many of the newest batches.")
@json_option
@workspace_option
@speaking
def coverage(batches: int, as_json: bool, folder: Any) -> None:
    """Show which kinds of rows of recent batches have no pattern near them, those first."""
    rows = [
        {"batch": batch.id, "rows": each.rows, "share": each.rows / batch.rows, "covered": each.covered,
         "problem": each.problem, "pattern": each.pattern, "distance": each.distance, "inputs": dict(each.inputs)}
        for batch, each in coverage_of(opened(folder), batches)
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    shown = [
        {**row, "rows": f"{row['rows']:,} ({row['share']:.0%})", "near": "yes" if row["covered"] else "no",
         "pattern": None if row["pattern"] is None else f"{row['problem']}/{row['pattern']}",
         "distance": None if row["distance"] is None else f"{row['distance']:.1f}",
         "such as": inputs_line(row["inputs"])}
        for row in rows
    ]  # fmt: skip
    none = "no batch was checked yet: `ml-regress up` checks them as they come"
    print_table(("batch", "rows", "near", "pattern", "distance", "such as"), shown, none)
    if shown:
        open_ = sum(not row["covered"] for row in rows)
        click.echo(f"{open_} of {len(rows)} kinds of rows have no pattern near them (within a distance of 1)")
