"""The command line, on a throw-away workspace with small models that are really trained and saved."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
import skops.io
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression

from ml_regress.cli import main
from ml_regress.store import Store
from ml_regress_tests.models import TurnsModel, write_manifest
from ml_regress_tests.scenario import row, scalar, write_candidate, write_problem, write_workspace

# Ears tell a chihuahua from a muffin; the second problem asks about crumbs that the model never saw.
ROWS = (row("no-ears", 0), row("one-ear", 1), row("two-ears", 2, "chihuahua"), row("bat", 3, "chihuahua"))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the workspace they are told, whatever runs the tests."""
    for name in ("ML_REGRESS_WORKSPACE", "ML_REGRESS_HOME", "ML_REGRESS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a problem and a candidate as files, nothing imported yet."""
    made = write_workspace(tmp_path / "workspace", "name: bakery\ntime_limit: 60\n")
    write_problem(made, rows=ROWS)
    write_model(made, "first", changed="The first model.")
    return made


def write_model(folder: Path, name: str, *, columns: Sequence[str] = ("ears", "crumbs"), **manifest: Any) -> Path:
    """A candidate: a model of ears, saved with skops, its manifest written last."""
    made = folder / "candidates" / name
    made.mkdir(parents=True)
    frame = pd.DataFrame([[ears, *[1.0] * (len(columns) - 1)] for ears in (0.0, 1.0, 2.0, 3.0)], columns=list(columns))
    model = LogisticRegression(C=100).fit(frame, ["muffin", "muffin", "chihuahua", "chihuahua"])
    skops.io.dump(model, made / "model.skops")
    content = {"created_at": "2026-06-01T09:00:00Z", "format": "skops", "artefact": "model.skops", **manifest}
    (made / "candidate.yaml").write_text(json.dumps(content))
    return made


def run(folder: Path | None, *arguments: str | Path) -> Result:
    where = [] if folder is None else ["--workspace", str(folder)]
    words = [str(word) for word in arguments]
    result = CliRunner().invoke(main, [*words, *where])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def done(folder: Path | None, *arguments: str | Path) -> str:
    """What a command that succeeds prints."""
    result = run(folder, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def said_as_json(folder: Path, *arguments: str | Path) -> Any:
    return json.loads(done(folder, *arguments, "--json"))


def refused(folder: Path | None, *arguments: str | Path) -> str:
    """What a command that refuses says on standard error."""
    result = run(folder, *arguments)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("refused: ")
    assert "Traceback" not in result.output
    return result.stderr


@pytest.fixture
def imported(folder: Path) -> Path:
    done(folder, "import", folder)
    return folder


# -- setting up ----------------------------------------------------------------------------------


def test_init_makes_an_empty_workspace_that_commands_can_use(tmp_path: Path) -> None:
    made = tmp_path / "new"
    assert str(made) in done(None, "init", made)
    folders = ["batches", "benchmarks", "candidates", "ml_regress.yaml", "problems"]
    assert sorted(path.name for path in made.iterdir()) == folders
    assert "no problems yet" in done(made, "problems")


def test_init_brings_an_example_whole(tmp_path: Path) -> None:
    done(None, "init", tmp_path / "digits", "--example", "digits")
    assert (tmp_path / "digits" / "benchmarks" / "held-out.parquet").is_file()
    assert len(list((tmp_path / "digits" / "problems").glob("*.yaml"))) >= 6
    assert len(list((tmp_path / "digits" / "candidates").glob("*/candidate.yaml"))) >= 5


def test_init_does_not_write_over_a_workspace(folder: Path) -> None:
    before = (folder / "ml_regress.yaml").read_text()
    assert "is a workspace already" in refused(None, "init", folder)
    assert (folder / "ml_regress.yaml").read_text() == before


def test_a_command_without_a_workspace_says_how_to_make_or_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused(None, "problems")
    assert "ml-regress init" in message
    assert "--workspace" in message
    assert "ML_REGRESS_WORKSPACE" in message


def test_a_workspace_is_found_from_a_folder_inside_it(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(imported / "problems")
    assert "muffin" in done(None, "problems")


def test_a_workspace_is_named_by_the_environment(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_REGRESS_WORKSPACE", str(imported))
    assert "muffin" in done(None, "problems")


def test_a_setting_that_does_not_exist_is_refused_with_those_that_do(folder: Path) -> None:
    (folder / "ml_regress.yaml").write_text("allow_pickle: true\n")
    message = refused(folder, "problems")
    assert "allow_pickle" in message
    assert "allow_formats" in message


# -- importing -----------------------------------------------------------------------------------


def test_import_says_what_it_did_and_importing_again_does_nothing(folder: Path) -> None:
    path = folder / "problems" / "muffin.yaml"
    assert "problem added; patterns: 4 added" in done(folder, "import", path)
    assert "problem unchanged; patterns: 0 added, 0 changed, 0 retired, 4 unchanged" in done(folder, "import", path)


def test_import_says_how_a_table_was_read_and_the_audit_log_keeps_it(folder: Path) -> None:
    path = write_problem(folder)
    content = {**json.loads(path.read_text()), "patterns": "muffin.csv"}
    path.write_text(json.dumps(content))
    path.with_suffix(".csv").write_text("pattern_id;ears;crumbs;expected\nno-ears;0;1,5;muffin\n;;;\n")
    notes = done(folder, "import", path).splitlines()[1:]
    store = Store.open(f"sqlite:///{folder / '.ml_regress' / 'store.db'}")
    kept = scalar(store, "SELECT detail FROM audit WHERE verb = 'import'")
    store.close()
    wanted = ("cells are separated by semicolons", "row 2 at the end is blank", "the comma is read as the decimal mark")
    for note, words in zip(notes, wanted, strict=True):
        assert note.startswith("  note: ")
        assert words in note
        assert words in kept
    assert len(said_as_json(folder, "import", path)[0]["notes"]) == 3


def test_import_takes_a_folder_with_problems_and_candidates(folder: Path) -> None:
    results = said_as_json(folder, "import", folder)
    assert [entry["result"].split(";")[0] for entry in results] == ["problem added", "registered"]


def test_a_file_with_one_bad_row_is_refused_whole_and_named(folder: Path) -> None:
    path = write_problem(folder, rows=[*ROWS, row("broken", 1, "cupcake")])
    message = refused(folder, "import", path)
    assert str(path) in message
    assert "row 5" in message
    assert "'expected'" in message
    assert "'cupcake'" in message
    assert said_as_json(folder, "problems")["problems"] == []


def test_one_refused_file_of_a_folder_does_not_hold_up_the_others(folder: Path) -> None:
    write_problem(folder, "broken", rows=[row("a", 1, "cupcake")])
    result = run(folder, "import", folder)
    assert result.exit_code == 1
    assert "cupcake" in result.stderr
    assert [entry["id"] for entry in said_as_json(folder, "problems")["problems"]] == ["muffin"]


def test_a_candidate_with_other_bytes_under_a_known_id_is_refused_with_the_digest(imported: Path) -> None:
    made = imported / "candidates" / "first"
    (made / "model.skops").write_bytes((made / "model.skops").read_bytes() + b"\0")
    message = refused(imported, "import", made)
    assert said_as_json(imported, "candidates", "show", "first")["sha256"][:12] in message


def test_a_table_is_not_imported_without_its_problem(folder: Path) -> None:
    (folder / "patterns.csv").write_text("pattern_id,expected\n")
    assert "YAML file" in refused(folder, "import", folder / "patterns.csv")


def test_an_empty_folder_holds_nothing_to_import(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no problem" in refused(folder, "import", tmp_path / "empty")


def test_sync_retires_what_the_file_no_longer_holds_and_only_sync_does(imported: Path) -> None:
    path = write_problem(imported, rows=ROWS[:3])
    assert "0 retired" in done(imported, "import", path)
    assert "1 retired" in done(imported, "import", path, "--sync")
    statuses = {entry["id"]: entry["status"] for entry in said_as_json(imported, "patterns", "muffin")}
    assert statuses == {"no-ears": "active", "one-ear": "active", "two-ears": "active", "bat": "retired"}


# -- looking -------------------------------------------------------------------------------------


def test_problems_are_listed_with_their_active_patterns(imported: Path) -> None:
    (entry,) = said_as_json(imported, "problems")["problems"]
    assert (entry["id"], entry["kind"], entry["patterns"], entry["metric"]) == ("muffin", "problem", 4, "pass_rate")
    assert "muffin" in done(imported, "problems")


def test_patterns_are_listed_for_people_and_for_scripts(imported: Path) -> None:
    assert "two-ears" in done(imported, "patterns", "muffin")
    assert {entry["id"] for entry in said_as_json(imported, "patterns", "muffin")} == {
        "no-ears",
        "one-ear",
        "two-ears",
        "bat",
    }


def test_patterns_say_what_they_are_worth_and_idle_ones_can_be_listed_alone(folder: Path) -> None:
    write_model(folder, "second", columns=("crumbs", "ears"))
    model = folder / "candidates" / "second" / "model.skops"
    upside_down = pd.DataFrame({"crumbs": [1.0, 1.0], "ears": [0.0, 3.0]})
    skops.io.dump(LogisticRegression(C=100).fit(upside_down, ["chihuahua", "muffin"]), model)
    done(folder, "import", folder)
    assert "no candidate answered" in done(folder, "patterns", "muffin")
    done(folder, "evaluate")
    values = {entry["id"]: entry["value"] for entry in said_as_json(folder, "patterns", "muffin")}
    assert values["no-ears"] == {"words": "separates 1 pair of candidates", "passed": 1, "failed": 1, "pairs": 1}
    idle = {entry["id"] for entry in said_as_json(folder, "patterns", "muffin", "--idle")}
    assert idle == {name for name, value in values.items() if not value["pairs"]}
    if not idle:
        assert "every active pattern of muffin separates" in done(folder, "patterns", "muffin", "--idle")


def test_why_says_by_what_a_number_moved(folder: Path) -> None:
    done(folder, "import", folder)
    done(folder, "evaluate")
    assert "moved" not in said_as_json(folder, "why", "first|muffin")
    write_problem(folder, rows=[*ROWS[1:], {**ROWS[0], "pattern_id": "wrong", "ears": 0, "expected": "chihuahua"}])
    done(folder, "import", "--sync", folder)
    done(folder, "evaluate")
    said = done(folder, "why", "first|muffin")
    gone = ROWS[0]["pattern_id"]
    assert f"is 3/4: -1 pattern retired ({gone}), +0 pattern added (wrong; +1 answered)" in said
    parts = said_as_json(folder, "why", "first|muffin")["moved"]["parts"]
    assert [(part["cause"], part["passes"], part["rate"]) for part in parts] == [
        ("pattern retired", -1, "0"),
        ("pattern added", 0, "-1/4"),
    ]


def test_a_candidate_is_shown_with_its_manifest_and_digests(imported: Path) -> None:
    facts = said_as_json(imported, "candidates", "show", "first")
    assert facts["changed"] == "The first model."
    assert facts["created_at"] == "2026-06-01T09:00:00+00:00"
    assert facts["libraries"]["scikit-learn"]
    assert len(facts["sha256"]) == 64
    assert "changed: The first model." in done(imported, "candidates", "show", "first")


def test_an_archived_candidate_leaves_the_list_and_comes_back(imported: Path) -> None:
    assert "is archived" in done(imported, "candidates", "archive", "first")
    assert "was archived already" in done(imported, "candidates", "archive", "first")
    assert said_as_json(imported, "candidates", "list") == []
    assert [entry["state"] for entry in said_as_json(imported, "candidates", "list", "--archived")] == ["archived"]
    assert "is active again" in done(imported, "candidates", "unarchive", "first")
    assert [entry["id"] for entry in said_as_json(imported, "candidates", "list")] == ["first"]


def test_production_cannot_be_archived(folder: Path) -> None:
    (folder / "ml_regress.yaml").write_text("name: bakery\nproduction: first\n")
    done(folder, "import", folder)
    assert said_as_json(folder, "candidates", "show", "first")["production"] is True
    assert "is production and cannot be archived" in refused(folder, "candidates", "archive", "first")


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (("patterns", "mufin"), "muffin"),
        (("candidates", "show", "frist"), "first"),
        (("candidates", "archive", "frist"), "first"),
        (("candidates", "unarchive", "frist"), "first"),
        (("evaluate", "frist", "--dry-run"), "first"),
        (("evaluate", "--problem", "mufin", "--dry-run"), "muffin"),
        (("why", "frist|muffin"), "first"),
        (("why", "first|mufin"), "muffin"),
    ],
)
def test_an_unknown_name_is_refused_with_the_names_that_are_known(
    imported: Path, arguments: tuple[str, ...], known: str
) -> None:
    assert known in refused(imported, *arguments)


def test_a_cell_is_written_with_a_bar(imported: Path) -> None:
    assert "candidate|problem" in refused(imported, "why", "first")


def test_wrong_usage_ends_with_2(imported: Path) -> None:
    assert run(imported, "problems", "--no-such-option").exit_code == 2
    assert run(imported, "import").exit_code == 2
    assert run(None, "nonsense").exit_code == 2


# -- measuring -----------------------------------------------------------------------------------


def test_a_dry_run_says_what_is_due_and_measures_nothing(imported: Path) -> None:
    assert "4 predictions" in done(imported, "evaluate", "--dry-run")
    cost = said_as_json(imported, "evaluate", "--dry-run")
    assert (cost["cells"], cost["predictions"]) == (1, 4)
    assert said_as_json(imported, "matrix")["counts"]["due"] == 1


def test_evaluate_takes_in_files_measures_once_and_the_results_can_be_read(folder: Path) -> None:
    first = said_as_json(folder, "import", folder / "problems" / "muffin.yaml")
    assert first[0]["result"].startswith("problem added")
    assert "measured 1 cells: 1 candidates opened, 4 predictions made" in done(folder, "evaluate")
    assert "measured 0 cells: 0 candidates opened, 0 predictions made" in done(folder, "evaluate")

    matrix = said_as_json(folder, "matrix")
    assert [(cell["candidate"], cell["passes"], cell["answered"]) for cell in matrix["cells"]] == [("first", 4, 4)]
    assert "4/4" in done(folder, "matrix")

    report = Path(done(folder, "report", "--output", folder / "out").strip())
    assert report.parent == folder / "out"
    assert "muffin" in report.read_text(encoding="utf-8")

    found = said_as_json(folder, "why", "first|muffin")
    assert found["state"] == "ok"
    assert [entry["outcome"] for entry in found["patterns"]] == ["passed"] * 4
    assert "ml-regress evaluate first --problem muffin" in found["command"]
    assert found["candidate"]["digest"] in done(folder, "why", "first|muffin")


def test_errors_in_cells_end_with_3_and_say_their_reason(folder: Path) -> None:
    write_model(folder, "second", columns=("ears", "flour"))
    done(folder, "import", folder)
    result = run(folder, "evaluate")
    assert result.exit_code == 3
    assert "second|muffin" in result.stderr
    assert "flour" in result.stderr
    assert run(folder, "matrix").exit_code == 3
    states = {cell["candidate"]: cell["state"] for cell in json.loads(run(folder, "matrix", "--json").stdout)["cells"]}
    assert states == {"first": "ok", "second": "error"}
    assert run(folder, "evaluate", "first").exit_code == 0


def test_an_error_is_measured_again_only_when_asked(folder: Path) -> None:
    write_model(folder, "second", columns=("ears", "flour"))
    done(folder, "import", folder)
    assert run(folder, "evaluate", "second").exit_code == 3
    again = run(folder, "evaluate", "second", "--json")
    assert json.loads(again.stdout)["cells"] == 0
    asked = run(folder, "evaluate", "second", "--again-errors", "--json")
    assert (asked.exit_code, json.loads(asked.stdout)["cells"]) == (3, 1)


def test_a_flaky_model_is_drawn_again_and_what_was_drawn_is_said(folder: Path) -> None:
    (folder / "ml_regress.yaml").write_text("name: bakery\ntime_limit: 60\nallow_formats: [joblib]\n")
    write_candidate(folder, "flaky", TurnsModel(["muffin", "chihuahua", "muffin"]))
    done(folder, "import", folder)
    done(folder, "evaluate")
    cost = said_as_json(folder, "evaluate", "flaky", "--again", "2", "--dry-run")
    assert (cost["cells"], cost["predictions"], cost["draws"], cost["drawn_cells"]) == (1, 8, 2, 1)
    assert "to draw: 1 cells, 2 draws more of each" in done(folder, "evaluate", "flaky", "--again", "2", "--dry-run")
    found = said_as_json(folder, "evaluate", "--again", "2", "--problem", "muffin")
    assert {name: found[name] for name in ("cells", "drawn", "draws", "drawn_cells", "not_drawn", "undrawn")} == {
        "cells": 2,
        "drawn": 16,
        "draws": 2,
        "drawn_cells": 2,
        "not_drawn": {},
        "undrawn": {},
    }
    assert list(found["flaky"]) == ["flaky|muffin"]
    said = done(folder, "evaluate", "--again", "1")
    assert "8 predictions drawn again" in said
    assert "flaky|muffin: 4 of 4 patterns are flaky" in said
    patterns = said_as_json(folder, "why", "flaky|muffin")["patterns"]
    assert {entry["reason"] for entry in patterns} == {"3 of 4 draws passed", "1 of 4 draws passed"}


def test_what_cannot_be_drawn_again_is_refused_by_name_and_left_out_otherwise(folder: Path) -> None:
    made = folder / "candidates" / "old"
    made.mkdir()
    (made / "predictions.csv").write_text("problem,pattern_id,predicted\nmuffin,bat,chihuahua\n")
    write_manifest(made, format="recorded", artefact="predictions.csv")
    done(folder, "import", folder)
    assert "'old' cannot be drawn again: its predictions are recorded" in refused(
        folder, "evaluate", "old", "--again", "2"
    )
    assert run(folder, "evaluate", "--again", "0").exit_code == 2
    assert run(folder, "evaluate", "--again", "101").exit_code == 2
    result = run(folder, "evaluate", "--again", "2")
    assert "not drawn: 1 cells: its predictions are recorded" in result.stdout
    assert "8 predictions drawn again" in result.stdout
    assert result.exit_code == 3  # the table lacks three rows


def test_draws_that_were_not_made_end_with_3_and_their_reason(folder: Path) -> None:
    done(folder, "import", folder)
    done(folder, "evaluate")
    (folder / "candidates" / "first" / "model.skops").unlink()
    result = run(folder, "evaluate", "first", "--again", "2")
    assert result.exit_code == 3
    assert "not drawn: first: no further draw was made: " in result.stderr
    assert "0 predictions drawn again" in result.stdout


# -- help and completion -------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(shell: str) -> None:
    script = done(None, "completion", shell)
    assert "_ML_REGRESS_COMPLETE" in script
    assert "ml-regress" in script


def test_completion_of_an_unknown_shell_names_the_known_ones() -> None:
    result = run(None, "completion", "tcsh")
    assert result.exit_code == 2
    assert "bash" in result.stderr


def test_help_names_every_command_and_the_exit_codes() -> None:
    text = done(None, "--help")
    assert "Exit codes" in text
    assert isinstance(main, click.Group)
    for name in main.commands:
        assert name in text


def test_the_version_is_that_of_the_package() -> None:
    assert done(None, "--version").startswith("ml-regress, version ")


def test_a_store_that_cannot_be_used_is_named(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_REGRESS_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    message = refused(imported, "problems")
    assert "ML_REGRESS_DATABASE_URL" in message
    assert "secret" not in message
    monkeypatch.setenv("ML_REGRESS_DATABASE_URL", "mysql://localhost/none")
    assert "SQLite" in refused(imported, "problems")


def test_commands_leave_the_store_where_the_settings_say(imported: Path) -> None:
    assert (imported / ".ml_regress" / "store.db").is_file()
    store = Store.open(f"sqlite:///{imported / '.ml_regress' / 'store.db'}")
    assert [candidate.id for candidate in store.candidates.all()] == ["first"]
    store.close()
