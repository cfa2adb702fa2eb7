"""The jobs: measuring cells, refreshing what people read, the hourly audit, and what is done for production."""

import dagster as dg

from ml_regress.defs import names
from ml_regress.defs.arrival import look_at_production
from ml_regress.defs.batches import checks_of_batches
from ml_regress.defs.evaluation import evaluation
from ml_regress.defs.production import report, scoreboard
from ml_regress.defs.resources import WorkspaceResource

measure_job = dg.define_asset_job(
    names.MEASURE,
    selection=dg.AssetSelection.assets(evaluation),
    executor_def=dg.in_process_executor,
    description="Measures a rectangle of cells: a range of candidates x a range of problems.",
)
refresh_job = dg.define_asset_job(
    names.REFRESH,
    selection=dg.AssetSelection.assets(scoreboard, report),
    executor_def=dg.in_process_executor,
    description="Draws the scoreboard and writes the report from what the store holds.",
)


@dg.op(description="Compares every cell with every digest and makes due what is missing.")
def compare_all_cells(context: dg.OpExecutionContext, workspace: WorkspaceResource) -> None:
    missing = workspace.open().store.due.audit()
    context.log.info(f"{missing} cells were missing from the list of due cells")
    context.instance.add_run_tags(context.run_id, {f"{names.COUNT_TAG}missing": str(missing)})


@dg.job(
    name=names.AUDIT,
    executor_def=dg.in_process_executor,
    description="What a lost row of the due list would hide is found here, each hour.",
)
def audit_job() -> None:
    compare_all_cells()


check_batches_job = dg.define_asset_job(
    names.CHECK_BATCHES,
    selection=dg.AssetSelection.assets(checks_of_batches),
    executor_def=dg.in_process_executor,
    description="Holds batches against their reference and looks for strange rows in them.",
)


@dg.job(
    name=names.WATCH_PRODUCTION,
    executor_def=dg.in_process_executor,
    description="Checks each day whatever a sensor missed, and complains where no batch came.",
)
def watch_production_job() -> None:
    look_at_production()
