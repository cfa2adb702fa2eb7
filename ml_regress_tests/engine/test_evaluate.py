"""Everything is measured exactly once: what each change costs, and that nothing else is touched."""

from pathlib import Path
from typing import Any

import pytest

from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, Evaluation
from ml_regress.engine.evaluate import Counts, evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, NotFound
from ml_regress.predictors.host import PredictorHost
from ml_regress_tests.models import (
    ColumnsModel,
    ConstantModel,
    ExitingModel,
    FailingModel,
    MissingModel,
    ShortModel,
    SlowModel,
    SlowToOpenModel,
)
from ml_regress_tests.scenario import execute, logged, measure_due, row, take_in, write_candidate, write_problem

MUFFINS = [row("p1", 1), row("p2", 2), row("p3", 3, "chihuahua", polarity="negative")]


def cell(workspace: Workspace, candidate: str, problem: str = "muffin") -> Evaluation:
    return workspace.store.evaluations.current()[candidate, problem].evaluation


def outcomes(workspace: Workspace, candidate: str, problem: str = "muffin") -> dict[str, str]:
    stored = workspace.store.evaluations.current()[candidate, problem]
    frame = workspace.store.evaluations.outcomes([stored.number])
    return dict(zip(frame["pattern"], frame["outcome"], strict=True))


@pytest.fixture
def measured(workspace: Workspace, folder: Path, host: PredictorHost) -> dict[str, Path]:
    """Two candidates, of which the first is measured on two problems; the logs of their models."""
    write_problem(folder, "muffin", MUFFINS)
    # Shares the inputs of p1: the same question in two problems is asked once.
    write_problem(folder, "towel", [row("q1", 1), row("q2", 9)])
    logs = {
        "a": write_candidate(folder, "a", ConstantModel("muffin"), created_at="2026-06-01T00:00:00Z"),
        "b": write_candidate(folder, "b", ConstantModel("chihuahua"), created_at="2026-07-01T00:00:00Z"),
    }
    take_in(workspace)
    measure_due(workspace, host)
    return logs


def test_a_new_candidate_is_opened_once_and_predicts_each_distinct_input_once(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    log = write_candidate(folder, "c", ConstantModel("muffin"), created_at="2026-08-01T00:00:00Z")
    take_in(workspace)
    assert {due.cell for due in workspace.store.due.all()} == {("c", "muffin"), ("c", "towel")}
    before = {name: logged(path) for name, path in measured.items()}
    assert measure_due(workspace, host) == Counts(opened=1, predicted=4, reused=0, scored=5)
    assert logged(log) == ["open", "predict 4"]
    assert {name: logged(path) for name, path in measured.items()} == before
    assert workspace.store.due.count() == 0


def test_a_new_pattern_costs_one_prediction_an_active_candidate(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    write_problem(folder, "muffin", [*MUFFINS, row("p4", 4)])
    take_in(workspace)
    assert {due.cell for due in workspace.store.due.all()} == {("a", "muffin"), ("b", "muffin")}
    assert measure_due(workspace, host) == Counts(opened=2, predicted=2, reused=6, scored=8)
    assert [logged(path)[2:] for path in measured.values()] == [["open", "predict 1"]] * 2
    assert cell(workspace, "a").passes == 3


def test_a_corrected_expectation_opens_nothing_and_changes_outcomes(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    assert outcomes(workspace, "a") == {"p1": "passed", "p2": "passed", "p3": "failed"}
    write_problem(folder, "muffin", [MUFFINS[0], row("p2", 2, "chihuahua"), MUFFINS[2]])
    take_in(workspace)
    assert measure_due(workspace, host) == Counts(opened=0, predicted=0, reused=6, scored=6)
    assert outcomes(workspace, "a") == {"p1": "passed", "p2": "failed", "p3": "failed"}
    assert outcomes(workspace, "b") == {"p1": "failed", "p2": "passed", "p3": "passed"}


def test_an_edited_note_makes_nothing_due(workspace: Workspace, folder: Path, measured: dict[str, Path]) -> None:
    write_problem(
        folder, "muffin", [{**MUFFINS[0], "note": "seen by a user"}, *MUFFINS[1:]], description="Looks alike."
    )
    take_in(workspace)
    assert workspace.store.due.count() == 0
    assert workspace.store.problems.get("muffin").description == "Looks alike."


def test_a_retired_pattern_opens_nothing_and_aggregates_anew(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    write_problem(folder, "muffin", [*MUFFINS[:2], {**MUFFINS[2], "status": "retired"}])
    take_in(workspace)
    assert measure_due(workspace, host) == Counts(opened=0, predicted=0, reused=4, scored=4)
    assert (cell(workspace, "a").passes, cell(workspace, "a").answered) == (2, 2)


def test_a_tester_acts_with_sql(workspace: Workspace, host: PredictorHost, measured: dict[str, Path]) -> None:
    execute(
        workspace.store,
        "INSERT INTO patterns (problem, id, inputs, expected) VALUES ('muffin', 'sql', :inputs, 'muffin')",
        inputs='{"ears": 7, "crumbs": 0.5}',
    )
    take_in(workspace)
    assert measure_due(workspace, host).predicted == 2
    assert outcomes(workspace, "a")["sql"] == "passed"
    execute(workspace.store, "UPDATE patterns SET expected = 'chihuahua' WHERE id = 'sql'")
    take_in(workspace)
    assert measure_due(workspace, host).opened == 0
    assert outcomes(workspace, "a")["sql"] == "failed"
    execute(workspace.store, "DELETE FROM patterns WHERE id = 'sql'")
    take_in(workspace)
    # The suite is the one of the beginning again, and its evaluations are still there.
    assert workspace.store.due.count() == 0
    assert "sql" not in outcomes(workspace, "a")


def test_an_invalid_row_of_sql_keeps_the_last_valid_suite_and_is_named(
    workspace: Workspace, measured: dict[str, Path]
) -> None:
    execute(workspace.store, "UPDATE patterns SET expected = 'waffle', inputs = '{\"ears\": \"big\"}' WHERE id = 'p2'")
    take_in(workspace)
    assert workspace.store.due.count() == 0
    (refusal,) = workspace.store.sources.refusals()
    assert "p2" in refusal.message and "waffle" in refusal.message and "big" in refusal.message
    assert outcomes(workspace, "a")["p2"] == "passed"
    execute(
        workspace.store,
        "UPDATE patterns SET expected = 'muffin', inputs = '{\"ears\": 2, \"crumbs\": 1}' WHERE id = 'p2'",
    )
    take_in(workspace)
    assert workspace.store.sources.refusals() == []
    assert workspace.store.due.count() == 0


def test_an_archived_candidate_is_left_out_and_unarchiving_measures_what_is_missing(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    workspace.store.candidates.archive("b", actor="test")
    write_problem(folder, "muffin", [*MUFFINS, row("p4", 4)])
    take_in(workspace)
    assert measure_due(workspace, host) == Counts(opened=1, predicted=1, reused=3, scored=4)
    workspace.store.candidates.unarchive("b", actor="test")
    assert {due.cell for due in workspace.store.due.all()} == {("b", "muffin")}
    assert measure_due(workspace, host) == Counts(opened=1, predicted=1, reused=3, scored=4)


def test_production_cannot_be_archived(workspace: Workspace, measured: dict[str, Path]) -> None:
    workspace.store.candidates.adopt_production("a", actor="operator", reason="it served before")
    with pytest.raises(Conflict, match="a is production and cannot be archived"):
        workspace.store.candidates.archive("a", actor="test")
    assert workspace.store.candidates.get("a").state == "active"


def test_measuring_again_changes_nothing(workspace: Workspace, host: PredictorHost, measured: dict[str, Path]) -> None:
    cells = [("a", "muffin"), ("b", "towel")]
    before = workspace.store.evaluations.version()
    results = list(evaluate(workspace, cells, claim="again", asked=True, host=host))
    assert [result.counts for result in results] == [Counts(), Counts()]
    assert [item.state for result in results for item in result.evaluations] == [OK, OK]
    assert workspace.store.evaluations.version() == before


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (ShortModel("muffin"), "answered 3 of 4 inputs"),
        (SlowModel(30.0), "exceeded its time limit of 1 s"),
        (SlowToOpenModel(30.0), "exceeded its time limit of 1 s while it was opened"),
        (ExitingModel(3), "exit code 3"),
    ],
    ids=["too few rows", "too slow", "too slow to open", "ends its process"],
)
def test_a_candidate_that_fails_is_an_error_with_a_reason_in_its_cells_only(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path], model: Any, reason: str
) -> None:
    write_candidate(folder, "bad", model, time_limit=1)
    write_candidate(folder, "good", ConstantModel("muffin"), created_at="2026-09-01T00:00:00Z")
    take_in(workspace)
    measure_due(workspace, host)
    for problem in ("muffin", "towel"):
        found = cell(workspace, "bad", problem)
        assert found.state == ERROR and reason in (found.reason or "") and found.answered == 0
        assert (cell(workspace, "good", problem).state, cell(workspace, "good", problem).reason) == (OK, None)
    assert outcomes(workspace, "bad") == {}
    assert workspace.store.due.count() == 0, "an error rests: it is not tried again by itself"


def test_a_candidate_that_raises_on_some_inputs_fails_there_alone(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    write_problem(folder, "cold", [row("n1", -1)], inputs={"ears": "number", "crumbs": "number", "cold": "boolean"})
    problem = folder / "problems" / "cold.yaml"
    problem.write_text(problem.read_text().replace('"crumbs": 1,', '"crumbs": 1, "cold": "true",'))
    write_candidate(folder, "bad", FailingModel("muffin"))
    take_in(workspace)
    measure_due(workspace, host)
    assert "ValueError: muffin" in (cell(workspace, "bad", "cold").reason or "")
    assert cell(workspace, "bad", "muffin").state == OK


def test_a_missing_answer_is_an_error_of_its_pattern_and_the_rate_is_over_the_others(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    write_problem(
        folder, "muffin", [row("p1", 1, "7"), row("p2", 2, "7"), row("p3", 3, "1")], labels=[], answer="number"
    )
    write_candidate(folder, "nan", MissingModel(7))
    take_in(workspace)
    measure_due(workspace, host)
    found = cell(workspace, "nan")
    assert (found.state, found.passes, found.answered, found.errors) == (ERROR, 1, 2, 1)
    assert found.metric is not None and found.metric.value == 0.5
    assert "the answer is missing (NaN)" in (found.reason or "")
    assert outcomes(workspace, "nan") == {"p1": "error", "p2": "passed", "p3": "failed"}


def test_a_person_may_have_errors_measured_again(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    log = write_candidate(folder, "slow", SlowModel(0.6), time_limit=0.3)
    take_in(workspace)
    measure_due(workspace, host)
    assert cell(workspace, "slow").state == ERROR
    (folder / "candidates" / "slow" / "candidate.yaml").write_text(
        'created_at: "2026-06-01T09:00:00Z"\ntime_limit: 20\n'
    )
    take_in(workspace)
    results = list(evaluate(workspace, [("slow", "muffin")], claim="person", asked=True, host=host))
    assert results[0].counts == Counts(opened=1, predicted=3, reused=0, scored=3)
    assert cell(workspace, "slow").state == OK
    assert logged(log)[-2:] == ["open", "predict 3"]


def test_an_artefact_that_changed_after_its_registration_gives_no_score(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    write_candidate(folder, "c", ConstantModel("muffin"))
    take_in(workspace)
    (folder / "candidates" / "c" / "model.joblib").write_bytes(b"other bytes")
    measure_due(workspace, host)
    found = cell(workspace, "c")
    assert found.state == ERROR and "sha256" in (found.reason or "")


def test_extra_columns_are_dropped_and_listed_and_stay_listed_when_predictions_are_reused(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    write_problem(folder, "muffin", [row("p1", 1, "ears"), row("p2", 2, "ears")], labels=[])
    write_candidate(folder, "one", ColumnsModel("x"), features=["ears"])
    take_in(workspace)
    measure_due(workspace, host)
    assert cell(workspace, "one").passes == 2
    assert cell(workspace, "one").warnings == ("columns the candidate does not use were dropped: crumbs",)
    write_problem(folder, "muffin", [row("p1", 1, "ears"), row("p2", 2, "crumbs")], labels=[])
    take_in(workspace)
    assert measure_due(workspace, host).opened == 0
    assert cell(workspace, "one").passes == 1
    assert cell(workspace, "one").warnings == ("columns the candidate does not use were dropped: crumbs",)


def test_columns_come_in_the_order_the_candidate_declares_and_missing_ones_need_a_default(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    write_problem(folder, "muffin", [row("p1", 1, "sugar crumbs ears")], labels=[])
    write_candidate(folder, "with", ColumnsModel("x"), features=["sugar", "crumbs", "ears"], defaults={"sugar": "1.5"})
    write_candidate(folder, "without", ColumnsModel("x"), features=["sugar", "crumbs", "ears"])
    take_in(workspace)
    measure_due(workspace, host)
    assert cell(workspace, "with").passes == 1
    assert cell(workspace, "without").state == ERROR
    assert "sugar" in (cell(workspace, "without").reason or "")


def test_a_problem_that_does_not_apply_is_stored_as_such_and_opens_nothing(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    write_problem(folder, "muffin", MUFFINS)
    log = write_candidate(folder, "a", ConstantModel("muffin"), not_applicable={"muffin": "sees no pictures"})
    take_in(workspace)
    assert measure_due(workspace, host) == Counts()
    assert (cell(workspace, "a").state, cell(workspace, "a").reason) == (NOT_APPLICABLE, "sees no pictures")
    assert logged(log) == []
    assert workspace.store.evaluations.counts().not_applicable == 1
    (folder / "candidates" / "a" / "candidate.yaml").write_text('created_at: "2026-06-01T09:00:00Z"\n')
    take_in(workspace)
    assert measure_due(workspace, host).predicted == 3
    assert cell(workspace, "a").state == OK


def test_a_pattern_without_inputs_is_an_error_for_a_model(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    write_problem(folder, "muffin", [{"pattern_id": "p1", "expected": "muffin"}])
    write_candidate(folder, "a", ConstantModel("muffin"))
    take_in(workspace)
    measure_due(workspace, host)
    assert "no inputs" in (cell(workspace, "a").reason or "")


def test_cells_that_are_no_part_of_the_matrix_are_refused_before_anything_is_measured(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    with pytest.raises(NotFound, match="ghost"):
        list(evaluate(workspace, [("a", "muffin"), ("ghost", "muffin")], claim="x", host=host))


def test_a_suite_that_changes_while_a_run_measures_is_measured_next(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    write_problem(folder, "muffin", [*MUFFINS, row("p4", 4)])
    take_in(workspace)
    cells = [due.cell for due in workspace.store.due.all()]
    results = evaluate(workspace, cells, claim="first", host=host)
    next(results)  # a is committed, b is held
    write_problem(folder, "muffin", [*MUFFINS, row("p4", 4), row("p5", 5)])
    take_in(workspace)
    assert {(due.cell, due.claimed_by) for due in workspace.store.due.all()} == {
        (("a", "muffin"), None),
        (("b", "muffin"), "first"),
    }
    list(results)
    assert {(due.cell, due.claimed_by) for due in workspace.store.due.all()} == {
        (("a", "muffin"), None),
        (("b", "muffin"), None),
    }
    assert measure_due(workspace, host).predicted == 2
    assert outcomes(workspace, "b").keys() == {"p1", "p2", "p3", "p4", "p5"}


@pytest.mark.slow
def test_candidates_that_are_asked_the_same_are_measured_each_by_itself(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    write_problem(folder, "muffin", MUFFINS)
    given = {"a": ConstantModel("muffin"), "b": ExitingModel(3), "c": ConstantModel("chihuahua")}
    for day, (name, model) in enumerate(given.items(), start=1):
        write_candidate(folder, name, model, created_at=f"2026-06-0{day}T00:00:00Z")
    take_in(workspace)
    results = list(evaluate(workspace, [(name, "muffin") for name in given], claim="run", host=host))
    assert [(result.candidate, result.counts.opened) for result in results] == [("a", 1), ("b", 1), ("c", 1)]
    assert [item.state for result in results for item in result.evaluations] == [OK, ERROR, OK]
    assert "exit code 3" in (cell(workspace, "b").reason or "")
    assert [cell(workspace, name).passes for name in "abc"] == [2, None, 1]
    assert workspace.store.due.count() == 0


def test_cells_that_another_run_holds_are_left_to_it(
    workspace: Workspace, folder: Path, host: PredictorHost, measured: dict[str, Path]
) -> None:
    log = write_candidate(folder, "c", ConstantModel("muffin"), created_at="2026-08-01T00:00:00Z")
    take_in(workspace)
    workspace.store.due.claim([("c", "muffin")], "elsewhere")
    cells = [("c", "muffin"), ("c", "towel")]
    (result,) = evaluate(workspace, cells, claim="here", host=host)
    assert result.measured == {("c", "towel")}
    assert result.elsewhere == (("c", "muffin"),)
    assert logged(log) == ["open", "predict 2"]
