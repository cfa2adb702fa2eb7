"""From a table of failures to a proposed problem, whole or not at all; nothing is due before it is accepted."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier

from ml_regress.engine import registry
from ml_regress.engine.propose import Proposed, accept, propose
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, NotFound, Unavailable
from ml_regress.intake.failures import Reading
from ml_regress.intake.problems import read_problem
from ml_regress.predictors.host import PredictorHost
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import (
    age,
    execute,
    import_muffins,
    measure_due,
    muffin_pattern,
    scalar,
    take_in,
    write_candidate,
)

PICTURE = {"picture": "image(8, 8, p{index}, 0..16)"}


@pytest.fixture(name="bakery")
def _bakery(workspace: Workspace) -> Workspace:
    """A workspace with the candidate `first`, which answers muffin to everything."""
    folder = workspace.settings.workspace
    write_candidate(folder, "first", ConstantModel("muffin"))
    registry.import_candidate(workspace, folder / "candidates" / "first")
    return workspace


def complaint(
    folder: Path, failures: int = 30, rights: int = 30, name: str = "Big complaint.csv", seed: int = 0
) -> Path:
    """What a team exports: chihuahuas answered muffin, and muffins answered muffin, in a mixed order."""
    draw = np.random.default_rng(seed)
    expected = np.array(["chihuahua"] * failures + ["muffin"] * rights)
    ears = np.where(expected == "chihuahua", 2.0, 0.0) + np.random.default_rng(7).normal(0, 0.3, len(expected))
    table = pd.DataFrame({"id": [f"case/{n}" for n in range(len(expected))], "ears": ears.round(6), "crumbs": 1.0})
    table["expected"], table["predicted"] = expected, "muffin"
    path = folder / name
    table.iloc[draw.permutation(len(table))].to_csv(path, index=False)
    return path


def made(workspace: Workspace, path: Path, reading: Reading | None = None, **options: Any) -> Proposed:
    return propose(workspace, path, reading or Reading(), **{"candidate": "first", **options})


def files(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in (workspace.settings.workspace / "problems").iterdir())


def test_failures_become_a_proposed_problem_in_files_and_in_the_store(bakery: Workspace, tmp_path: Path) -> None:
    proposed = made(bakery, complaint(tmp_path), title="Dogs taken for cake")
    assert files(bakery) == ["Big-complaint.csv", "Big-complaint.yaml"]
    given = read_problem(proposed.files[0])
    assert (given.problem, given.patterns) == (proposed.problem, proposed.patterns)
    assert bakery.store.problems.get("Big-complaint") == given.problem
    assert "Big complaint.csv: first answered 30 of 60 distinct rows wrongly" in given.problem.description
    patterns = bakery.store.problems.patterns("Big-complaint")
    assert set(patterns["status"]) == {"proposed"}
    assert set(patterns["origin"]) == {"production"}
    assert patterns["polarity"].tolist().count("positive") == 8
    assert patterns["polarity"].tolist().count("negative") == 4
    assert (patterns["selected_on"] == np.where(patterns["polarity"] == "positive", "first", "")).all()
    assert {pattern.expectation.value for pattern in given.patterns if pattern.polarity == "positive"} == {"chihuahua"}
    assert "case/" in patterns["note"].iloc[0]


def test_a_negative_pattern_and_the_failure_it_is_near_to_are_twins(bakery: Workspace, tmp_path: Path) -> None:
    by_id = {pattern.id: pattern for pattern in made(bakery, complaint(tmp_path)).patterns}
    negatives = [pattern for pattern in by_id.values() if pattern.polarity == "negative"]
    assert len({pattern.twin for pattern in negatives}) == 4
    for pattern in negatives:
        assert pattern.twin is not None
        assert by_id[pattern.twin].polarity == "positive"
        assert by_id[pattern.twin].twin == pattern.id


def test_the_order_of_the_rows_does_not_matter(bakery: Workspace, tmp_path: Path) -> None:
    first = made(bakery, complaint(tmp_path, seed=1, name="a.csv"))
    second = made(bakery, complaint(tmp_path, seed=2, name="b.csv"))
    said = [[(p.id, p.inputs, p.polarity, p.twin) for p in each.patterns] for each in (first, second)]
    assert said[0] == said[1]


def test_nothing_is_due_or_in_the_matrix_until_patterns_are_accepted(
    bakery: Workspace, tmp_path: Path, host: PredictorHost
) -> None:
    import_muffins(bakery.store, [muffin_pattern("plain")])
    measure_due(bakery, host)
    problem = made(bakery, complaint(tmp_path)).problem.id
    assert [entry.id for entry in bakery.store.problems.measured()] == ["muffin"]
    assert bakery.store.due.all() == []
    accepted = accept(bakery, problem)
    assert len(accepted) == 12
    assert [cell.cell for cell in bakery.store.due.all()] == [("first", problem)]
    measure_due(bakery, host)
    evaluation = bakery.store.evaluations.current([("first", problem)])["first", problem].evaluation
    assert (evaluation.passes, evaluation.answered) == (4, 12)
    assert scalar(bakery.store, "SELECT count(*) FROM audit WHERE verb = 'accept'") == 1


def test_some_patterns_can_be_accepted_and_the_others_later(bakery: Workspace, tmp_path: Path) -> None:
    proposed = made(bakery, complaint(tmp_path))
    first, second, *rest = (pattern.id for pattern in proposed.patterns)
    problem = proposed.problem.id
    assert accept(bakery, problem, [first, second]) == [first, second]
    suites = bakery.store.problems.suites((entry.id, entry.suite) for entry in bakery.store.problems.measured())
    assert {pattern.id for pattern in suites[problem].patterns} == {first, second}
    assert accept(bakery, problem, [first]) == []
    assert sorted(accept(bakery, problem)) == sorted(rest)
    assert accept(bakery, problem) == []


def test_what_cannot_be_accepted_is_named_and_nothing_is(bakery: Workspace, tmp_path: Path) -> None:
    proposed = made(bakery, complaint(tmp_path))
    problem, (first, second, *_) = proposed.problem.id, [pattern.id for pattern in proposed.patterns]
    with pytest.raises(NotFound, match="has no pattern 'nobody'"):
        accept(bakery, problem, [first, "nobody"])
    execute(bakery.store, "UPDATE patterns SET status = 'retired' WHERE id = :id", id=second)
    with pytest.raises(Conflict, match="retired"):
        accept(bakery, problem, [first, second])
    assert "active" not in set(bakery.store.problems.patterns(problem)["status"])


def test_the_file_that_proposed_patterns_does_not_undo_that_they_were_accepted(
    bakery: Workspace, tmp_path: Path
) -> None:
    proposed = made(bakery, complaint(tmp_path))
    accept(bakery, proposed.problem.id)
    before = bakery.store.problems.version()
    registry.import_problem(bakery, proposed.files[0])
    for path in proposed.files:
        age(path)
    take_in(bakery)
    assert bakery.store.problems.version() == before
    assert set(bakery.store.problems.patterns(proposed.problem.id)["status"]) == {"active"}
    assert bakery.store.sources.refusals() == []


def test_a_problem_whose_last_active_pattern_retires_leaves_the_matrix(bakery: Workspace) -> None:
    import_muffins(bakery.store, [muffin_pattern("plain")])
    assert [cell.problem for cell in bakery.store.due.all()] == ["muffin"]
    execute(bakery.store, "UPDATE patterns SET status = 'retired'")
    registry.look_at_problems(bakery)
    assert bakery.store.problems.measured() == []
    assert bakery.store.due.all() == []
    execute(bakery.store, "UPDATE patterns SET status = 'active'")
    registry.look_at_problems(bakery)
    assert [cell.problem for cell in bakery.store.due.all()] == ["muffin"]


def test_without_production_the_candidate_has_to_be_named(bakery: Workspace, tmp_path: Path) -> None:
    path = complaint(tmp_path)
    with pytest.raises(NotFound, match=r"No candidate is production; name one with --candidate: there are first"):
        made(bakery, path, candidate=None)
    with pytest.raises(NotFound, match="no candidate 'frist': there are first"):
        made(bakery, path, candidate="frist")
    bakery.store.candidates.adopt_production("first", actor="test", reason="serves")
    assert made(bakery, path, candidate=None).candidate == "first"


def test_a_table_without_failures_is_refused(bakery: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="shows no failure: in all 30 rows"):
        made(bakery, complaint(tmp_path, failures=0))
    assert files(bakery) == []


def test_what_is_missing_for_a_whole_problem_is_said(bakery: Workspace, tmp_path: Path) -> None:
    only_wrong = made(bakery, complaint(tmp_path, rights=0, name="wrong.csv"))
    assert len(only_wrong.patterns) == 12
    assert any("no negative patterns" in note for note in only_wrong.notes)
    few = made(bakery, complaint(tmp_path, failures=3, rights=4, name="few.csv"))
    assert len(few.patterns) == 7
    assert any("7 distinct rows, fewer than 12" in note for note in few.notes)


@pytest.mark.parametrize("name", ["Big-complaint.yaml", "Big-complaint.csv", "Big-complaint.parquet"])
def test_no_file_is_written_over(bakery: Workspace, tmp_path: Path, name: str) -> None:
    there = bakery.settings.workspace / "problems" / name
    there.write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        made(bakery, complaint(tmp_path))
    assert files(bakery) == [name]
    assert there.read_text() == "mine"


def test_an_id_that_is_taken_or_none_is_refused(bakery: Workspace, tmp_path: Path) -> None:
    import_muffins(bakery.store, [muffin_pattern("plain")])
    with pytest.raises(Conflict, match="'muffin' is the id of a problem"):
        made(bakery, complaint(tmp_path), problem="Muffin")
    with pytest.raises(InvalidInput, match="name one with --id"):
        made(bakery, complaint(tmp_path, name="…….csv"))
    assert files(bakery) == []


def test_a_problem_that_the_store_refuses_leaves_no_file(bakery: Workspace, tmp_path: Path) -> None:
    # Written in the database and not frozen yet, so that only the import meets it.
    execute(
        bakery.store,
        "INSERT INTO problems (id, title, inputs) VALUES ('BIG-complaint', 'Mine', '{\"ears\": \"number\"}')",
    )
    with pytest.raises(Conflict, match="only by case"):
        made(bakery, complaint(tmp_path))
    assert files(bakery) == []
    assert scalar(bakery.store, "SELECT count(*) FROM patterns") == 0


def test_a_folder_that_cannot_be_written_to_is_named(bakery: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="file cannot be written to"):
        made(bakery, complaint(tmp_path), folder=tmp_path / "file")


def test_it_can_be_written_elsewhere(bakery: Workspace, tmp_path: Path) -> None:
    proposed = made(bakery, complaint(tmp_path), folder=tmp_path / "new", problem="dogs")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["dogs.csv", "dogs.yaml"]
    assert proposed.files == (tmp_path / "new" / "dogs.yaml", tmp_path / "new" / "dogs.csv")
    assert bakery.store.problems.get("dogs").title == "Failures of Big complaint.csv"


def test_types_come_from_a_problem_with_the_same_inputs(bakery: Workspace, tmp_path: Path) -> None:
    import_muffins(bakery.store, [muffin_pattern("plain")])
    proposed = made(bakery, complaint(tmp_path))
    assert proposed.problem.inputs.as_dict() == {"ears": "number", "crumbs": "number"}
    assert proposed.problem.labels == ("chihuahua", "muffin")
    assert any("'muffin'" in note for note in proposed.notes)


def test_texts_that_a_spreadsheet_would_run_and_odd_ids_come_back_as_they_were(
    bakery: Workspace, tmp_path: Path
) -> None:
    texts = ["=1+1", "a,b", 'say "hi"', "two\nlines", " spaces ", "007", "NA", "é", "-5", "@me"]
    rows = [{"id": f"T/{n}", "letter": text, "expected": "no", "predicted": "007"} for n, text in enumerate(texts)]
    path = tmp_path / "odd.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    proposed = made(bakery, path)
    assert {pattern.inputs["letter"] for pattern in proposed.patterns if pattern.inputs} == set(texts)
    assert read_problem(proposed.files[0]).patterns == proposed.patterns
    assert {pattern.expectation.value for pattern in proposed.patterns} == {"no"}


def test_the_failures_of_a_weak_model_of_digits(bakery: Workspace, tmp_path: Path) -> None:
    digits = load_digits()
    model = DecisionTreeClassifier(max_depth=6, random_state=0).fit(digits.data[:600], digits.target[:600])
    table = pd.DataFrame(digits.data[600:].astype(int), columns=[f"p{i}" for i in range(64)])
    table["expected"], table["predicted"] = digits.target[600:], model.predict(digits.data[600:])
    path = tmp_path / "digits.csv"
    table.to_csv(path, index=False)
    proposed = made(bakery, path, Reading(inputs=PICTURE), count=15)
    positives = [pattern for pattern in proposed.patterns if pattern.polarity == "positive"]
    negatives = [pattern for pattern in proposed.patterns if pattern.polarity == "negative"]
    assert (len(positives), len(negatives), proposed.problem.answer_type) == (10, 5, "integer")
    assert len({pattern.expectation.value for pattern in positives}) >= 5, (
        "failures of many kinds, not of the commonest"
    )
    said = {f"row-{n + 1}": (row.expected, row.predicted) for n, row in enumerate(table.itertuples())}
    assert all(said[pattern.id][0] != said[pattern.id][1] for pattern in positives)
    assert all(said[pattern.id][0] == said[pattern.id][1] for pattern in negatives)
    # The other half of the confusion: what the failure was read as, and near to it.
    pixels = {f"row-{n + 1}": row for n, row in enumerate(digits.data[600:])}
    for pattern in negatives:
        assert pattern.twin is not None
        assert said[pattern.id][0] == said[pattern.twin][1]
        like = [name for name, (wanted, given) in said.items() if wanted == given == said[pattern.id][0]]
        distances = sorted(np.linalg.norm(pixels[name] - pixels[pattern.twin]) for name in like)
        near = np.linalg.norm(pixels[pattern.id] - pixels[pattern.twin])
        assert near <= distances[len(negatives)]
