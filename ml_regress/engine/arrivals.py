"""Batches come in: from the watched folder, or imported; later labels and predictions join them."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.digest import digest_of
from ml_regress.core.production import ProductionSchema
from ml_regress.engine import watching
from ml_regress.engine.joining import join
from ml_regress.engine.keeping import keep_parts
from ml_regress.engine.production_schema import BATCHES, infer_from_batch, production_schema, still_written
from ml_regress.engine.registry import Taken
from ml_regress.engine.same_rows import adds_nothing
from ml_regress.engine.watching import Seen
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, MlRegressError, NotFound, Unavailable
from ml_regress.intake.batches import BatchFiles, batch_files, is_ignored, is_joined, period_of
from ml_regress.intake.kept_table import KeptTable
from ml_regress.intake.production import size_words
from ml_regress.store.database import now


def look_at_batches(workspace: Workspace, looks: Mapping[str, str]) -> dict[str, str]:
    """Take in what is new in batches/; `looks` are the signatures of the look before.

    Returns this look's signatures of the folders that may not be whole yet. What is refused stands among the
    refusals, and is read again when it changes, or what it was held against does.
    """
    if still_written(workspace):
        return dict(looks)
    production_schema(workspace)
    entries = watching.look_into(workspace, BATCHES)
    if entries is None:
        return dict(looks)
    known, now_seen = workspace.store.sources.signatures(BATCHES), {}
    found = [path for path in entries if not is_ignored(path)]
    # Labels after their batches, so that they need not wait for another look.
    for path in sorted(found, key=lambda path: (is_joined(path), path.name)):
        waiting = _look_at(workspace, path, known.get(workspace.relative(path)), looks.get(path.name))
        if waiting is not None:
            now_seen[path.name] = waiting
    watching.forget_gone(workspace, known, [workspace.relative(path) for path in found])
    return now_seen


def import_batch(workspace: Workspace, path: Path, *, actor: str = "import") -> Taken:
    """Take in one batch (a file or a folder), or labels or predictions of one (ID.labels.csv).

    Raises InvalidInput, Conflict, NotFound (labels without their batch) or Unavailable (it changed meanwhile). Nothing
    is stored then, save that the rows of a folder are kept where its labels are at fault.
    """
    files = batch_files(path)
    while True:
        before = _held(workspace, files)
        try:
            return _import(workspace, files, actor)
        except MlRegressError:
            if _held(workspace, files) == before:
                raise
            # Somebody else stored a batch or a schema meanwhile: it is held against that.


def _held(workspace: Workspace, files: BatchFiles) -> tuple[Batch | None, ProductionSchema | None]:
    """What a source is held against: the batch of its id, and the schema in force."""
    return workspace.store.batches.find(files.id), workspace.store.batches.schema_in_force()


def _import(workspace: Workspace, files: BatchFiles, actor: str) -> Taken:
    signature = Seen.of(files.files).signature
    said, notes = list[str](), list[str]()
    if files.parts:
        batch, words = _take_rows(workspace, files, signature, actor)
        said.append(words)
        notes += [*batch.reasons, *batch.notes]
    for kind, answers in files.joined:
        taken = join(workspace, files.id, kind, answers, actor=actor)
        said.append(taken.said)
        notes += taken.notes
    if _is_quarantined(workspace, files.id) and files.parts:
        signature = _again(workspace, files, signature)
    workspace.store.sources.read(workspace.relative(files.path), BATCHES, signature)
    return Taken("; ".join(said), tuple(notes))


def release(workspace: Workspace, name: str, *, person: str, why: str) -> Batch:
    """Let a quarantined batch be used, on a person's word; raises NotFound, Conflict or InvalidInput."""
    return workspace.store.batches.release(name, person=person, why=why)


# -- looking ---------------------------------------------------------------------------------------


def _look_at(workspace: Workspace, path: Path, known: str | None, looked: str | None) -> str | None:
    """Take in one entry of the folder if it is new; returns the signature of a folder that may not be whole."""
    source = workspace.relative(path)
    try:
        folder = watching.is_folder(path)
        files = batch_files(path)
    except OSError as error:
        if os.path.lexists(path):
            why = f"{path} {watching.words(error)}; it is tried again at every look"
            watching.refuse_unreadable(workspace, known, source, BATCHES, why)
        return None
    except InvalidInput as error:
        _refuse_name(workspace, path, known, str(error))
        return None
    seen = Seen.of(files.files)
    if known in (seen.signature, _again(workspace, files, seen.signature)):
        return None
    settling = Seen.of((*files.files, *files.beside))
    if settling.still_written(time.time()) or (folder and looked != settling.signature):
        return settling.signature if folder else None
    why_not = watching.why_unreadable(files.files)
    if why_not is not None:
        watching.refuse_unreadable(workspace, known, source, BATCHES, why_not)
        return None
    try:
        import_batch(workspace, path, actor="watch")
    except Unavailable:
        if Seen.of(files.files).signature == seen.signature:  # the store or the archive is away
            raise
    except MlRegressError as error:
        workspace.store.sources.read(source, BATCHES, _again(workspace, files, seen.signature), str(error))
    return None


def _refuse_name(workspace: Workspace, path: Path, known: str | None, why: str) -> None:
    """Refuse what can be no batch; a folder that is being filled holds no table at first."""
    seen = Seen.of((path,))
    if known != seen.signature and not seen.still_written(time.time()):
        workspace.store.sources.read(workspace.relative(path), BATCHES, seen.signature, why)


def _again(workspace: Workspace, files: BatchFiles, signature: str) -> str:
    """What is remembered of a source that is refused or quarantined.

    It is read again when what it was held against changes: the production schema for rows, the batch for its labels.
    """
    batch = workspace.store.batches.find(files.id)
    held = "" if batch is None else f"{batch.digest} {batch.schema}"
    if files.parts:
        schema = workspace.store.batches.schema_in_force()
        held = "" if schema is None else digest_of(schema.as_dict())
    return f"{signature}, held against {held or 'nothing'}"


def _is_quarantined(workspace: Workspace, name: str) -> bool:
    batch = workspace.store.batches.find(name)
    return batch is not None and batch.state == QUARANTINED


# -- rows ------------------------------------------------------------------------------------------


def _take_rows(workspace: Workspace, files: BatchFiles, signature: str, actor: str) -> tuple[Batch, str]:
    source, known = workspace.relative(files.path), workspace.store.batches.find(files.id)
    if known is not None:
        _refuse_second(workspace, files, source, known)
    schema, origin = production_schema(workspace), ""
    if schema is None:
        schema, origin = infer_from_batch(workspace, files.parts[0])
    _refuse_too_large(files, schema)
    if known is not None and known.usable:
        kept = keep_parts(files.parts, workspace.store.batches.schema(known.schema), workspace.archive)
        rows = _known_rows(workspace, known)
        if rows is None and kept.rows == known.rows:
            return _brought_back(workspace, known, kept, source, actor)
        if rows is None or not adds_nothing(kept.path, rows):
            raise Conflict(
                f"batch {known.id!r} is {known.state} already, and {source} holds other rows than it; accepted batches "
                f"never change: give the new rows an id of their own. Labels come as {known.id}.labels.csv"
            )
        return known, f"batch {known.id} unchanged"
    kept = keep_parts(files.parts, schema, workspace.archive)
    if Seen.of(files.files).signature != signature:
        raise Unavailable(f"{files.path} changed while it was read; nothing was stored, try again once it is written")
    batch = _batch(workspace, files, kept, origin)
    if known is not None:
        batch = _corrected(batch, known)
    if known is not None and _is_still(workspace, known, batch, kept):
        return known, f"batch {known.id} unchanged, quarantined"
    if origin:  # of a batch that can be kept only: the schema stays
        workspace.store.batches.freeze_schema(schema, origin, first=True)
    return _stored(workspace, batch, known, kept.sound, actor)


def _is_still(workspace: Workspace, known: Batch, batch: Batch, kept: KeptTable) -> bool:
    """Whether a quarantined batch came again with the same rows, and breaks the same schema as before."""
    same, rows = known.reasons == batch.reasons and known.schema == batch.schema, _known_rows(workspace, known)
    return same and rows is not None and adds_nothing(kept.path, rows)


def _known_rows(workspace: Workspace, known: Batch) -> Path | None:
    """The kept rows of a batch; None where they are gone from the archive."""
    try:
        return workspace.archive.rows(known.digest)
    except NotFound:
        return None


def _brought_back(workspace: Workspace, known: Batch, kept: KeptTable, source: str, actor: str) -> tuple[Batch, str]:
    """A batch whose rows were gone from the archive, with those of its file; what was joined to them joins again."""
    batch = replace(known, digest=kept.digest, predicted=kept.predicted, labelled=kept.labelled)
    words = f"its rows were gone from the archive, and were read again from {source}"
    stored = workspace.store.batches.update(batch, before=known.digest, actor=actor, words=words)
    _forget_joined(workspace, known.id)
    return stored, f"batch {known.id}: {words}; bring its later labels and predictions again"


def _stored(workspace: Workspace, batch: Batch, known: Batch | None, sound: bool, actor: str) -> tuple[Batch, str]:
    before = None if known is None else known.digest
    keep = workspace.store.batches.accept if sound else workspace.store.batches.quarantine
    stored = keep(batch, actor=actor, instead_of=before)
    if known is not None:  # its labels were joined to rows that are gone
        _forget_joined(workspace, known.id)
    again = "" if known is None else "read again and "
    return stored, f"batch {stored.id} {again}{stored.state}: {stored.rows:,} row{'s' * (stored.rows != 1)}"


def _corrected(batch: Batch, known: Batch) -> Batch:
    """A quarantined batch that comes again; who served users when it came first stays true."""
    notes = list(batch.notes)
    if known.labelled > batch.labelled or known.predicted > batch.predicted:
        notes.append(
            "what was joined to its rows before is joined again from the files in batches/; bring again what was "
            "imported from elsewhere"
        )
    return replace(batch, candidate=known.candidate, notes=tuple(notes))


def _batch(workspace: Workspace, files: BatchFiles, kept: KeptTable, origin: str) -> Batch:
    received = now()
    starts, ends = _window(files.id, kept, received)
    notes = [f"the input types were {origin}, and are frozen"] if origin else []
    if files.left_out:
        notes.append(f"left out, as they are no tables: {', '.join(map(repr, files.left_out))}")
    return Batch(
        id=files.id,
        state=QUARANTINED,
        digest=kept.digest,
        schema=kept.schema,
        rows=kept.rows,
        starts=starts,
        ends=ends,
        source=workspace.relative(files.path),
        received_at=received,
        candidate=workspace.store.candidates.production(),
        predicted=kept.predicted,
        labelled=kept.labelled,
        reasons=kept.reasons,
        notes=(*notes, *kept.notes),
    )


def _window(name: str, kept: KeptTable, received: str) -> tuple[str, str]:
    """From the times of its rows, else from an id that begins with a date, else the moment it came."""
    if kept.first is not None and kept.last is not None:
        return kept.first, kept.last
    return period_of(name) or (received, received)


def _refuse_too_large(files: BatchFiles, schema: ProductionSchema) -> None:
    if files.size > schema.largest:
        rule = (
            f"has {size_words(files.size)}, and a batch may have {size_words(schema.largest)} (`largest` in "
            "production.yaml); raise it, or cut the batch into several"
        )
        raise InvalidInput.single(str(files.path), rule)


def _refuse_second(workspace: Workspace, files: BatchFiles, source: str, known: Batch) -> None:
    """Two sources of the watched folder with one id: the first one is the batch, the second is refused."""
    if known.id != files.id:
        raise Conflict(
            f"the id {files.id!r} differs from that of batch {known.id!r} ({known.source}) in upper and lower case "
            "only; give it an id of its own"
        )
    inside = all(Path(each).parts[:1] == (BATCHES,) for each in (known.source, source))
    if inside and known.source != source and os.path.lexists(workspace.settings.workspace / known.source):
        raise Conflict(
            f"batch {known.id!r} comes from {known.source}; {source} would be a second batch with its id: give it one "
            "of its own"
        )


def _forget_joined(workspace: Workspace, name: str) -> None:
    known = workspace.store.sources.signatures(BATCHES)
    stems = {f"{name}.labels".lower(), f"{name}.predictions".lower()}
    workspace.store.sources.forget([source for source in known if Path(source).stem.lower() in stems])
