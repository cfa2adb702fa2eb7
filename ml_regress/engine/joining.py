"""Later labels and predictions, joined by key to a batch that is there."""

from dataclasses import replace
from pathlib import Path

from ml_regress.engine.registry import Taken
from ml_regress.engine.watching import Seen
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import NotFound, Unavailable
from ml_regress.intake.batch_join import join_answers
from ml_regress.intake.batches import LABELS
from ml_regress.intake.later_answers import read_answers


def join(workspace: Workspace, name: str, kind: str, path: Path, *, actor: str) -> Taken:
    """Join a table of "labels" or "predictions" to the batch of this id.

    Raises NotFound where there is no such batch yet, InvalidInput for a table that does not fit it, Conflict where the
    batch changed meanwhile, Unavailable where the file did. Nothing is stored then.
    """
    batch = workspace.store.batches.find(name)
    if batch is None:
        raise NotFound(f"there is no batch {name!r} yet; its {kind} wait for it, and are joined when it comes")
    schema = workspace.store.batches.schema(batch.schema)
    signature = Seen.of((path,)).signature
    answers = read_answers(path, kind, schema)
    with workspace.archive.staging() as folder:
        rows = join_answers(workspace.archive.rows(batch.digest), answers, schema, folder / "rows.parquet")
        if Seen.of((path,)).signature != signature:
            raise Unavailable(f"{path} changed while it was read; nothing was stored, try again once it is written")
        if rows is None:
            return Taken(f"{kind} of batch {batch.id} unchanged", answers.notes)
        workspace.archive.keep_rows(rows.path, rows.digest)
    said = f"{rows.new:,} new {kind if kind == LABELS else 'predictions and scores'}"
    joined = replace(batch, digest=rows.digest, predicted=rows.predicted, labelled=rows.labelled)
    workspace.store.batches.update(joined, before=batch.digest, actor=actor, words=said)
    return Taken(f"{said} joined to batch {batch.id}", answers.notes)
