"""What people do in Dagster's pages, databases that go away, clocks that jump: the next tick mends it."""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)
from dagster._core.test_utils import instance_for_test

from ml_regress.definitions import defs
from ml_regress.defs import claims, reporting, sensors
from ml_regress.defs.daemon import forget_future_ticks
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine.claims import planned_claim
from ml_regress.engine.evaluate import evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Unavailable
from ml_regress.progress import shown_version
from ml_regress_tests.defs.ticks import Daemon, latest, partitions
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import execute, logged, row, take_in, write_candidate, write_problem

CELLS = {"first|fruit", "first|pets"}
ALL = (
    sensors.problems_sensor,
    sensors.candidates_sensor,
    sensors.evaluation_sensor,
    sensors.verdicts_sensor,
    sensors.scoreboard_sensor,
)


@pytest.fixture
def daemon(instance: dg.DagsterInstance, resource: WorkspaceResource, muffins: Path) -> Daemon:
    made = Daemon(instance, resource)
    made.look()
    return made


def reported(events: Sequence[object]) -> set[str]:
    return {str(event.partition) for event in events if isinstance(event, dg.AssetMaterialization)}


# -- partition keys ------------------------------------------------------------------------------


def test_a_key_added_by_hand_is_removed_and_one_deleted_by_hand_comes_back(daemon: Daemon) -> None:
    daemon.run(daemon.requests()[0])
    daemon.instance.add_dynamic_partitions("candidate", ["ghost"])
    daemon.instance.add_dynamic_partitions("problem", ["made|up"])
    daemon.instance.delete_dynamic_partition("candidate", "first")
    daemon.instance.delete_dynamic_partition("problem", "fruit")
    assert daemon.requests() == []
    assert daemon.instance.get_dynamic_partitions("candidate") == ["first"]
    assert daemon.instance.get_dynamic_partitions("problem") == ["pets", "fruit"]
    assert partitions(daemon.instance) == CELLS


# -- runs that a person deletes ------------------------------------------------------------------


def test_a_run_deleted_while_it_holds_cells_gives_them_back_without_an_attempt(
    daemon: Daemon, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = daemon.requests()
    assert daemon.requests() == []
    run = daemon.instance.create_run_for_job(
        defs.resolve_job_def("measure"), tags=dict(first.tags), status=dg.DagsterRunStatus.STARTED
    )
    assert daemon.requests() == []
    daemon.instance.delete_run(run.run_id)
    monkeypatch.setattr(claims, "SUBMISSION", timedelta(0))
    (second,) = daemon.requests()
    assert second.tags[sensors.RANGE_END] == first.tags[sensors.RANGE_END]
    assert second.run_key != first.run_key
    assert {cell.attempts for cell in workspace.store.due.all()} == {0}


def test_the_cells_of_a_deleted_run_are_reported_again_from_the_store_and_once(daemon: Daemon, muffins: Path) -> None:
    run = daemon.run(daemon.requests()[0])
    daemon.tick(sensors.evaluation_sensor)
    daemon.instance.delete_run(run.run_id)
    assert partitions(daemon.instance) == set()
    assert reported(daemon.tick(sensors.evaluation_sensor).asset_events) == CELLS
    assert latest(daemon.instance, "evaluation", "first|fruit")["passes"] == 1
    for _ in range(3):
        assert not daemon.tick(sensors.evaluation_sensor).asset_events
    assert logged(muffins) == ["open", "predict 4"], "nothing was measured again"


def test_a_deleted_run_among_others_and_a_new_run_in_the_same_moment_is_noticed(daemon: Daemon, folder: Path) -> None:
    daemon.run(daemon.requests()[0])
    execute(
        daemon.resource.open().store,
        "INSERT INTO patterns (problem, id, inputs, expected) VALUES ('pets', 'new', :inputs, 'muffin')",
        inputs='{"ears": 9, "crumbs": 9}',
    )
    daemon.look()
    second = daemon.run(daemon.requests()[0])
    daemon.tick(sensors.evaluation_sensor)
    time.sleep(1.1)  # Dagster keeps the second in which a run was made
    daemon.tick(sensors.evaluation_sensor)
    daemon.instance.delete_run(second.run_id)
    time.sleep(1.1)
    daemon.run(**{sensors.RANGE_START: "first|fruit", sensors.RANGE_END: "first|fruit"})
    assert latest(daemon.instance, "evaluation", "first|pets")["answered"] == 2, "the page shows the old suite"
    assert reported(daemon.tick(sensors.evaluation_sensor).asset_events) == {"first|pets"}
    assert latest(daemon.instance, "evaluation", "first|pets")["answered"] == 3


def test_many_deleted_cells_are_reported_a_part_at_each_look(
    daemon: Daemon, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "AT_ONCE", 1)
    run = daemon.run(daemon.requests()[0])
    for _ in range(3):
        daemon.tick(sensors.evaluation_sensor)
    daemon.instance.delete_run(run.run_id)
    counts = [len(daemon.tick(sensors.evaluation_sensor).asset_events) for _ in range(4)]
    assert counts == [1, 1, 0, 0]
    assert partitions(daemon.instance) == CELLS


# -- several at work -----------------------------------------------------------------------------


def test_two_ticks_that_overlap_ask_for_each_cell_once(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    inner: list[dg.RunRequest] = []
    plain = sensors.planned_claim

    def overtaken(instance: str) -> str:
        if not inner:
            inner.append(dg.RunRequest(run_key="placeholder"))
            inner[:] = daemon.requests()
        return plain(instance)

    monkeypatch.setattr(sensors, "planned_claim", overtaken)
    assert daemon.requests() == []
    (request,) = inner
    assert daemon.run(request).success
    assert partitions(daemon.instance) == CELLS


def test_two_homes_on_one_store_leave_each_others_cells_alone_and_show_all(
    daemon: Daemon, resource: WorkspaceResource, workspace: Workspace, muffins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "SUBMISSION", timedelta(0))  # so long is a claim without a run believed
    with dg.DagsterInstance.ephemeral() as home:
        other = Daemon(home, resource)
        other.look()
        (request,) = daemon.requests()
        for _ in range(2):
            assert other.requests() == []
        assert daemon.run(request).success
        assert other.requests() == []
        assert partitions(other.instance) == partitions(daemon.instance) == CELLS
    assert logged(muffins) == ["open", "predict 4"]


def test_a_home_that_is_gone_gives_its_cells_back_when_its_lease_is_over(
    daemon: Daemon, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.store.due.claim([cell.cell for cell in workspace.store.due.all()], planned_claim("gone"))
    assert daemon.requests() == []
    monkeypatch.setattr(claims, "LEASE", timedelta(0))
    assert len(daemon.requests()) == 1


# -- clocks --------------------------------------------------------------------------------------


def test_claims_and_the_refresh_do_not_wait_for_a_clock_that_was_set_back(
    daemon: Daemon, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = daemon.requests()
    workspace.store.due.keep(first.tags["ml_regress/claim"], "2999-01-01T00:00:00.000Z")
    assert daemon.requests() == []
    monkeypatch.setattr(claims, "SUBMISSION", timedelta(0))
    (second,) = daemon.requests()
    assert daemon.run(second).success
    future = {"version": "older", "since": time.time() + 1e6, "at": time.time() + 1e6, "tries": 1}
    assert sensors.refresh_due(workspace, future, time.time())
    assert sensors.refresh_due(workspace, {**future, "version": shown_version(workspace.store)}, time.time())


def test_a_cursor_from_the_future_does_not_hide_a_deleted_run(daemon: Daemon) -> None:
    run = daemon.run(daemon.requests()[0])
    daemon.tick(sensors.evaluation_sensor)
    cursor = daemon.cursors["evaluation_sensor"] or ""
    daemon.cursors["evaluation_sensor"] = cursor.replace('"until": "20', '"until": "29')
    daemon.instance.delete_run(run.run_id)
    assert reported(daemon.tick(sensors.evaluation_sensor).asset_events) == CELLS


def test_sensors_tick_again_at_once_when_the_clock_was_set_back() -> None:
    # Dagster waits until some seconds have passed since the last tick, which lies in the future then.
    from dagster._core.remote_origin import (
        RegisteredCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )

    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ml_regress"), "__repository__")
    with instance_for_test() as instance:
        for name, ticked in (("evaluation_sensor", 5000.0), ("problems_sensor", 990.0)):
            data = SensorInstigatorData(last_tick_timestamp=ticked, last_tick_start_timestamp=ticked, cursor="kept")
            origin = RemoteInstigatorOrigin(repository, name)
            state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE, data)
            instance.add_instigator_state(state)
        assert forget_future_ticks(instance, 1000.0) == ["evaluation_sensor"]
        assert forget_future_ticks(instance, 1000.0) == []
        kept = {state.name: state.instigator_data for state in instance.all_instigator_state()}
    assert [getattr(kept["evaluation_sensor"], name) for name in ("last_tick_timestamp", "cursor")] == [None, "kept"]
    assert getattr(kept["problems_sensor"], "last_tick_timestamp") == 990.0  # noqa: B009  # of a union


# -- a store that is away ------------------------------------------------------------------------


def test_ticks_fail_with_words_while_the_store_is_away_and_the_next_one_goes_on(
    daemon: Daemon, workspace: Workspace, folder: Path
) -> None:
    (request,) = daemon.requests()
    home = folder / ".ml_regress"
    for each in home.glob("store.db*"):
        each.rename(each.with_name("aside-" + each.name))
    write_candidate(folder, "second", ConstantModel("muffin"), created_at="2026-07-01T00:00:00Z")
    for sensor in ALL:
        with pytest.raises(Unavailable, match=r"store\.db cannot be used: the file is gone"):
            daemon.tick(sensor)
    assert not daemon.run(request).success
    for each in home.glob("aside-*"):
        each.rename(each.with_name(each.name.removeprefix("aside-")))
    daemon.look()
    assert partitions(daemon.instance, "candidates") == {"first", "second"}
    for request in daemon.requests():
        assert daemon.run(request).success
    assert daemon.requests() == []
    assert workspace.store.due.count() == 0
    assert workspace.store.sources.refusals() == []


# -- many cells ----------------------------------------------------------------------------------


def test_touching_a_candidate_again_measures_nothing_and_shows_no_flip(
    daemon: Daemon, folder: Path, muffins: Path, workspace: Workspace
) -> None:
    daemon.run(daemon.requests()[0])
    for each in (folder / "candidates" / "first").iterdir():
        each.touch()
    take_in(workspace)
    daemon.look()
    assert daemon.requests() == []
    assert logged(muffins) == ["open", "predict 4"]
    assert len(workspace.store.evaluations.after(0)) == 2


def test_the_same_cells_evaluated_by_two_at_once_are_stored_once(daemon: Daemon, workspace: Workspace) -> None:
    cells = [cell.cell for cell in workspace.store.due.all()]
    daemon.run(daemon.requests()[0])
    assert [result.counts.predicted for result in evaluate(workspace, cells, claim="late", asked=True)] == [0]
    assert len(workspace.store.evaluations.after(0)) == 2


def test_a_refusal_stays_visible_while_ticks_go_on(daemon: Daemon, folder: Path) -> None:
    take = write_problem(folder, "wrong", [row("r1", 3, "waffle")])
    take_in(daemon.resource.open())
    for _ in range(3):
        daemon.look()
        check = daemon.resource.open().store.sources.refusals()
        assert [refusal.source for refusal in check] == [f"problems/{take.name}"]
