"""Why a number moved, and what patterns are worth, read from what is stored."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from ml_regress.core.evaluation import Evaluation, Measure, Outcome
from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern
from ml_regress.core.pattern_value import PatternValue
from ml_regress.core.prediction import Prediction
from ml_regress.core.problem import Benchmark
from ml_regress.engine.draws import draw_again
from ml_regress.engine.moved import Moved, moved, moved_between
from ml_regress.engine.why import why
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import NotFound
from ml_regress.predictors.host import PredictorHost
from ml_regress.store import Store
from ml_regress.store.evaluations import environment_digest
from ml_regress_tests.models import ConstantModel, TurnsModel
from ml_regress_tests.scenario import (
    commit_outcomes,
    execute,
    import_muffins,
    measure_due,
    muffin_pattern,
    muffin_problem,
    registered,
    row,
    take_in,
    write_candidate,
    write_problem,
)

CELL = ("a", "muffin")
OLD, NEW = {"python": "3.11", "libraries": {"numpy": "2.1"}}, {"python": "3.11", "libraries": {"numpy": "2.2"}}
THREE = [muffin_pattern(name) for name in ("p1", "p2", "p3")]


def given(store: Store, patterns: list[Pattern], *candidates: str) -> None:
    """A problem with these patterns, and candidates without artefacts."""
    import_muffins(store, patterns, sync=True)
    for name in candidates:
        store.candidates.register(registered(name))


def commit(store: Store, candidate: str, answers: Mapping[str, str], environment: Mapping[str, Any] = OLD) -> None:
    """Measure the cell: what the candidate answers by pattern; an answer with a blank is an error."""
    suite = next(entry.suite for entry in store.problems.measured() if entry.id == "muffin")
    made, outcomes = dict[str, Prediction](), list[Outcome]()
    for pattern in store.problems.suites([("muffin", suite)])["muffin"].patterns:
        answer = answers[pattern.id]
        if " " in answer:
            made[pattern.input_digest] = Prediction(error=answer)
            outcomes.append(Outcome(pattern.id, "error", answer))
        else:
            made[pattern.input_digest] = Prediction(answer)
            outcomes.append(Outcome(pattern.id, "passed" if answer == pattern.expectation.value else "failed"))
    found = [each.outcome for each in outcomes]
    passes, errors = found.count("passed"), found.count("error")
    evaluation = Evaluation(
        candidate,
        "muffin",
        suite,
        "error" if errors else "ok",
        passes=passes,
        answered=len(found) - errors,
        errors=errors,
        measures=(Measure("pass_rate", passes / (len(found) - errors)),),
        environments=(environment_digest(environment),),
        evaluated_at="2026-07-02T10:00:00.000Z",
        outcomes=tuple(outcomes),
    )
    store.due.request([(candidate, "muffin")], "asked")
    store.due.claim([(candidate, "muffin")], "test")
    store.evaluations.commit(candidate, [evaluation], predictions=made, environment=environment, claim="test")


def parts(found: Moved | None) -> list[tuple[str, tuple[str, ...], int, int]]:
    assert found is not None
    return [(part.cause, part.patterns, part.passes, part.answered) for part in found.attribution.parts]


def test_a_cell_that_was_measured_once_did_not_move(workspace: Workspace) -> None:
    given(workspace.store, THREE, "a")
    assert moved(workspace, *CELL) is None
    commit_outcomes(workspace.store, "a", dict.fromkeys(["p1", "p2", "p3"], "passed"))
    assert moved(workspace, *CELL) is None
    with pytest.raises(NotFound, match="cake"):
        moved(workspace, "a", "cake")
    with pytest.raises(NotFound, match="nobody"):
        moved(workspace, "nobody", "muffin")


def test_a_newer_suite_moves_a_number_by_what_changed_in_it(workspace: Workspace) -> None:
    store = workspace.store
    given(store, THREE, "a")
    commit(store, "a", {"p1": "muffin", "p2": "muffin", "p3": "chihuahua"})
    asked_anew = muffin_pattern("p2", inputs={"ears": 7.0, "crumbs": 7.0})
    corrected = muffin_pattern("p3", "chihuahua")
    given(store, [asked_anew, corrected, muffin_pattern("p4")])
    assert moved(workspace, *CELL) is None  # due: what stands now is not known yet
    commit(store, "a", {"p2": "chihuahua", "p3": "chihuahua", "p4": "muffin"})
    found = moved(workspace, *CELL)
    assert parts(found) == [
        ("pattern retired", ("p1",), -1, -1),
        ("inputs changed", ("p2",), -1, 0),
        ("expectation corrected", ("p3",), 1, 0),
        ("pattern added", ("p4",), 1, 1),
    ]
    assert found is not None
    assert sum(part.rate or 0 for part in found.attribution.parts) == Fraction(2, 3) - Fraction(2, 3)
    assert found.words == (
        "was 2/3 on 2026-07-02, is 2/3: -1 pattern retired (p1), -1 inputs changed (p2), "
        "+1 expectation corrected (p3), +1 pattern added (p4)",
    )
    said = why(workspace, *CELL)["moved"]
    assert [part["rate"] for part in said["parts"]] == ["-1/6", "-1/2", "1/2", "1/6"]
    assert (said["before"]["passes"], said["before"]["answered"], said["metric"]) == (2, 3, "pass_rate")


def test_a_suite_that_came_back_is_held_against_what_was_shown_between(workspace: Workspace) -> None:
    store = workspace.store
    given(store, THREE, "a")
    commit(store, "a", dict.fromkeys(["p1", "p2", "p3"], "muffin"))
    given(store, THREE[:2])
    commit(store, "a", dict.fromkeys(["p1", "p2"], "muffin"))
    execute(store, "UPDATE patterns SET status = 'active'")
    given(store, THREE)
    assert parts(moved(workspace, *CELL)) == [("pattern added", ("p3",), 1, 1)]


def test_an_error_that_gave_way_in_another_environment_is_the_environment_and_says_what_differs(
    workspace: Workspace,
) -> None:
    store = workspace.store
    given(store, THREE, "a")
    commit(store, "a", {"p1": "muffin", "p2": "muffin", "p3": "no flour"})
    commit(store, "a", dict.fromkeys(["p1", "p2", "p3"], "muffin"), NEW)
    found = moved(workspace, *CELL)
    assert parts(found) == [("environment", ("p3",), 1, 1)]
    assert found is not None
    assert found.environments == ("numpy 2.1, now 2.2",)
    assert found.words == (
        "was 2/2 (1 errors) on 2026-07-02, is 3/3: +1 environment (p3)",
        "environment: numpy 2.1, now 2.2",
    )


def test_an_error_that_gave_way_where_it_was_is_another_answer(workspace: Workspace) -> None:
    store = workspace.store
    given(store, THREE, "a")
    commit(store, "a", {"p1": "muffin", "p2": "muffin", "p3": "no flour"})
    commit(store, "a", dict.fromkeys(["p1", "p2", "p3"], "muffin"))
    found = moved(workspace, *CELL)
    assert parts(found) == [("answers", ("p3",), 1, 1)]
    assert found is not None
    assert found.environments == ()


def test_a_measurement_without_a_number_is_stepped_over(workspace: Workspace) -> None:
    store = workspace.store
    given(store, THREE, "a")
    commit(store, "a", dict.fromkeys(["p1", "p2", "p3"], "muffin"))
    given(store, THREE[:2])
    suite = store.problems.measured()[0].suite
    broken = Evaluation(*CELL, suite, "error", "the artefact is gone", errors=2)
    store.evaluations.commit("a", [broken], predictions={}, environment=None, claim="test")
    lost = moved(workspace, *CELL)
    assert parts(lost) == [("pattern retired", ("p3",), -1, -1), ("answers", ("p1", "p2"), -2, -2)]
    assert lost is not None
    assert lost.words[0].startswith("was 3/3 on 2026-07-02, is 0/0 (2 errors): ")
    given(store, [*THREE[:2], muffin_pattern("p4")])
    commit(store, "a", {"p1": "muffin", "p2": "muffin", "p4": "muffin"})
    found = moved(workspace, *CELL)
    assert found is not None
    assert found.before.passes == 3
    assert parts(found) == [("pattern retired", ("p3",), -1, -1), ("pattern added", ("p4",), 1, 1)]


def test_what_is_not_applicable_has_no_number_that_could_move(workspace: Workspace) -> None:
    store = workspace.store
    given(store, THREE, "a")
    commit(store, "a", dict.fromkeys(["p1", "p2", "p3"], "muffin"))
    given(store, THREE[:2])
    suite = store.problems.measured()[0].suite
    away = Evaluation(*CELL, suite, "not applicable", "it knows no muffins")
    store.evaluations.commit("a", [away], predictions={}, environment=None, claim="test")
    assert moved(workspace, *CELL) is None
    assert moved_between(workspace, "a", "a", "muffin") is None


def test_drawing_again_is_another_answer(workspace: Workspace, host: PredictorHost) -> None:
    folder = workspace.settings.workspace
    write_problem(folder, "muffin", [row("p1", 1), row("p2", 2, "chihuahua")])
    write_candidate(folder, "a", TurnsModel(["muffin", "chihuahua", "chihuahua"]))
    take_in(workspace)
    measure_due(workspace, host)
    list(draw_again(workspace, [CELL], 2, claim="test", host=host))
    found = moved(workspace, *CELL)
    assert parts(found) == [("answers", ("p1", "p2"), 0, 0)]


def test_a_metric_is_attributed_with_the_predictions_that_are_stored(workspace: Workspace, host: PredictorHost) -> None:
    folder = workspace.settings.workspace
    write_candidate(folder, "a", ConstantModel("muffin"))
    write_problem(folder, "muffin", [row("p1", 1), row("p2", 2, "chihuahua")], metric="accuracy")
    take_in(workspace)
    measure_due(workspace, host)
    write_problem(folder, "muffin", [row("p1", 1), row("p2", 2), row("p3", 3, "chihuahua")], metric="accuracy")
    take_in(workspace)
    measure_due(workspace, host)
    found = moved(workspace, *CELL)
    assert parts(found) == [("expectation corrected", ("p2",), 1, 0), ("pattern added", ("p3",), 0, 1)]
    assert found is not None
    assert found.attribution.undefined is None
    corrected, added = found.attribution.parts
    assert (corrected.metric, added.metric) == (Fraction(1, 2), Fraction(2 / 3) - 1)
    assert found.words[1].endswith("is 0.6667: +0.5 expectation corrected (p2), -0.3333 pattern added (p3)")


def test_two_candidates_differ_by_the_candidate_and_their_environments_are_named(workspace: Workspace) -> None:
    store = workspace.store
    given(store, THREE, "a", "b", "c")
    commit(store, "a", {"p1": "chihuahua", "p2": "muffin", "p3": "muffin"})
    commit(store, "b", {"p1": "muffin", "p2": "muffin", "p3": "muffin"}, NEW)
    found = moved_between(workspace, "a", "b", "muffin")
    assert parts(found) == [("candidate", ("p1",), 1, 0)]
    assert found is not None
    assert found.words == (
        "was 2/3 of a on 2026-07-02, is 3/3: +1 candidate (p1)",
        "environment: numpy 2.1, now 2.2",
    )
    assert moved_between(workspace, "a", "c", "muffin") is None


def test_a_candidate_that_is_due_is_compared_with_its_newest_number(workspace: Workspace) -> None:
    store = workspace.store
    given(store, THREE, "a", "b")
    commit(store, "a", {"p1": "chihuahua", "p2": "muffin", "p3": "muffin"})
    given(store, [muffin_pattern("p1", "chihuahua"), *THREE[1:]])
    commit(store, "b", {"p1": "chihuahua", "p2": "muffin", "p3": "chihuahua"})
    assert parts(moved_between(workspace, "a", "b", "muffin")) == [
        ("expectation corrected", ("p1",), 1, 0),
        ("candidate", ("p3",), -1, 0),
    ]


def test_a_pattern_that_is_compared_with_another_moves_with_its_inputs(workspace: Workspace) -> None:
    store = workspace.store
    twin = muffin_pattern("twin", expectation=Expectation("same_as", "p1"))
    given(store, [*THREE, twin], "a")
    commit_outcomes(store, "a", dict.fromkeys(["p1", "p2", "p3", "twin"], "passed"))
    given(store, [muffin_pattern("p1", inputs={"ears": 7.0, "crumbs": 7.0}), *THREE[1:], twin])
    commit_outcomes(store, "a", {"p1": "failed", "p2": "passed", "p3": "passed", "twin": "failed"})
    assert parts(moved(workspace, *CELL)) == [("inputs changed", ("p1", "twin"), -2, 0)]


def test_a_benchmark_moves_by_its_data(workspace: Workspace) -> None:
    store = workspace.store
    store.candidates.register(registered("a"))
    bench = Benchmark("bench", "All of it", parse_input_types({"ears": "number"}), "kind")
    for digest, value in (("one", 0.5), ("two", 0.75)):
        store.problems.import_benchmark(bench, b"rows", digest, 4, source="benchmarks/bench.yaml")
        suite = store.problems.measured()[0].suite
        item = Evaluation("a", "bench", suite, "ok", answered=4, measures=(Measure("accuracy", value),))
        store.evaluations.commit("a", [item], predictions={}, environment=None, claim="test")
    found = moved(workspace, "a", "bench")
    assert found is not None
    assert found.words == ("accuracy was 0.5, is 0.75: +0.25 inputs changed",)


def test_what_a_pattern_is_worth_is_counted_over_active_candidates(store: Store) -> None:
    given(store, [*THREE, muffin_pattern("p4")], "a", "b", "c", "d", "gone")
    outcomes = {"p1": "passed", "p2": "failed", "p3": "passed", "p4": "error"}
    for name in "abc":
        commit_outcomes(store, name, outcomes)
    for name in ("d", "gone"):
        commit_outcomes(store, name, {**outcomes, "p3": "failed", "p4": "passed"})
    store.candidates.archive("gone", actor="test")
    import_muffins(store, [muffin_pattern("p1", problem="towel")], muffin_problem("towel"))
    values = store.history.pattern_values()
    assert values == {
        ("muffin", "p1"): PatternValue(4, 0),
        ("muffin", "p2"): PatternValue(0, 4),
        ("muffin", "p3"): PatternValue(3, 1),
        ("muffin", "p4"): PatternValue(1, 0),
    }
    assert {key[1] for key, value in values.items() if value.idle} == {"p1", "p2", "p4"}
    assert store.history.pattern_values("towel") == {}
    given(store, THREE)
    assert store.history.pattern_values("muffin") == {}  # nobody was measured on the newer suite yet


def test_a_closed_problem_counts_only_where_it_is_asked_for(store: Store) -> None:
    given(store, THREE[:1], "a")
    commit_outcomes(store, "a", {"p1": "passed"})
    import_muffins(store, THREE[:1], muffin_problem(state="closed"))
    assert store.history.pattern_values() == {}
    assert store.history.pattern_values("muffin") == {("muffin", "p1"): PatternValue(1, 0)}
