"""300 problems x 300 candidates: a look costs what changed, and never walks the 90,000 cells."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from ml_regress.defs import sensors
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.defs.ticks import Daemon
from ml_regress_tests.large import candidate_name, fill, problem_name
from ml_regress_tests.scenario import registered, scalar, write_workspace

SENSORS = (sensors.problems_sensor, sensors.candidates_sensor, sensors.evaluation_sensor, sensors.verdicts_sensor)


@contextmanager
def counted(workspace: Workspace) -> Iterator[list[str]]:
    """The statements that the store is asked."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    engine = workspace.store.database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def nobody_walks_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_more: object) -> None:
        raise AssertionError("the product of both dimensions was walked")

    monkeypatch.setattr(dg.MultiPartitionsDefinition, "get_partition_keys", refuse)
    # 600 events about the registry cost Dagster seconds, and nothing here looks at them.
    monkeypatch.setattr(dg.DagsterInstance, "report_runless_asset_event", lambda instance, event: None)


def settle(daemon: Daemon, cells: int) -> None:
    """As after years of use: all is reported."""
    daemon.cursors["evaluation_sensor"] = f'{{"number": {cells}}}'
    for sensor in SENSORS:
        daemon.tick(sensor)


def quiet_look(daemon: Daemon, workspace: Workspace) -> dict[str, int]:
    """Statements of one tick of each sensor while nothing changes."""
    costs = {}
    for sensor in SENSORS:
        with counted(workspace) as asked:
            result = daemon.tick(sensor)
        assert not result.asset_events and not result.run_requests and not result.dynamic_partitions_requests
        costs[sensor.name] = len(asked)
    return costs


def test_a_quiet_look_asks_as_little_of_a_large_matrix_as_of_a_small_one(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "PATIENCE", 0.0)
    costs = []
    for size in (2, 40):
        resource = WorkspaceResource(folder=str(write_workspace(tmp_path / str(size))))
        workspace = resource.open()
        fill(workspace.store, candidates=size, problems=size, patterns=1)
        daemon = Daemon(instance, resource)
        settle(daemon, size * size)
        costs.append(quiet_look(daemon, workspace))
    assert costs[0] == costs[1]


@pytest.mark.slow
def test_a_new_candidate_touches_its_300_cells_and_an_archived_one_leaves_with_its_results_kept(
    instance: dg.DagsterInstance, resource: WorkspaceResource, workspace: Workspace
) -> None:
    daemon = Daemon(instance, resource)
    fill(workspace.store, candidates=300, problems=300, patterns=1)
    assert workspace.store.evaluations.counts().ok == 90_000
    settle(daemon, 90_000)
    quiet_look(daemon, workspace)
    number = scalar(workspace.store, "SELECT max(number) FROM evaluations")

    workspace.store.candidates.register(registered("new", "2026-07-01T00:00:00Z"))
    assert {cell.candidate for cell in workspace.store.due.all()} == {"new"}
    (request,) = daemon.requests()
    assert request.tags[sensors.RANGE_START] == f"new|{problem_name(0)}"
    assert request.tags[sensors.RANGE_END] == f"new|{problem_name(299)}"
    assert [claim.cells for claim in workspace.store.due.claims()] == [300]
    assert scalar(workspace.store, "SELECT max(number) FROM evaluations") == number

    workspace.store.candidates.archive(candidate_name(7), actor="me")
    assert daemon.requests() == []
    keys = daemon.instance.get_dynamic_partitions("candidate")
    assert candidate_name(7) not in keys and len(keys) == 300
    kept = "SELECT count(*) FROM evaluations WHERE candidate = :candidate"
    assert scalar(workspace.store, kept, candidate=candidate_name(7)) == 300
    workspace.store.candidates.unarchive(candidate_name(7), actor="me")
    assert daemon.requests() == [], "what is stored is not measured again"
    assert len(daemon.instance.get_dynamic_partitions("candidate")) == 301
