"""The sensors: they look at folders and at the store, report what they see and ask for runs.

Each derives what it does from a state, not from a change: what a crash lost is done at the next look.
"""

import functools
import logging
import math
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from ml_regress.defs import names
from ml_regress.defs.checks import schemas_valid_evaluation
from ml_regress.defs.claims import claim_states, instance_id, keep_claims, utc_now
from ml_regress.defs.jobs import measure_job, refresh_job
from ml_regress.defs.metadata import refusals_metadata
from ml_regress.defs.partitions import CANDIDATE, PROBLEM, cell_key, reconciled
from ml_regress.defs.registry import (
    candidate_facts,
    changed_events,
    cursor_of,
    digest_of_metadata,
    registry_facts,
    reported_of,
)
from ml_regress.defs.reporting import Reported, unreported
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.defs.verdicts import verdict_facts
from ml_regress.engine import judge, notify, reconcile, registry
from ml_regress.engine.claims import planned_claim
from ml_regress.engine.workspace import Workspace
from ml_regress.progress import reported_version, shown_version
from ml_regress.store import Store

INTERVAL = 2
# The daemon asks each sensor every 5 seconds. Within that time a sensor that sees nothing looks again,
# so that a dropped file waits for a second and not for the next tick.
PATIENCE = 3.0
PAUSE = 0.5
RECTANGLES = 4
# While cells are due, the scoreboard is drawn anew and verdicts are reached at most this often.
PARTIAL = timedelta(seconds=60)
# Verdicts are reached anew each hour, whatever was missed.
ANEW = timedelta(hours=1)
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


@dg.sensor(
    minimum_interval_seconds=INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads problems/ and benchmarks/ and what testers wrote with SQL; validates, freezes suites, reports.",
)
def problems_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    opened, reported = workspace.open(), reported_of(context.cursor)

    def changed() -> bool:
        registry.look_at_problems(opened)
        return registry_version(opened) != reported.get("version")

    if not patiently(changed):
        return dg.SensorResult(skip_reason="nothing changed in problems/, benchmarks/ or the store")
    version = registry_version(opened)
    events, now_reported = changed_events(registry_facts(opened), reported)
    check = schemas_valid_evaluation(opened)
    refused = digest_of_metadata(dict(check.metadata))
    checks = [check] if reported.get("refused") != refused else []
    cursor = cursor_of({**now_reported, "refused": refused, "version": version})
    return dg.SensorResult(asset_events=[*events, *checks], cursor=cursor)


@dg.sensor(
    minimum_interval_seconds=INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks into candidates/: registers what is whole and reports it.",
)
def candidates_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    opened, before = workspace.open(), reported_of(context.cursor)
    looks = before.get("looks", {})

    def changed() -> bool:
        nonlocal looks
        looks = registry.look_at_candidates(opened, looks)
        return bool(changed_events(candidate_facts(opened), before)[0])

    patiently(changed)
    events, now_reported = changed_events(candidate_facts(opened), before)
    return dg.SensorResult(asset_events=events, cursor=cursor_of({**now_reported, "looks": looks}))


@dg.sensor(
    job=measure_job,
    minimum_interval_seconds=INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps partition keys equal to the matrix of the store and asks for a run for each rectangle of due "
    "cells; reports cells that were measured outside Dagster, and those of deleted runs.",
)
def evaluation_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    opened, instance = workspace.open(), context.instance
    patiently(lambda: bool(opened.store.due.count() - sum(claim.cells for claim in opened.store.due.claims())))
    candidates, problems = matrix_keys(opened)
    candidate_keys, requests = reconciled(CANDIDATE, candidates, instance.get_dynamic_partitions(CANDIDATE))
    problem_keys, more = reconciled(PROBLEM, problems, instance.get_dynamic_partitions(PROBLEM))
    now, claims = utc_now(), opened.store.due.claims()
    events, reported = unreported(opened, instance, Reported.of(reported_of(context.cursor)), now)
    states = claim_states(instance, claims, now)
    keep_claims(opened.store, instance, claims, states, now)
    name = functools.partial(planned_claim, instance_id(instance))
    runs = reconcile.plan(opened, candidate_keys, problem_keys, states=states, name=name, limit=RECTANGLES)
    return dg.SensorResult(
        run_requests=[run_request(run) for run in runs],
        dynamic_partitions_requests=[*requests, *more],
        asset_events=events,
        cursor=cursor_of(vars(reported)),
    )


def patiently(look: Callable[[], bool]) -> bool:
    """Looks until it sees something, or for PATIENCE seconds; tells whether it did."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() + PAUSE > deadline:
            return False
        time.sleep(PAUSE)
    return True


def registry_version(workspace: Workspace) -> str:
    """A text that changes whenever what the registry reports may have changed."""
    refusals = digest_of_metadata(refusals_metadata(workspace.store.sources.refusals()))
    return f"{workspace.store.evaluations.version()} {refusals}"


def matrix_keys(workspace: Workspace) -> tuple[list[str], list[str]]:
    """Candidates and problems (with benchmarks) of the matrix, in the store's order."""
    return (
        [candidate.id for candidate in workspace.store.candidates.all()],
        [entry.id for entry in workspace.store.problems.measured()],
    )


def run_request(request: reconcile.Request) -> dg.RunRequest:
    """One run for a rectangle: the tags give its first and last cell."""
    rectangle = request.rectangle
    return dg.RunRequest(
        run_key=request.key,
        tags={
            RANGE_START: cell_key(rectangle.candidates[0], rectangle.problems[0]),
            RANGE_END: cell_key(rectangle.candidates[-1], rectangle.problems[-1]),
            names.CLAIM_TAG: request.key,
            names.REASON_TAG: request.reason,
        },
    )


@dg.sensor(
    minimum_interval_seconds=INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Judges all candidates when something changed that verdicts depend on, records and reports what is "
    "different, and sends the notifications that wait.",
)
def verdicts_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    opened = workspace.open()
    result = judged(opened, context.cursor)
    if result.skip_reason is not None:  # a receiver that is slow holds up no verdict: the next look has time for it
        try:
            notify.deliver(opened)
        except Exception:  # what could not be sent waits in the store, and verdicts go on
            logging.getLogger(__name__).exception("notifications could not be sent")
    return result


def judged(workspace: Workspace, cursor: str | None) -> dg.SensorResult:
    """Verdicts recorded and reported where they may have changed since the cursor."""
    before, now = reported_of(cursor), time.time()
    # Read before judging: what is committed in between makes another version, and another look.
    version = verdicts_version(workspace.store, now)
    if not worth_showing(workspace.store, before, version, now):
        reason = "nothing changed that verdicts depend on, or it is not measured yet"
        return dg.SensorResult(skip_reason=reason, cursor=cursor_of(waiting(before, version, now)))
    judge.record(workspace)
    events, now_reported = changed_events(verdict_facts(workspace), before)
    return dg.SensorResult(asset_events=events, cursor=cursor_of({**now_reported, "version": version}))


def verdicts_version(store: Store, now: float) -> str:
    """A text that changes whenever a verdict or a decision may have changed, and each hour."""
    return f"{shown_version(store)} {int(now // ANEW.total_seconds())}"


@dg.sensor(
    job=refresh_job,
    minimum_interval_seconds=INTERVAL,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has the scoreboard and the report made anew when the matrix changed: when nothing is due, or once a "
    "minute while cells are.",
)
def scoreboard_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    opened, before = workspace.open(), reported_of(context.cursor)
    due = patiently(lambda: refresh_due(opened, before, time.time()))
    version, now = shown_version(opened.store), time.time()
    if not due:
        reason = "the scoreboard shows the matrix as it is, or will soon"
        return dg.SensorResult(skip_reason=reason, cursor=cursor_of(waiting(before, version, now)))
    tries = int(before.get("tries", 0)) + 1 if before.get("version") == version else 1
    cursor = cursor_of({"version": version, "at": now, "tries": tries})
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"{version}-{int(now)}")], cursor=cursor)


def refresh_due(workspace: Workspace, before: Mapping[str, Any], now: float) -> bool:
    """Whether the scoreboard should be made anew: `before` says which version was asked for, when and how often.

    What was asked for and did not come (its run failed) is asked for again, each time later.
    """
    version = shown_version(workspace.store)
    if before.get("version") == version:
        reported = reported_version(workspace.settings) == version
        return not reported and _passed(before.get("at"), now) >= PARTIAL.total_seconds() * int(before.get("tries", 1))
    return worth_showing(workspace.store, before, version, now)


def worth_showing(store: Store, before: Mapping[str, Any], version: str, now: float) -> bool:
    """Whether a version is another one, and settled: nothing is due and every change was validated.

    While cells are due, what is shown changes with each of them, and verdicts are incomplete for a moment. So a change
    has PARTIAL to settle, counted from the look that saw it first (`since`); then it is shown as it is.
    """
    if before.get("version") == version:
        return False
    settled = store.due.count() == 0 and not store.facts.unsettled().changed
    return settled or _passed(before.get("since"), now) >= PARTIAL.total_seconds()


def waiting(before: Mapping[str, Any], version: str, now: float) -> Mapping[str, Any]:
    """What a cursor holds after a look that did nothing: since when a change waits, where there is one."""
    if before.get("version") == version:
        return {name: value for name, value in before.items() if name != "since"}
    return {"since": now, **before}


def _passed(moment: float | None, now: float) -> float:
    """Seconds since a time that a cursor holds, 0 where it holds none."""
    passed = 0.0 if moment is None else now - float(moment)
    # The clock was set back: what happened after the present is long enough ago.
    return math.inf if passed < 0 else passed
