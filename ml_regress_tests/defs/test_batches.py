"""The assets `drift` and `outliers`, run as Dagster runs them, and what they say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ml_regress.core.batch import Batch
from ml_regress.core.drift_result import (
    DRIFT,
    NO_DRIFT,
    NOT_ENOUGH,
    ColumnDrift,
    DomainDrift,
    DriftReport,
    MetricDrift,
    Test,
)
from ml_regress.core.outlier_result import CoveredCluster, OutlierReport, StrangeRow
from ml_regress.definitions import defs
from ml_regress.defs.arrival import arrive_result
from ml_regress.defs.batch_metadata import (
    batch_metadata,
    drift_metadata,
    no_drift_result,
    outliers_metadata,
    schema_kept_result,
)
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.defs.arriving import asked, checks, drop, look, run, table, write_production
from ml_regress_tests.defs.ticks import Daemon, latest, partitions


@pytest.fixture
def daemon(instance: dg.DagsterInstance, resource: WorkspaceResource, folder: Path) -> Daemon:
    write_production(folder)
    made = Daemon(instance, resource)
    made.look()
    return made


# -- runs -------------------------------------------------------------------------------------------


def test_a_run_reports_each_batch_and_warns_of_those_that_drift(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    drop(folder, "2026-02", table(shift=3.0, seed=3))
    (request,) = asked(look(daemon))
    assert run(daemon, request).success
    still, moved = (latest(daemon.instance, "drift", name) for name in ("2026-01", "2026-02"))
    assert (still["state"], still["columns_drifting"]) == ("no drift", 0)
    assert moved["state"] == "drift"
    assert moved["columns_drifting"] >= 1
    assert "ears" in moved["worst"]
    assert "crumbs" not in moved["worst"]
    assert "| ears" in moved["columns"]
    assert "data:image/" in moved["pictures"]
    assert moved["page"].endswith("/batch-2026-02.html")
    assert (moved["rows"], moved["rows_of_reference"]) == (60, 200)
    assert partitions(daemon.instance, "outliers") == {"2026-01", "2026-02"}
    assert latest(daemon.instance, "outliers", "2026-02")["rows"] == 60
    ((status, severity, told),) = checks(daemon.instance, "drift", "no_drift")
    assert (status, severity) == ("FAILED", "WARN")
    assert (told["checked"], told["drifting"]) == (2, 1)
    assert "2026-02" in told["batches"]
    assert "ears" in told["batches"]
    pages = daemon.resource.open().settings.report_folder
    assert "ears" in (pages / "batch-2026-02.html").read_text()
    assert "2026-02" in (pages / "production.html").read_text()


def test_a_run_without_drift_passes_its_check(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    assert run(daemon, request).success
    ((status, _, told),) = checks(daemon.instance, "drift", "no_drift")
    assert (status, told["drifting"], told["not_compared"]) == ("SUCCEEDED", 0, 0)


def test_one_asset_of_one_batch_may_be_made_by_hand(daemon: Daemon, folder: Path) -> None:
    for name, seed in (("2026-01", 2), ("2026-02", 3)):
        drop(folder, name, table(seed=seed))
    look(daemon)
    assert run(daemon, assets={"drift"}, partition="2026-02").success
    assert partitions(daemon.instance, "drift") == {"2026-02"}
    assert partitions(daemon.instance, "outliers") == set()


def test_what_could_not_be_compared_is_tried_again_when_a_person_asks(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    workspace = daemon.resource.open()
    rows = workspace.archive.rows(workspace.store.batches.get("2026-01").digest)
    aside = rows.rename(rows.with_suffix(".aside"))
    assert run(daemon, request).success
    assert "not in the archive" in latest(daemon.instance, "drift", "2026-01")["reason"]
    aside.rename(rows)
    assert not asked(look(daemon))
    assert run(daemon, partition="2026-01").success
    assert latest(daemon.instance, "drift", "2026-01")["state"] == "no drift"


def test_what_a_sensor_asked_for_twice_is_computed_once(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    run(daemon, request)
    before = latest(daemon.instance, "drift", "2026-01")["checked_at"]
    run(daemon, request)
    assert latest(daemon.instance, "drift", "2026-01")["checked_at"] == before


def test_a_quarantined_batch_that_a_person_asks_for_says_that_it_is_one(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table() + "abc,1\n")
    look(daemon)
    assert run(daemon, partition="2026-01").success
    told = latest(daemon.instance, "drift", "2026-01")
    assert told["state"] == "not compared"
    assert "the batch is quarantined" in told["reason"]
    assert "columns_drifting" not in told
    ((status, _, check),) = checks(daemon.instance, "drift", "no_drift")
    assert (status, check["not_compared"]) == ("FAILED", 1)


def test_a_batch_that_is_gone_fails_the_run_after_the_others(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    (request,) = asked(look(daemon))
    request.tags["ml_regress/batches"] = "nobody,2026-01"
    assert not run(daemon, request).success
    assert partitions(daemon.instance, "drift") == {"2026-01"}


def test_a_check_that_raised_names_its_reason_and_leaves_the_others_alone(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table())
    drop(folder, "2026-02", table(seed=4))
    (request,) = asked(look(daemon))
    workspace = daemon.resource.open()
    rows = workspace.archive.rows(workspace.store.batches.get("2026-01").digest)
    rows.write_bytes(b"a disk that lost its content")
    assert run(daemon, request).success
    broken = latest(daemon.instance, "drift", "2026-01")
    assert broken["state"] == "not compared"
    assert broken["reason"]
    assert latest(daemon.instance, "drift", "2026-02")["state"] == "no drift"
    ((status, severity, told),) = checks(daemon.instance, "drift", "no_drift")
    assert (status, severity, told["not_compared"]) == ("FAILED", "WARN", 1)
    assert "2026-01" in told["batches"]


def test_the_check_alone_speaks_of_all_batches(daemon: Daemon, folder: Path) -> None:
    for name, state in (("2026-01", DRIFT), ("2026-02", NO_DRIFT)):
        drop(folder, name, table())
        look(daemon)
        report = replace(drift(column("ears", state)), batch=name)
        daemon.resource.open().store.drift.keep_drift(report)
    key = dg.AssetCheckKey(dg.AssetKey("drift"), "no_drift")
    job = defs.resolve_implicit_global_asset_job_def()
    result = job.get_subset(asset_selection=set(), asset_check_selection={key}).execute_in_process(
        instance=daemon.instance, resources={"workspace": daemon.resource}, raise_on_error=False
    )
    assert result.success
    status, _, told = checks(daemon.instance, "drift", "no_drift")[0]
    assert (status, told["checked"], told["drifting"]) == ("FAILED", 2, 1)


# -- the daily look ---------------------------------------------------------------------------------


def test_the_daily_job_checks_what_was_missed_and_says_that_batches_come(daemon: Daemon, folder: Path) -> None:
    drop(folder, "2026-01", table(shift=3.0))
    look(daemon)  # whose run was lost
    result = run(daemon, job="watch_production")
    assert result.success
    assert latest(daemon.instance, "drift", "2026-01")["state"] == "drift"
    assert partitions(daemon.instance, "outliers") == {"2026-01"}
    assert checks(daemon.instance, "drift", "no_drift")[0][:2] == ("FAILED", "WARN")
    ((status, _, told),) = checks(daemon.instance, "batches", "batches_arrive")
    assert status == "SUCCEEDED"
    assert "nobody is missed" in told["expected"]
    run_of_it = daemon.instance.get_run_by_id(result.run_id)
    assert run_of_it is not None
    assert run_of_it.tags["ml_regress/batches_checked"] == "1"
    assert not look(daemon).asset_events  # the job reported it


def test_the_daily_job_says_it_again_the_next_day(daemon: Daemon) -> None:
    for _ in range(2):
        assert run(daemon, job="watch_production").success
    assert [status for status, _, _ in checks(daemon.instance, "batches", "batches_arrive")] == ["SUCCEEDED"] * 2


def test_a_batch_that_did_not_come_in_time_is_a_warning(
    instance: dg.DagsterInstance, resource: WorkspaceResource, folder: Path
) -> None:
    write_production(folder, every="1 day")
    daemon = Daemon(instance, resource)
    daemon.look()
    drop(folder, "2026-01", table())
    look(daemon)
    workspace = resource.open()
    came = datetime.fromisoformat(workspace.store.batches.get("2026-01").received_at)
    came = came if came.tzinfo else came.replace(tzinfo=UTC)
    passed, told = arrive_result(workspace, came + timedelta(hours=23))
    assert passed
    assert told["newest"] == "2026-01"
    passed, told = arrive_result(workspace, came + timedelta(hours=25))
    assert not passed
    assert told["late"]
    assert "1 day" in str(told["expected"])


# -- words ------------------------------------------------------------------------------------------


def batch(name: str = "2026-01", **changes: Any) -> Batch:
    given: dict[str, Any] = {
        "state": "accepted", "digest": "d" * 64, "schema": "s" * 64, "rows": 1204, "starts": "2026-01-01T00:00:00Z",
        "ends": "2026-01-31T23:00:00Z", "source": f"batches/{name}.csv", "received_at": "2026-02-01T00:00:00Z",
    }  # fmt: skip
    return Batch(name, **{**given, **changes})


def column(name: str, state: str = DRIFT, size: float = 0.9, reason: str = "moved") -> ColumnDrift:
    test = Test("KS", 0.5, 1e-9, size, 0.1, adjusted=1e-8 if state == DRIFT else 0.7)
    return ColumnDrift(name, "number", state, reason, 100, 60, values=test)


def drift(*columns: ColumnDrift, **changes: Any) -> DriftReport:
    given: dict[str, Any] = {
        "question": "q" * 64, "reference": "trained on reference.csv", "candidate": "served", "rows": (100, 60),
        "checked_at": "2026-02-01T00:00:01Z",
    }  # fmt: skip
    return DriftReport("2026-01", columns=columns, **{**given, **changes})


def plain(metadata: dict[str, Any]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, dg.MetadataValue) else value for name, value in metadata.items()}


def test_a_batch_says_its_reasons_as_a_list_in_which_nothing_is_markup(workspace: Workspace) -> None:
    reasons = ("column 'ears': 3 of 5 rows must be a finite number, such as row 3: '<b>|x'", "no column `crumbs`")
    told = plain(batch_metadata(batch(state="quarantined", reasons=reasons, labelled=7), workspace.settings))
    assert (told["state"], told["rows"], told["labelled"]) == ("quarantined", 1204, 7)
    assert told["window"] == "2026-01-01T00:00:00Z to 2026-01-31T23:00:00Z"
    assert told["candidate"] == "nobody was in production"
    assert len(told["reasons"].splitlines()) == 2
    assert "<b>" not in told["reasons"]
    assert told["reasons"].startswith("- column")
    assert "notes" not in told


def test_a_released_batch_says_who_and_why(workspace: Workspace) -> None:
    known = batch(state="released", released_by="Ada", released_why="one sensor", released_at="2026-02-02T00:00:00Z")
    assert plain(batch_metadata(known, workspace.settings))["released"] == "by Ada at 2026-02-02T00:00:00Z: one sensor"


def test_the_worst_columns_stand_first_and_numbers_are_numbers(workspace: Workspace) -> None:
    report = drift(
        column("still", NO_DRIFT, 0.01), column("small", size=0.2), column("large", size=2.0),
        domain=DomainDrift(DRIFT, "AUC 0.9 above 0.56", 0.9, 0.56),
        metric=MetricDrift("accuracy", NO_DRIFT, "0.9 before, 0.89 now", 0.9, 0.89, (90, 50)),
    )  # fmt: skip
    told = plain(drift_metadata(report, workspace.settings))
    assert [line.split()[1] for line in told["worst"].splitlines()] == ["large", "small"]
    assert told["verdict"].startswith("2026-01 drifts: ")
    assert (told["columns_compared"], told["columns_drifting"]) == (3, 2)
    assert (told["domain_auc"], told["domain_bound"]) == (0.9, 0.56)
    assert (told["metric_value"], told["metric_of_reference"]) == (0.89, 0.9)
    assert told["metric"].startswith("accuracy does not drift")
    assert told["over_time"].endswith("/production.html")


def test_what_could_not_be_compared_has_a_reason_and_no_number_that_looks_good(workspace: Workspace) -> None:
    told = plain(drift_metadata(drift(rows=(0, 60), reason="there is no reference"), workspace.settings))
    assert told["state"] == "not compared"
    assert told["reason"] == "there is no reference"
    assert not {"columns_drifting", "domain_auc", "metric_value", "columns", "worst"} & set(told)


def test_outliers_are_counted_by_cause_and_clusters_without_a_pattern_stand_first(workspace: Workspace) -> None:
    near = CoveredCluster(0, 40, 1, {"ears": 1.0}, "muffin", "blueberry", 0.4, 0.0, 0.0)
    far = CoveredCluster(1, 20, 2, {"ears": 9.0}, "muffin", "blueberry", 3.0, 1.0, 1.0)
    report = OutlierReport(
        "2026-01", "q" * 64, 60, (StrangeRow(5, "outlier", 0.98, "far"), StrangeRow(6, "outlier", 0.99, "farther")),
        {"outlier": 12, "low rating": 1}, (near, far), ("production-1", "production-2"),
    )  # fmt: skip
    told = plain(outliers_metadata(report, workspace.settings))
    assert (told["strange_outlier"], told["strange_low_rating"], told["proposals"]) == (12, 1, 2)
    assert (told["clusters"], told["clusters_without_pattern"], told["rows_without_pattern"]) == (2, 1, 20)
    assert told["strangest"].splitlines()[2].startswith("| 7 |")
    assert told["coverage"].splitlines()[2].startswith("| 1 | 20 | no |")


def test_outliers_that_were_not_looked_for_have_a_reason_and_no_counts(workspace: Workspace) -> None:
    told = plain(outliers_metadata(OutlierReport("2026-01", "", 60, reason="no reference"), workspace.settings))
    assert (told["state"], told["reason"]) == ("not looked at", "no reference")
    assert not [name for name in told if name.startswith(("strange_", "proposals", "clusters"))]


def test_every_quarantined_batch_is_an_error_with_what_to_do() -> None:
    passed, told = schema_kept_result([batch("a"), batch("b", state="quarantined", reasons=("no column x", "row 3"))])
    assert not passed
    assert (told["batches"], told["quarantined"]) == (2, 1)
    assert "no column x; row 3" in told["why"].value
    assert "ml-regress batches release" in told["what_to_do"]
    assert schema_kept_result([batch("a"), batch("b", state="released", reasons=("no column x",))])[0]


def test_too_few_rows_pass_with_the_words_and_what_was_not_compared_does_not() -> None:
    few = drift(column("ears", NOT_ENOUGH, reason="7 values in the batch, 20 are needed"))
    passed, told = no_drift_result([few])
    assert passed
    assert "not enough data" in told["batches"].value
    assert "7 values in the batch" in told["batches"].value
    passed, told = no_drift_result([few, drift(reason="there is no reference")])
    assert not passed
    assert (told["drifting"], told["not_compared"]) == (0, 1)
    assert "there is no reference" in told["batches"].value.splitlines()[2]


def test_a_drift_of_all_columns_together_or_of_the_metric_is_said_too() -> None:
    report = drift(
        column("ears", NO_DRIFT), domain=DomainDrift(DRIFT, "AUC 0.9 is above 0.56"),
        metric=MetricDrift("accuracy", DRIFT, "it fell", 0.9, 0.6),
    )  # fmt: skip
    passed, told = no_drift_result([report])
    assert not passed
    assert "all together do" in told["batches"].value
    assert "accuracy drifts, to the worse" in told["batches"].value
