"""The check of a batch: its inputs, its answers and all columns together against the reference."""

from dataclasses import replace

from ml_regress.core.batch import Batch
from ml_regress.core.domain import SAMPLE, domain_drift
from ml_regress.core.drift import judged
from ml_regress.core.drift_result import DRIFT, DomainDrift, DriftReport
from ml_regress.core.production import DriftRules
from ml_regress.core.sampling import sample_of
from ml_regress.engine import notify
from ml_regress.engine.drift_answers import compare_answers, sides_of
from ml_regress.engine.drift_columns import Inputs, inputs_of
from ml_regress.engine.drift_question import Today, answering, drift_question, today
from ml_regress.engine.profiles import compare_kept, reference_profile
from ml_regress.engine.references import kept_reference, without_batch
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, MlRegressError
from ml_regress.intake.kept import Kept
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.database import now as moment


def check_drift(
    workspace: Workspace, batch: Batch, *, again: bool = False, host: PredictorHost | None = None
) -> DriftReport:
    """Hold a batch against its reference, and keep what was found.

    What is known of the same question is returned, unless `again`. Where nothing can be compared the report has the
    reason and no column. Raises Conflict for a quarantined batch, Unavailable where the store is away.
    """
    if not batch.usable:
        raise quarantined(batch)
    state = today(workspace, batch)
    assert state is not None  # noqa: S101  a batch was read under a schema
    question = drift_question(state, batch)
    before = workspace.store.drift.drift_of(batch.id)
    if before is not None and before.question == question and not again:
        return before
    try:
        if host is None:
            with PredictorHost() as own:
                report = _check(workspace, state, batch, question, own)
        else:
            report = _check(workspace, state, batch, question, host)
    except MlRegressError as error:
        report = without_result(state, batch, question, str(error))
    return keep(workspace, report, before)


def quarantined(batch: Batch) -> Conflict:
    """Why a batch in quarantine is not checked, and what to do."""
    return Conflict(f"batch {batch.id} is quarantined, and nothing uses it; release it first, or correct its file")


def without_result(state: Today, batch: Batch, question: str, reason: str) -> DriftReport:
    """The report of a check that came to nothing."""
    who, reference = answering(state, batch).candidate, state.reference
    return DriftReport(
        batch.id,
        question,
        "no reference" if reference is None else reference.words,
        None if who is None else who.id,
        (0 if reference is None else reference.rows, batch.rows),
        reason=reason,
    )


def keep(workspace: Workspace, report: DriftReport, before: DriftReport | None) -> DriftReport:
    """Keep a report, and tell of drift in the same transaction; one that says the same as the one before is that."""
    if before is not None and replace(report, checked_at=before.checked_at) == before:
        return before
    dated = replace(report, checked_at=moment())
    with workspace.store.database.write():
        workspace.store.drift.keep_drift(dated)
        if dated.state == DRIFT:
            notify.add(workspace, notify.batch_drifts(workspace, dated))
    return dated


def _check(workspace: Workspace, state: Today, batch: Batch, question: str, host: PredictorHost) -> DriftReport:
    if state.reference is None:
        return without_result(state, batch, question, state.why_not)
    reference = without_batch(workspace, state.reference, batch.id)
    reference_kept, notes = kept_reference(workspace, reference)
    kept = Kept(workspace.archive.rows(batch.digest))
    schema, then = state.schema, workspace.store.batches.schema(batch.schema)
    inputs = inputs_of(schema, kept, reference_kept, reference.absent)
    profiles = reference_profile(workspace, reference.digest, reference_kept, inputs.known)
    columns = inputs.in_order(compare_kept(profiles, kept, inputs.compared, schema.rules), schema)
    sides = sides_of(state, batch, reference, (reference_kept, kept), then.inputs)
    answers = compare_answers(workspace, state, batch, sides, host)
    found = judged([*columns, *answers.compared], schema.rules)
    who = answering(state, batch).candidate
    notes = (*reference.notes, *notes, *answers.notes)
    if who is not None and who.id == reference.candidate and answers.metric.reference is not None:
        notes = (*notes, f"{who.id} was trained on the reference, where its {schema.metric} is better than on new rows")
    return DriftReport(
        batch.id,
        question,
        reference.words,
        None if who is None else who.id,
        (reference_kept.rows, kept.rows),
        columns=found[: len(columns)],
        answers=found[len(columns) :],
        domain=_domain(inputs, (reference_kept, kept), schema.rules),
        metric=answers.metric,
        notes=tuple(dict.fromkeys(notes)),
    )


def _domain(inputs: Inputs, sides: tuple[Kept, Kept], rules: DriftRules) -> DomainDrift:
    """All compared inputs together; which rows are looked at is settled before any is read."""
    names = [name for name, _ in inputs.compared if name not in rules.ignored]
    reference, batch = (side.frame(names, sample_of(side.rows, SAMPLE, place)) for place, side in enumerate(sides))
    return domain_drift(reference, batch, rules)
