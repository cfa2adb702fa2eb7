"""Commands that compare and answer: compare, answer."""

from pathlib import Path

import click

from ml_regress.cli.output import (
    console,
    json_option,
    known,
    opened,
    print_json,
    print_table,
    speaking,
    workspace_option,
)
from ml_regress.core.paired import CORRECTIONS
from ml_regress.report.answer import answer as answered
from ml_regress.report.compare_page import write_compare
from ml_regress.report.compare_text import compare_dict, compare_text
from ml_regress.report.compared import gather_compared
from ml_regress.report.plain import plain


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--common", is_flag=True, help="Where suites differ, compare the patterns that did not change.")
@click.option("--correction", type=click.Choice(CORRECTIONS), default=CORRECTIONS[0], show_default=True,
              help="How p values of many problems are adjusted.")  # fmt: skip
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="The folder to write the page to.")
@json_option
@workspace_option
@speaking
def compare(  # noqa: PLR0917 - click calls it with keywords
    before: str, after: str, common: bool, correction: str, output: Path | None, as_json: bool, folder: Path | None
) -> None:
    """Compare two candidates problem by problem, BEFORE and AFTER, and write the page of it."""
    workspace = opened(folder)
    names = [entry.id for entry in workspace.store.candidates.all(archived=True)]
    for name in (before, after):
        known(name, names, "candidate")
    found = gather_compared(
        workspace.store, workspace.settings.name, before, after, common=common, correction=correction
    )
    path = write_compare(found, output or workspace.settings.report_folder)
    if as_json:
        print_json({**compare_dict(found), "page": str(path)})
        return
    for part in compare_text(found):
        console().print(part)
    click.echo(str(path))


@click.command()
@click.argument("problem")
@json_option
@workspace_option
@speaking
def answer(problem: str, as_json: bool, folder: Path | None) -> None:
    """Answer "Have you solved this PROBLEM?" in one paragraph, with its patterns."""
    workspace = opened(folder)
    known(problem, [entry.id for entry in workspace.store.problems.all()], "problem")
    found = answered(workspace.store, problem)
    if as_json:
        print_json(
            {"problem": problem, "answer": found.answer, "text": found.text, "production": found.production,
             "newest": found.newest, "turns": [vars(turn) for turn in found.turns],
             "patterns": [vars(pattern) for pattern in found.patterns]}
        )  # fmt: skip
        return
    click.echo(plain(found.text))
    click.echo()
    rows = [
        {"pattern": each.pattern, "polarity": each.polarity, "expects": each.expectation,
         "canary": "yes" if each.canary else "", "production": each.production, "newest": each.newest}
        for each in found.patterns
    ]  # fmt: skip
    print_table(("pattern", "polarity", "expects", "canary", "production", "newest"), rows, "no patterns")
