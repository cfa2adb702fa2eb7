"""Files and rows are taken in level-triggered: looking again changes nothing, whatever came before."""

from pathlib import Path

import pytest

from ml_regress.core.candidate import Candidate
from ml_regress.engine import registry
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, NotFound
from ml_regress_tests.models import ConstantModel, save_model, write_manifest
from ml_regress_tests.scenario import age, execute, row, scalar, take_in, write_candidate, write_problem


def candidate(workspace: Workspace, name: str) -> Candidate:
    return workspace.store.candidates.get(name)


def test_looking_again_changes_nothing(workspace: Workspace, folder: Path) -> None:
    write_problem(folder, "muffin", [row("p1", 1)])
    write_candidate(folder, "a", ConstantModel())
    take_in(workspace)
    before = (workspace.store.evaluations.version(), scalar(workspace.store, "SELECT revision FROM problems"))
    take_in(workspace)
    assert (workspace.store.evaluations.version(), scalar(workspace.store, "SELECT revision FROM problems")) == before


def test_a_file_that_is_still_written_to_waits(workspace: Workspace, folder: Path) -> None:
    path = write_problem(folder, "muffin", [row("p1", 1)])
    registry.look_at_problems(workspace)
    assert workspace.store.problems.measured() == []
    age(path)
    registry.look_at_problems(workspace)
    assert [entry.id for entry in workspace.store.problems.measured()] == ["muffin"]


def test_one_bad_row_refuses_the_file_whole_and_says_where(workspace: Workspace, folder: Path) -> None:
    path = write_problem(folder, "muffin", [row("p1", 1), row("p2", 2, "waffle")])
    take_in(workspace)
    (refusal,) = workspace.store.sources.refusals()
    assert refusal.source == "problems/muffin.yaml"
    assert "row 2" in refusal.message and "'expected'" in refusal.message and "waffle" in refusal.message
    assert scalar(workspace.store, "SELECT count(*) FROM patterns") == 0
    write_problem(folder, "muffin", [row("p1", 1), row("p2", 2)])
    age(path, 5)
    take_in(workspace)
    assert workspace.store.sources.refusals() == []
    assert scalar(workspace.store, "SELECT count(*) FROM patterns") == 2


def test_a_changed_table_beside_its_problem_is_seen(workspace: Workspace, folder: Path) -> None:
    problem = folder / "problems" / "muffin.yaml"
    problem.write_text("id: muffin\ntitle: Muffin\ninputs: {ears: number}\n")
    table = folder / "problems" / "muffin.csv"
    table.write_text("pattern_id,ears,expected\np1,1,muffin\n")
    take_in(workspace)
    assert len(workspace.store.problems.patterns("muffin")) == 1
    table.write_text("pattern_id,ears,expected\np1,1,muffin\np2,2,muffin\n")
    take_in(workspace)
    assert len(workspace.store.problems.patterns("muffin")) == 2


def test_a_file_that_meets_a_row_edited_in_the_database_is_a_conflict(workspace: Workspace, folder: Path) -> None:
    path = write_problem(folder, "muffin", [row("p1", 1), row("p2", 2)])
    take_in(workspace)
    execute(workspace.store, "UPDATE patterns SET expected = 'chihuahua' WHERE id = 'p1'")
    write_problem(folder, "muffin", [row("p1", 99), row("p2", 3)])
    with pytest.raises(Conflict, match="p1"):
        registry.import_problem(workspace, path)
    assert scalar(workspace.store, "SELECT inputs FROM patterns WHERE id = 'p2'") == '{"ears":2.0,"crumbs":1.0}'


def test_a_problem_whose_file_is_gone_stays(workspace: Workspace, folder: Path) -> None:
    path = write_problem(folder, "muffin", [row("p1", 1)])
    take_in(workspace)
    path.unlink()
    take_in(workspace)
    assert [entry.id for entry in workspace.store.problems.measured()] == ["muffin"]


def test_a_closed_problem_leaves_the_matrix_and_comes_back(workspace: Workspace, folder: Path) -> None:
    write_problem(folder, "muffin", [row("p1", 1)])
    write_candidate(folder, "a", ConstantModel())
    take_in(workspace)
    execute(workspace.store, "DELETE FROM problems WHERE id = 'muffin'")
    take_in(workspace)
    assert workspace.store.problems.measured() == [] and workspace.store.due.count() == 0
    execute(workspace.store, "UPDATE problems SET state = 'watched' WHERE id = 'muffin'")
    take_in(workspace)
    assert [entry.state for entry in workspace.store.problems.measured()] == ["watched"]
    assert workspace.store.due.count() == 1


def test_a_problem_written_with_sql_alone_is_measured(workspace: Workspace, folder: Path) -> None:
    execute(
        workspace.store,
        "INSERT INTO problems (id, title, inputs) VALUES ('sql', 'Written with SQL', '{\"ears\": \"number\"}')",
    )
    execute(
        workspace.store,
        "INSERT INTO patterns (problem, id, inputs, expected) VALUES ('sql', 'p1', '{\"ears\": 1}', 'cat')",
    )
    write_candidate(folder, "a", ConstantModel())
    take_in(workspace)
    assert {due.cell for due in workspace.store.due.all()} == {("a", "sql")}


def test_a_candidate_is_taken_only_when_it_is_whole(workspace: Workspace, folder: Path) -> None:
    made = folder / "candidates" / "a"
    artefact = save_model(made, ConstantModel())
    looks = registry.look_at_candidates(workspace, {})
    assert workspace.store.candidates.all() == []
    manifest = write_manifest(made)
    age(manifest, 100)  # older than the artefact: something may still be copied
    looks = registry.look_at_candidates(workspace, looks)
    assert workspace.store.candidates.all() == []
    artefact.write_bytes(artefact.read_bytes() + b"more")
    looks = registry.look_at_candidates(workspace, looks)
    assert workspace.store.candidates.all() == [], "it changed between two looks"
    registry.look_at_candidates(workspace, looks)
    assert [entry.id for entry in workspace.store.candidates.all()] == ["a"]


def test_what_is_recorded_of_a_candidate(workspace: Workspace, folder: Path) -> None:
    write_candidate(
        folder,
        "a",
        ConstantModel(),
        changed="twice the data",
        parent="z",
        data={"train": "June"},
        metrics={"train_accuracy": 0.9},
        libraries={"scikit-learn": "1.9.1"},
    )
    take_in(workspace)
    found = candidate(workspace, "a")
    assert found.path == "candidates/a"
    assert found.size == (folder / "candidates" / "a" / "model.joblib").stat().st_size
    assert (found.manifest.changed, found.manifest.parent, found.manifest.format) == ("twice the data", "z", "joblib")
    assert dict(found.manifest.metrics) == {"train_accuracy": 0.9}
    assert found.libraries["scikit-learn"] == "1.9.1"


def test_the_same_id_with_other_bytes_is_refused_and_says_which_digest_is_registered(
    workspace: Workspace, folder: Path
) -> None:
    write_candidate(folder, "a", ConstantModel("muffin"))
    take_in(workspace)
    registered = candidate(workspace, "a")
    write_candidate(folder, "a", ConstantModel("chihuahua"))
    take_in(workspace)
    (refusal,) = workspace.store.sources.refusals()
    assert registered.sha256[:12] in refusal.message and "id of its own" in refusal.message
    assert candidate(workspace, "a") == registered


def test_a_corrected_note_of_a_candidate_costs_nothing(workspace: Workspace, folder: Path) -> None:
    write_problem(folder, "muffin", [row("p1", 1)])
    write_candidate(folder, "a", ConstantModel())
    take_in(workspace)
    before = workspace.store.due.all()
    write_manifest(folder / "candidates" / "a", note="trained on a Tuesday")
    take_in(workspace)
    assert candidate(workspace, "a").manifest.note == "trained on a Tuesday"
    assert workspace.store.due.all() == before


def test_production_is_adopted_once_from_the_settings(workspace: Workspace, folder: Path) -> None:
    from dataclasses import replace

    named = replace(workspace, settings=replace(workspace.settings, production="b"))
    write_candidate(folder, "a", ConstantModel())
    take_in(named)
    assert workspace.store.candidates.production() is None
    write_candidate(folder, "b", ConstantModel())
    take_in(named)
    assert workspace.store.candidates.production() == "b"
    take_in(replace(workspace, settings=replace(workspace.settings, production="a")))
    assert workspace.store.candidates.production() == "b"


def test_a_custom_scorer_that_is_not_installed_is_refused_by_name(workspace: Workspace, folder: Path) -> None:
    path = write_problem(folder, "muffin", [row("p1", 1)], metric="scorer:profit")
    with pytest.raises(NotFound, match="profit"):
        registry.import_problem(workspace, path)
    assert scalar(workspace.store, "SELECT count(*) FROM problems") == 0
