"""Claims and runs: whether what holds cells is still at work."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from ml_regress.defs.names import CLAIM_TAG
from ml_regress.engine.claims import command_state, instance_of, is_command, run_of
from ml_regress.engine.reconcile import CRASHED, RUNNING, STOPPED
from ml_regress.store import Store
from ml_regress.store.due import Claim

# A claim is written before its run is submitted; a run that is not there after this time never will be.
SUBMISSION = timedelta(seconds=60)
# Another instance's claim is believed for so long after its last sign of life. Each commit gives one,
# and so does the instance's own sensor while the run waits or works.
LEASE = timedelta(minutes=10)
# A command on another machine commits now and then, and nothing tells when it ended.
ELSEWHERE = timedelta(hours=1)
# Clocks of machines differ a little.
SKEW = timedelta(seconds=5)
_ENDED = {
    DagsterRunStatus.FAILURE: CRASHED,
    DagsterRunStatus.CANCELED: STOPPED,
    DagsterRunStatus.SUCCESS: STOPPED,
}


def instance_id(instance: dg.DagsterInstance) -> str:
    """A short name of a Dagster instance: it stays for as long as the instance keeps its runs."""
    return cast(SqlRunStorage, instance.run_storage).get_run_storage_id().replace("-", "")[:12]


def claim_states(instance: dg.DagsterInstance, claims: Sequence[Claim], now: datetime) -> dict[str, str]:
    """What engine.reconcile asks: for each claim whether its holder runs, crashed or was stopped."""
    names, mine = [claim.name for claim in claims], instance_id(instance)
    found = _runs_of(instance, names) if names else {}
    return {
        claim.name: command_state(claim.name)
        or _state(found.get(claim.name, []), now - _seen(claim), _patience(claim.name, mine))
        for claim in claims
    }


def keep_claims(
    store: Store, instance: dg.DagsterInstance, claims: Sequence[Claim], states: Mapping[str, str], now: datetime
) -> None:
    """Give a sign of life for what this instance has at work, before other instances stop believing in it.

    A sign of life from the future was written before a clock was set back. It is put at the present,
    so that nothing waits for the clock to get there.
    """
    mine = instance_id(instance)
    for claim in claims:
        age = now - _seen(claim)
        living = states[claim.name] == RUNNING and instance_of(claim.name) == mine
        if age < -SKEW or (living and age > LEASE / 4):
            store.due.keep(claim.name, now.isoformat(timespec="milliseconds"))


def _seen(claim: Claim) -> datetime:
    return datetime.fromisoformat(claim.seen_at)


def _patience(claim: str, mine: str) -> timedelta:
    """How long a claim without a run is left alone."""
    if is_command(claim):
        return ELSEWHERE
    return SUBMISSION if instance_of(claim) == mine else LEASE


def _state(runs: Sequence[dg.DagsterRun], age: timedelta, patience: timedelta) -> str:
    if not runs:
        return STOPPED if age > patience else RUNNING
    waiting = [run for run in runs if run.status not in _ENDED]
    # A run that was recorded but never submitted (its daemon died in between) waits for nobody.
    if any(run.status != DagsterRunStatus.NOT_STARTED for run in waiting) or (waiting and age <= 2 * SUBMISSION):
        return RUNNING
    ended = [run for run in runs if run.status in _ENDED]
    return _ENDED[ended[0].status] if ended else STOPPED


def _runs_of(instance: dg.DagsterInstance, names: Sequence[str]) -> dict[str, list[dg.DagsterRun]]:
    """Runs by claim, newest first. A run that a person started has its own id in its claim."""
    found: dict[str, list[dg.DagsterRun]] = {}
    for run in instance.get_runs(RunsFilter(tags={CLAIM_TAG: list(names)})):
        found.setdefault(run.tags[CLAIM_TAG], []).append(run)
    by_hand = {held: name for name in names if (held := run_of(name)) is not None}
    for run in instance.get_runs(RunsFilter(run_ids=list(by_hand))) if by_hand else ():
        found.setdefault(by_hand[run.run_id], []).append(run)
    return found


def utc_now() -> datetime:
    return datetime.now(UTC)
