"""Commands that make problems: problem from-failures, problem accept."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import json_option, known, opened, print_json, print_table, speaking, workspace_option
from ml_regress.core.answers import ANSWER_TYPES
from ml_regress.engine import propose as proposing
from ml_regress.engine.propose import FEWEST, MOST, USUAL, Proposed
from ml_regress.errors import InvalidInput
from ml_regress.intake.declarations import Declaration
from ml_regress.intake.failures import Reading
from ml_regress.intake.reading import TableFormat


@click.group()
def problem() -> None:
    """Propose a problem from failures, and accept its patterns."""


@problem.command("from-failures")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--id", "name", metavar="ID", help="The problem's id; otherwise from the file's name.")
@click.option("--title", metavar="TEXT", help="The problem's title.")
@click.option("--candidate", metavar="ID", help="Whose failures these are; otherwise production.")
@click.option("--expected", metavar="COLUMN", default="expected", help="The column of what was right.")
@click.option("--predicted", metavar="COLUMN", default="predicted", help="The column of what was answered.")
@click.option("--key", metavar="COLUMN", help="The column that names rows; otherwise pattern_id or id, if there.")
@click.option("--input", "inputs", metavar="NAME=TYPE", multiple=True, help="The type of an input; may be given again.")
@click.option("--answer", type=click.Choice(ANSWER_TYPES), help="The type of answers.")
@click.option("--like", metavar="ID", help="Take types and labels from this problem or benchmark.")
@click.option("--patterns", "count", type=click.IntRange(FEWEST, MOST), default=USUAL, help="How many to pick.")
@click.option("--tolerance", type=click.FloatRange(min=0), help="How far off a number may be.")
@click.option("--delimiter", help="Of the table, where it does not say so itself.")
@click.option("--encoding", help="Of the table: utf-8, latin-1, cp1252 ...")
@click.option("--decimal", help="The decimal mark of the table.")
@click.option("--dates", help="How dates are written, such as DD.MM.YYYY.")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Where to write; otherwise problems/.")
@json_option
@workspace_option
@speaking
def from_failures(  # noqa: PLR0917 - click calls it with keywords
    file: Path,
    name: str | None,
    title: str | None,
    candidate: str | None,
    expected: str,
    predicted: str,
    key: str | None,
    inputs: tuple[str, ...],
    answer: str | None,
    like: str | None,
    count: int,
    tolerance: float | None,
    delimiter: str | None,
    encoding: str | None,
    decimal: str | None,
    dates: str | None,
    to: Path | None,
    as_json: bool,
    folder: Path | None,
) -> None:
    """Make a proposed problem from FILE, a table of inputs, expected and predicted.

    Failures become positive patterns, near rows that were right negative ones. Nothing is measured
    until patterns are accepted.
    """
    form = _form(delimiter=delimiter, encoding=encoding, decimal=decimal, dates=dates)
    reading = Reading(expected, predicted, key, _stated(inputs), answer, like, tolerance, form)
    try:
        made = proposing.propose(
            opened(folder), file, reading, problem=name, title=title, candidate=candidate, count=count, folder=to
        )
    except InvalidInput as refused:
        raise InvalidInput(replace(fault, rule=_as_option(fault.rule)) for fault in refused.faults) from None
    if as_json:
        print_json(_facts(made))
    else:
        _print(made)


@problem.command()
@click.argument("problem_id", metavar="PROBLEM")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@json_option
@workspace_option
@speaking
def accept(problem_id: str, patterns: tuple[str, ...], as_json: bool, folder: Path | None) -> None:
    """Turn the proposed patterns of a PROBLEM active: all, or those named. They become due."""
    workspace = opened(folder)
    known(problem_id, [entry.id for entry in workspace.store.problems.all(closed=True)], "problem")
    done = proposing.accept(workspace, problem_id, patterns)
    if as_json:
        print_json({"problem": problem_id, "accepted": done})
    else:
        click.echo(f"{problem_id}: {len(done)} patterns are active now" if done else "none was proposed")


def _form(**given: str | None) -> TableFormat:
    said = {key: text for key, text in given.items() if text is not None}
    keys = Declaration({"table": said} if said else {}, "command line", ("table",))
    form = keys.table_format()
    if keys.faults:
        raise InvalidInput(keys.faults)
    return form


def _as_option(rule: str) -> str:
    """A rule with the option to give instead of the key of a YAML file, which there is none of yet."""
    return re.sub(r"`table: \{(\w+): ([^}]*)\}`", r"`--\1 \2`", rule)


def _stated(inputs: tuple[str, ...]) -> dict[str, str]:
    stated = dict[str, str]()
    for each in inputs:
        name, equals, declaration = each.partition("=")
        if not equals or name in stated:
            raise InvalidInput.single("command line", "must be NAME=TYPE, each name once", column="--input", value=each)
        stated[name] = declaration
    return stated


def _facts(made: Proposed) -> dict[str, Any]:
    return {
        "problem": made.problem.id,
        "candidate": made.candidate,
        "rows": made.rows,
        "failures": made.failures,
        "inputs": made.problem.inputs.as_dict(),
        "answer": made.problem.answer_type,
        "files": [str(path) for path in made.files],
        "patterns": [
            {"id": each.id, "polarity": each.polarity, "expects": each.expectation.words, "twin": each.twin,
             "selected_on": list(each.selected_on), "note": each.note}
            for each in made.patterns
        ],
        "notes": list(made.notes),
    }  # fmt: skip


def _print(made: Proposed) -> None:
    facts = _facts(made)
    click.echo(f"proposed {made.problem.id}: {made.failures} failures of {made.candidate} in {made.rows} rows")
    for path in facts["files"]:
        click.echo(f"wrote {path}")
    for note in facts["notes"]:
        click.echo(f"note: {note}")
    click.echo("check these types; to change one, edit the YAML file and import it:")
    for name, declaration in facts["inputs"].items():
        click.echo(f"  {name}: {declaration}")
    click.echo(f"  answer: {facts['answer']}")
    print_table(("id", "polarity", "expects", "twin", "note"), facts["patterns"], "no patterns")
    click.echo(f"look at them, then: ml-regress problem accept {made.problem.id}")
