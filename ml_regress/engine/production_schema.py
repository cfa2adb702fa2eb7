"""The production schema in force: stated in production.yaml, or inferred from the reference and then frozen."""

import os
import time
from pathlib import Path

from ml_regress.core.inputs import InputTypes
from ml_regress.core.production import ProductionSchema
from ml_regress.engine import watching
from ml_regress.engine.watching import Seen
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, NotFound
from ml_regress.intake.production import FILE, read_production
from ml_regress.intake.production_inferred import infer_inputs, with_inputs

PRODUCTION, BATCHES = "production", "batches"
NOT_STATED = ProductionSchema(InputTypes((), ()), inferred=True)


def production_schema(workspace: Workspace) -> ProductionSchema | None:
    """The schema in force, after a look at production.yaml, which is read where it changed.

    None where the workspace says nothing of production, or nothing is there yet to infer its inputs from. A file that
    breaks a rule stands among the refusals, and the last valid schema stays in force. It may write to the store, so
    it is not for a transaction that reads.
    """
    path, store = workspace.settings.workspace / FILE, workspace.store
    known, signature = store.batches.schema_in_force(), changed(workspace)
    if signature is None and known is not None:
        return known
    if not os.path.lexists(path) and not (workspace.settings.workspace / BATCHES).is_dir():
        return known
    try:
        stated = read_production(path) if os.path.lexists(path) else NOT_STATED
    except InvalidInput as error:
        if signature is not None:
            store.sources.read(FILE, PRODUCTION, signature, str(error))
        return known
    schema, origin = (stated, FILE) if not stated.inferred else _with_known_inputs(workspace, stated, known)
    if schema is not None:
        store.batches.freeze_schema(schema, origin)
    if signature is not None:  # last: what crashed before is done again
        store.sources.read(FILE, PRODUCTION, signature)
    return schema


def changed(workspace: Workspace) -> str | None:
    """The signature of production.yaml where it is another one than at the last look, None where nothing is new."""
    path = workspace.settings.workspace / FILE
    before = workspace.store.sources.signatures(PRODUCTION).get(FILE)
    if not os.path.lexists(path):
        if before is not None:  # what it said stays in force, as everything does whose file is away
            workspace.store.sources.forget([FILE])
        return None
    seen = Seen.of((path,))
    if before == seen.signature:
        return None
    why = watching.why_unreadable((path,))
    if why is not None:
        watching.refuse_unreadable(workspace, before, FILE, PRODUCTION, why)
        return None
    return seen.signature


def still_written(workspace: Workspace) -> bool:
    """Whether production.yaml changed since the last look, so lately that it may not be whole yet."""
    path = workspace.settings.workspace / FILE
    seen = Seen.of((path,))
    known = workspace.store.sources.signatures(PRODUCTION).get(FILE)
    return os.path.lexists(path) and known != seen.signature and seen.still_written(time.time())


def infer_again(workspace: Workspace, *, actor: str) -> ProductionSchema:
    """Infer the inputs anew from the reference and freeze them, on a person's word.

    Raises InvalidInput where production.yaml is faulty or states them, NotFound where there is no reference to infer
    them from.
    """
    path, stated = workspace.settings.workspace / FILE, _stated(workspace)
    if not stated.inferred:
        rule = "states the inputs, so that there is nothing to infer; change them there"
        raise InvalidInput.single(str(path), rule, column="inputs")
    source = reference_file(workspace)
    if source is None:
        raise NotFound(
            "no candidate names the table that it was trained on (`trained_on` in candidate.yaml), and inputs are "
            "inferred from that; name it, or state `inputs` in production.yaml"
        )
    schema = infer_inputs(stated, source)
    workspace.store.batches.freeze_schema(
        schema, f"inferred from the reference {workspace.relative(source)}", actor=actor
    )
    return schema


def infer_from_batch(workspace: Workspace, path: Path) -> tuple[ProductionSchema, str]:
    """The schema that the first batch has, where no reference tells it, and where it is from; nothing is stored.

    Raises InvalidInput where production.yaml is faulty, or the reference that a candidate names cannot be read.
    """
    stated = _stated(workspace)
    source = reference_file(workspace)
    if source is not None:
        # It did not work a moment ago, and says why.
        return infer_inputs(stated, source), f"inferred from the reference {workspace.relative(source)}"
    return infer_inputs(stated, path), f"inferred from the first batch, {workspace.relative(path)}"


def reference_file(workspace: Workspace) -> Path | None:
    """The table that production was trained on, else the newest candidate that names one; None where none does."""
    candidates = workspace.store.candidates.all()
    production = workspace.store.candidates.production()
    named = [each for each in candidates if each.manifest.trained_on is not None]
    first = next((each for each in named if each.id == production), named[-1] if named else None)
    return None if first is None else workspace.settings.workspace / str(first.manifest.trained_on)


def _stated(workspace: Workspace) -> ProductionSchema:
    """What production.yaml says now, defaults where there is none; raises InvalidInput."""
    path = workspace.settings.workspace / FILE
    return read_production(path) if os.path.lexists(path) else NOT_STATED


def _with_known_inputs(
    workspace: Workspace, stated: ProductionSchema, known: ProductionSchema | None
) -> tuple[ProductionSchema | None, str]:
    """The schema with inputs that were frozen before, or else that the reference has, and where they are from."""
    frozen = workspace.store.batches.inferred_schema()
    if frozen is not None:
        return with_inputs(stated, frozen.inputs), f"{FILE}, with the inputs that were inferred before"
    source = reference_file(workspace)
    if source is not None:
        try:
            schema = infer_inputs(stated, source)
        except InvalidInput as error:
            _refuse_reference(workspace, f"the production schema cannot be inferred from the reference: {error}")
        else:
            _refuse_reference(workspace, None)
            return schema, f"inferred from the reference {workspace.relative(source)}"
    if known is not None:
        return with_inputs(stated, known.inputs), f"{FILE}, with the inputs that it stated before"
    return None, ""


def _refuse_reference(workspace: Workspace, why: str | None) -> None:
    source, known = "production schema", workspace.store.sources.signatures(PRODUCTION)
    if why is None and source in known:
        workspace.store.sources.forget([source])
    elif why is not None and known.get(source) != why:
        workspace.store.sources.read(source, PRODUCTION, why, why)
