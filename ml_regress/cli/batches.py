"""The commands of batches: what came in, what was quarantined, and the schema they are read under."""

from pathlib import Path
from typing import Any

import click
import yaml

from ml_regress.cli.output import (
    json_option,
    known,
    opened,
    print_json,
    print_table,
    speaking,
    words,
    workspace_option,
)
from ml_regress.core.batch import STATES, Batch
from ml_regress.core.production import LARGEST, DriftRules, ProductionSchema
from ml_regress.engine import arrivals
from ml_regress.engine.production_schema import infer_again as infer_anew
from ml_regress.engine.production_schema import production_schema
from ml_regress.errors import NotFound

ROWS = ("id", "state", "rows", "starts", "ends", "predicted", "labelled", "candidate", "source")


@click.group()
def batches() -> None:
    """List, show, import and release batches of production."""


@batches.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@json_option
@workspace_option
@speaking
def list_batches(state: str | None, as_json: bool, folder: Path | None) -> None:
    """List batches by the time of their rows."""
    store = opened(folder).store
    found = [batch for batch in store.batches.all() if state in (None, batch.state)]
    refusals = [
        {"source": entry.source, "refused": entry.message}
        for entry in store.sources.refusals()
        if entry.kind in ("batches", "production")
    ]
    if as_json:
        print_json({"batches": [batch.as_dict() for batch in found], "refusals": refusals})
        return
    print_table(ROWS, [batch.as_dict() for batch in found], "no batches yet; put one into batches/ or import it")
    for entry in refusals:
        click.echo(f"refused: {entry['source']}\n{entry['refused']}", err=True)


@batches.command("show")
@click.argument("batch")
@json_option
@workspace_option
@speaking
def show_batch(batch: str, as_json: bool, folder: Path | None) -> None:
    """Show all that is known of a BATCH, with the reasons of a quarantine."""
    store = opened(folder).store
    known(batch, [entry.id for entry in store.batches.all()], "batch")
    found = store.batches.get(batch)
    if as_json:
        print_json(found.as_dict())
        return
    for name, value in found.as_dict().items():
        if isinstance(value, list):
            click.echo(f"{name}:{'' if value else ' -'}")
            for line in value:
                click.echo(f"  - {line}")
        else:
            click.echo(f"{name}: {words(value)}")


@batches.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@workspace_option
@speaking
def import_batch(path: Path, as_json: bool, folder: Path | None) -> None:
    """Take in a batch: a file, a folder, or ID.labels.csv and ID.predictions.csv for one that is there.

    Importing the same again changes nothing.
    """
    taken = arrivals.import_batch(opened(folder), path, actor="command")
    if as_json:
        print_json({"said": taken.said, "notes": list(taken.notes)})
        return
    click.echo(taken.said)
    for line in taken.notes:
        click.echo(f"  {line}", err=True)


@batches.command("release")
@click.argument("batch")
@click.option("--by", "person", metavar="NAME", required=True, help="Who decides: it is kept.")
@click.option("--why", required=True, help="The reason, for those who read it later.")
@json_option
@workspace_option
@speaking
def release(batch: str, person: str, why: str, as_json: bool, folder: Path | None) -> None:
    """Let a quarantined BATCH be used as it is; its broken cells stay missing."""
    workspace = opened(folder)
    known(batch, [entry.id for entry in workspace.store.batches.all()], "batch")
    found: Batch = arrivals.release(workspace, batch, person=person, why=why)
    if as_json:
        print_json(found.as_dict())
    else:
        click.echo(f"{found.id} is released by {found.released_by}; it is checked next")


@batches.command("schema")
@click.option("--infer-again", is_flag=True, help="Infer the inputs anew from the reference, and freeze them.")
@json_option
@workspace_option
@speaking
def schema(infer_again: bool, as_json: bool, folder: Path | None) -> None:
    """Print the production schema in force, ready for production.yaml."""
    workspace = opened(folder)
    found = infer_anew(workspace, actor="command") if infer_again else production_schema(workspace)
    if found is None:
        raise NotFound(
            "there is no production schema yet: write production.yaml, name `trained_on` in a candidate.yaml, or put a "
            "first batch into batches/"
        )
    if as_json:
        origin = workspace.store.batches.schema_origin()
        print_json({**found.as_dict(), "digest": found.digest, "origin": origin})
        return
    click.echo(f"# {workspace.store.batches.schema_origin()}")
    click.echo(yaml.safe_dump(stated(found), sort_keys=False, allow_unicode=True, default_flow_style=None), nl=False)


def stated(schema: ProductionSchema) -> dict[str, Any]:
    """The keys of production.yaml that say this schema; what is as by default is left out."""
    window, rules = schema.reference, schema.rules.as_dict()
    plain = DriftRules().as_dict()
    changed = {"ignore" if name == "ignored" else name: value for name, value in rules.items() if value != plain[name]}
    given: dict[str, Any] = {
        "inputs": schema.inputs.as_dict(),
        "key": schema.key,
        "time": schema.time,
        "prediction": schema.prediction,
        "label": schema.label,
        "answer": schema.answer_type,
        "labels": list(schema.labels) or None,
        "positive_label": schema.positive_label,
        "metric": schema.metric,
        "reference": None if window is None else _without_none({"from": window.start, "to": window.end}),
        "every": None if schema.every is None else f"{schema.every.total_seconds() / 60:.15g} minutes",
        "largest": None if schema.largest == LARGEST else f"{schema.largest / 1000:.15g} kB",
        "drift": changed or None,
    }
    return _without_none(given)


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
