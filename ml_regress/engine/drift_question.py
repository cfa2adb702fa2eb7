"""What a check of a batch depends on, named by one digest; no file is read for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_regress.core.batch import Batch
from ml_regress.core.candidate import Candidate
from ml_regress.core.digest import digest_of
from ml_regress.core.drift import DRIFT_VERSION
from ml_regress.core.production import ProductionSchema
from ml_regress.engine.references import Reference, reference_of
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, NotFound
from ml_regress.predictors import Policy

# Raised with a change of what a check compares (the domain classifier, too): batches are checked again.
VERSION = "1"


@dataclass(frozen=True)
class Today:
    """What every check of this moment has in common.

    `reference` is None where there is none, and `why_not` says what to do then.
    """

    schema: ProductionSchema
    reference: Reference | None
    why_not: str
    candidates: Mapping[str, Candidate]
    production: str | None
    batches: Mapping[str, Batch]
    policy: Policy


@dataclass(frozen=True)
class Answering:
    """Whose answers a check compares; `kept` where the batch came with them.

    Without a candidate `reason` says why nobody's are compared; `note` is what a reader should know otherwise.
    """

    candidate: Candidate | None
    kept: bool = False
    note: str = ""
    reason: str = ""


def today(workspace: Workspace, otherwise: Batch | None = None) -> Today | None:
    """The state of things; None where no production schema is in force (else that of the batch `otherwise`).

    Raises Unavailable where the reference changes at this moment, or the archive cannot be written.
    """
    batches = workspace.store.batches
    schema = batches.schema_in_force()
    if schema is None and otherwise is not None:
        schema = batches.schema(otherwise.schema)
    if schema is None:
        return None
    reference, why_not = None, ""
    try:
        reference = reference_of(workspace, schema)
    except (NotFound, InvalidInput) as error:
        why_not = str(error)
    candidates = workspace.store.candidates
    known = {each.id: each for each in candidates.all(archived=True)}
    came = {each.id: each for each in batches.all()}
    return Today(schema, reference, why_not, known, candidates.production(), came, workspace.policy)


def answering(now: Today, batch: Batch) -> Answering:
    """Who answered the rows of a batch, or else is asked about them: the batch's own candidate, or production."""
    own = None if batch.candidate is None else now.candidates.get(batch.candidate)
    if batch.predicted and own is not None:
        return Answering(own, kept=True)
    production = None if now.production is None else now.candidates.get(now.production)
    if production is None:
        reason = "no candidate is in production that could be asked"
        if batch.predicted:
            reason = "it is not known which candidate gave the batch's answers, and none is in production to be asked"
        return Answering(None, reason=reason)
    if batch.predicted:
        note = (
            "nobody was in production when the batch came, so it is not known whose its answers are: "
            f"{production.id} was asked instead"
        )
        return Answering(production, note=note)
    return Answering(production)


def answered_by(now: Today, reference: Reference, candidate: Candidate) -> bool:
    """Whether every row of a reference has an answer that is known to be by this candidate.

    Only batches say who answered: the answers in a file are of unknown origin.
    """
    parts = [now.batches[name] for name in reference.batches]
    return bool(parts) and all(part.candidate == candidate.id and part.predicted == part.rows for part in parts)


def drift_question(now: Today, batch: Batch) -> str:
    """The digest of everything that the answer depends on."""
    schema, who = now.schema, answering(now, batch)
    content: dict[str, Any] = {
        "batch": [batch.digest, batch.schema, batch.predicted, batch.candidate],
        "reference": _reference(now, batch),
        "candidate": None if who.candidate is None else [who.candidate.id, who.candidate.digest],
        # What the operator allows decides whether a candidate can be asked.
        "policy": None if who.candidate is None else list(vars(now.policy).values()),
        "schema": [schema.digest, schema.metric, list(schema.labels), schema.positive_label],
        "rules": schema.rules.as_dict(),
        "versions": [VERSION, DRIFT_VERSION],
    }
    return digest_of(content)


def _reference(now: Today, batch: Batch) -> Any:
    if now.reference is None:
        return now.why_not
    if now.reference.from_file:
        return [now.reference.digest, now.reference.candidate]
    parts = [now.batches[name] for name in now.reference.batches if name != batch.id]
    return [[part.digest, part.candidate, part.predicted] for part in parts]
