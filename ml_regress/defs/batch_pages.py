"""The pages of batches and of production over time, written from what the store holds."""

from collections.abc import Iterable

from ml_regress.core.batch import Batch
from ml_regress.core.proposal import WAITING
from ml_regress.engine.coverage import coverage
from ml_regress.engine.workspace import Workspace
from ml_regress.report.batch_page import write_batch_page
from ml_regress.report.production_page import write_production_page


def write_batch_pages(workspace: Workspace, batches: Iterable[Batch]) -> None:
    """The page of each of these batches; raises Unavailable where the folder cannot be written."""
    store, folder = workspace.store, workspace.settings.report_folder
    waiting = store.proposals.all(WAITING)
    for batch in batches:
        its = [proposal for proposal in waiting if proposal.batch == batch.id]
        drift, outliers = store.drift.drift_of(batch.id), store.drift.outliers_of(batch.id)
        write_batch_page(batch, drift, outliers, its, folder, types=store.batches.schema(batch.schema).inputs)


def write_over_time(workspace: Workspace) -> None:
    """The page over all batches; raises Unavailable where the folder cannot be written."""
    store, schema = workspace.store, workspace.store.batches.schema_in_force()
    write_production_page(
        store.batches.all(),
        store.drift.drifts(),
        store.drift.outliers(),
        coverage(workspace),
        name=workspace.settings.name,
        folder=workspace.settings.report_folder,
        positive=None if schema is None or schema.positive_label is None else str(schema.positive_label),
        types=None if schema is None else schema.inputs,
    )
