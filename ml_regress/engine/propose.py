"""From a table of failures to a proposed problem, and from proposed patterns to active ones."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ml_regress.core.ids import SLUG_RULE, folded, is_slug, slug_of
from ml_regress.core.pattern import Pattern
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.problem import Problem
from ml_regress.core.selection import LARGEST_SIDE, Choice, choose
from ml_regress.engine import registry
from ml_regress.engine.freezing import freeze_changed
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, Unavailable
from ml_regress.intake.failures import AnsweredTable, Reading, read_failures
from ml_regress.intake.problems import export_csv, read_problem

FEWEST, MOST, USUAL = 10, 15, 12


@dataclass(frozen=True)
class Proposed:
    """A problem as it was proposed, the candidate whose failures it shows, its files, and notes for a person."""

    problem: Problem
    patterns: tuple[Pattern, ...]
    candidate: str
    rows: int
    failures: int
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def propose(
    workspace: Workspace,
    path: Path,
    reading: Reading,
    *,
    problem: str | None = None,
    title: str | None = None,
    candidate: str | None = None,
    count: int = USUAL,
    folder: Path | None = None,
    actor: str = "command",
) -> Proposed:
    """Propose a problem of `count` patterns from a table of failures: written as files, and imported.

    All or nothing. Raises InvalidInput, NotFound (no candidate), Conflict (the id is taken) or Unavailable.
    """
    if not FEWEST <= count <= MOST:
        rule = f"must be from {FEWEST} to {MOST}"
        raise InvalidInput.single("command line", rule, column="--patterns", value=str(count))
    name = _free_id(workspace, problem or slug_of(path.stem))
    folder = folder or workspace.settings.workspace / registry.PROBLEMS
    files = (folder / f"{name}.yaml", folder / f"{name}.csv")
    _refuse_existing(folder, name)
    chosen_on = registry.candidate_meant(workspace, candidate, "whose failures are these?")
    store = workspace.store.problems
    table = read_failures(path, [*store.all(closed=True), *store.benchmarks(closed=True)], reading)
    failures = sum(not row.right for row in table.rows)
    if not failures:
        rule = f"shows no failure: in all {table.count} rows the prediction is what was expected"
        raise InvalidInput.single(str(path), rule)
    choice = choose(table.answered(), count)
    made = Problem(
        id=name,
        title=title or f"Failures of {path.name}",
        inputs=table.types,
        description=_description(path, table, failures, chosen_on, choice),
        answer_type=table.answer_type,
        labels=table.labels,
    )
    patterns = _patterns(made, table, choice, path, chosen_on)
    _write(workspace, made, patterns, files, actor)
    notes = (*table.notes, *_notes(table, failures, choice, count))
    return Proposed(made, patterns, chosen_on, table.count, failures, files, notes)


def accept(workspace: Workspace, problem: str, patterns: Sequence[str] = (), *, actor: str = "command") -> list[str]:
    """Turn proposed patterns active, those named or all; the ids of those that were. Raises NotFound or Conflict."""
    done = workspace.store.problems.accept(problem, patterns, actor=actor)
    freeze_changed(workspace)
    return done


def _free_id(workspace: Workspace, name: str) -> str:
    if not is_slug(name):
        raise InvalidInput.single("command line", f"{SLUG_RULE}; name one with --id", column="--id", value=name)
    store = workspace.store.problems
    taken = [entry.id for entry in store.all(closed=True)]
    taken += [entry.id for entry in store.benchmarks(closed=True)]
    other = next((each for each in taken if folded(each) == folded(name)), None)
    if other is not None:
        raise Conflict(f"{other!r} is the id of a problem or benchmark already; name another with --id")
    return name


def _refuse_existing(folder: Path, name: str) -> None:
    for ending in (".yaml", ".yml", ".csv", ".jsonl", ".parquet"):
        if (folder / f"{name}{ending}").exists():
            raise Conflict(f"{folder / f'{name}{ending}'} is there already; name another problem with --id")


def _patterns(
    problem: Problem, table: AnsweredTable, choice: Choice, path: Path, candidate: str
) -> tuple[Pattern, ...]:
    rows = table.rows
    twins: dict[int, int] = {}
    for negative, positive in choice.negatives:
        twins.setdefault(positive, negative)  # the first one is the best
    paired = {negative: positive for positive, negative in twins.items()}

    def pattern(place: int, note: str, **fields: Any) -> Pattern:
        row = rows[place]
        known_as = "" if row.key in (None, row.id) else f", there {row.key!r}"
        return Pattern(
            problem.id, row.id, row.inputs, row.expectation, origin="production", status="proposed",
            note=f"row {row.row} of {path.name}{known_as}: {note}", **fields,
        )  # fmt: skip

    positives = [
        pattern(
            place,
            f"answered {rows[place].predicted!r}",
            selected_on=(candidate,),
            twin=rows[twins[place]].id if place in twins else None,
        )
        for place in choice.positives
    ]
    negatives = [
        pattern(
            place,
            f"near {rows[positive].id}, and answered rightly",
            polarity="negative",
            twin=rows[positive].id if place in paired else None,
        )
        for place, positive in choice.negatives
    ]
    return (*positives, *negatives)


def _description(path: Path, table: AnsweredTable, failures: int, candidate: str, choice: Choice) -> str:
    said = (
        f"Proposed from {path.name}: {candidate} answered {failures} of {len(table.rows)} distinct rows wrongly. "
        f"{len(choice.positives)} positive patterns stand for these failures"
    )
    near = f"; {len(choice.negatives)} negative ones are near them and were answered rightly"
    return f"{said}{near if choice.negatives else ''}."


def _notes(table: AnsweredTable, failures: int, choice: Choice, count: int) -> Iterator[str]:
    right = len(table.rows) - failures
    if not right:
        yield "no row was answered rightly: there are no negative patterns, so nothing guards what works"
    if len(table.rows) < count:
        yield f"there are {len(table.rows)} distinct rows, fewer than {count}: all were taken"
    for number, what in ((failures, "failures"), (right, "right rows")):
        if number > LARGEST_SIDE:
            yield f"of {number} {what} a sample of {LARGEST_SIDE}, always the same one, was looked at"


def problem_text(problem: Problem, table: str) -> str:
    """The YAML file of a proposed problem whose patterns stand in the file `table`."""
    labels = {"labels": [answer_text(label) for label in problem.labels]} if problem.labels else {}
    content = {
        "id": problem.id,
        "title": problem.title,
        "description": problem.description,
        "inputs": problem.inputs.as_dict(),
        "answer": problem.answer_type,
        **labels,
        "patterns": table,
    }
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110))


def _write(
    workspace: Workspace, problem: Problem, patterns: tuple[Pattern, ...], files: tuple[Path, Path], actor: str
) -> None:
    """Write both files and import them; where anything fails, none of it stays."""
    definition, table = files
    with _staging(definition.parent) as staging:
        export_csv(patterns, problem, staging / table.name)
        (staging / definition.name).write_text(problem_text(problem, table.name), encoding="utf-8")
        read_problem(staging / definition.name)  # what cannot be read back is not written
        _refuse_existing(definition.parent, problem.id)
        try:
            # The table first: a problem is looked at when its YAML file is there.
            for file in (table, definition):
                os.replace(staging / file.name, file)
            registry.import_problem(workspace, definition, actor=actor)
        except BaseException:
            for file in (definition, table):
                file.unlink(missing_ok=True)
            raise


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A hidden folder beside the files to come, so that they arrive by a rename."""
    made = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".proposed-", dir=folder))
        yield made
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written to ({error.strerror or error}); nothing was proposed") from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
