"""Whether batches come as often as production.yaml expects: a check, and the daily job that complains."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from ml_regress.defs import names
from ml_regress.defs.batch_pages import write_batch_pages, write_over_time
from ml_regress.defs.batches import materializations, no_drift_evaluation
from ml_regress.defs.metadata import Metadata
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine.production import complain, watch
from ml_regress.engine.production_schema import production_schema
from ml_regress.engine.workspace import Workspace


def arrive_result(workspace: Workspace, now: datetime) -> tuple[bool, Metadata]:
    """Whether the newest batch is no older than `every` (`now` has a time zone); who is to be told of it is told."""
    schema, late, listed = production_schema(workspace), complain(workspace, now), workspace.store.batches.all()
    newest = max(listed, key=lambda batch: batch.received_at, default=None)
    found: Metadata = {"batches": len(listed)}
    if newest is not None:
        found |= {"newest": newest.id, "received_at": newest.received_at}
    if schema is None or schema.every is None:
        return True, found | {"expected": "nobody is missed: production.yaml does not say how often (`every`)"}
    found["expected"] = f"every {schema.every}"
    return late is None, found if late is None else found | {"late": late.words, "since": late.since}


@dg.asset_check(
    asset=names.BATCHES,
    name=names.BATCHES_ARRIVE,
    description="A batch came within the time that production.yaml expects (`every`). Looked at each day.",
)
def batches_arrive(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    passed, metadata = arrive_result(workspace.open(), datetime.now(UTC))
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Checks every batch that is due, whatever was missed, and complains where no batch came.",
)
def look_at_production(
    context: dg.OpExecutionContext, workspace: WorkspaceResource
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output[None]]:
    opened = workspace.open()
    checked = watch(opened)
    known = {batch.id: batch for batch in opened.store.batches.all()}
    for each in checked:
        write_batch_pages(opened, [each.batch])
        yield from materializations(each, opened.settings, {names.DRIFT, names.OUTLIERS})
    if checked:
        yield no_drift_evaluation([each.drift for each in checked])
    if known:
        write_over_time(opened)
    context.log.info(f"{len(checked)} batches were due")
    context.instance.add_run_tags(context.run_id, {f"{names.COUNT_TAG}batches_checked": str(len(checked))})
    passed, metadata = arrive_result(opened, datetime.now(UTC))
    yield dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(names.BATCHES),
        check_name=names.BATCHES_ARRIVE,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
    yield dg.Output(None)
