"""Looking at what people brought: files and rows become problems, suites, benchmarks and candidates.

Everything here is level-triggered: it compares what is there with what the store holds, so that it
does not matter how often it looks, or what crashed in between.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ml_regress.core.pattern import freeze
from ml_regress.core.scorer import scorer_version
from ml_regress.engine import watching
from ml_regress.engine.freezing import freeze_changed, refreeze_changed_scorers
from ml_regress.engine.recorded import recorded_predictions
from ml_regress.engine.watching import Seen
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError, NotFound, Unavailable, UnknownPatterns
from ml_regress.intake import yaml_text
from ml_regress.intake.benchmarks import read_benchmark
from ml_regress.intake.candidates import read_candidate
from ml_regress.intake.problems import read_problem
from ml_regress.intake.sightings import look
from ml_regress.predictors.artefacts import files_of

PROBLEMS, BENCHMARKS, CANDIDATES = "problems", "benchmarks", "candidates"


@dataclass(frozen=True)
class Taken:
    """What was done with a file or folder, in words, and notes on how it was read, for a person to check."""

    said: str
    notes: tuple[str, ...] = ()


def import_problem(workspace: Workspace, path: Path, *, sync: bool = False, actor: str = "import") -> Taken:
    """Import one problem file with its patterns, and freeze its suite; raises InvalidInput or Conflict."""
    known = workspace.store.problems.patterns(str(yaml_text.load(path).get("id")))
    given = read_problem(path, frozenset(known["id"]))
    version = scorer_version(given.problem.metric)  # a scorer that is not installed is said now, and not in every cell
    imported = workspace.store.problems.import_problem(
        given.problem, given.patterns, source=workspace.relative(path), sync=sync, actor=actor, notes=given.notes
    )
    _remember(workspace, path, PROBLEMS, given.files)
    if imported.revision is not None:  # what was validated a moment ago is not read and validated again
        suite = freeze(given.problem.measured_content(), given.problem.id, given.patterns, version)
        workspace.store.problems.freeze(given.problem, suite, imported.revision)
    freeze_changed(workspace)
    return Taken(imported.words, given.notes)


def import_benchmark(workspace: Workspace, path: Path, *, actor: str = "import") -> Taken:
    """Import one benchmark file with its data; says added, changed or unchanged."""
    given = read_benchmark(path)
    said = workspace.store.problems.import_benchmark(
        given.benchmark,
        given.data,
        given.data_digest,
        given.rows,
        source=workspace.relative(path),
        actor=actor,
        notes=given.notes,
    )
    _remember(workspace, path, BENCHMARKS, given.files)
    return Taken(f"benchmark {said}", given.notes)


def is_benchmark(path: Path) -> bool:
    """True for the YAML file of a benchmark, which names its target; raises InvalidInput for broken YAML."""
    return "target" in yaml_text.load(path)


def import_candidate(workspace: Workspace, folder: Path, *, actor: str = "import") -> Taken:
    """Register the candidate of a folder, with its predictions where it is a recorded one.

    Raises InvalidInput, UnknownPatterns or Conflict; nothing is stored then.
    """
    candidate = replace(read_candidate(folder), path=workspace.relative(folder))
    table, notes = None, tuple[str, ...]()
    if candidate.recorded:
        recorded = recorded_predictions(workspace, folder, candidate)
        table, notes = recorded.predictions, recorded.notes
    said = workspace.store.candidates.register(candidate, recorded=table, actor=actor, notes=notes)
    adopt_production(workspace)
    return Taken(said, notes)


def look_at_problems(workspace: Workspace) -> None:
    """Import the files that changed in problems/ and benchmarks/, and freeze every suite that changed.

    A refused file is remembered with its reason and is read again when it changes.
    """
    _look_at_files(workspace, PROBLEMS, lambda path: import_problem(workspace, path, actor="watch"))
    _look_at_files(workspace, BENCHMARKS, lambda path: import_benchmark(workspace, path, actor="watch"))
    refreeze_changed_scorers(workspace)
    freeze_changed(workspace)


def look_at_candidates(workspace: Workspace, looks: Mapping[str, str]) -> dict[str, str]:
    """Register the whole candidates of candidates/; `looks` are the signatures of the look before.

    Returns this look's signatures of the folders that are not settled yet.
    """
    folders = watching.look_into(workspace, CANDIDATES)
    if folders is None:
        return dict(looks)
    known, now_seen, sources = workspace.store.sources.signatures(CANDIDATES), {}, []
    problems = workspace.store.problems.version()
    for folder in folders:
        source = workspace.relative(folder)
        try:
            if not watching.is_folder(folder):
                continue
            sighting = look(folder)
        except OSError as error:
            if os.path.lexists(folder):
                sources.append(source)
                why = f"{folder} {watching.words(error)}; it is tried again at every look"
                watching.refuse_unreadable(workspace, known.get(source), source, CANDIDATES, why)
            continue
        sources.append(source)
        if known.get(source) in (sighting.signature, awaiting_problems(sighting.signature, problems)):
            continue
        settled = sighting.settled_needed and looks.get(folder.name) == sighting.signature
        if not (sighting.whole or settled):
            now_seen[folder.name] = sighting.signature
            continue
        unreadable = watching.why_unreadable(path for _, path in files_of(folder))
        if unreadable is not None:
            watching.refuse_unreadable(workspace, known.get(source), source, CANDIDATES, unreadable)
            continue
        refusal, signature = None, sighting.signature
        try:
            import_candidate(workspace, folder, actor="watch")
        except UnknownPatterns as error:
            refusal, signature = str(error), awaiting_problems(signature, problems)
        except Unavailable:  # the store is away: nothing is wrong with the candidate
            raise
        except MlRegressError as error:
            refusal = str(error)
        workspace.store.sources.read(source, CANDIDATES, signature, refusal)
    watching.forget_gone(workspace, known, sources)
    adopt_production(workspace)
    return now_seen


def awaiting_problems(signature: str, problems: int) -> str:
    """What is remembered of recorded predictions that nobody asked for: they are read again when problems change."""
    return f"{signature}, problems {problems}"


def adopt_production(workspace: Workspace) -> None:
    """Name the production of the operator's file, where the store knows none yet."""
    named = workspace.settings.production
    if named is not None and workspace.store.candidates.production() is None:
        workspace.store.candidates.adopt_production(
            named, actor="operator", reason="served users before this store knew it (ml_regress.yaml)"
        )


def candidate_meant(workspace: Workspace, named: str | None, asked: str) -> str:
    """The candidate that is named, else the one in production; raises NotFound with those there are.

    `asked` is the question that its name answers, for the message where nobody is production.
    """
    known = [entry.id for entry in workspace.store.candidates.all(archived=True)]
    chosen = named or workspace.store.candidates.production()
    if chosen in known:
        return str(chosen)
    there = f"there are {', '.join(known)}" if known else "there is none yet; import it first"
    if named is None:
        raise NotFound(f"{asked} No candidate is production; name one with --candidate: {there}")
    raise NotFound(f"no candidate {named!r}: {there}")


# -- watched files -------------------------------------------------------------------------------


def _look_at_files(workspace: Workspace, kind: str, take: Callable[[Path], Taken]) -> None:
    entries = watching.look_into(workspace, kind)
    if entries is None:
        return
    known, sources = workspace.store.sources.signatures(kind), []
    for path in entries:
        if path.suffix not in (".yaml", ".yml"):
            continue
        source = workspace.relative(path)
        sources.append(source)
        before = known.get(source, "")
        seen = Seen.of((path, *_beside(path), *watching.files_of_signature(before)))
        if before == seen.signature or seen.still_written(time.time()):
            continue
        why = watching.why_unreadable(seen.files)
        try:
            if why is None:
                take(path)
        except Unavailable:  # the store is away: nothing is wrong with the file
            raise
        except MlRegressError as error:
            workspace.store.sources.read(source, kind, seen.signature, str(error))
        if why is not None:
            watching.refuse_unreadable(workspace, before, source, kind, why)
    watching.forget_gone(workspace, known, sources)


def still_written(workspace: Workspace) -> list[str]:
    """The files of problems and benchmarks that changed since the last look, so lately that it passes them by."""
    found = []
    for kind in (PROBLEMS, BENCHMARKS):
        known = workspace.store.sources.signatures(kind)
        for path in watching.look_into(workspace, kind) or ():
            if path.suffix in (".yaml", ".yml"):
                before = known.get(workspace.relative(path), "")
                seen = Seen.of((path, *_beside(path), *watching.files_of_signature(before)))
                if before != seen.signature and seen.still_written(time.time()):
                    found.append(workspace.relative(path))
    return found


def _beside(path: Path) -> list[Path]:
    """The data files that have the stem of a YAML file."""
    beside = (path.with_suffix(ending) for ending in (".csv", ".jsonl", ".parquet"))
    return [each for each in beside if os.path.lexists(each)]


def _remember(workspace: Workspace, path: Path, kind: str, files: Iterable[Path]) -> None:
    seen = Seen.of((path, *_beside(path), *files))
    workspace.store.sources.read(workspace.relative(path), kind, seen.signature)
