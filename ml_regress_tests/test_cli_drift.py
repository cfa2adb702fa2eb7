"""`ml-regress drift` on batches that are awkward: hostile names, half of their answers, no candidate that opens."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from ml_regress.cli import main
from ml_regress.core.production import PREDICTION, Window
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress_tests.kept_rows import bring, muffin_schema, muffins, serve
from ml_regress_tests.models import ConstantModel, FailingModel
from ml_regress_tests.scenario import write_workspace
from ml_regress_tests.test_cli import done, run, said_as_json

MAY = Window("2026-05-01", "2026-06-01")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose production schema is in force; the reference is May."""
    made = Workspace.open(Settings.load(write_workspace(tmp_path / "workspace"), {}))
    made.store.batches.freeze_schema(muffin_schema(reference=MAY), "test")
    yield made
    made.store.close()


def test_names_and_errors_of_others_do_nothing_to_a_terminal(workspace: Workspace) -> None:
    types = {"ears": "number?", "crumbs": "number?", "[red]kind[/red]": "text?", "\x1b[2Jgone": "text?"}
    schema = muffin_schema(types, reference=MAY)
    workspace.store.batches.freeze_schema(schema, "test")
    serve(workspace, "first", FailingModel("\x1b[2Jcold [bold]oven[/bold]"))
    for day, level in (("2026-05-01", "plain"), ("2026-06-01", "\x1b]0;owned\x07[link=file:///etc]rye[/link]")):
        frame = muffins(60, 1).rename(columns={"kind": "[red]kind[/red]"})
        frame = frame.assign(**{"[red]kind[/red]": level, "\x1b[2Jgone": "here"})
        bring(workspace, day, frame.drop(columns=[] if day == "2026-05-01" else "\x1b[2Jgone"))
    folder = workspace.settings.workspace
    for command in (["drift", "2026-06-01"], ["drift"]):
        # In a pipe click takes escapes away by itself; a terminal gets them.
        said = CliRunner().invoke(main, [*command, "--workspace", str(folder)], color=True).stdout
        assert "\x1b" not in said and "\x07" not in said
        assert "[red]kind[/red]" in said
    assert "[bold]oven[/bold]" in " ".join(done(folder, "drift", "2026-06-01").split())


def test_what_was_not_compared_is_said_with_its_reason(workspace: Workspace) -> None:
    bring(workspace, "2026-05-01", muffins(60, 1))
    bring(workspace, "2026-06-01", muffins(60, 1))
    folder = workspace.settings.workspace
    said = " ".join(done(folder, "drift", "2026-06-01").split())
    assert "no candidate is in production" in said
    assert "have no labels" in said
    alone = said_as_json(folder, "drift", "2026-05-01")
    assert alone["state"] == "not compared"
    assert "is the whole reference" in alone["reason"]
    assert "is the whole reference" in " ".join(done(folder, "drift", "2026-05-01").split())
    # What could not be compared is no drift.
    assert run(folder, "drift", "2026-05-01", "--fail").exit_code == 0


def test_rows_without_an_answer_are_a_note(workspace: Workspace) -> None:
    serve(workspace, "first", ConstantModel(1))
    bring(workspace, "2026-05-01", muffins(60, 1).assign(**{PREDICTION: 1}))
    bring(workspace, "2026-06-01", muffins(60, 1).assign(**{PREDICTION: pd.array([1, None] * 30, "Int64")}))
    said = done(workspace.settings.workspace, "drift", "2026-06-01")
    assert "note: 30 of 60 rows of the batch came without an answer" in said
    found = said_as_json(workspace.settings.workspace, "drift", "2026-06-01")
    assert (found["candidate"], found["strange"]["batch"]) == ("first", "2026-06-01")
