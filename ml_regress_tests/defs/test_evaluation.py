"""The asset `evaluation`, run as Dagster runs it."""

from pathlib import Path

import dagster as dg
import pytest

from ml_regress.defs import sensors
from ml_regress.defs.metadata import text_table
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.progress import shown_version
from ml_regress_tests.defs.ticks import Daemon, latest, partitions
from ml_regress_tests.models import FailingModel
from ml_regress_tests.scenario import logged, write_candidate


@pytest.fixture
def daemon(instance: dg.DagsterInstance, resource: WorkspaceResource, muffins: Path) -> Daemon:
    made = Daemon(instance, resource)
    made.look()
    return made


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    return str(event.step_failure_data.error)


def test_each_cell_carries_its_numbers_and_the_run_its_counts(daemon: Daemon) -> None:
    result = daemon.run(daemon.requests()[0])
    cell = latest(daemon.instance, "evaluation", "first|fruit")
    assert {name: cell[name] for name in ("state", "passes", "answered", "errors", "rate", "metric")} == {
        "state": "ok", "passes": 1, "answered": 2, "errors": 0, "rate": 0.5, "metric": "pass_rate",
    }  # fmt: skip
    assert 0 < cell["metric_low"] < 0.5 < cell["metric_high"] < 1
    assert len(cell["suite"]) == 64
    assert len(cell["candidate_digest"]) == 64
    run = daemon.instance.get_run_by_id(result.run_id)
    assert run is not None
    counts = {key: value for key, value in run.tags.items() if key.startswith("ml_regress/") and value.isdigit()}
    assert counts == {
        "ml_regress/candidates_opened": "1",
        "ml_regress/predictions_made": "4",
        "ml_regress/predictions_reused": "0",
        "ml_regress/outcomes_scored": "4",
        "ml_regress/benchmark_rows_predicted": "0",
    }
    (observation,) = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    assert observation.asset_observation_data.asset_observation.metadata["predictions_made"].value == 4


def test_a_candidate_that_raises_is_an_error_with_its_reason_in_its_cells_only(daemon: Daemon, folder: Path) -> None:
    write_candidate(folder, "second", FailingModel("no crumbs below zero"), created_at="2026-07-01T00:00:00Z")
    daemon.look()
    assert all(daemon.run(request).success for request in daemon.requests())
    assert latest(daemon.instance, "evaluation", "first|pets")["state"] == "ok"
    failed = latest(daemon.instance, "evaluation", "second|pets")
    assert failed["state"] == "error"
    assert "no crumbs below zero" in failed["reason"]
    assert "metric_value" not in failed


def test_a_person_who_materializes_measured_cells_sees_them_again_without_a_prediction(
    daemon: Daemon, muffins: Path
) -> None:
    daemon.run(daemon.requests()[0])
    by_hand = {sensors.RANGE_START: "first|fruit", sensors.RANGE_END: "first|fruit"}
    result = daemon.run(**by_hand)
    assert result.success
    assert logged(muffins) == ["open", "predict 4"]
    assert len([event for event in result.all_events if event.is_step_materialization]) == 1


def test_keys_that_the_store_does_not_know_fail_the_run_after_the_others_are_measured(daemon: Daemon) -> None:
    daemon.requests()
    for claim in daemon.resource.open().store.due.claims():
        daemon.resource.open().store.due.release(claim.name, crashed=False)
    daemon.instance.add_dynamic_partitions("candidate", ["ghost"])
    result = daemon.run(**{sensors.RANGE_START: "first|fruit", sensors.RANGE_END: "ghost|pets"})
    assert not result.success
    assert "ghost|fruit, ghost|pets" in failure_of(result)
    assert partitions(daemon.instance) == {"first|fruit", "first|pets"}


def test_the_matrix_is_drawn_and_reported_and_checked(daemon: Daemon, folder: Path) -> None:
    from ml_regress.definitions import defs

    daemon.run(daemon.requests()[0])
    resources = {"workspace": daemon.resource}
    result = defs.resolve_job_def("refresh").execute_in_process(instance=daemon.instance, resources=resources)
    assert result.success
    scoreboard = latest(daemon.instance, "scoreboard")
    assert "| Fruit | 1/2 |" in scoreboard["matrix"]
    assert scoreboard["picture"].startswith("![matrix](data:image/png;base64,")
    assert scoreboard["cells_ok"] == 2
    assert (folder / ".ml_regress" / "report" / "report.html").is_file()
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks["matrix_complete"]
    version = shown_version(daemon.resource.open().store)
    assert latest(daemon.instance, "report")["matrix_version"] == version


def test_the_check_of_the_matrix_names_what_is_missing(daemon: Daemon) -> None:
    from ml_regress.defs.checks import matrix_complete_result
    from ml_regress.report.gather import gather

    passed, metadata = matrix_complete_result(gather(daemon.resource.open().store, "scenario"))
    assert not passed
    assert metadata["due"] == 2
    assert "| first | fruit | due |" in metadata["missing"].value


def test_the_audit_finds_what_the_list_lost(daemon: Daemon) -> None:
    from ml_regress.definitions import defs
    from ml_regress_tests.scenario import execute

    store = daemon.resource.open().store
    execute(store, "DELETE FROM due WHERE problem = 'pets'")
    resources = {"workspace": daemon.resource}
    result = defs.resolve_job_def("audit").execute_in_process(instance=daemon.instance, resources=resources)
    assert store.due.count() == 2
    run = daemon.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["ml_regress/missing"] == "1"


def test_text_in_a_table_cannot_become_markup() -> None:
    assert text_table(("a",), [("x | y\n<b>",)]).splitlines()[-1].count("|") == 2
