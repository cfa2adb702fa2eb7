"""Production is watched: every batch that came is checked, and somebody is told when none comes."""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.drift_result import NOT_COMPARED, DriftReport
from ml_regress.core.outlier_result import OutlierReport
from ml_regress.engine import notify
from ml_regress.engine.drift import check_drift, keep, quarantined, without_result
from ml_regress.engine.drift_question import drift_question, today
from ml_regress.engine.production_schema import production_schema, still_written
from ml_regress.engine.strange import check_outliers
from ml_regress.engine.strange_question import outlier_question, outlier_questions
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError, shortened
from ml_regress.predictors.host import PredictorHost
from ml_regress.store.database import now as moment

REASON_LIMIT = 1000
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checked:
    """A batch that was checked, and what was found; a part that came to nothing says why in its `reason`."""

    batch: Batch
    drift: DriftReport
    outliers: OutlierReport


@dataclass(frozen=True)
class Late:
    """No batch came: since when (ISO, UTC), how often one is expected, and all of it in words."""

    since: str
    expected: str
    words: str


def check_batch(workspace: Workspace, batch: str, *, again: bool = False, host: PredictorHost | None = None) -> Checked:
    """Check a batch for drift and for strange rows; what is known of the same question is taken, unless `again`.

    A part that fails keeps its reason and does not stop the other. Raises NotFound for an unknown batch and Conflict
    for a quarantined one.
    """
    found = workspace.store.batches.get(batch)
    if not found.usable:
        raise quarantined(found)
    drift = _drift(workspace, found, MlRegressError, again=again, host=host)
    before = workspace.store.drift.outliers_of(batch)
    if not again and before is not None and before.question == outlier_question(workspace, found):
        return Checked(found, drift, before)
    return Checked(found, drift, _outliers(workspace, found, MlRegressError, again=again))


def due_batches(workspace: Workspace) -> list[Batch]:
    """The usable batches whose newest reports do not answer today's questions; no rows are read for it.

    production.yaml is looked at first. Raises Unavailable where the reference changes at this moment.
    """
    _look_at_schema(workspace)
    state = today(workspace)
    if state is None:
        return []
    usable = [batch for batch in state.batches.values() if batch.usable]
    drift, outliers = workspace.store.drift.drift_states(), workspace.store.drift.outlier_questions()
    asked = outlier_questions(workspace, usable)
    return [
        batch
        for batch in usable
        if drift.get(batch.id, ("", ""))[0] != drift_question(state, batch) or outliers.get(batch.id) != asked[batch.id]
    ]


def watch(workspace: Workspace) -> list[Checked]:
    """Check all due batches, and again those of which nothing could be said; tell of batches in quarantine.

    Whatever goes wrong with one batch is logged and becomes the reason of its report; the others go on.
    """
    for batch in workspace.store.batches.all():
        if batch.state == QUARANTINED:
            notify.add(workspace, notify.batch_quarantined(workspace, batch))
    due = {batch.id for batch in due_batches(workspace)}
    without_drift, without_look = _came_to_nothing(workspace)
    checked = []
    with PredictorHost() as host:
        for batch in workspace.store.batches.all():
            if batch.usable and batch.id in due | without_drift | without_look:
                try:
                    drift = _drift(workspace, batch, Exception, again=batch.id in without_drift, host=host)
                    outliers = _outliers(workspace, batch, Exception, again=batch.id in without_look)
                except Exception as error:  # not even the reason could be kept
                    _logger.exception("the check of batch %s failed", batch.id)
                    checked.append(not_checked(batch, f"the check failed: {type(error).__name__}: {error}"))
                else:
                    checked.append(Checked(batch, drift, outliers))
    return checked


def not_checked(batch: Batch, why: str) -> Checked:
    """Reports that say nothing but why, and that are not stored."""
    why = shortened(why, REASON_LIMIT)
    return Checked(
        batch,
        drift=DriftReport(batch.id, "", "", None, (0, batch.rows), reason=why),
        outliers=OutlierReport(batch.id, "", batch.rows, reason=why),
    )


def _came_to_nothing(workspace: Workspace) -> tuple[set[str], set[str]]:
    """The batches of whose drift, and of whose rows, nothing could be said: what was in the way may be gone."""
    drift, outliers = workspace.store.drift.drift_states(), workspace.store.drift.outliers()
    return (
        {name for name, (_, state) in drift.items() if state == NOT_COMPARED},
        {name for name, report in outliers.items() if report.reason},
    )


def complain(workspace: Workspace, now: datetime) -> Late | None:
    """Whether a batch is late (`now` has a time zone), told once a day; None where none is, or none is expected."""
    schema, batches = workspace.store.batches.schema_in_force(), workspace.store.batches.all()
    if schema is None or schema.every is None:
        return None
    came = [_came(batch, now) for batch in batches]
    first = workspace.store.drift.expected_since()
    newest = max(came) if came else datetime.fromisoformat(first or moment())
    if now - newest <= schema.every:
        return None
    expected = _every_words(schema.every)
    since = newest.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")
    last = max(batches, key=lambda batch: (_came(batch, now), batch.starts)).id if batches else None
    what = f"the newest one, {last}, is of {since}" if last else f"none came since production is watched ({since})"
    words = f"No batch came within {expected} (`every` in production.yaml): {what}."
    notify.add(workspace, notify.no_batch(workspace, words, now.astimezone(UTC).date().isoformat()))
    return Late(since, expected, words)


def _came(batch: Batch, now: datetime) -> datetime:
    """When a batch came, or its rows end if that is later; rows of the future do not excuse what is missing."""
    return max(datetime.fromisoformat(batch.received_at), min(datetime.fromisoformat(batch.ends), now))


def _look_at_schema(workspace: Workspace) -> None:
    if not still_written(workspace):
        production_schema(workspace)


def _every_words(every: timedelta) -> str:
    for unit, size in (("week", timedelta(weeks=1)), ("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if every >= size and not every % size:
            count = every // size
            return f"{count} {unit}{'s' * (count > 1)}"
    return f"{every.total_seconds() / 60:g} minutes"


def _drift(
    workspace: Workspace, batch: Batch, caught: type[Exception], *, again: bool, host: PredictorHost | None
) -> DriftReport:
    try:
        return check_drift(workspace, batch, again=again, host=host)
    except caught as error:
        reason = _words(error, f"the check of batch {batch.id} failed")
    state = today(workspace, batch)
    assert state is not None  # noqa: S101  a batch was read under a schema
    report = without_result(state, batch, drift_question(state, batch), reason)
    return keep(workspace, report, workspace.store.drift.drift_of(batch.id))


def _outliers(workspace: Workspace, batch: Batch, caught: type[Exception], *, again: bool) -> OutlierReport:
    try:
        return check_outliers(workspace, batch, again=again)
    except caught as error:
        reason = _words(error, f"the look for strange rows in batch {batch.id} failed")
    before = workspace.store.drift.outliers_of(batch.id)
    report = OutlierReport(batch.id, outlier_question(workspace, batch), batch.rows, counts={}, reason=reason)
    if before is not None and replace(report, checked_at=before.checked_at) == before:
        return before
    dated = replace(report, checked_at=moment())
    workspace.store.drift.keep_outliers(dated)
    return dated


def _words(error: Exception, what: str) -> str:
    """The reason in words; of an error that nobody foresaw the log has the rest."""
    if isinstance(error, MlRegressError):
        return str(error)
    _logger.error("%s", what, exc_info=error)
    return f"{what}: {type(error).__name__}: {error}; the log says more"
