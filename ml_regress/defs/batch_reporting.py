"""Checks of batches that Dagster does not show: made by a command, or by a run that was deleted or crashed."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster import DagsterEventType

from ml_regress.core.drift_result import DriftReport
from ml_regress.core.outlier_result import OutlierReport
from ml_regress.defs import names
from ml_regress.defs.batch_metadata import drift_metadata, outliers_metadata
from ml_regress.defs.batches import no_drift_evaluation
from ml_regress.defs.metadata import Metadata
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation
Report = DriftReport | OutlierReport
# Of what a cursor holds.
CHECKS = "checks"


def unreported(
    workspace: Workspace, instance: dg.DagsterInstance, before: Mapping[str, Any]
) -> tuple[list[Event], dict[str, Any]]:
    """Events of stored checks that Dagster does not show, and what it shows then (by asset and batch, in a cursor).

    To be called while no run checks batches: such a run reports what it stored a moment later.
    """
    version = workspace.store.drift.version()
    if before.get(CHECKS) == version:
        return [], carried(before)
    found: dict[str, dict[str, Report]] = {
        names.DRIFT: {**workspace.store.drift.drifts()},
        names.OUTLIERS: {**workspace.store.drift.outliers()},
    }
    events: list[Event] = []
    reported: dict[str, Any] = {CHECKS: version}
    for asset, reports in found.items():
        marks = {batch: _mark(report.question, report.checked_at) for batch, report in reports.items()}
        new = {batch for batch, mark in marks.items() if before.get(asset, {}).get(batch) != mark}
        shown = _shown(instance, asset, new)
        missing = [report for batch, report in reports.items() if batch in new and shown.get(batch) != marks[batch]]
        for report in missing:
            metadata = _metadata(report, workspace.settings)
            events.append(dg.AssetMaterialization(asset, partition=report.batch, metadata=metadata))
        drifts = [report for report in missing if isinstance(report, DriftReport)]
        if drifts:
            events.append(no_drift_evaluation(drifts))
        reported[asset] = marks
    return events, reported


def carried(before: Mapping[str, Any]) -> dict[str, Any]:
    """What a cursor says of checks, as it was."""
    return {name: before[name] for name in (CHECKS, names.DRIFT, names.OUTLIERS) if name in before}


def _metadata(report: Report, settings: Settings) -> Metadata:
    return drift_metadata(report, settings) if isinstance(report, DriftReport) else outliers_metadata(report, settings)


def _mark(question: object, checked_at: object) -> str:
    """What names a stored check: the same question may be asked again."""
    return f"{question or ''}"[:16] + f" {checked_at or ''}"


def _shown(instance: dg.DagsterInstance, asset: str, batches: set[str]) -> dict[str, str]:
    """The mark of what Dagster shows last of each of these batches."""
    if not batches:
        return {}
    key = dg.AssetKey(asset)
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(
        key, DagsterEventType.ASSET_MATERIALIZATION, batches
    )
    if not latest:
        return {}
    wanted = dg.AssetRecordsFilter(key, storage_ids=list(latest.values()))
    found = {}
    for record in instance.fetch_materializations(wanted, limit=len(latest)).records:
        event = record.asset_materialization
        if event is not None and event.partition is not None:
            question, checked_at = (event.metadata.get(name) for name in ("question", "checked_at"))
            found[str(event.partition)] = _mark(question and question.value, checked_at and checked_at.value)
    return found
