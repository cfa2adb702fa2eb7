"""Commands of proposals: list, show, accept, edit, reject."""

from typing import Any

import click

from ml_regress.cli.output import json_option, known, opened, print_json, print_table, speaking, words, workspace_option
from ml_regress.core.expectation import ANSWER
from ml_regress.core.pattern import POLARITIES
from ml_regress.core.proposal import STATES, WAITING, Proposal
from ml_regress.engine import proposals as deciding
from ml_regress.errors import InvalidInput, shortened

ALL = "all"
SHOWN_INPUTS = 6

by_option = click.option("--by", "person", metavar="NAME", required=True, help="Who decides: it is kept.")
expected_option = click.option("--expected", metavar="VALUE", help="What to expect, as a pattern file would say it.")
kind_option = click.option(
    "--expectation", metavar="KIND", help="The kind of expectation: equals, one_of, close_to ..."
)
tolerance_option = click.option("--tolerance", metavar="X", help="How far off a number may be, of close_to.")


@click.group()
def proposals() -> None:
    """Inputs that may become patterns: list, show, accept, edit, reject them."""


@proposals.command("list")
@click.option("--state", type=click.Choice((*STATES, ALL)), default=WAITING, help="Those that wait, otherwise.")
@click.option("--problem", metavar="ID", help="Of this problem.")
@click.option("--batch", metavar="ID", help="From this batch.")
@json_option
@workspace_option
@speaking
def list_(state: str, problem: str | None, batch: str | None, as_json: bool, folder: Any) -> None:
    """List proposals that wait for a person, or others."""
    store = opened(folder).store
    every = store.proposals.all()
    if problem is not None:
        ids = [each.id for each in store.problems.all(closed=True)]
        problem = known(problem, list(dict.fromkeys([*ids, *(each.problem for each in every)])), "problem")
    if batch is not None:
        batch = known(batch, [each.id for each in store.batches.all()], "batch")
    found = [
        each
        for each in every
        if state in (ALL, each.state) and problem in (None, each.problem) and batch in (None, each.batch)
    ]
    if as_json:
        print_json([facts(each) for each in found])
        return
    columns = ("id", "problem", "polarity", "expects", "cause", "why", "inputs")
    shown = [{**_line(each), "state": each.state} for each in found]
    none = "no proposal waits" if state == WAITING else "no proposals"
    print_table(columns if state == WAITING else (*columns, "state"), shown, none)
    titles = {each.problem: each.problem_title for each in found if each.problem_title is not None and each.waiting}
    for name, title in titles.items():
        click.echo(f"proposed problem {name}: {title}")
    if any(each.waiting for each in found):
        click.echo("look at one: ml-regress proposals show ID; then accept, edit or reject it")


@proposals.command()
@click.argument("name", metavar="PROPOSAL")
@json_option
@workspace_option
@speaking
def show(name: str, as_json: bool, folder: Any) -> None:
    """Show all that is known of a PROPOSAL."""
    found = facts(opened(folder).store.proposals.get(name))
    if as_json:
        print_json(found)
        return
    for field, value in found.items():
        if field == "inputs":
            click.echo("inputs:")
            for column, given in value.items():
                click.echo(f"  {column}: {'missing' if given is None else given}")
        elif value not in (None, "", []):
            click.echo(f"{field}: {', '.join(map(str, value)) if isinstance(value, list) else value}")


@proposals.command()
@click.argument("names", metavar="PROPOSAL...", nargs=-1, required=True)
@expected_option
@kind_option
@tolerance_option
@click.option("--problem", metavar="ID", help="The problem that gets it, otherwise the proposed one.")
@by_option
@click.option("--why", metavar="TEXT", default="", help="Why: it is kept.")
@json_option
@workspace_option
@speaking
def accept(  # noqa: PLR0917 - click calls it with keywords
    names: tuple[str, ...],
    expected: str | None,
    expectation: str | None,
    tolerance: str | None,
    problem: str | None,
    person: str,
    why: str,
    as_json: bool,
    folder: Any,
) -> None:
    """Make active patterns of PROPOSALs, all or none. Their column becomes due, and no other.

    A problem that is only proposed is made with them.
    """
    done = deciding.accept(
        opened(folder), names, expected=expected, expectation=expectation, tolerance=tolerance, problem=problem,
        person=person, why=why,
    )  # fmt: skip
    if as_json:
        print_json([{"problem": each.problem, "patterns": list(each.patterns), "made": each.made} for each in done])
        return
    for each in done:
        made = " (made now)" if each.made else ""
        click.echo(f"{each.problem}{made}: {', '.join(each.patterns)} active now")
    click.echo("measure them: ml-regress evaluate")


@proposals.command()
@click.argument("name", metavar="PROPOSAL")
@expected_option
@kind_option
@tolerance_option
@click.option("--polarity", type=click.Choice(POLARITIES), help="Whether it shows the problem or guards against it.")
@click.option("--problem", metavar="ID", help="The problem that it belongs to.")
@click.option("--input", "inputs", metavar="NAME=VALUE", multiple=True, help="Another value; may be given again.")
@click.option("--note", metavar="TEXT", help="A note that the pattern keeps.")
@by_option
@json_option
@workspace_option
@speaking
def edit(  # noqa: PLR0917 - click calls it with keywords
    name: str,
    expected: str | None,
    expectation: str | None,
    tolerance: str | None,
    polarity: str | None,
    problem: str | None,
    inputs: tuple[str, ...],
    note: str | None,
    person: str,
    as_json: bool,
    folder: Any,
) -> None:
    """Change what a waiting PROPOSAL says."""
    made = deciding.edit(
        opened(folder), name, expected=expected, expectation=expectation, tolerance=tolerance, polarity=polarity,
        problem=problem, inputs=_stated(inputs), note=note, person=person,
    )  # fmt: skip
    if as_json:
        print_json(facts(made))
    else:
        print_table(("id", "problem", "polarity", "expects", "cause", "why", "inputs"), [_line(made)], "")


@proposals.command()
@click.argument("names", metavar="PROPOSAL...", nargs=-1, required=True)
@by_option
@click.option("--why", metavar="TEXT", required=True, help="Why: it is kept, and they are not proposed again.")
@json_option
@workspace_option
@speaking
def reject(names: tuple[str, ...], person: str, why: str, as_json: bool, folder: Any) -> None:
    """Reject PROPOSALs, all or none. They are kept, and their inputs are not proposed again."""
    done = deciding.reject(opened(folder), names, person=person, why=why)
    if as_json:
        print_json([facts(each) for each in done])
    else:
        click.echo(f"rejected: {', '.join(each.id for each in done)}")


def facts(proposal: Proposal) -> dict[str, Any]:
    """All of a proposal, for a script."""
    return {
        **vars(proposal),
        "inputs": dict(proposal.inputs),
        "selected_on": list(proposal.selected_on),
        "notes": list(proposal.notes),
    }


def _line(proposal: Proposal) -> dict[str, str]:
    expects = "?" if proposal.expected is None else proposal.expected
    if proposal.expectation != "equals":
        expects = f"{proposal.expectation} {expects}"
    if proposal.output != ANSWER:
        expects = f"{proposal.output} {expects}"
    if proposal.expected is None and proposal.suggested is not None:
        expects += f" ({proposal.suggested}?)"
    return {
        "id": proposal.id,
        "problem": proposal.problem,
        "polarity": proposal.polarity,
        "expects": expects,
        "cause": proposal.cause,
        "why": shortened("; ".join(part for part in (proposal.varied, proposal.why) if part)),
        "inputs": inputs_line(proposal.inputs),
    }


def inputs_line(inputs: Any) -> str:
    """The first inputs on one line."""
    shown = words({name: value for name, value in list(inputs.items())[:SHOWN_INPUTS] if value is not None})
    return shortened(shown) + (" …" if len(inputs) > SHOWN_INPUTS else "")


def _stated(inputs: tuple[str, ...]) -> dict[str, str]:
    stated = dict[str, str]()
    for each in inputs:
        name, equals, value = each.partition("=")
        if not equals or name in stated:
            rule = "must be NAME=VALUE, each name once"
            raise InvalidInput.single("command line", rule, column="--input", value=each)
        stated[name] = value
    return stated
