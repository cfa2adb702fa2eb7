"""Files and rows are taken in level-triggered: looking again changes nothing, whatever came before."""

import json
import sys
from pathlib import Path

import pytest

from ml_regress.core.candidate import Candidate
from ml_regress.engine import registry
from ml_regress.engine.measurement import Counts
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, MlRegressError, NotFound
from ml_regress.predictors.host import PredictorHost
from ml_regress_tests.models import ConstantModel, save_model, write_manifest
from ml_regress_tests.scenario import (
    age,
    execute,
    logged,
    measure_due,
    row,
    scalar,
    take_in,
    write_candidate,
    write_problem,
)


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


def install_scorer(folder: Path, version: str) -> None:
    """A package with a scorer, as an installer would leave it in a folder of packages."""
    (folder / "profit_scorer.py").write_text(
        f"def profit(frame):\n    return 10.0 * (frame['outcome'] == 'passed').sum()\n\nprofit.version = {version!r}\n"
    )
    info = folder / "profit_scorer-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: profit-scorer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ml_regress.scorers]\nprofit = profit_scorer:profit\n")


def test_a_custom_scorer_measures_and_its_new_version_makes_a_new_suite_without_predicting(
    workspace: Workspace, folder: Path, host: PredictorHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    install_scorer(packages, "1")
    monkeypatch.syspath_prepend(str(packages))
    write_problem(folder, "muffin", [row("p1", 1), row("p2", 2), row("p3", 3, "chihuahua")], metric="scorer:profit")
    write_candidate(folder, "a", ConstantModel("muffin"))
    take_in(workspace)
    measure_due(workspace, host)
    metric = workspace.store.evaluations.current()["a", "muffin"].evaluation.metric
    assert metric is not None and (metric.name, metric.value) == ("scorer:profit", 20.0)
    take_in(workspace)
    assert workspace.store.due.count() == 0
    monkeypatch.setattr(sys.modules["profit_scorer"].profit, "version", "2")
    take_in(workspace)
    assert [due.cell for due in workspace.store.due.all()] == [("a", "muffin")]
    assert measure_due(workspace, host) == Counts(opened=0, predicted=0, reused=3, scored=3)


def test_a_benchmark_is_measured_like_a_problem_and_gives_metrics_alone(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    (folder / "benchmarks" / "held-out.yaml").write_text(
        "id: held-out\ntitle: Held out\ninputs: {ears: number}\ntarget: kind\nmetrics: [accuracy, recall]\n"
        "labels: [chihuahua, muffin]\npositive_label: muffin\n"
    )
    (folder / "benchmarks" / "held-out.csv").write_text("ears,kind\n1,muffin\n2,muffin\n3,chihuahua\n4,chihuahua\n")
    for path in (folder / "benchmarks").iterdir():
        age(path)
    log = write_candidate(folder, "a", ConstantModel("muffin"))
    take_in(workspace)
    assert measure_due(workspace, host) == Counts(opened=1, rows=4)
    found = workspace.store.evaluations.current()["a", "held-out"].evaluation
    assert {measure.name: measure.value for measure in found.measures} == {"accuracy": 0.5, "recall": 1.0}
    assert (found.passes, found.answered, found.errors) == (None, 4, 0)
    assert logged(log) == ["open", "predict 4"]
    take_in(workspace)
    assert workspace.store.due.count() == 0


NAMES = ["v1", "v1.0", "v1.1", "V1", " v1 ", "team/a-model", "small, fast", "a|b", "..", "line\nbreak", "", "naïve ☕"]


def test_every_name_is_kept_as_it_is_or_refused_with_its_reason_and_no_cell_disappears(
    workspace: Workspace, folder: Path
) -> None:
    refused = {}
    for number, name in enumerate(NAMES):
        path = folder / f"{number}.yaml"
        pattern = {"pattern_id": "one", "x": 1, "expected": "a"}
        path.write_text(
            json.dumps({"id": name, "title": name or "-", "inputs": {"x": "number"}, "patterns": [pattern]})
        )
        try:
            registry.import_problem(workspace, path)
        except MlRegressError as error:
            refused[name] = str(error)
    kept = [entry.id for entry in workspace.store.problems.measured()]
    assert kept == ["v1", "v1.0", "v1.1"]
    assert set(refused) == set(NAMES) - set(kept)
    assert "only by case" in refused["V1"]
    assert all("'id'" in reason for name, reason in refused.items() if name != "V1")
    write_candidate(folder, "a", ConstantModel())
    take_in(workspace)
    assert len(workspace.store.due.all()) == len(kept)
