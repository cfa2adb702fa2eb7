"""Production is watched: a sensor takes batches in and asks for their checks, a schedule complains when none came.

The sensor derives what it does from a state, as the others do. It waits for nothing, for reading a batch may take long.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.digest import digest_of
from ml_regress.defs import names
from ml_regress.defs.batch_pages import write_batch_pages, write_over_time
from ml_regress.defs.batch_reporting import Event, carried, unreported
from ml_regress.defs.batches import batch_facts, schema_kept_evaluation
from ml_regress.defs.jobs import check_batches_job
from ml_regress.defs.partitions import BATCH, reconciled
from ml_regress.defs.registry import changed_events, cursor_of, digest_of_metadata, reported_of
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.defs.sensors import RANGE_END, RANGE_START
from ml_regress.engine import notify
from ml_regress.engine.arrivals import look_at_batches
from ml_regress.engine.production import due_batches
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Unavailable

INTERVAL = 5
# Of the cursor: the version of the proposals that the pages show.
PROPOSALS = "proposals"
# A check that did not come (its run crashed) is asked for again after this time, each time later.
AGAIN = timedelta(seconds=60)
# So many batches a run: what comes meanwhile waits for this many at most.
AT_ONCE = 100
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in ENDED]
# A tick that Dagster gave up on, for it took too long, still reads: the next one must not read the same.
_looking = threading.Lock()


@dg.sensor(
    job=check_batches_job,
    minimum_interval_seconds=INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks into batches/: takes in what is whole, reports it, and asks for one run for all batches whose "
    "check is not the answer to today's question.",
)
def batches_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    opened = workspace.open()
    if not is_watched(opened):
        return dg.SensorResult(skip_reason="there is no folder batches/ and no batch")
    if not _looking.acquire(blocking=False):
        return dg.SensorResult(skip_reason="the look before still reads a batch")
    try:
        return looked(opened, context.instance, context.cursor, time.time())
    finally:
        _looking.release()


def is_watched(workspace: Workspace) -> bool:
    """Whether a workspace says or holds anything of production: one that does not costs nothing."""
    folder = workspace.settings.workspace
    said = any((folder / name).exists() for name in ("batches", "production.yaml"))
    return said or bool(workspace.store.batches.all())


def looked(workspace: Workspace, instance: dg.DagsterInstance, cursor: str | None, now: float) -> dg.SensorResult:
    """One look (`now` in seconds since 1970): batches taken in, what changed reported, and a run for what is due."""
    before = reported_of(cursor)
    looks = look_at_batches(workspace, before.get("looks", {}))
    listed = workspace.store.batches.all()
    keys, requests = reconciled(BATCH, [batch.id for batch in listed], instance.get_dynamic_partitions(BATCH))
    events, reported = changed_batches(workspace, listed, before)
    at_work, shown, paged = is_at_work(instance), carried(before), before.get(PROPOSALS)
    if not at_work:  # a run reports what it checked, and writes its pages
        more, shown = unreported(workspace, instance, before)
        events += more
        partitions = {event.partition for event in more}
        proposals, paged = paged, workspace.store.proposals.version()
        if proposals != paged:  # a person decided on some
            partitions |= {each.batch for each in workspace.store.proposals.all()}
        write_batch_pages(workspace, [batch for batch in listed if batch.id in partitions])
    if events or paged != before.get(PROPOSALS):
        write_over_time(workspace)
    due, why = due_or_why(workspace)
    asked = Asked.of(before) if due is None else Asked.of(before).kept(due)
    chosen = [] if at_work or due is None else asked.ready(due, now)[:AT_ONCE]
    after = asked.with_another(chosen, now)
    runs = [run_request(workspace, chosen, keys, after)] if chosen else []
    kept = cursor_of({**reported, **shown, PROPOSALS: paged, "asked": after.tries, "looks": looks})
    if not (events or requests or runs):
        return dg.SensorResult(skip_reason=why or "nothing changed in batches/ and no check is due", cursor=kept)
    return dg.SensorResult(run_requests=runs, dynamic_partitions_requests=requests, asset_events=events, cursor=kept)


def is_at_work(instance: dg.DagsterInstance) -> bool:
    """Whether a run that checks batches waits or is at work."""
    jobs = (names.CHECK_BATCHES, names.WATCH_PRODUCTION)
    return any(instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=UNFINISHED)) for job in jobs)


def due_or_why(workspace: Workspace) -> tuple[list[Batch] | None, str]:
    """The due batches; None, and why, where that cannot be told now (the reference is being written)."""
    try:
        return due_batches(workspace), ""
    except Unavailable as error:
        return None, str(error)


def changed_batches(
    workspace: Workspace, listed: Sequence[Batch], before: Mapping[str, Any]
) -> tuple[list[Event], dict[str, Any]]:
    """Events of the batches that differ from what was reported, with their pages written, and what is reported then."""
    version = workspace.store.batches.version()
    if before.get("version") == version:
        return [], {name: before[name] for name in (names.BATCHES, "version", "kept") if name in before}
    changed, now_reported = changed_events(batch_facts(workspace), before)
    partitions = {event.partition for event in changed}
    write_batch_pages(workspace, [batch for batch in listed if batch.id in partitions])
    for batch in listed:
        if batch.state == QUARANTINED and batch.id in partitions:
            notify.add(workspace, notify.batch_quarantined(workspace, batch))
    check = schema_kept_evaluation(workspace)
    kept = digest_of_metadata(dict(check.metadata))
    checks = [check] if listed and before.get("kept") != kept else []
    return [*changed, *checks], {**now_reported, "version": version, "kept": kept}


@dataclass(frozen=True)
class Asked:
    """Which checks were asked for and did not come: batch -> digest of its rows, how often, and when last."""

    tries: Mapping[str, tuple[str, int, float]]

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> "Asked":
        return cls({batch: (str(row[0]), int(row[1]), float(row[2])) for batch, row in cursor.get("asked", {}).items()})

    def kept(self, due: Sequence[Batch]) -> "Asked":
        """Without those that came, and those whose rows are others by now: they are a first try."""
        digests = {batch.id: batch.digest for batch in due}
        return Asked({batch: row for batch, row in self.tries.items() if digests.get(batch) == row[0]})

    def ready(self, due: Sequence[Batch], now: float) -> list[Batch]:
        """The due batches whose time has come, those first that were tried least: a crash must not hold up others."""
        found = [batch for batch in due if self._wait(batch.id, now) <= 0]
        return sorted(found, key=lambda batch: self._count(batch.id))

    def with_another(self, chosen: Sequence[Batch], now: float) -> "Asked":
        again = {batch.id: (batch.digest, self._count(batch.id) + 1, now) for batch in chosen}
        return Asked({**self.tries, **again})

    def _count(self, batch: str) -> int:
        return self.tries[batch][1] if batch in self.tries else 0

    def _wait(self, batch: str, now: float) -> float:
        """Seconds until it is asked for again; a clock that was set back ends the waiting."""
        if batch not in self.tries:
            return 0.0
        _, count, at = self.tries[batch]
        return 0.0 if now < at else at + AGAIN.total_seconds() * count - now


def run_request(workspace: Workspace, chosen: Sequence[Batch], keys: Sequence[str], asked: Asked) -> dg.RunRequest:
    """One run for these batches: the tags give the range that they lie in, and name them.

    A run key counts as spent even when its run failed. So it says which rows are asked for, which answer stands until
    then, and how often it was asked for.
    """
    places = sorted(keys.index(batch.id) for batch in chosen)
    drift = workspace.store.drift
    standing = {batch.id: [drift.drift_of(batch.id), drift.outliers_of(batch.id)] for batch in chosen}
    question = digest_of(
        [
            [
                batch.id,
                batch.digest,
                asked.tries[batch.id][1],
                *(each and each.checked_at for each in standing[batch.id]),
            ]
            for batch in chosen
        ]
    )
    return dg.RunRequest(
        run_key=question,
        tags={
            RANGE_START: keys[places[0]],
            RANGE_END: keys[places[-1]],
            names.BATCHES_TAG: ",".join(batch.id for batch in chosen),
        },
    )
