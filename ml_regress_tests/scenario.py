"""Tiny problems and candidates with speaking names, for tests of the store and the engine."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ml_regress.core.candidate import Candidate, Manifest
from ml_regress.core.digest import digest_of_text
from ml_regress.core.evaluation import Evaluation, Measure, Outcome
from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern, freeze
from ml_regress.core.problem import Problem
from ml_regress.engine import registry
from ml_regress.engine.evaluate import Counts, evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.store import Store
from ml_regress_tests.models import save_model, write_manifest

BASIC = "name: scenario\nallow_formats: [joblib, python]\ntime_limit: 20\n"


def muffin_problem(problem: str = "muffin", **changes: Any) -> Problem:
    """A problem with two numbers as inputs and the labels chihuahua and muffin."""
    given: dict[str, Any] = {
        "title": "Chihuahua or muffin",
        "inputs": parse_input_types({"ears": "number", "crumbs": "number"}),
        "labels": ("chihuahua", "muffin"),
    }
    return Problem(problem, **{**given, **changes})


def muffin_pattern(name: str, expected: str = "muffin", *, problem: str = "muffin", **changes: Any) -> Pattern:
    """A pattern whose inputs differ for every name."""
    number = int(digest_of_text(name)[:6], 16) / 1000
    given: dict[str, Any] = {"inputs": {"ears": number, "crumbs": 2.0}, "expectation": Expectation("equals", expected)}
    return Pattern(problem, name, **{**given, **changes})


def registered(name: str, created_at: str = "2026-06-01T00:00:00+00:00", **manifest: Any) -> Candidate:
    """A candidate for tests of the store alone: no artefact lies behind it."""
    return Candidate(
        name, Manifest(created_at, "joblib", "model.joblib", **manifest), f"candidates/{name}", digest_of_text(name), 10
    )


def import_muffins(store: Store, patterns: Sequence[Pattern], problem: Problem | None = None, **options: Any) -> Any:
    """Import a problem as a file would, and freeze what is stale as the registry would."""
    given = problem or muffin_problem()
    imported = store.problems.import_problem(given, patterns, source=f"problems/{given.id}.yaml", **options)
    for stale in store.problems.stale():
        frozen = freeze(given.measured_content(), given.id, patterns, "")
        store.problems.freeze(given, frozen, stale.revision)
    return imported


def execute(store: Store, statement: str, **values: Any) -> None:
    """What a tester does with SQL, on a connection that knows nothing of this package."""
    engine = sa.create_engine(store.database.url)
    try:
        with engine.begin() as connection:
            connection.execute(sa.text(statement), values)
    finally:
        engine.dispose()


def scalar(store: Store, query: str, **values: Any) -> Any:
    with store.database.read() as connection:
        return connection.execute(sa.text(query), values).scalar_one_or_none()


def write_workspace(folder: Path, settings: str = BASIC) -> Path:
    """An empty workspace."""
    for name in ("problems", "benchmarks", "candidates"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "ml_regress.yaml").write_text(settings)
    return folder


def write_problem(
    folder: Path,
    problem: str = "muffin",
    rows: Sequence[Mapping[str, Any]] = (),
    **changes: Any,
) -> Path:
    """A problem file of two numbers `ears` and `crumbs`, with its patterns inline as JSON."""
    content = {
        "id": problem,
        "title": problem.title(),
        "inputs": {"ears": "number", "crumbs": "number"},
        "labels": ["chihuahua", "muffin"],
        **changes,
        "patterns": [dict(row) for row in rows],
    }
    path = folder / "problems" / f"{problem}.yaml"
    path.write_text(json.dumps(content, indent=1))  # JSON is YAML
    return path


def row(name: str, ears: float, expected: str = "muffin", **fields: Any) -> dict[str, Any]:
    return {"pattern_id": name, "ears": ears, "crumbs": 1, "expected": expected, **fields}


def write_candidate(folder: Path, name: str, model: Any, **manifest: Any) -> Path:
    """A candidate's folder in a workspace, its manifest written last; returns the log of its model."""
    made = folder / "candidates" / name
    log = folder / f"{name}.log"
    model.log = str(log)
    save_model(made, model)
    write_manifest(made, **manifest)
    return log


def logged(log: Path) -> list[str]:
    """What a model wrote: `open` and `predict N`, one line each."""
    return log.read_text().splitlines() if log.exists() else []


def take_in(workspace: Workspace) -> None:
    """What the sensors do in a tick: look at problems and candidates."""
    for path in (workspace.settings.workspace / "problems").iterdir():
        age(path)
    registry.look_at_problems(workspace)
    registry.look_at_candidates(workspace, {})


def age(path: Path, seconds: float = 10) -> None:
    """Make a file look as if nobody wrote to it for a while."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns - int(seconds * 1e9)))


def measure_due(workspace: Workspace, host: PredictorHost, *, claim: str = "test") -> Counts:
    """Measure all that is due, and say what it cost."""
    cells = [cell.cell for cell in workspace.store.due.all()]
    total = Counts()
    for result in evaluate(workspace, cells, claim=claim, host=host):
        total += result.counts
    return total


def commit_outcomes(store: Store, candidate: str, outcomes: Mapping[str, str], problem: str = "muffin") -> None:
    """Store a measurement of a cell on its current suite, as the engine would: pattern -> passed, failed or error."""
    suite = next(entry.suite for entry in store.problems.measured() if entry.id == problem)
    found = list(outcomes.values())
    passes, errors = found.count("passed"), found.count("error")
    answered = len(found) - errors
    made = Evaluation(
        candidate,
        problem,
        suite,
        "error" if errors else "ok",
        f"{errors} patterns could not be measured" if errors else None,
        passes,
        answered,
        errors,
        (Measure("pass_rate", passes / answered if answered else None),),
        evaluated_at="2026-07-01T10:00:00.000Z",
        outcomes=tuple(Outcome(pattern, outcome) for pattern, outcome in outcomes.items()),
    )
    store.evaluations.commit(candidate, [made], predictions={}, environment=None, claim="test")
