"""The sensor of batches: it derives what it asks for from the store, and costs nothing where there is no production."""

import json
import os
import urllib.request
from pathlib import Path

import dagster as dg
import pytest

from ml_regress.core.batch import Batch
from ml_regress.core.outlier_result import OutlierReport
from ml_regress.core.proposal import Proposal
from ml_regress.definitions import defs
from ml_regress.defs import watching
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.defs.sensors import RANGE_END, RANGE_START
from ml_regress.defs.watching import Asked
from ml_regress.engine.production import check_batch
from ml_regress_tests.defs.arriving import asked, checks, drop, look, run, table, write_production
from ml_regress_tests.defs.browser import CHROMIUM, Page, browser
from ml_regress_tests.defs.running import Running, running
from ml_regress_tests.defs.ticks import Daemon, latest, partitions

DAY = 86400.0


@pytest.fixture
def daemon(instance: dg.DagsterInstance, resource: WorkspaceResource, folder: Path) -> Daemon:
    write_production(folder)
    made = Daemon(instance, resource)
    made.look()
    return made


def test_a_workspace_without_production_is_passed_over(
    instance: dg.DagsterInstance, resource: WorkspaceResource
) -> None:
    result = look(Daemon(instance, resource))
    assert result.skip_reason is not None
    assert "no folder batches/ and no batch" in str(result.skip_reason.skip_message)
    assert result.cursor is None


def test_a_dropped_batch_is_reported_without_a_run_and_one_run_is_asked_for_all(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    drop(folder, "2026-02", table(shift=3.0, seed=3))
    (request,) = asked(look(daemon))
    assert request.tags["ml_regress/batches"] == "2026-01,2026-02"
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("2026-01", "2026-02")
    assert partitions(daemon.instance, "batches") == {"2026-01", "2026-02"}
    assert daemon.instance.get_dynamic_partitions("batch") == ["2026-01", "2026-02"]
    told = latest(daemon.instance, "batches", "2026-02")
    assert (told["state"], told["rows"], told["source"]) == ("accepted", 60, "batches/2026-02.csv")
    assert told["page"].endswith("/batch-2026-02.html")
    assert [status for status, _, _ in checks(daemon.instance, "batches", "schema_kept")] == ["SUCCEEDED"]
    assert daemon.instance.get_runs() == []


def test_what_is_asked_for_already_is_not_asked_for_at_the_next_look(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    assert asked(look(daemon))
    result = look(daemon)
    assert not asked(result)
    assert not result.asset_events
    assert result.skip_reason is not None


def test_a_lost_tick_asks_for_the_same_run_key(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    before = dict(daemon.cursors)
    (first,) = asked(look(daemon))
    daemon.cursors = before  # its result never arrived
    (again,) = asked(look(daemon))
    assert first.run_key == again.run_key


def test_a_run_that_did_not_come_is_asked_for_again_later_under_another_key(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (first,) = asked(look(daemon))
    cursor = json.loads(daemon.cursors["batches_sensor"] or "")
    digest, count, at = cursor["asked"]["2026-01"]
    cursor["asked"]["2026-01"] = [digest, count, at - 61]
    daemon.cursors["batches_sensor"] = json.dumps(cursor)
    (again,) = asked(look(daemon))
    assert first.run_key != again.run_key
    assert not asked(look(daemon))


def test_while_a_run_is_at_work_no_other_is_asked_for(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    at_work = daemon.instance.create_run_for_job(
        defs.resolve_job_def("check_batches"), status=dg.DagsterRunStatus.STARTED, tags=dict(request.tags)
    )
    drop(folder, "2026-02", table(seed=4))
    assert not asked(look(daemon))
    assert "2026-02" in partitions(daemon.instance, "batches")
    daemon.instance.report_run_canceled(at_work)
    (next_one,) = asked(look(daemon))
    assert next_one.tags["ml_regress/batches"] == "2026-02"  # the other one waits for its time


def test_a_checked_batch_is_due_no_more(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    assert run(daemon, request).success
    result = look(daemon)
    assert not asked(result)
    assert not result.asset_events  # its run reported it
    assert json.loads(daemon.cursors["batches_sensor"] or "")["asked"] == {}


def test_a_check_that_a_command_made_is_reported_afterwards_and_once(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table(shift=3.0))
    look(daemon)
    check_batch(daemon.resource.open(), "2026-01")
    assert not asked(look(daemon))
    assert latest(daemon.instance, "drift", "2026-01")["state"] == "drift"
    assert partitions(daemon.instance, "outliers") == {"2026-01"}
    assert [status for status, _, _ in checks(daemon.instance, "drift", "no_drift")] == ["FAILED"]
    assert not look(daemon).asset_events


def test_checks_of_a_deleted_run_are_reported_again(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    result = run(daemon, request)
    daemon.instance.delete_run(result.run_id)
    assert partitions(daemon.instance, "drift") == set()
    daemon.cursors.clear()
    look(daemon)
    assert partitions(daemon.instance, "drift") == {"2026-01"}


def test_a_quarantined_batch_is_an_error_with_its_reasons_until_it_is_mended(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table() + "abc,1\n")
    assert not asked(look(daemon))
    ((status, severity, told),) = checks(daemon.instance, "batches", "schema_kept")
    assert (status, severity, told["quarantined"]) == ("FAILED", "ERROR", 1)
    assert "must be a finite number" in told["why"]
    shown = latest(daemon.instance, "batches", "2026-01")
    assert shown["state"] == "quarantined"
    assert "must be a finite number" in shown["reasons"]
    assert partitions(daemon.instance, "drift") == set()
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    assert request.tags["ml_regress/batches"] == "2026-01"
    assert checks(daemon.instance, "batches", "schema_kept")[0][0] == "SUCCEEDED"


def test_a_range_names_only_what_is_due_in_it(daemon: Daemon, folder: Path) -> None:
    for name, text in (("a", table()), ("b", table() + "abc,1\n"), ("c", table(seed=5))):
        drop(folder, name, text)
    (request,) = asked(look(daemon))
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("a", "c")
    assert request.tags["ml_regress/batches"] == "a,c"
    assert run(daemon, request).success
    assert partitions(daemon.instance, "drift") == {"a", "c"}


def test_every_batch_has_a_page_where_its_link_leads(daemon: Daemon, folder: Path) -> None:
    drop(folder, "good", table())
    drop(folder, "bad", table() + "abc,1\n")
    look(daemon)
    pages = daemon.resource.open().settings.report_folder
    for name in ("good", "bad"):
        assert (pages / latest(daemon.instance, "batches", name)["page"].rpartition("/")[2]).is_file()
    assert (pages / "production.html").is_file()


def test_a_decision_on_a_proposal_is_seen_on_the_page_of_its_batch(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    look(daemon)
    workspace = daemon.resource.open()
    page = workspace.settings.report_folder / "batch-2026-01.html"
    given = Proposal(
        "long-ears", "muffin", {"ears": 9.0, "crumbs": 1.0}, problem_title="Muffin", batch="2026-01", row=3
    )
    workspace.store.proposals.add([given], actor="test")
    workspace.store.drift.keep_outliers(OutlierReport("2026-01", "q", 60, proposed=("long-ears",), checked_at="now"))
    look(daemon)
    assert "long-ears" in page.read_text()
    workspace.store.proposals.reject(["long-ears"], person="Ada", why="a broken sensor")
    look(daemon)
    assert "long-ears" not in page.read_text()


def test_a_look_that_still_reads_is_not_joined_by_another(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    with watching._looking:
        result = look(daemon)
    assert result.skip_reason is not None
    assert partitions(daemon.instance, "batches") == set()
    assert asked(look(daemon))


# -- what was asked for -----------------------------------------------------------------------------


def batch(name: str, digest: str = "rows") -> Batch:
    return Batch(name, "accepted", digest, "schema", 9, "2026-01-01", "2026-01-02", f"{name}.csv", "2026-01-03")


def test_each_try_waits_a_minute_longer_than_the_one_before() -> None:
    tried = Asked({}).with_another([batch("a")], 1000.0)
    assert [bool(tried.ready([batch("a")], 1000.0 + passed)) for passed in (59, 60)] == [False, True]
    tried = tried.with_another([batch("a")], 2000.0)
    assert [bool(tried.ready([batch("a")], 2000.0 + passed)) for passed in (119, 120)] == [False, True]


def test_other_rows_of_a_batch_are_a_first_try() -> None:
    tried = Asked({}).with_another([batch("a"), batch("b")], 1000.0)
    assert tried.kept([batch("a", "with labels"), batch("b")]).tries == {"b": ("rows", 1, 1000.0)}


def test_a_batch_that_crashes_its_runs_comes_after_the_others() -> None:
    tried = Asked({}).with_another([batch("a")], 1000.0)
    assert [each.id for each in tried.ready([batch("a"), batch("b")], 1000.0 + DAY)] == ["b", "a"]


def test_a_clock_that_was_set_back_ends_the_waiting() -> None:
    assert Asked({}).with_another([batch("a")], 1000.0).ready([batch("a")], 900.0)


# -- the whole tree ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_dropped_batch_becomes_drift_and_a_page_in_a_running_dagster(folder: Path) -> None:
    write_production(folder)
    shots = Path(os.environ.get("ML_REGRESS_TEST_SCREENSHOTS", folder / "screenshots"))
    shots.mkdir(parents=True, exist_ok=True)
    with running(folder) as up:
        up.wait_ready()
        drop(folder, "2026-01", table())
        up.wait_for(lambda: checked(up) == {"2026-01": "no drift"})
        drop(folder, "2026-02", table(shift=3.0, seed=3))
        drop(folder, "2026-03", table(seed=5) + "abc,1\n")
        up.wait_for(lambda: checked(up) == {"2026-01": "no drift", "2026-02": "drift"})
        up.wait_for(lambda: [run["status"] for run in up.runs("check_batches")] == ["SUCCESS", "SUCCESS"])
        states = {event["partition"]: event["metadata"]["state"] for event in up.materializations("batches")}
        assert states == {"2026-01": "accepted", "2026-02": "accepted", "2026-03": "quarantined"}
        assert {event["partition"] for event in up.materializations("outliers")} == {"2026-01", "2026-02"}
        assert "quarantined batches/2026-03.csv: " in up.text
        told = next(event for event in up.materializations("drift") if event["partition"] == "2026-02")["metadata"]
        with urllib.request.urlopen(told["page"]) as reply:  # noqa: S310  # our own server
            assert "ears" in reply.read().decode()
        if CHROMIUM.exists():
            with browser(folder) as page:
                shown_to_a_person(up, page, shots)
        assert up.stop() == 0


def checked(up: Running) -> dict[str, str]:
    """The state of every batch that Dagster shows as checked."""
    return {event["partition"]: event["metadata"]["state"] for event in up.materializations("drift")}


def says(*words: str) -> str:
    return " && ".join(f"document.body.innerText.includes({word!r})" for word in words)


def shown_to_a_person(up: Running, page: Page, shots: Path) -> None:
    ui = f"http://127.0.0.1:{up.ui_port}"
    page.open(f"{ui}/assets/drift?view=partitions&partition=2026-02")
    page.wait_for(says("columns_drifting", "2026-02 drifts", "batch-2026-02.html"))
    page.screenshot(shots / "drift.png")
    page.open(f"{ui}/assets/batches?view=partitions&partition=2026-03")
    page.wait_for(says("quarantined", "must be a finite number"))
    page.screenshot(shots / "batches.png")
    page.open(f"{ui}/assets/batches?view=checks")
    page.wait_for(says("schema_kept", "batches_arrive"))
    page.screenshot(shots / "schema-kept.png")
    page.open(f"{ui}/assets/drift?view=checks")
    page.wait_for(says("no_drift"))
    page.screenshot(shots / "no-drift.png")
