"""Commands that set up and bring in: init, up, import."""

from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import REFUSED, console, json_option, opened, print_json, speaking, workspace_option
from ml_regress.engine import registry
from ml_regress.engine.setup import EXAMPLES, PRODUCTION_FILE, make_workspace
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, MlRegressError, NotFound
from ml_regress.settings import FILE, Settings
from ml_regress.up import up as bring_up

NEW_WORKSPACE = Path("workspace")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("."))
@click.option("--example", type=click.Choice(EXAMPLES), help="Start with an example's problems and candidates.")
@speaking
def init(folder: Path, example: str | None) -> None:
    """Make a workspace in FOLDER (default: here)."""
    made = make_workspace(folder, example)
    click.echo(f"made the workspace {made}; start it with `ml-regress up --workspace {folder}`")


@click.command()
@workspace_option
@click.option("--example", type=click.Choice(EXAMPLES), default=EXAMPLES[0], show_default=True,
              help="What a new workspace starts with, where there is none yet.")  # fmt: skip
@speaking
def up(folder: Path | None, example: str) -> int:
    """Start Dagster with everything running, and stay until Ctrl-C.

    Where there is no workspace yet, ./workspace is made with an example.
    """
    try:
        settings = Settings.load(folder)
    except NotFound:
        wanted = folder or NEW_WORKSPACE
        if not (wanted / FILE).is_file():
            make_workspace(wanted, example)
            click.echo(f"made the workspace {wanted} with the example {example}")
        settings = Settings.load(wanted)
    return bring_up(settings, console=console())


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--sync", is_flag=True, help="Retire imported patterns that the file no longer holds.")
@json_option
@workspace_option
@speaking
def import_path(path: Path, sync: bool, as_json: bool, folder: Path | None) -> int:
    """Import a problem (YAML), a benchmark (YAML with `target`), a candidate's folder, or a folder of these.

    Each file is taken whole or not at all. Importing again changes nothing.
    """
    workspace = opened(folder)
    said: list[dict[str, Any]] = []
    for each in _targets(path):
        try:
            taken = _import_one(workspace, each, sync)
            said.append({"path": str(each), "result": taken.said, "notes": list(taken.notes)})
        except MlRegressError as error:
            said.append({"path": str(each), "refused": str(error)})
    if as_json:
        print_json(said)
    for entry in said:
        if "refused" in entry:
            click.echo(f"refused: {entry['refused']}", err=True)
        elif not as_json:
            click.echo(f"{entry['path']}: {entry['result']}")
            for note in entry["notes"]:
                click.echo(f"  note: {note}")
    return REFUSED if any("refused" in entry for entry in said) else 0


def _targets(path: Path) -> list[Path]:
    """What a path holds: itself, or all problems, benchmarks and candidates below a folder."""
    if path.is_file() or (path / "candidate.yaml").is_file():
        return [path]
    files = [file for ending in ("*.yaml", "*.yml") for file in path.rglob(ending)]
    visible = [file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    found = [file.parent if file.name == "candidate.yaml" else file for file in visible if not _of_workspace(file)]
    if not found:
        raise NotFound(f"{path} holds no problem, benchmark or candidate (no .yaml file)")
    return sorted(found, key=lambda each: (each.is_dir(), each))  # recorded predictions need their problems


def _of_workspace(file: Path) -> bool:
    """Whether a file says something of the whole workspace, and is no problem or benchmark."""
    return file.name == FILE or (file.name == PRODUCTION_FILE and (file.parent / FILE).is_file())


def _import_one(workspace: Workspace, path: Path, sync: bool) -> registry.Taken:
    if path.is_dir():
        return registry.import_candidate(workspace, path, actor="command")
    if path.suffix not in (".yaml", ".yml"):
        raise InvalidInput.single(str(path), "import the YAML file of the problem or benchmark; it names its table")
    if registry.is_benchmark(path):
        return registry.import_benchmark(workspace, path, actor="command")
    return registry.import_problem(workspace, path, sync=sync, actor="command")
