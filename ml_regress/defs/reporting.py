"""Reporting cells to Dagster that no run reports, or whose run a person deleted together with its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from ml_regress.core.evaluation import Evaluation
from ml_regress.defs import names
from ml_regress.defs.evaluation import candidate_digests, materialization
from ml_regress.defs.partitions import cell_key
from ml_regress.engine.workspace import Workspace
from ml_regress.store.evaluations import Stored

# Events that one look reports: each costs some 20 ms.
AT_ONCE = 200
_ENDED = (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
_EVALUATION = dg.AssetKey(names.EVALUATION)


@dataclass(frozen=True)
class Reported:
    """How far the evaluations of the store are dealt with, by number.

    `again` is how far they were compared since a run was deleted, None where nobody deleted one:
    `runs` were there before the time `until`, and their number can only fall by a deletion.
    """

    number: int = 0
    again: int | None = None
    runs: int = 0
    until: str = ""

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> "Reported":
        """What a cursor says; from the beginning where it is none of ours."""
        return cls(**{name: cursor[name] for name in ("number", "again", "runs", "until") if name in cursor})


@dataclass
class _Look:
    """What one look knows of the matrix."""

    workspace: Workspace
    instance: dg.DagsterInstance
    suites: Mapping[str, str]
    digests: Mapping[str, str]
    events: list[dg.AssetMaterialization] = field(default_factory=list)

    def report(self, item: Evaluation) -> None:
        self.events.append(materialization(item, self.workspace.settings, self.digests[item.candidate]))

    def in_matrix(self, item: Evaluation) -> bool:
        return item.candidate in self.digests and self.suites.get(item.problem) == item.suite

    def runs(self, stored: Iterable[Stored]) -> dict[str, dg.DagsterRun]:
        wanted = {each.evaluation.run for each in stored} - {""}
        found = self.instance.get_runs(RunsFilter(run_ids=sorted(wanted))) if wanted else []
        return {run.run_id: run for run in found}


def unreported(
    workspace: Workspace, instance: dg.DagsterInstance, before: Reported, now: datetime
) -> tuple[list[dg.AssetMaterialization], Reported]:
    """Events of cells that no run reports (any more), and what is dealt with then.

    A command or another Dagster measured them, or a run that was killed between its commit and its
    events, or one that was deleted since.
    """
    measured = {entry.id: entry.suite for entry in workspace.store.problems.measured()}
    look = _Look(workspace, instance, measured, candidate_digests(workspace))
    deleted = bool(before.until) and _runs_until(instance, datetime.fromisoformat(before.until)) < before.runs
    after = replace(before, runs=_runs_until(instance, now), until=now.isoformat())
    after = replace(after, number=_new(look, before.number))
    return look.events, replace(after, again=_again(look, 0 if deleted else before.again, after.number))


def _runs_until(instance: dg.DagsterInstance, moment: datetime) -> int:
    return instance.get_runs_count(RunsFilter(created_before=moment))


def _new(look: _Look, number: int) -> int:
    """Reports what was committed after `number`; what a living run committed is left to it, and waits."""
    stored = look.workspace.store.evaluations.after(number, limit=AT_ONCE)
    runs = look.runs(stored)
    for each in stored:
        run = runs.get(each.evaluation.run)
        if run is not None and not run.is_finished:
            break
        number = each.number
        if (run is None or run.status in _ENDED) and look.in_matrix(each.evaluation):
            look.report(each.evaluation)
    return number


def _again(look: _Look, start: int | None, end: int) -> int | None:
    """Reports the cells of deleted runs among the evaluations after `start`, a part at each look."""
    if start is None:
        return None
    stored = [each for each in look.workspace.store.evaluations.after(start, limit=AT_ONCE) if each.number <= end]
    if not stored:
        return None
    runs = look.runs(stored)
    lost = [it.evaluation for it in stored if it.evaluation.run not in runs and look.in_matrix(it.evaluation)]
    shown = _shown(look.instance, {cell_key(item.candidate, item.problem) for item in lost})
    reported = {str(event.partition) for event in look.events}
    for item in lost:
        key = cell_key(item.candidate, item.problem)
        if key not in reported and shown.get(key) != (item.suite, item.evaluated_at):
            look.report(item)
    return stored[-1].number


def _shown(instance: dg.DagsterInstance, keys: set[str]) -> dict[str, tuple[Any, Any]]:
    """Suite and time of what Dagster shows last of each of these cells."""
    if not keys:
        return {}
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(
        _EVALUATION, DagsterEventType.ASSET_MATERIALIZATION, keys
    )
    if not latest:
        return {}
    wanted = dg.AssetRecordsFilter(_EVALUATION, storage_ids=list(latest.values()))
    found = {}
    for record in instance.fetch_materializations(wanted, limit=len(latest)).records:
        event = record.asset_materialization
        if event is not None and event.partition is not None:
            suite, measured_at = (event.metadata.get(name) for name in ("suite", "evaluated_at"))
            found[str(event.partition)] = (suite and suite.value, measured_at and measured_at.value)
    return found
