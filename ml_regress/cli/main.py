"""The group of all commands."""

import click
from click.shell_completion import get_completion_class

from ml_regress.cli.batches import batches
from ml_regress.cli.comparing import answer, compare
from ml_regress.cli.coverage import coverage
from ml_regress.cli.explaining import patterns, why
from ml_regress.cli.judging import gate, production, promote, rollback, sign, sign_offs, verify, waive, waivers
from ml_regress.cli.looking import candidates, matrix, problems, report
from ml_regress.cli.measuring import evaluate
from ml_regress.cli.output import EXIT_CODES
from ml_regress.cli.problem import problem
from ml_regress.cli.production import drift
from ml_regress.cli.proposals import proposals
from ml_regress.cli.rating import rate, ratings
from ml_regress.cli.starting import import_path, init, up
from ml_regress.cli.varying import vary


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ml-regress", prog_name="ml-regress")
def main() -> None:
    """Regression tests for models, problem by problem."""


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell, to be sourced by it.

    For bash: eval "$(ml-regress completion bash)"
    """
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - the choices above are those that click has
    click.echo(found(main, {}, "ml-regress", "_ML_REGRESS_COMPLETE").source())


for command in (
    batches,
    drift,
    *(init, up, import_path, problem, problems, patterns, candidates, evaluate, matrix, report, why),
    *(proposals, coverage),
    *(vary, rate, ratings),
    *(compare, answer, gate, waive, waivers, sign, sign_offs, verify, promote, rollback, production),
):
    main.add_command(command)
