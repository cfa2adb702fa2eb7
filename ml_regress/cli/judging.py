"""Commands that judge and decide: gate, waive, sign, verify, promote, roll back."""

from pathlib import Path
from typing import Any

import click

from ml_regress.cli.output import json_option, known, opened, print_json, print_table, speaking, workspace_option
from ml_regress.core.waiver import DECISIONS
from ml_regress.engine import judge as judging
from ml_regress.engine.notify import deliver
from ml_regress.engine.signing import write_sign_off_of
from ml_regress.engine.workspace import Workspace
from ml_regress.report.gate import EXIT_CODES, FORMATS, exit_code, gate_view, shown
from ml_regress.store.database import now

by_option = click.option("--by", "person", metavar="NAME", required=True, help="Who decides: it is kept.")


def _candidate(workspace: Workspace, candidate: str) -> str:
    return known(candidate, [entry.id for entry in workspace.store.candidates.all()], "active candidate")


@click.command(epilog=EXIT_CODES)
@click.argument("candidate")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True, help="How to say it."
)
@workspace_option
@speaking
def gate(candidate: str, form: str, folder: Path | None) -> int:
    """Say whether a CANDIDATE may ship, as an exit code and in words.

    What changed in the workspace's folders is taken in first. Nothing is measured.
    """
    workspace = opened(folder)
    judging.take_in(workspace)
    found = judging.judge(workspace, _candidate(workspace, candidate))
    click.echo(
        shown(gate_view(workspace.store, workspace.settings.name, found.facts, found.verdict, found.approval), form)
    )
    return exit_code(found.verdict)


@click.command()
@click.argument("candidate")
@click.argument("problem")
@click.argument("pattern", required=False)
@by_option
@click.option("--why", "reason", metavar="TEXT", required=True, help="The reason: it is shown wherever it counts.")
@click.option(
    "--until", metavar="DAY", required=True, help="The last day on which it counts, such as 2026-12-31 (UTC)."
)
@workspace_option
@speaking
def waive(  # noqa: PLR0917 - click calls it with keywords
    candidate: str, problem: str, pattern: str | None, person: str, reason: str, until: str, folder: Path | None
) -> None:
    """Permit a failing requirement of a PROBLEM, or one failing PATTERN, for a CANDIDATE until a day."""
    workspace = opened(folder)
    known(problem, [entry.id for entry in workspace.store.problems.all()], "problem")
    made = judging.waive(
        workspace, _candidate(workspace, candidate), problem, pattern, person=person, reason=reason, until=until
    )
    _told(workspace)
    click.echo(f"waiver {made.number}: {candidate}, {_place(problem, pattern)} {made.words}")


@click.command()
@click.option("--withdraw", type=int, metavar="NUMBER", help="Take this waiver back; it needs --by.")
@click.option("--by", "person", metavar="NAME", help="Who takes it back.")
@json_option
@workspace_option
@speaking
def waivers(withdraw: int | None, person: str | None, as_json: bool, folder: Path | None) -> None:
    """List waivers, or take one back."""
    workspace = opened(folder)
    if withdraw is not None:
        if not person:
            raise click.UsageError("say who takes it back: --by NAME")
        gone = workspace.store.decisions.withdraw(withdraw, person=person)
        _told(workspace)
        click.echo(f"waiver {gone.number} of {gone.candidate} is withdrawn")
        return
    today = now()[:10]
    rows: list[dict[str, Any]] = [
        {"number": each.number, "candidate": each.candidate, "problem": each.problem, "pattern": each.pattern,
         "by": each.by, "why": each.why, "until": each.until, "at": each.at, "counts": each.counts_at(today)}
        for each in workspace.store.decisions.waivers()
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    named = [{**row, "counts": "yes" if row["counts"] else "expired"} for row in rows]
    print_table(("number", "candidate", "problem", "pattern", "by", "until", "counts", "why"), named, "no waivers")


@click.command()
@click.argument("candidate")
@by_option
@click.option("--role", metavar="TEXT", required=True, help="In which role: it is kept.")
@click.option("--decision", type=click.Choice(DECISIONS), required=True, help="What is decided.")
@click.option("--words", metavar="TEXT", default="", help="Why; a rejection and an approval with waivers need it.")
@click.option("--evidence", "seen", metavar="DIGEST", default="", help="What was looked at, as shown by gate.")
@workspace_option
@speaking
def sign(  # noqa: PLR0917 - click calls it with keywords
    candidate: str, person: str, role: str, decision: str, words: str, seen: str, folder: Path | None
) -> None:
    """Sign a decision on a CANDIDATE, bound to the evidence of this moment, and write its report."""
    workspace = opened(folder)
    judging.take_in(workspace)
    name = _candidate(workspace, candidate)
    made = judging.sign(workspace, name, person=person, role=role, decision=decision, words=words, seen=seen)
    _told(workspace)
    path = write_sign_off_of(workspace, name, workspace.settings.report_folder)
    click.echo(f"sign-off {made.number}: {decision}, {candidate}, evidence {made.evidence_digest[:12]}")
    click.echo(str(path))


@click.command("sign-offs")
@click.argument("candidate", required=False)
@json_option
@workspace_option
@speaking
def sign_offs(candidate: str | None, as_json: bool, folder: Path | None) -> None:
    """List sign-offs, of all candidates or of one CANDIDATE."""
    rows: list[dict[str, Any]] = [
        {"number": each.number, "candidate": each.candidate, "decision": each.decision, "by": each.person,
         "role": each.role, "words": each.words, "at": each.at, "used": each.used, "evidence": each.evidence_digest}
        for each in opened(folder).store.decisions.sign_offs(candidate)
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    short = [{**row, "used": "yes" if row["used"] else "", "evidence": row["evidence"][:12]} for row in rows]
    shown_columns = ("number", "candidate", "decision", "by", "role", "at", "used", "evidence", "words")
    print_table(shown_columns, short, "nobody signed yet")


@click.command()
@click.argument("number", type=int)
@json_option
@workspace_option
@speaking
def verify(number: int, as_json: bool, folder: Path | None) -> int:
    """Compute the digest of the evidence of a sign-off (its NUMBER) again, and hold it against what is stored now.

    It ends with 1 where the kept evidence is not what was signed, and with 0 otherwise; that there is new evidence
    since is said.
    """
    found = judging.verify(opened(folder), number)
    if as_json:
        print_json(
            {"number": number, "signed": found.sign_off.evidence_digest, "recomputed": found.recomputed,
             "intact": found.intact, "current": found.current, "changes": list(found.changes)}
        )  # fmt: skip
        return 0 if found.intact else 1
    click.echo(f"signed:     {found.sign_off.evidence_digest}")
    click.echo(f"recomputed: {found.recomputed}")
    click.echo("the evidence is what was signed" if found.intact else "THE EVIDENCE IS NOT WHAT WAS SIGNED")
    if found.current is None:
        click.echo("a promotion rests on it: what came after says nothing against it")
    else:
        click.echo("nothing changed since" if found.current else f"new evidence since: {'; '.join(found.changes)}")
    return 0 if found.intact else 1


@click.command()
@click.argument("candidate")
@by_option
@click.option("--why", "reason", metavar="TEXT", default="", help="The reason: it is kept in the history.")
@workspace_option
@speaking
def promote(candidate: str, person: str, reason: str, folder: Path | None) -> None:
    """Move production to a CANDIDATE, which needs a passing verdict and a current approval.

    Both are judged again here, from the store, in the transaction that moves production.
    """
    workspace = opened(folder)
    moved = judging.promote(workspace, _candidate(workspace, candidate), person=person, reason=reason)
    _told(workspace)
    click.echo(f"{moved.candidate} is in production since {moved.at}, on sign-off {moved.sign_off}")
    if moved.watched:
        click.echo(f"solved, and watched from now on: {', '.join(moved.watched)}")


@click.command()
@click.argument("candidate", required=False)
@by_option
@click.option("--why", "reason", metavar="TEXT", required=True, help="The reason: it is kept in the history.")
@workspace_option
@speaking
def rollback(candidate: str | None, person: str, reason: str, folder: Path | None) -> None:
    """Move production back to the candidate before it, or to an earlier CANDIDATE; it needs no verdict."""
    workspace = opened(folder)
    moved = judging.roll_back(workspace, candidate, person=person, reason=reason)
    _told(workspace)
    click.echo(f"{moved.candidate} is in production again since {moved.at}")


@click.command()
@json_option
@workspace_option
@speaking
def production(as_json: bool, folder: Path | None) -> None:
    """List who was in production, newest first."""
    columns = ("candidate", "at", "verb", "person", "reason", "sign_off")
    history = opened(folder).store.decisions.production_history()
    rows = [{name: getattr(each, name) for name in columns} for each in history]
    if as_json:
        print_json(rows)
        return
    print_table(columns, rows, "nobody is in production yet")


def _told(workspace: Workspace) -> None:
    """Record what the decision changed, and tell who asked to be told."""
    judging.record(workspace)
    deliver(workspace)


def _place(problem: str, pattern: str | None) -> str:
    return problem if pattern is None else f"{problem}/{pattern}"
