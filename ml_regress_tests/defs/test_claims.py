"""Claims: whether what holds cells is still at work."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from ml_regress.defs.claims import claim_states, run_is_over
from ml_regress.defs.daemon import release_left_runs
from ml_regress.defs.names import CLAIM_TAG
from ml_regress.store.due import Claim

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dg.op
def nothing() -> None: ...


@dg.job
def idle() -> None:
    nothing()


def run_of(instance: dg.DagsterInstance, claim: str, status: DagsterRunStatus) -> dg.DagsterRun:
    return instance.create_run_for_job(idle, tags={CLAIM_TAG: claim}, status=status)


def state(instance: dg.DagsterInstance, name: str, age: float = 0) -> str:
    claim = Claim(name, (NOW - timedelta(seconds=age)).isoformat(), 1)
    return claim_states(instance, [claim], NOW)([name])[name]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (DagsterRunStatus.STARTING, "running"),
        (DagsterRunStatus.STARTED, "running"),
        (DagsterRunStatus.FAILURE, "crashed"),
        (DagsterRunStatus.CANCELED, "stopped"),
        (DagsterRunStatus.SUCCESS, "stopped"),
    ],
)
def test_a_claim_is_what_its_run_is(instance: dg.DagsterInstance, status: DagsterRunStatus, expected: str) -> None:
    run_of(instance, "evaluate-1", status)
    assert state(instance, "evaluate-1", age=3600) == expected


def test_a_claim_without_a_run_waits_a_minute_for_its_submission(instance: dg.DagsterInstance) -> None:
    assert state(instance, "evaluate-1", age=59) == "running"
    assert state(instance, "evaluate-1", age=61) == "stopped"


def test_a_run_that_was_never_submitted_is_given_up(instance: dg.DagsterInstance) -> None:
    run_of(instance, "evaluate-1", DagsterRunStatus.NOT_STARTED)
    assert state(instance, "evaluate-1", age=100) == "running"
    assert state(instance, "evaluate-1", age=130) == "stopped"


def test_a_run_started_by_hand_holds_cells_under_its_own_id(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(idle, status=DagsterRunStatus.STARTED)
    assert state(instance, run.run_id, age=3600) == "running"


def test_a_command_of_this_machine_that_ended_was_stopped(instance: dg.DagsterInstance) -> None:
    import socket

    assert state(instance, f"command:{socket.gethostname()}:1:0.00") == "stopped"
    assert state(instance, "command:elsewhere:1:0.00", age=3000) == "running"
    assert state(instance, "command:elsewhere:1:0.00", age=4000) == "stopped"


def test_runs_that_a_killed_tree_left_are_canceled_and_waiting_ones_stay(instance: dg.DagsterInstance) -> None:
    left = run_of(instance, "evaluate-1", DagsterRunStatus.STARTED)
    waiting = run_of(instance, "evaluate-2", DagsterRunStatus.NOT_STARTED)
    assert release_left_runs(instance) == [left.run_id]
    assert state(instance, "evaluate-1") == "stopped"
    assert state(instance, "evaluate-2") == "running"
    still = instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED]))
    assert [run.run_id for run in still] == [waiting.run_id]


def test_what_a_run_committed_is_reported_for_it_only_where_it_did_not_live_to_do_so(
    instance: dg.DagsterInstance,
) -> None:
    assert run_is_over(instance, "") is True
    assert run_is_over(instance, "command:elsewhere:1:0.00") is True
    for status, expected in (
        (DagsterRunStatus.STARTED, None),
        (DagsterRunStatus.SUCCESS, False),
        (DagsterRunStatus.FAILURE, True),
    ):
        assert run_is_over(instance, run_of(instance, "evaluate-1", status).run_id) is expected
