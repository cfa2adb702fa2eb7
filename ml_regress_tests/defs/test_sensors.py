"""Sensors: they derive what they do from states, so that a lost tick loses nothing."""

import json
from pathlib import Path

import dagster as dg
import pytest

from ml_regress.defs import names, sensors
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine import judge
from ml_regress.engine.evaluate import evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.progress import shown_version, write_reported_version
from ml_regress_tests.defs.ticks import Daemon, latest, partitions
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import age, execute, row, write_candidate, write_problem


@pytest.fixture
def daemon(instance: dg.DagsterInstance, resource: WorkspaceResource, muffins: Path) -> Daemon:
    made = Daemon(instance, resource)
    made.look()
    return made


def test_the_registry_is_reported_without_a_run(daemon: Daemon) -> None:
    assert partitions(daemon.instance, "patterns") == {"fruit", "pets"}
    assert partitions(daemon.instance, "candidates") == {"first"}
    assert latest(daemon.instance, "problems")["count"] == 2
    facts = latest(daemon.instance, "patterns", "fruit")
    assert facts["patterns_active"] == 2
    assert "blueberry" in facts["patterns"]
    assert facts["report"].startswith("http://127.0.0.1:")
    assert latest(daemon.instance, "candidates", "first")["format"] == "joblib"
    assert daemon.instance.get_runs() == []


def test_a_second_look_reports_nothing(daemon: Daemon) -> None:
    for sensor in (sensors.problems_sensor, sensors.candidates_sensor):
        assert not daemon.tick(sensor).asset_events


def test_a_lost_tick_is_reported_by_the_next(daemon: Daemon, folder: Path) -> None:
    before = dict(daemon.cursors)
    execute(daemon.resource.open().store, "UPDATE patterns SET note = 'seen' WHERE problem = 'fruit' AND id = 'puppy'")
    daemon.tick(sensors.problems_sensor)
    daemon.cursors = before  # its result never arrived
    events = daemon.tick(sensors.problems_sensor).asset_events
    assert [(event.asset_key.to_user_string(), event.partition) for event in events] == [("patterns", "fruit")]
    assert "seen" in latest(daemon.instance, "patterns", "fruit")["patterns"]


def test_a_refused_file_is_listed_in_the_check_and_the_last_suite_stays(daemon: Daemon, folder: Path) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("problems"), names.SCHEMAS_VALID)
    history = daemon.instance.event_log_storage.get_asset_check_execution_history
    assert history(key, limit=1)[0].status.value == "SUCCEEDED"
    age(write_problem(folder, "fruit", [row("blueberry", 0.5, "bagel", crumbs=5)]))
    events = daemon.tick(sensors.problems_sensor).asset_events
    checks = [event for event in events if isinstance(event, dg.AssetCheckEvaluation)]
    assert len(checks) == 1
    assert not checks[0].passed
    assert "bagel" in str(checks[0].metadata["refusals"].value)
    assert history(key, limit=1)[0].status.value == "FAILED"
    assert latest(daemon.instance, "patterns", "fruit")["patterns_active"] == 2


def test_due_cells_become_one_rectangle_with_its_ends_in_tags(daemon: Daemon) -> None:
    (request,) = daemon.requests()
    assert request.tags[sensors.RANGE_START] == "first|fruit"
    assert request.tags[sensors.RANGE_END] == "first|pets"
    assert request.tags[names.CLAIM_TAG] == request.run_key
    assert daemon.instance.get_dynamic_partitions("candidate") == ["first"]
    assert daemon.instance.get_dynamic_partitions("problem") == ["fruit", "pets"]
    assert daemon.requests() == []  # claimed


def test_a_run_measures_its_rectangle_and_nothing_is_due_then(daemon: Daemon, workspace: Workspace) -> None:
    (request,) = daemon.requests()
    assert daemon.run(request).success
    assert partitions(daemon.instance) == {"first|fruit", "first|pets"}
    assert workspace.store.due.count() == 0
    assert daemon.requests() == []
    assert not daemon.tick(sensors.evaluation_sensor).asset_events  # its run reported them


def test_a_new_pattern_asks_for_its_problem_only_and_a_note_for_nothing(daemon: Daemon, folder: Path) -> None:
    daemon.run(daemon.requests()[0])
    execute(daemon.resource.open().store, "UPDATE patterns SET note = 'only words' WHERE problem = 'pets'")
    daemon.look()
    assert daemon.requests() == []
    execute(
        daemon.resource.open().store,
        "INSERT INTO patterns (problem, id, inputs, expected) VALUES ('pets', 'new', :inputs, 'muffin')",
        inputs='{"ears": 9, "crumbs": 9}',
    )
    daemon.look()
    (request,) = daemon.requests()
    assert (request.tags[sensors.RANGE_START], request.tags[sensors.RANGE_END]) == ("first|pets", "first|pets")


def test_an_archived_candidate_leaves_the_matrix_and_comes_back_at_its_end(daemon: Daemon, folder: Path) -> None:
    write_candidate(folder, "second", ConstantModel("chihuahua"), created_at="2026-07-01T00:00:00Z")
    daemon.look()
    daemon.requests()
    candidates = daemon.resource.open().store.candidates
    candidates.archive("first", actor="test")
    daemon.requests()
    assert daemon.instance.get_dynamic_partitions("candidate") == ["second"]
    candidates.unarchive("first", actor="test")
    daemon.requests()
    assert daemon.instance.get_dynamic_partitions("candidate") == ["second", "first"]


def test_what_a_command_measured_is_reported_afterwards(daemon: Daemon, workspace: Workspace) -> None:
    cells = [cell.cell for cell in workspace.store.due.all()]
    list(evaluate(workspace, cells, claim="command:elsewhere:1:0"))
    assert daemon.requests() == []
    assert partitions(daemon.instance) == {"first|fruit", "first|pets"}
    assert latest(daemon.instance, "evaluation", "first|fruit")["passes"] == 1
    assert not daemon.tick(sensors.evaluation_sensor).asset_events


def test_the_scoreboard_is_asked_for_once_a_version_when_nothing_is_due(daemon: Daemon, workspace: Workspace) -> None:
    assert not daemon.tick(sensors.scoreboard_sensor).run_requests  # cells are due
    daemon.run(daemon.requests()[0])
    (request,) = daemon.tick(sensors.scoreboard_sensor).run_requests or []
    assert request.run_key is not None
    assert request.run_key.startswith(shown_version(workspace.store))
    assert not daemon.tick(sensors.scoreboard_sensor).run_requests


def test_a_refresh_that_failed_is_asked_for_again_later_and_a_done_one_is_not(workspace: Workspace) -> None:
    workspace.settings.report_folder.mkdir(parents=True)
    version = shown_version(workspace.store)
    asked = {"version": version, "at": 1000.0, "tries": 2}
    assert not sensors.refresh_due(workspace, asked, 1000.0 + 119)
    assert sensors.refresh_due(workspace, asked, 1000.0 + 121)
    write_reported_version(workspace.settings, version)
    assert not sensors.refresh_due(workspace, asked, 1000.0 + 121)


def test_while_cells_are_due_the_scoreboard_is_asked_for_once_a_minute(daemon: Daemon, workspace: Workspace) -> None:
    waiting = {"version": "older", "since": 1000.0, "at": 1.0, "tries": 1}
    assert not sensors.refresh_due(workspace, waiting, 1030.0)
    assert sensors.refresh_due(workspace, waiting, 1061.0)


def test_a_change_has_its_first_minute_to_itself_however_long_nothing_happened(
    daemon: Daemon, workspace: Workspace
) -> None:
    daemon.cursors["scoreboard_sensor"] = '{"version": "older", "at": 1000.0, "tries": 1}'
    assert not daemon.tick(sensors.scoreboard_sensor).run_requests
    cursor = json.loads(daemon.cursors["scoreboard_sensor"] or "")
    daemon.cursors["scoreboard_sensor"] = json.dumps({**cursor, "since": cursor["since"] - 61})
    assert daemon.tick(sensors.scoreboard_sensor).run_requests
    assert "since" not in (daemon.cursors["scoreboard_sensor"] or "")


def test_a_decision_of_a_person_makes_another_scoreboard_and_report(daemon: Daemon, workspace: Workspace) -> None:
    daemon.run(daemon.requests()[0])
    assert daemon.tick(sensors.scoreboard_sensor).run_requests
    assert not daemon.tick(sensors.scoreboard_sensor).run_requests
    judge.waive(workspace, "first", "fruit", None, person="Ada", reason="a known one", until="2999-01-01")
    assert daemon.tick(sensors.scoreboard_sensor).run_requests


def test_a_look_is_repeated_until_it_sees_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors, "PATIENCE", 5.0)
    monkeypatch.setattr(sensors, "PAUSE", 0.01)
    answers = iter([False, False, True])
    assert sensors.patiently(lambda: next(answers))
    monkeypatch.setattr(sensors, "PATIENCE", 0.05)
    assert not sensors.patiently(lambda: False)
