"""Batches and their checks as assets: batches are reported by a sensor, drift and outliers are computed by runs."""

import warnings
from collections.abc import Iterator, Sequence

import dagster as dg

from ml_regress.core.drift_result import DriftReport
from ml_regress.defs import names
from ml_regress.defs.batch_metadata import (
    batch_metadata,
    drift_metadata,
    no_drift_result,
    outliers_metadata,
    schema_kept_result,
)
from ml_regress.defs.batch_pages import write_batch_pages, write_over_time
from ml_regress.defs.column_schema import stored_schema
from ml_regress.defs.metadata import Metadata
from ml_regress.defs.partitions import batches_partitions
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine.checking import check_each
from ml_regress.engine.production import Checked
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress.store import tables

batches = dg.AssetSpec(
    names.BATCHES,
    description="Production data as it came: files in batches/, and labels that came later. A batch that breaks the "
    "production schema is quarantined whole, with its reasons, until a person releases it.",
    group_name=names.PRODUCTION_GROUP,
    owners=names.OWNERS,
    kinds={"parquet"},
    metadata={"dagster/column_schema": stored_schema(tables.batches)},
    partitions_def=batches_partitions,
)
NO_DRIFT_CHECK = dg.AssetCheckSpec(
    names.NO_DRIFT,
    asset=names.DRIFT,
    description="No batch of the newest run drifts. Those that do, or could not be compared, are named with the "
    "columns and the reasons; too few rows to tell is no warning, and is said.",
)


with warnings.catch_warnings():
    # `backfill_policy` is beta; test_upstream.py pins what we lean on.
    warnings.simplefilter("ignore", dg.BetaWarning)

    @dg.multi_asset(
        name="checks_of_batches",
        specs=[
            dg.AssetSpec(
                names.DRIFT,
                deps=[names.BATCHES],
                description="Each batch held against its reference: inputs, predictions, labels and the metric, one by "
                "one and all columns together.",
                owners=names.OWNERS,
                kinds={"python", "scikitlearn"},
                metadata={"dagster/column_schema": stored_schema(tables.drift_results)},
                skippable=True,
            ),
            dg.AssetSpec(
                names.OUTLIERS,
                deps=[names.BATCHES],
                description="The strange rows of each batch by cause, the proposals that came of them, and the kinds "
                "of rows that no pattern is near.",
                owners=names.OWNERS,
                kinds={"python", "scikitlearn"},
                metadata={"dagster/column_schema": stored_schema(tables.outlier_results)},
                skippable=True,
            ),
        ],
        check_specs=[NO_DRIFT_CHECK],
        partitions_def=batches_partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=names.PRODUCTION_GROUP,
        can_subset=True,
    )
    def checks_of_batches(context: dg.AssetExecutionContext, workspace: WorkspaceResource):  # type: ignore[no-untyped-def]
        opened = workspace.open()
        known = {batch.id: batch for batch in opened.store.batches.all()}
        asked, by_hand = asked_of(context)
        chosen = {key.to_user_string() for key in context.selected_asset_keys}
        reports = []
        for checked in check_each(opened, [known[name] for name in asked if name in known], again=by_hand):
            reports.append(checked.drift)
            write_batch_pages(opened, [checked.batch])
            yield from materializations(checked, opened.settings, chosen)
        write_over_time(opened)
        if context.selected_asset_check_keys:
            passed, metadata = no_drift_result(reports if asked else standing(opened))
            yield dg.AssetCheckResult(
                asset_key=dg.AssetKey(names.DRIFT),
                check_name=names.NO_DRIFT,
                passed=passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=metadata,
            )
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise dg.Failure(f"no batch with this id is known: {', '.join(unknown)}")


def asked_of(context: dg.AssetExecutionContext) -> tuple[list[str], bool]:
    """The batches that a run is to check, and whether a person asked for it; none where only the check is run.

    A run of the sensor names them in a tag, for its range of partitions may hold others between them. A copy of such
    a run (a re-execution) is a person's.
    """
    run = context.run
    named = run.tags.get(names.BATCHES_TAG)
    if named:
        return named.split(","), run.parent_run_id is not None
    if not (context.has_partition_key or context.has_partition_key_range):
        return [], True
    keys = list(context.partition_keys)
    if not keys:
        raise dg.Failure("nothing was checked: the range of this run holds no batch any more, its keys are gone")
    return keys, True


def materializations(checked: Checked, settings: Settings, chosen: set[str]) -> Iterator[dg.AssetMaterialization]:
    """The events of a checked batch, of those assets that a run makes."""
    found = {
        names.DRIFT: (checked.drift.batch, drift_metadata(checked.drift, settings)),
        names.OUTLIERS: (checked.outliers.batch, outliers_metadata(checked.outliers, settings)),
    }
    for asset, (batch, metadata) in found.items():
        if asset in chosen:
            yield dg.AssetMaterialization(asset, partition=batch, metadata=metadata)


def no_drift_evaluation(reports: Sequence[DriftReport]) -> dg.AssetCheckEvaluation:
    """A warning where a batch drifts or could not be compared: for who reports it beside a run of the asset."""
    passed, metadata = no_drift_result(reports)
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(names.DRIFT),
        check_name=names.NO_DRIFT,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def standing(workspace: Workspace) -> list[DriftReport]:
    """The newest stored report of every batch that is checked."""
    usable = {batch.id for batch in workspace.store.batches.all() if batch.usable}
    return [report for batch, report in workspace.store.drift.drifts().items() if batch in usable]


def batch_facts(workspace: Workspace) -> dict[str, dict[str, Metadata]]:
    """The metadata of every batch, by asset and partition."""
    settings = workspace.settings
    return {names.BATCHES: {batch.id: batch_metadata(batch, settings) for batch in workspace.store.batches.all()}}


def schema_kept_evaluation(workspace: Workspace) -> dg.AssetCheckEvaluation:
    """The result as an event, which a sensor reports without a run."""
    passed, metadata = schema_kept_result(workspace.store.batches.all())
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(names.BATCHES),
        check_name=names.SCHEMA_KEPT,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=metadata,
    )


@dg.asset_check(
    asset=names.BATCHES,
    name=names.SCHEMA_KEPT,
    description="No batch is quarantined. Each that is stands here with the rules that it broke.",
)
def schema_kept(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    passed, metadata = schema_kept_result(workspace.open().store.batches.all())
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.ERROR, metadata=metadata)
