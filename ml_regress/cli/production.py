"""The command about drift: what became of each batch, and the check of one."""

from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import (
    DONE,
    REFUSED,
    console,
    json_option,
    known,
    opened,
    print_json,
    speaking,
    workspace_option,
)
from ml_regress.core.batch import Batch
from ml_regress.core.drift_result import DRIFT, DriftReport
from ml_regress.core.outlier_result import OutlierReport
from ml_regress.engine.production import check_batch
from ml_regress.engine.production_schema import production_schema
from ml_regress.report.drift_text import batches_text, drift_text
from ml_regress.report.plain import plain


@click.command()
@click.argument("batch", required=False)
@click.option("--again", is_flag=True, help="Check the batch although nothing changed since it was checked.")
@click.option("--fail", is_flag=True, help="End with 1 where the batch drifts, or any of those listed.")
@json_option
@workspace_option
@speaking
def drift(batch: str | None, again: bool, fail: bool, as_json: bool, folder: Path | None) -> int:
    """List what is known of each batch's drift, or check one BATCH: its drift, and which of its rows are strange.

    A batch is checked where anything changed since it was: its rows or labels, the reference, the candidate, the rules.
    """
    workspace = opened(folder)
    batches = workspace.store.batches.all()
    if batch is None:
        if again:
            raise click.UsageError("--again goes with one BATCH")
        reports = workspace.store.drift.drifts()
        _print_list(batches, reports, as_json=as_json)
        return _code(list(reports.values()), fail=fail)
    known(batch, [each.id for each in batches], "batch")
    production_schema(workspace)  # what production.yaml says now
    checked = check_batch(workspace, batch, again=again)
    if as_json:
        print_json({**_as_json(checked.drift), "strange": checked.outliers.as_dict()})
    else:
        console().print(drift_text(checked.drift))
        _print_strange(checked.outliers)
    return _code([checked.drift], fail=fail)


def _code(reports: list[DriftReport], *, fail: bool) -> int:
    return REFUSED if fail and any(report.state == DRIFT for report in reports) else DONE


def _as_json(report: DriftReport) -> dict[str, Any]:
    return {"state": report.state, "drifting": [each.column for each in report.drifting], **report.as_dict()}


def _print_list(batches: list[Batch], reports: dict[str, DriftReport], *, as_json: bool) -> None:
    if as_json:
        print_json([_as_json(reports[each.id]) for each in batches if each.id in reports])
    elif batches:
        console().print(batches_text(batches, reports))
    else:
        click.echo("no batches yet; put one into batches/ or import it")


def _print_strange(report: OutlierReport) -> None:
    counts = ", ".join(f"{count} {cause}" for cause, count in (report.counts or {}).items() if count)
    click.echo(f"strange rows: {plain(report.reason) or counts or 'none'}")
    for note in report.notes:
        click.echo(f"  {plain(note)}")
    if report.proposed:
        click.echo(f"{len(report.proposed)} patterns are proposed; look at them with: ml-regress proposals list")
