"""Looking at what people brought: files and rows become problems, suites, benchmarks and candidates.

Everything here is level-triggered: it compares what is there with what the store holds, so that it
does not matter how often it looks, or what crashed in between.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ml_regress.core.metrics import scorer_version
from ml_regress.core.pattern import freeze
from ml_regress.core.problem import SCORER
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Fault, InvalidInput, MlRegressError
from ml_regress.intake import yaml_text
from ml_regress.intake.benchmarks import read_benchmark
from ml_regress.intake.candidates import look, read_candidate
from ml_regress.intake.patterns import parse_patterns, table_of_stored
from ml_regress.intake.problems import parse_problem, read_problem
from ml_regress.store.problems import Imported, Stale

PROBLEMS, BENCHMARKS, CANDIDATES = "problems", "benchmarks", "candidates"
SQL_KIND = "sql"
# A file that changed within this time may still be written to; it is read at the next look.
SETTLE_SECONDS = 1.0


def import_problem(workspace: Workspace, path: Path, *, sync: bool = False, actor: str = "import") -> Imported:
    """Import one problem file with its patterns, and freeze its suite; raises InvalidInput or Conflict."""
    known = workspace.store.problems.patterns(str(yaml_text.load(path).get("id")))
    given = read_problem(path, frozenset(known["id"]))
    scorer_version(given.problem.metric)  # a scorer that is not installed is said now, and not in every cell
    imported = workspace.store.problems.import_problem(
        given.problem, given.patterns, source=workspace.relative(path), sync=sync, actor=actor
    )
    _remember(workspace, path, PROBLEMS, given.files)
    freeze_changed(workspace)
    return imported


def import_benchmark(workspace: Workspace, path: Path, *, actor: str = "import") -> str:
    """Import one benchmark file with its data; says added, changed or unchanged."""
    given = read_benchmark(path)
    said = workspace.store.problems.import_benchmark(
        given.benchmark, given.data, given.data_digest, given.rows, source=workspace.relative(path), actor=actor
    )
    _remember(workspace, path, BENCHMARKS, given.files)
    return said


def is_benchmark(path: Path) -> bool:
    """True for the YAML file of a benchmark, which names its target; raises InvalidInput for broken YAML."""
    return "target" in yaml_text.load(path)


def import_candidate(workspace: Workspace, folder: Path, *, actor: str = "import") -> str:
    """Register the candidate of a folder; says registered, updated or unchanged."""
    candidate = replace(read_candidate(folder), path=workspace.relative(folder))
    said = workspace.store.candidates.register(candidate, actor=actor)
    adopt_production(workspace)
    return said


def look_at_problems(workspace: Workspace) -> None:
    """Import the files that changed in problems/ and benchmarks/, and freeze every suite that changed.

    A refused file is remembered with its reason and is read again when it changes.
    """
    _look_at_files(workspace, PROBLEMS, lambda path: import_problem(workspace, path, actor="watch"))
    _look_at_files(workspace, BENCHMARKS, lambda path: import_benchmark(workspace, path, actor="watch"))
    _refreeze_changed_scorers(workspace)
    freeze_changed(workspace)


def look_at_candidates(workspace: Workspace, looks: Mapping[str, str]) -> dict[str, str]:
    """Register the whole candidates of candidates/; `looks` are the signatures of the look before.

    Returns this look's signatures of the folders that are not settled yet.
    """
    root = workspace.settings.workspace / CANDIDATES
    known, now_seen, sources = workspace.store.sources.signatures(CANDIDATES), {}, []
    for folder in sorted(_children(root)):
        if not folder.is_dir():
            continue
        source = workspace.relative(folder)
        sources.append(source)
        sighting = look(folder)
        if known.get(source) == sighting.signature:
            continue
        settled = sighting.settled_needed and looks.get(folder.name) == sighting.signature
        if not (sighting.whole or settled):
            now_seen[folder.name] = sighting.signature
            continue
        refusal = None
        try:
            import_candidate(workspace, folder, actor="watch")
        except MlRegressError as error:
            refusal = str(error)
        workspace.store.sources.read(source, CANDIDATES, sighting.signature, refusal)
    _forget_gone(workspace, known, sources)
    adopt_production(workspace)
    return now_seen


def adopt_production(workspace: Workspace) -> None:
    """Name the production of the operator's file, where the store knows none yet."""
    named = workspace.settings.production
    if named is not None and workspace.store.candidates.production() is None:
        workspace.store.candidates.adopt_production(
            named, actor="operator", reason="served users before this store knew it (ml_regress.yaml)"
        )


def freeze_changed(workspace: Workspace) -> None:
    """Validate every problem that changed since it was last frozen, whoever changed it, and freeze it.

    An invalid one keeps its last valid suite; its faults stand among the refusals.
    """
    for stale in workspace.store.problems.stale():
        source, refusal = f"table problems, {stale.id}", None
        try:
            _freeze(workspace, stale)
        except MlRegressError as error:
            refusal = str(error)
            workspace.store.problems.mark_checked(stale)
        if refusal is not None or source in workspace.store.sources.signatures(SQL_KIND):
            workspace.store.sources.read(source, SQL_KIND, str(stale.revision), refusal)


def _freeze(workspace: Workspace, stale: Stale) -> None:
    problem = parse_problem(_problem_texts(stale.row), f"table problems, {stale.id}")
    living = stale.patterns[stale.patterns["status"] != "retired"]
    source = f"table patterns, problem {stale.id}"
    try:
        patterns = parse_patterns(
            problem, table_of_stored(living, problem, source), source, frozenset(stale.patterns["id"])
        )
    except InvalidInput as error:
        raise InvalidInput(_name_rows(error.faults, living)) from error
    suite = freeze(problem.measured_content(), problem.id, patterns, scorer_version(problem.metric))
    workspace.store.problems.freeze(stale, problem, suite)


def _problem_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `problems` as its YAML file would say it; raises InvalidInput for broken JSON."""
    texts = {
        name: row[name]
        for name in (
            "id", "title", "description", "owner", "severity", "reported_by", "reported_at", "state", "metric"
        )
    }  # fmt: skip
    for name in ("inputs", "labels", "requirement"):
        try:
            value = json.loads(row[name], parse_int=str, parse_float=str)
        except ValueError:
            place = f"table problems, {row['id']}"
            raise InvalidInput.single(place, "must be JSON", column=name, value=row[name]) from None
        if value:
            texts[name] = _all_text(value)
    texts["answer"] = row["answer_type"]
    if row["positive_label"] is not None:
        texts["positive_label"] = row["positive_label"]
    if "canaries" in texts.get("requirement", {}):
        texts["requirement"]["canaries"] = {"true": "all", "false": "none"}.get(
            texts["requirement"]["canaries"], texts["requirement"]["canaries"]
        )
    return {name: value for name, value in texts.items() if value != ""}


def _all_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_all_text(item) for item in value]
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _name_rows(faults: Iterable[Fault], rows: pd.DataFrame) -> list[Fault]:
    """Faults of table rows, which have no row numbers, name the pattern instead."""
    ids = rows["id"].tolist()
    return [
        fault
        if fault.row is None or not 1 <= fault.row <= len(ids)
        else replace(fault, file=f"{fault.file}, pattern {ids[fault.row - 1]}", row=None)
        for fault in faults
    ]


def _refreeze_changed_scorers(workspace: Workspace) -> None:
    """A custom scorer of another version makes new suites: the numbers are no longer the same thing."""
    problems = [problem for problem in workspace.store.problems.all() if problem.metric.startswith(SCORER)]
    if not problems:
        return
    current = {entry.id: entry.suite for entry in workspace.store.problems.measured()}
    suites = workspace.store.problems.suites(
        (problem.id, current[problem.id]) for problem in problems if problem.id in current
    )
    changed = []
    for problem in problems:
        try:
            version = scorer_version(problem.metric)
        except MlRegressError:
            continue  # the scorer is gone: the last suite stays, a cell says why its metric is undefined
        if problem.id in suites and suites[problem.id].content["scorer_version"] != version:
            changed.append(problem.id)
    if changed:
        workspace.store.problems.refreeze(changed)


# -- watched files -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """The files of one source with their sizes and times, as one text."""

    files: tuple[Path, ...]

    @property
    def signature(self) -> str:
        return json.dumps({str(path.resolve()): _stat(path) for path in self.files}, sort_keys=True)


def _stat(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _look_at_files(workspace: Workspace, kind: str, take: Any) -> None:
    root = workspace.settings.workspace / kind
    known, sources = workspace.store.sources.signatures(kind), []
    for path in sorted(_children(root)):
        if path.suffix not in (".yaml", ".yml"):
            continue
        source = workspace.relative(path)
        sources.append(source)
        files = (path, *_beside(path), *(Path(name) for name in json.loads(known.get(source, "{}"))))
        seen = _Seen(tuple(dict.fromkeys(files)))
        if known.get(source) == seen.signature or _still_written(seen.files):
            continue
        try:
            take(path)
        except MlRegressError as error:
            workspace.store.sources.read(source, kind, seen.signature, str(error))
    _forget_gone(workspace, known, sources)


def _beside(path: Path) -> list[Path]:
    """The data files that have the stem of a YAML file."""
    return [path.with_suffix(ending) for ending in (".csv", ".jsonl", ".parquet") if path.with_suffix(ending).exists()]


def _remember(workspace: Workspace, path: Path, kind: str, files: Iterable[Path]) -> None:
    seen = _Seen(tuple(dict.fromkeys((path, *_beside(path), *files))))
    workspace.store.sources.read(workspace.relative(path), kind, seen.signature)


def _still_written(files: Iterable[Path]) -> bool:
    ages = [time.time() - found[1] / 1e9 for path in files if (found := _stat(path)) is not None]
    # A time in the future says that clocks differ, and nothing about writing.
    return any(0 <= age < SETTLE_SECONDS for age in ages)


def _forget_gone(workspace: Workspace, known: Mapping[str, str], sources: Iterable[str]) -> None:
    gone = sorted(set(known) - set(sources))
    if gone:
        workspace.store.sources.forget(gone)


def _children(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
