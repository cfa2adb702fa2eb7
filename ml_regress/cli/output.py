"""How commands speak: tables for people, JSON for scripts, errors in one place."""

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ParamSpec

import click
from rich.console import Console
from rich.table import Table

from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError, NotFound
from ml_regress.settings import Settings

DONE, REFUSED, USAGE, WITH_ERRORS = 0, 1, 2, 3
NAMED = 20
EXIT_CODES = (
    "Exit codes: 0 done, 1 refused (the reason is on standard error), 2 wrong usage, 3 done with errors in cells."
)
P = ParamSpec("P")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script.")
workspace_option = click.option(
    "--workspace",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The workspace's folder; otherwise ML_REGRESS_WORKSPACE, or the one around this folder.",
)


def speaking(command: Callable[P, int | None]) -> Callable[P, None]:
    """A command that prints the errors of this package in words and ends with its exit code."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except MlRegressError as error:
            click.echo(f"refused: {error}", err=True)
            code = REFUSED
        sys.exit(code or DONE)

    return wrapped


def opened(folder: Path | None) -> Workspace:
    """The workspace that a command works on."""
    return Workspace.open(Settings.load(folder))


def known(name: str, names: Sequence[str], kind: str) -> str:
    """The name, where it is one of these; raises NotFound with those there are, the nearest first."""
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    listed = list(dict.fromkeys([*near, *names]))
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    raise NotFound(f"no {kind} {name!r}; there are {', '.join(listed[:NAMED]) or 'none'}{more}")


def words(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items()) or "-"
    return "-" if value in (None, "") else str(value)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], empty: str) -> None:
    """Rows as a table; `empty` is said where there are none."""
    if not rows:
        click.echo(empty)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(_shown(row.get(column)) for column in columns))
    console().print(table)


def _shown(value: Any) -> str:
    return "" if value is None else str(value).replace("[", "\\[")


def console() -> Console:
    """A console as wide as its terminal, and wide enough for a table in a pipe."""
    made = Console()
    return made if made.is_terminal else Console(width=200)
