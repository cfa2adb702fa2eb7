"""What a batch is held against: the data that a candidate was trained on, or a window of batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ml_regress.core.batch import Batch
from ml_regress.core.candidate import Candidate
from ml_regress.core.digest import digest_of
from ml_regress.core.production import ProductionSchema, Window
from ml_regress.engine.keeping import keep_table
from ml_regress.engine.window_rows import write_window
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Fault, InvalidInput, NotFound
from ml_regress.intake.kept import Kept

# Raised when the same batches would become other kept rows.
_WINDOW_VERSION = "1"
_MISSING = "is missing"


@dataclass(frozen=True)
class Reference:
    """Rows that batches are held against.

    `digest` names the kept rows; `path` is where they lie (of a window: will lie, once `kept_reference` made them).
    `candidate` is who was trained on the file, None for a window; `batches` are those of the window in their order.
    `absent` are inputs that the file does not have.
    """

    digest: str
    path: Path
    words: str
    rows: int
    candidate: str | None = None
    batches: tuple[str, ...] = ()
    from_file: bool = False
    notes: tuple[str, ...] = ()
    absent: frozenset[str] = field(default_factory=frozenset)


def reference_of(workspace: Workspace, schema: ProductionSchema) -> Reference:
    """The reference that this schema asks for; cheap, for a file that did not change is not read again.

    Raises NotFound where there is none, and InvalidInput where its file cannot be read; both say what to do.
    """
    if schema.reference is not None:
        return _of_window(workspace, schema.reference)
    return _of_file(workspace, schema)


def without_batch(workspace: Workspace, reference: Reference, batch: str) -> Reference:
    """The reference as this batch may be held against it: a window without the batch itself.

    Raises NotFound where nothing else is left of the window.
    """
    if batch not in reference.batches:
        return reference
    others = [workspace.store.batches.get(name) for name in reference.batches if name != batch]
    if not others:
        raise NotFound(f"batch {batch} is the whole reference ({reference.words}), and cannot be held against itself")
    return _window_reference(workspace, others, f"{reference.words}, without {batch} itself")


def kept_reference(workspace: Workspace, reference: Reference) -> tuple[Kept, tuple[str, ...]]:
    """The kept rows of a reference, and notes on columns that they leave out.

    A window of several batches is put together once. Raises NotFound or Unavailable where rows are gone.
    """
    if len(reference.batches) < 2 or reference.path.is_file():
        kept = Kept(workspace.archive.rows(reference.digest))
        return kept, () if len(reference.batches) < 2 else _left_out(workspace, reference, kept)
    archive = workspace.archive
    parts = [archive.rows(workspace.store.batches.get(name).digest) for name in reference.batches]
    with archive.staging() as folder:
        written = folder / "window.parquet"
        write_window([Kept(part) for part in parts], written)
        kept = Kept(archive.keep_rows(written, reference.digest))
    return kept, _left_out(workspace, reference, kept)


def trained_on(workspace: Workspace) -> tuple[Candidate, bool] | None:
    """The candidate whose training data is the reference, and whether it is in production; None where none says.

    It is the one in production, or else the newest one that names its data.
    """
    production = workspace.store.candidates.production()
    named = [each for each in workspace.store.candidates.all() if each.manifest.trained_on is not None]
    if not named:
        return None
    found = next((each for each in named if each.id == production), named[-1])
    return found, found.id == production


def _of_window(workspace: Workspace, window: Window) -> Reference:
    every = [batch for batch in workspace.store.batches.all() if _begins_in(batch, window)]
    usable = [batch for batch in every if batch.usable]
    if not usable:
        held = ", ".join(batch.id for batch in every)
        why = f"only quarantined ones begin in it: {held}; release one" if every else "none begins in it; bring one"
        raise NotFound(
            f"the reference is {window.words}, and {why}, or change `reference` in production.yaml (from, to)"
        )
    return _window_reference(workspace, usable, window.words)


def _window_reference(workspace: Workspace, batches: Sequence[Batch], words: str) -> Reference:
    digests = [batch.digest for batch in batches]
    digest = digests[0] if len(digests) == 1 else digest_of([_WINDOW_VERSION, digests])
    path = workspace.archive.folder / "rows" / f"{digest}.parquet"
    rows = sum(batch.rows for batch in batches)
    return Reference(digest, path, words, rows, batches=tuple(batch.id for batch in batches))


def _begins_in(batch: Batch, window: Window) -> bool:
    """Dates and times in UTC stand in their order as texts, and a date before every time of its day."""
    after = window.start is None or batch.starts >= window.start
    return after and (window.end is None or batch.starts < window.end)


def _of_file(workspace: Workspace, schema: ProductionSchema) -> Reference:
    found = trained_on(workspace)
    if found is None:
        raise NotFound(
            "there is no reference to hold batches against: name the table that a candidate was trained on "
            "(`trained_on` in candidate.yaml), or a window of batches (`reference` with from and to in production.yaml)"
        )
    candidate, in_production = found
    named = str(candidate.manifest.trained_on)
    whose = f"what {candidate.id} was trained on ({named})"
    try:
        kept = keep_table(workspace.settings.workspace / named, schema, workspace.archive)
    except InvalidInput as error:
        rule = f"is {whose}, which batches are held against: put the table in order, or name another as `trained_on`"
        raise InvalidInput([*error.faults, Fault(named, None, None, None, rule)]) from error
    notes = [f"reference {named}: {line}" for line in (*kept.reasons, *kept.notes)]
    if not in_production:
        whose += ", the newest candidate that names its data; none in production does"
    absent = {str(each.column) for each in kept.faults if each.row is None and each.rule.startswith(_MISSING)}
    return Reference(
        kept.digest,
        kept.path,
        whose,
        kept.rows,
        candidate=candidate.id,
        from_file=True,
        notes=tuple(notes),
        absent=frozenset(absent),
    )


def _left_out(workspace: Workspace, reference: Reference, kept: Kept) -> tuple[str, ...]:
    """A note on the columns of the newest batch of a window that its rows leave out."""
    newest = workspace.store.batches.get(reference.batches[-1])
    names = [name for name in Kept(workspace.archive.rows(newest.digest)).names if name not in kept.names]
    if not names:
        return ()
    return (f"left out of the reference, for not all of its batches have them alike: {', '.join(names)}",)
