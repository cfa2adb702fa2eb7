"""Claims and runs: whether what holds cells is still at work."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from ml_regress.defs.names import CLAIM_TAG
from ml_regress.engine.claims import PREFIX, command_state
from ml_regress.engine.reconcile import CRASHED, RUNNING, STOPPED
from ml_regress.store.due import Claim

# A claim is written before its run is submitted; a run that is not there after this time never will be.
SUBMISSION = timedelta(seconds=60)
# A command on another machine holds cells too, and nothing tells when it ended.
ELSEWHERE = timedelta(hours=1)
_ENDED = {
    DagsterRunStatus.FAILURE: CRASHED,
    DagsterRunStatus.CANCELED: STOPPED,
    DagsterRunStatus.SUCCESS: STOPPED,
}


def claim_states(
    instance: dg.DagsterInstance, claims: Sequence[Claim], now: datetime
) -> Callable[[Sequence[str]], Mapping[str, str]]:
    """What engine.reconcile.plan asks: for each claim whether its holder runs, crashed or was stopped."""
    claimed_at = {claim.name: datetime.fromisoformat(claim.claimed_at) for claim in claims}

    def states(names: Sequence[str]) -> Mapping[str, str]:
        found = _runs_of(instance, names)
        # A claim that appeared after we looked is young: it runs.
        return {
            name: command_state(name) or _state(found.get(name, []), now - claimed_at.get(name, now), name)
            for name in names
        }

    return states


def _state(runs: Sequence[dg.DagsterRun], age: timedelta, name: str) -> str:
    if not runs:
        return STOPPED if age > (ELSEWHERE if name.startswith(PREFIX) else SUBMISSION) else RUNNING
    waiting = [run for run in runs if run.status not in _ENDED]
    # A run that was recorded but never submitted (its daemon died in between) waits for nobody.
    if any(run.status != DagsterRunStatus.NOT_STARTED for run in waiting) or (waiting and age <= 2 * SUBMISSION):
        return RUNNING
    ended = [run for run in runs if run.status in _ENDED]
    return _ENDED[ended[0].status] if ended else STOPPED


def _runs_of(instance: dg.DagsterInstance, names: Sequence[str]) -> dict[str, list[dg.DagsterRun]]:
    """Runs by claim, newest first. A run that a person started holds its cells under its own id."""
    found: dict[str, list[dg.DagsterRun]] = {}
    for run in instance.get_runs(RunsFilter(tags={CLAIM_TAG: list(names)})):
        found.setdefault(run.tags[CLAIM_TAG], []).append(run)
    for run in instance.get_runs(RunsFilter(run_ids=list(names))):
        found.setdefault(run.run_id, []).append(run)
    return found


def utc_now() -> datetime:
    return datetime.now(UTC)


def run_is_over(instance: dg.DagsterInstance, run_id: str) -> bool | None:
    """Whether what this run committed has to be reported for it: None while it lives, False where it did so itself."""
    run = instance.get_run_by_id(run_id) if run_id else None
    if run is None:
        return True
    if run.status == DagsterRunStatus.SUCCESS:
        return False
    return True if run.status in _ENDED else None
