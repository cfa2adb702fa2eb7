"""Commands that explain: what a cell says and why it moved, and what the patterns of a problem are worth."""

from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import json_option, known, opened, print_json, print_table, speaking, words, workspace_option
from ml_regress.core.pattern_value import PatternValue
from ml_regress.engine.why import why as explain
from ml_regress.errors import InvalidInput


@click.command()
@click.argument("problem")
@click.option("--idle", is_flag=True, help="Only those of the suite that separate no two candidates.")
@json_option
@workspace_option
@speaking
def patterns(problem: str, idle: bool, as_json: bool, folder: Path | None) -> None:
    """List the patterns of a PROBLEM, all statuses, with what each is worth."""
    store = opened(folder).store
    known(problem, [entry.id for entry in store.problems.all(closed=True)], "problem")
    rows = store.problems.patterns(problem).drop(columns=["imported_digest"])
    values = store.history.pattern_values(problem)
    records: list[dict[str, Any]] = []
    for row in rows.to_dict("records"):
        value = values.get((problem, row["id"]), PatternValue()) if row["status"] == "active" else None
        if idle and (value is None or not value.idle):
            continue
        record = {str(name): item for name, item in row.items() if item is not None}
        if value is not None:
            counts = {"passed": value.passed, "failed": value.failed, "pairs": value.pairs}
            record["value"] = {"words": value.words, **counts} if as_json else value.words
        records.append(record)
    if as_json:
        print_json(records)
        return
    shown = ("id", "status", "polarity", "origin", "expectation", "expected", "canary", "twin", "selected_on", "note")
    all_of_use = f"every active pattern of {problem} separates some candidates"
    print_table((*shown, "value"), records, all_of_use if idle and len(rows) else f"{problem} has no patterns")


@click.command()
@click.argument("cell")
@click.option("--against", metavar="CANDIDATE", help="Say what moved against this candidate instead.")
@json_option
@workspace_option
@speaking
def why(cell: str, against: str | None, as_json: bool, folder: Path | None) -> None:
    """Say what a CELL (candidate|problem) depends on, why its number moved, and how to measure it again."""
    candidate, bar, problem = cell.partition("|")
    if not bar:
        raise InvalidInput.single("command line", "write a cell as 'candidate|problem', in quotes", value=cell)
    workspace = opened(folder)
    known(problem, [entry.id for entry in workspace.store.problems.measured()], "problem or benchmark")
    for name in (candidate, *([against] if against else [])):
        known(name, [entry.id for entry in workspace.store.candidates.all(archived=True)], "candidate")
    found = explain(workspace, candidate, problem, against=against)
    if as_json:
        print_json(found)
        return
    if "moved" in found:
        found["moved"] = found["moved"]["words"]
    for name, value in found.items():
        if isinstance(value, dict):
            click.echo(f"{name}:")
            for inner, item in value.items():
                click.echo(f"  {inner}: {words(item)}")
        elif isinstance(value, list):
            click.echo(f"{name}:")
            for item in value:
                click.echo(f"  {words(item)}")
        else:
            click.echo(f"{name}: {value}")
