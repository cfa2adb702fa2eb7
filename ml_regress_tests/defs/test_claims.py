"""Claims: whether what holds cells is still at work."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from ml_regress.defs.claims import claim_states, instance_id, keep_claims
from ml_regress.defs.daemon import release_left_runs
from ml_regress.defs.names import CLAIM_TAG
from ml_regress.engine.claims import claim_by_hand, command_claim, planned_claim
from ml_regress.store import Store
from ml_regress.store.due import Claim
from ml_regress_tests.scenario import import_muffins, muffin_pattern, registered

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANOTHER = planned_claim("another-home")


@dg.op
def nothing() -> None: ...


@dg.job
def idle() -> None:
    nothing()


def run_of(instance: dg.DagsterInstance, claim: str, status: DagsterRunStatus) -> dg.DagsterRun:
    return instance.create_run_for_job(idle, tags={CLAIM_TAG: claim}, status=status)


@pytest.fixture
def mine(instance: dg.DagsterInstance) -> str:
    """A claim of this instance."""
    return planned_claim(instance_id(instance))


def state(instance: dg.DagsterInstance, name: str, age: float = 0) -> str:
    claim = Claim(name, (NOW - timedelta(seconds=age)).isoformat(), 1)
    return claim_states(instance, [claim], NOW)[name]


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
def test_a_claim_is_what_its_run_is(
    instance: dg.DagsterInstance, mine: str, status: DagsterRunStatus, expected: str
) -> None:
    run_of(instance, mine, status)
    assert state(instance, mine, age=3600) == expected


def test_a_claim_without_a_run_waits_a_minute_for_its_submission(instance: dg.DagsterInstance, mine: str) -> None:
    assert state(instance, mine, age=59) == "running"
    assert state(instance, mine, age=61) == "stopped"


def test_a_run_that_was_never_submitted_is_given_up(instance: dg.DagsterInstance, mine: str) -> None:
    run_of(instance, mine, DagsterRunStatus.NOT_STARTED)
    assert state(instance, mine, age=100) == "running"
    assert state(instance, mine, age=130) == "stopped"


def test_a_run_started_by_hand_tells_its_instance_and_its_run(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(idle, status=DagsterRunStatus.STARTED)
    assert state(instance, claim_by_hand(instance_id(instance), run.run_id), age=3600) == "running"


def test_the_claim_of_another_instance_is_left_alone_until_its_lease_is_over(instance: dg.DagsterInstance) -> None:
    assert state(instance, ANOTHER, age=599) == "running"
    assert state(instance, ANOTHER, age=601) == "stopped"


def test_two_homes_are_two_instances_and_one_home_stays_one(tmp_path: Path) -> None:
    ids = []
    for home in (tmp_path / "one", tmp_path / "other", tmp_path / "one"):
        home.mkdir(exist_ok=True)
        with dg.DagsterInstance.local_temp(str(home)) as instance:
            ids.append(instance_id(instance))
    assert ids[0] == ids[2] != ids[1]


def test_a_command_of_this_machine_that_ended_was_stopped(instance: dg.DagsterInstance) -> None:
    assert state(instance, f"command:{socket.gethostname()}:1:0.00") == "stopped"
    assert state(instance, command_claim(), age=100_000) == "running"
    assert state(instance, "command:elsewhere:1:0.00", age=3000) == "running"
    assert state(instance, "command:elsewhere:1:0.00", age=4000) == "stopped"


def test_runs_that_a_killed_tree_left_are_canceled_and_waiting_ones_stay(
    instance: dg.DagsterInstance, mine: str
) -> None:
    other = planned_claim(instance_id(instance))
    left = run_of(instance, mine, DagsterRunStatus.STARTED)
    waiting = run_of(instance, other, DagsterRunStatus.NOT_STARTED)
    assert release_left_runs(instance) == [left.run_id]
    assert state(instance, mine) == "stopped"
    assert state(instance, other) == "running"
    still = instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED]))
    assert [run.run_id for run in still] == [waiting.run_id]


# -- signs of life -------------------------------------------------------------------------------


def seen_after_a_look(store: Store, instance: dg.DagsterInstance, name: str, seconds: float) -> float:
    """Seconds between the present and the last sign of life, after a look at one that was so many seconds old."""
    import_muffins(store, [muffin_pattern("a")])
    store.candidates.register(registered("model-1"))
    store.due.claim([("model-1", "muffin")], name)
    store.due.keep(name, (NOW - timedelta(seconds=seconds)).isoformat())
    claims = store.due.claims()
    keep_claims(store, instance, claims, claim_states(instance, claims, NOW), NOW)
    (claim,) = store.due.claims()
    return (NOW - datetime.fromisoformat(claim.seen_at)).total_seconds()


def test_the_sensor_vouches_for_its_own_claims_while_their_run_is_at_work(
    store: Store, instance: dg.DagsterInstance, mine: str
) -> None:
    run_of(instance, mine, DagsterRunStatus.STARTED)
    assert seen_after_a_look(store, instance, mine, 200) == 0


def test_nobody_vouches_for_the_claims_of_another_instance(store: Store, instance: dg.DagsterInstance) -> None:
    assert seen_after_a_look(store, instance, ANOTHER, 300) == 300


@pytest.mark.parametrize("name", [ANOTHER, "command:elsewhere:1:0.00"], ids=["instance", "command"])
def test_a_sign_of_life_from_the_future_counts_from_the_present(
    store: Store, instance: dg.DagsterInstance, name: str
) -> None:
    assert seen_after_a_look(store, instance, name, -86_400) == 0
    claims = store.due.claims()
    assert claim_states(instance, claims, NOW + timedelta(hours=2)) == {name: "stopped"}
