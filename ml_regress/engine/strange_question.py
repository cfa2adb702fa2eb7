"""What a look for strange rows depends on, named by one digest; no file is read for it."""

from collections.abc import Iterable, Sequence

from ml_regress.core.batch import Batch
from ml_regress.core.digest import digest_of
from ml_regress.core.production import ProductionSchema
from ml_regress.core.rating import Rating
from ml_regress.engine.candidate_answers import newest_candidates
from ml_regress.engine.references import Reference, reference_of
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, NotFound

# Raised with a change of what strange means: batches are looked at again then.
VERSION = "1"
# Older batches are not looked at again because a candidate or a rating came.
RECENT = 12
_HALF = 32


def outlier_question(workspace: Workspace, batch: Batch) -> str:
    """The question that a look at this batch answers today."""
    return outlier_questions(workspace, [batch])[batch.id]


def outlier_questions(workspace: Workspace, batches: Iterable[Batch]) -> dict[str, str]:
    """The questions of several batches, by their ids: what they have in common is asked for once.

    The first half of a question names the batch and its reference, the second the candidates and complaints: of a
    batch that is not among the RECENT newest an answer to the first half is enough.
    """
    store = workspace.store
    usable = [each for each in store.batches.all() if each.usable]
    recent = {each.id for each in usable[-RECENT:]}
    answered = store.drift.outlier_questions()
    asked = [each.digest for each in newest_candidates(workspace)]
    complaints = complaints_by_batch(workspace, usable)
    references = dict[str, Reference | None]()
    questions = dict[str, str]()
    for batch in batches:
        if batch.schema not in references:
            schema = store.batches.schema_in_force() or store.batches.schema(batch.schema)
            references[batch.schema] = _reference(workspace, schema)
        found = references[batch.schema]
        # A window without the batch itself is named by the whole window and by that.
        against = None if found is None else [found.digest, batch.id in found.batches]
        first = digest_of([batch.digest, batch.schema, against, VERSION])[:_HALF]
        before = answered.get(batch.id, "")
        if batch.id not in recent and before.startswith(first):
            questions[batch.id] = before
            continue
        rated = [[rating.number, dict(rating.inputs)] for rating in complaints.get(batch.id, ())]
        questions[batch.id] = first + digest_of([asked, rated])[:_HALF]
    return questions


def complaints_by_batch(workspace: Workspace, usable: Sequence[Batch]) -> dict[str, list[Rating]]:
    """Low ratings by the one batch that each is looked at with: the batch that it names, if that was among the RECENT
    newest when it was made, else the newest that had come then, else the first that came.
    """
    came = sorted(usable, key=lambda each: (each.received_at, each.id))
    found: dict[str, list[Rating]] = {}
    for rating in workspace.store.ratings.all(low=True):
        before = [each.id for each in usable if each.received_at <= rating.at] or [each.id for each in came[:1]]
        batch = rating.batch if rating.batch in before[-RECENT:] else before[-1] if before else None
        if batch is not None:
            found.setdefault(batch, []).append(rating)
    return found


def _reference(workspace: Workspace, schema: ProductionSchema) -> Reference | None:
    try:
        return reference_of(workspace, schema)
    except (NotFound, InvalidInput):
        return None
