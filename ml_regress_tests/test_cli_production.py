"""`ml-regress drift`: what is known of the batches, and the check of one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ml_regress.core.batch import QUARANTINED
from ml_regress.core.production import Window
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress_tests.kept_rows import bring, muffin_schema, muffins, serve
from ml_regress_tests.models import ThresholdModel
from ml_regress_tests.scenario import write_workspace
from ml_regress_tests.test_cli import done, refused, run, said_as_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a reference, a calm batch, one that moved, and one in quarantine."""
    made = write_workspace(tmp_path / "workspace")
    workspace = Workspace.open(Settings.load(made, {}))
    workspace.store.batches.freeze_schema(replace(muffin_schema(), reference=Window(None, "2026-06-01")), "test")
    serve(workspace, "first", ThresholdModel(0.0))
    bring(workspace, "2026-05-01", muffins(300, 1))
    bring(workspace, "2026-06-01", muffins(200, 2))
    bring(workspace, "2026-06-02", muffins(200, 3, ears=2.0))
    bring(workspace, "2026-06-03", muffins(200, 4), state=QUARANTINED, reasons=("column 'ears': 3 of 200 rows",))
    workspace.store.close()
    return made


def test_without_batches_it_is_said(tmp_path: Path) -> None:
    made = write_workspace(tmp_path / "workspace")
    assert "no batches yet" in done(made, "drift")
    assert said_as_json(made, "drift") == []


def test_a_batch_is_checked_and_stands_in_the_list(folder: Path) -> None:
    assert done(folder, "drift").count("not checked yet") == 3
    said = done(folder, "drift", "2026-06-02")
    assert "held against batches before 2026-06-01: 300 rows, 200 in the batch" in said
    assert "ears" in said and "strange rows:" in said
    listed = done(folder, "drift")
    assert listed.count("not checked yet") == 2 and "quarantined" in listed
    (found,) = said_as_json(folder, "drift")
    assert (found["batch"], found["state"]) == ("2026-06-02", "drift")
    assert found["drifting"][0] == "ears"


def test_drift_is_no_failure_unless_it_is_asked_for(folder: Path) -> None:
    assert run(folder, "drift", "2026-06-02").exit_code == 0
    assert run(folder, "drift", "2026-06-02", "--fail").exit_code == 1
    assert run(folder, "drift", "--fail").exit_code == 1
    assert run(folder, "drift", "2026-06-01", "--fail").exit_code == 0


def test_a_batch_is_checked_again_only_where_it_is_asked_for(folder: Path) -> None:
    first = said_as_json(folder, "drift", "2026-06-02")
    assert said_as_json(folder, "drift", "2026-06-02")["checked_at"] == first["checked_at"]
    for rows in (folder / ".ml_regress" / "archive" / "rows").iterdir():
        rows.unlink()
    result = run(folder, "drift", "2026-06-02", "--again", "--json")
    assert result.exit_code == 0
    assert "put the archive back" in json.loads(result.stdout)["reason"]


def test_what_cannot_be_checked_is_refused_with_what_to_do(folder: Path) -> None:
    assert "there are 2026-06-02" in refused(folder, "drift", "2026-06-2")
    assert "is quarantined, and nothing uses it; release it first" in refused(folder, "drift", "2026-06-03")
    assert run(folder, "drift", "--again").exit_code == 2
