"""Freezing: what changed in the store is validated, whoever changed it, and becomes the next suite."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from ml_regress.core.pattern import freeze
from ml_regress.core.problem import SCORER
from ml_regress.core.scorer import scorer_version
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Fault, InvalidInput, MlRegressError, Unavailable
from ml_regress.intake.patterns import parse_patterns, table_of_stored
from ml_regress.intake.problems import parse_problem
from ml_regress.store.problems import Stale

SQL_KIND = "sql"


def freeze_changed(workspace: Workspace) -> None:
    """Validate every problem that changed since it was last frozen, whoever changed it, and freeze it.

    An invalid one keeps its last valid suite; its faults stand among the refusals.
    """
    for stale in workspace.store.problems.stale():
        source, refusal = f"table problems, {stale.id}", None
        try:
            _freeze(workspace, stale)
        except Unavailable:  # the store is away: nothing is wrong with the problem
            raise
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
    workspace.store.problems.freeze(problem, suite, stale.revision)


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


def refreeze_changed_scorers(workspace: Workspace) -> None:
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
