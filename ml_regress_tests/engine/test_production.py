"""What makes a batch due, and what is kept of a check that fails; test_watch.py has the rest of watching."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.core.batch import QUARANTINED
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED
from ml_regress.core.production import DriftRules, ProductionSchema, Window
from ml_regress.engine.drift import check_drift
from ml_regress.engine.production import check_batch, due_batches, watch
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress_tests.kept_rows import bring, muffin_schema, muffins, serve, write_reference
from ml_regress_tests.models import ThresholdModel
from ml_regress_tests.scenario import age, write_workspace

SCHEMA = muffin_schema()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a reference, and with somebody to tell."""
    environ = {"ML_REGRESS_WEBHOOK": "http://127.0.0.1:9/nobody"}
    made = Workspace.open(Settings.load(write_workspace(tmp_path / "workspace"), environ))
    made.store.batches.freeze_schema(SCHEMA, "test")
    given = write_reference(made.settings.workspace, muffins(200, 1))
    serve(made, "first", ThresholdModel(0.0), trained_on=given)
    yield made
    made.store.close()


def names(batches: list[Any]) -> list[str]:
    return [each.id for each in batches]


def told(workspace: Workspace, event: str) -> list[str]:
    """The texts of the notifications of one event, the oldest first."""
    listed = workspace.store.notifications.list()
    return [each.payload["text"] for each in reversed(listed) if each.event == event]


def damage(workspace: Workspace, digest: str) -> Path:
    """Kept rows with a column that nothing here can count: no error of ours, but of a library."""
    path = workspace.archive.rows(digest)
    table = pq.read_table(path)
    place = table.column_names.index("kind")
    path.unlink()
    pq.write_table(table.set_column(place, "kind", pa.array([["plain"]] * table.num_rows)), path)
    return path


def under(workspace: Workspace, schema: ProductionSchema) -> None:
    workspace.store.batches.freeze_schema(schema, "test")


def test_a_batch_is_due_until_both_parts_are_answered(workspace: Workspace) -> None:
    bring(workspace, "2026-06-01", muffins(200, 3))
    assert names(due_batches(workspace)) == ["2026-06-01"]
    batch = workspace.store.batches.get("2026-06-01")
    check_drift(workspace, batch)
    assert names(due_batches(workspace)) == ["2026-06-01"]  # its rows were not looked at
    check_batch(workspace, "2026-06-01")
    assert due_batches(workspace) == []
    bring(workspace, "2026-06-02", muffins(200, 3))
    bring(workspace, "2026-06-03", muffins(200, 3), state=QUARANTINED)
    assert names(due_batches(workspace)) == ["2026-06-02"]
    workspace.store.batches.release("2026-06-03", person="ada", why="known gap")
    assert names(due_batches(workspace)) == ["2026-06-02", "2026-06-03"]


def test_finding_what_is_due_reads_no_rows_and_a_changed_production_file_is_noticed(workspace: Workspace) -> None:
    # A window, for the digest of a file's rows is remembered in the archive.
    under(workspace, replace(SCHEMA, reference=Window("2026-06-01", "2026-06-02")))
    bring(workspace, "2026-06-01", muffins(200, 1))
    bring(workspace, "2026-06-02", muffins(200, 2))
    watch(workspace)
    shutil.rmtree(workspace.archive.folder)
    assert due_batches(workspace) == []
    file = workspace.settings.workspace / "production.yaml"
    inputs = "{ears: 'number?', crumbs: 'number?', kind: 'text?'}"
    window = "{from: 2026-06-01, to: 2026-06-02}"
    file.write_text(f"inputs: {inputs}\nanswer: integer\nreference: {window}\ndrift: {{number: 0.3}}\n")
    assert due_batches(workspace) == []  # it may not be whole yet
    age(file)
    assert names(due_batches(workspace)) == ["2026-06-01", "2026-06-02"]


def test_a_part_that_fails_keeps_its_reason_and_does_not_stop_the_other(workspace: Workspace) -> None:
    batch = bring(workspace, "2026-06-01", muffins(200, 3))
    away = workspace.archive.rows(batch.digest)
    away.rename(away.with_suffix(".away"))
    found = check_batch(workspace, "2026-06-01")
    assert found.drift.state == NOT_COMPARED
    assert "put the archive back" in found.drift.reason and "put the archive back" in found.outliers.reason
    # The reasons are the answers to today's questions: nothing is due, and nothing is tried at every look.
    assert "2026-06-01" not in names(due_batches(workspace))
    assert check_batch(workspace, "2026-06-01") == found
    away.with_suffix(".away").rename(away)
    again = check_batch(workspace, "2026-06-01", again=True)
    assert again.drift.state == NO_DRIFT and again.outliers.reason == ""


def test_whatever_is_wrong_with_one_batch_the_others_go_on(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    batch = bring(workspace, "2026-06-01", muffins(200, 3))
    bring(workspace, "2026-06-02", muffins(200, 4, ears=3.0))
    damage(workspace, batch.digest)
    found = {each.batch.id: each for each in watch(workspace)}
    assert sorted(found) == ["2026-06-01", "2026-06-02"]
    assert found["2026-06-02"].drift.state == DRIFT
    broken = found["2026-06-01"].drift
    assert broken.state == NOT_COMPARED
    assert broken.reason.startswith("the check of batch 2026-06-01 failed: Arrow")
    assert "the check of batch 2026-06-01 failed" in caplog.text
    assert workspace.store.drift.drift_of("2026-06-01") == broken


def test_drift_is_told_once_a_question(workspace: Workspace) -> None:
    bring(workspace, "2026-06-01", muffins(200, 3, ears=3.0))
    batch = bring(workspace, "2026-06-02", muffins(200, 4))
    for _ in range(2):
        check_drift(workspace, workspace.store.batches.get("2026-06-01"), again=True)
    assert check_drift(workspace, batch).state == NO_DRIFT
    (text,) = told(workspace, "drift")
    assert "Batch 2026-06-01 drifts from what first was trained on" in text and "• ears: " in text
    (found,) = workspace.store.notifications.list()
    assert found.payload["batch"] == "2026-06-01" and found.payload["candidate"] == "first"
    under(workspace, replace(SCHEMA, rules=DriftRules(number=0.2)))
    check_drift(workspace, workspace.store.batches.get("2026-06-01"))
    assert len(told(workspace, "drift")) == 2
