"""Commands that look: problems, candidates, matrix, report."""

from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import (
    WITH_ERRORS,
    console,
    json_option,
    known,
    opened,
    print_json,
    print_table,
    speaking,
    words,
    workspace_option,
)
from ml_regress.core.candidate import Candidate
from ml_regress.engine.signing import write_sign_off_of
from ml_regress.engine.workspace import Workspace
from ml_regress.report.gather import gather
from ml_regress.report.pages import write_report
from ml_regress.report.scoreboard import matrix_text

SHORT = 12


@click.command()
@click.option("--closed", is_flag=True, help="Closed ones, too.")
@json_option
@workspace_option
@speaking
def problems(closed: bool, as_json: bool, folder: Path | None) -> None:
    """List problems and benchmarks."""
    store = opened(folder).store
    suites = {entry.id: entry.suite[:SHORT] for entry in store.problems.measured()}
    rows: list[dict[str, Any]] = []
    for problem in store.problems.all(closed=closed):
        active = int((store.problems.patterns(problem.id)["status"] == "active").sum())
        rows.append(
            {"id": problem.id, "kind": "problem", "title": problem.title, "state": problem.state,
             "severity": problem.severity, "owner": problem.owner, "patterns": active,
             "metric": problem.metric, "suite": suites.get(problem.id)}
        )  # fmt: skip
    for benchmark in store.problems.benchmarks(closed=closed):
        rows.append(
            {"id": benchmark.id, "kind": "benchmark", "title": benchmark.title, "state": benchmark.state,
             "severity": None, "owner": benchmark.owner, "patterns": None,
             "metric": benchmark.metrics[0], "suite": suites.get(benchmark.id)}
        )  # fmt: skip
    refusals = [{"source": entry.source, "refused": entry.message} for entry in store.sources.refusals()]
    if as_json:
        print_json({"problems": rows, "refusals": refusals})
        return
    shown = ("id", "kind", "title", "state", "severity", "owner", "patterns", "metric", "suite")
    print_table(shown, rows, "no problems yet; import one with `ml-regress import PATH`")
    for entry in refusals:
        click.echo(f"refused: {entry['source']}\n{entry['refused']}", err=True)


@click.group()
def candidates() -> None:
    """List, show and archive candidates."""


@candidates.command("list")
@click.option("--archived", is_flag=True, help="Archived ones, too.")
@json_option
@workspace_option
@speaking
def list_candidates(archived: bool, as_json: bool, folder: Path | None) -> None:
    """List candidates in order."""
    store = opened(folder).store
    production = store.candidates.production()
    rows = [
        {"id": entry.id, "created": entry.manifest.created_at[:10], "format": entry.manifest.format,
         "state": entry.state, "production": "yes" if entry.id == production else "",
         "parent": entry.manifest.parent, "changed": entry.manifest.changed, "digest": entry.digest[:SHORT]}
        for entry in store.candidates.all(archived=archived)
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    shown = ("id", "created", "format", "state", "production", "parent", "changed", "digest")
    print_table(shown, rows, "no candidates yet; put one into candidates/ID/ or `ml-regress import` its folder")


@candidates.command("show")
@click.argument("candidate")
@json_option
@workspace_option
@speaking
def show_candidate(candidate: str, as_json: bool, folder: Path | None) -> None:
    """Show all that is known of a CANDIDATE."""
    facts = _facts(opened(folder), candidate)
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name}: {words(value)}")


def _facts(workspace: Workspace, candidate: str) -> dict[str, Any]:
    entry: Candidate = workspace.store.candidates.get(_known_candidate(workspace, candidate))
    return {
        "id": entry.id,
        "state": entry.state,
        "production": workspace.store.candidates.production() == entry.id,
        "digest": entry.digest,
        "sha256": entry.sha256,
        "size": entry.size,
        "path": entry.path,
        "registered_at": entry.registered_at,
        **entry.manifest.as_dict(),
        "libraries": dict(entry.libraries),
    }


def _known_candidate(workspace: Workspace, candidate: str) -> str:
    return known(candidate, [entry.id for entry in workspace.store.candidates.all(archived=True)], "candidate")


@candidates.command()
@click.argument("candidate")
@workspace_option
@speaking
def archive(candidate: str, folder: Path | None) -> None:
    """Take a CANDIDATE out of the matrix; its results are kept."""
    workspace = opened(folder)
    done = workspace.store.candidates.archive(_known_candidate(workspace, candidate), actor="command")
    click.echo(f"{candidate} {'is archived' if done else 'was archived already'}")


@candidates.command()
@click.argument("candidate")
@workspace_option
@speaking
def unarchive(candidate: str, folder: Path | None) -> None:
    """Bring a CANDIDATE back; what is missing of it becomes due."""
    workspace = opened(folder)
    done = workspace.store.candidates.unarchive(_known_candidate(workspace, candidate), actor="command")
    click.echo(f"{candidate} {'is active again' if done else 'is active already'}")


@click.command()
@json_option
@workspace_option
@speaking
def matrix(as_json: bool, folder: Path | None) -> int:
    """Show candidates x problems."""
    workspace = opened(folder)
    counts = workspace.store.evaluations.counts()
    if as_json:
        print_json({"counts": {**counts.__dict__, "due": counts.due}, "cells": _cells(workspace)})
    else:
        console().print(matrix_text(gather(workspace.store, workspace.settings.name)))
    return WITH_ERRORS if counts.error else 0


def _cells(workspace: Workspace) -> list[dict[str, Any]]:
    return [
        {
            "candidate": candidate,
            "problem": problem,
            "state": stored.evaluation.state,
            "reason": stored.evaluation.reason,
            "passes": stored.evaluation.passes,
            "answered": stored.evaluation.answered,
            "errors": stored.evaluation.errors,
            "metrics": {measure.name: measure.value for measure in stored.evaluation.measures},
        }
        for (candidate, problem), stored in workspace.store.evaluations.current().items()
    ]


@click.command()
@click.option("--candidate", metavar="ID", help="The sign-off report of this candidate instead.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="The folder to write it to.")
@workspace_option
@speaking
def report(candidate: str | None, output: Path | None, folder: Path | None) -> None:
    """Write the report, one self-contained HTML file."""
    workspace = opened(folder)
    where = output or workspace.settings.report_folder
    if candidate is None:
        path = write_report(gather(workspace.store, workspace.settings.name), where)
    else:
        active = [entry.id for entry in workspace.store.candidates.all()]
        path = write_sign_off_of(workspace, known(candidate, active, "active candidate"), where)
    click.echo(str(path))
