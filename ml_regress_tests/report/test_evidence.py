import dataclasses

import pytest

from ml_regress.core.evaluation import Measure
from ml_regress.core.history import SOLVED, Mark
from ml_regress.core.problem import Benchmark, Requirement
from ml_regress.report.evidence import Evidence
from ml_regress.report.summary import (
    best_words,
    cells_words,
    history_words,
    newest_comparison,
    newest_flips,
    no_comparison_words,
    problem_lines,
    requirement_words,
    solved_by,
)
from ml_regress_tests.report.made_evidence import (
    ERROR,
    a_candidate,
    a_cell,
    a_pattern,
    a_problem,
    made_evidence,
    measured_cell,
)

PROBLEM = a_problem()
PATTERNS = [a_pattern(PROBLEM.id, name) for name in ("p1", "p2", "p3")]


def three_candidates(**rest) -> Evidence:
    """old passes 1 of 3, middle 2 of 3, new 2 of 3 with another pattern broken."""
    answers = {
        ("old", "p1"): 1, ("old", "p2"): 8, ("old", "p3"): 8,
        ("middle", "p1"): 1, ("middle", "p2"): 1, ("middle", "p3"): 8,
        ("new", "p1"): 8, ("new", "p2"): 1, ("new", "p3"): 1,
    }  # fmt: skip
    candidates = [a_candidate("old", 1), a_candidate("middle", 2), a_candidate("new", 3)]
    return made_evidence(candidates, [PROBLEM], PATTERNS, answers, **{"production": "middle", **rest})


def old_and_new(old: tuple[int, ...], new: tuple[int, ...]) -> dict[tuple[str, str], int]:
    """Answers of the candidates old and new to p1, p2, ..."""
    both = (("old", old), ("new", new))
    return {(name, f"p{place}"): answer for name, answers in both for place, answer in enumerate(answers, 1)}


def test_a_frame_without_its_columns_is_refused_by_name():
    whole = three_candidates()
    with pytest.raises(ValueError, match="cells lacks the columns suite"):
        dataclasses.replace(whole, cells=whole.cells.drop(columns="suite"))


def test_flips_against_production_are_counted_by_cell():
    assert three_candidates().production_counts == {("old", PROBLEM.id): (0, 1), ("new", PROBLEM.id): (1, 1)}


def test_flips_against_a_stale_suite_are_not_counted():
    stale = measured_cell("middle", PROBLEM.id, ["passed"] * 3, suite="suite-0")
    evidence = three_candidates(cells=[stale])
    assert evidence.production_counts == {}
    assert newest_comparison(evidence).not_compared == (PROBLEM.title,)


def test_an_unknown_cell_is_due():
    assert three_candidates().cell("new", "unheard-of").state == "due"


def test_who_solved_names_the_candidate_that_met_the_requirement_first():
    evidence = three_candidates()
    assert evidence.who_solved(PROBLEM.id) == (Mark("middle", SOLVED),)
    assert solved_by(evidence, PROBLEM) == "middle"
    assert history_words(evidence, PROBLEM) == "solved by middle"


def test_a_cell_in_error_does_not_take_part_in_the_history():
    evidence = three_candidates(cells=[a_cell("new", PROBLEM.id, "error", reason="cannot be opened")])
    assert evidence.who_solved(PROBLEM.id) == (Mark("middle", SOLVED),)
    assert evidence.meets("new", PROBLEM) is None


def test_a_failed_canary_keeps_a_problem_unsolved():
    patterns = [a_pattern(PROBLEM.id, name, canary=name == "p3") for name in ("p1", "p2", "p3")]
    answers = {
        ("old", "p1"): 1,
        ("old", "p2"): 1,
        ("old", "p3"): 8,
        ("new", "p1"): 1,
        ("new", "p2"): 1,
        ("new", "p3"): 1,
    }
    evidence = made_evidence([a_candidate("old", 1), a_candidate("new", 2)], [PROBLEM], patterns, answers)
    assert evidence.who_solved(PROBLEM.id) == (Mark("new", SOLVED),)


def test_a_regression_beyond_the_bound_fails_the_requirement_of_today():
    strict = a_problem(requirement=Requirement(at_least=2, max_regressions=0))
    answers = {
        ("old", "p1"): 1,
        ("old", "p2"): 1,
        ("old", "p3"): 8,
        ("new", "p1"): 8,
        ("new", "p2"): 1,
        ("new", "p3"): 1,
    }
    evidence = made_evidence(
        [a_candidate("old", 1), a_candidate("new", 2)], [strict], PATTERNS, answers, production="old"
    )
    assert evidence.met["new", strict.id] is True
    assert evidence.meets("new", strict) is False
    assert evidence.meets("old", strict) is True
    assert problem_lines(evidence)[0].newest_met == "no"


def test_patterns_without_an_answer_leave_the_requirement_open():
    answers = {("new", "p1"): 1, ("new", "p2"): 1, ("new", "p3"): ERROR}
    evidence = made_evidence([a_candidate("new")], [PROBLEM], PATTERNS, answers)
    assert evidence.cell("new", PROBLEM.id).words == "2/2 (1 error)"
    assert evidence.meets("new", PROBLEM) is None


def test_the_newest_candidate_is_compared_with_production_in_words_and_numbers():
    comparison = newest_comparison(three_candidates())
    assert (comparison.newest, comparison.baseline) == ("new", "middle")
    assert comparison.fixed == ((PROBLEM.title, 1),)
    assert comparison.broken == ((PROBLEM.title, 1),)
    assert newest_flips(three_candidates()) == [(PROBLEM.title, ["p3"], ["p1"])]


def test_without_production_the_page_says_so_and_compares_nothing():
    evidence = three_candidates(production=None)
    assert newest_comparison(evidence) is None
    assert "No candidate is in production" in no_comparison_words(evidence)


def test_the_best_candidate_is_named_with_its_numbers_and_its_equals():
    assert best_words(three_candidates()) == (
        "new meets the requirement of 1 of 1 problem and passes 2 of 3 patterns (as good: middle)."
    )


def test_cells_are_counted_by_state_and_benchmarks_with_them():
    benchmark = Benchmark("held-out", "Held-out", PROBLEM.inputs, "digit")
    cells = [
        a_cell("old", PROBLEM.id, "not applicable", reason="other labels"),
        a_cell("new", PROBLEM.id, "error", reason="time limit"),
        a_cell("new", "held-out", answered=10, metric=0.9, measures=[Measure("accuracy", 0.9)], suite="b"),
    ]
    evidence = three_candidates(cells=cells, benchmarks=[benchmark])
    assert cells_words(evidence) == ("2 of 6 cells of the matrix are measured; 1 error, 2 due, 1 not applicable.")


def test_the_requirement_reads_like_a_sentence():
    asked = Requirement(at_least=10, metric_at_least=0.9, max_regressions=0)
    problem = a_problem(metric="f1", requirement=asked)
    assert requirement_words(problem, canaries=2) == (
        "at least 10 pass, f1 at least 0.9, all 2 canaries pass, no regression"
    )
    assert requirement_words(a_problem(requirement=Requirement()), canaries=0) == "asks nothing"


def test_patterns_chosen_on_failures_are_said_with_their_counts():
    patterns = [a_pattern(PROBLEM.id, "p1", selected_on=("old", "gone")), a_pattern(PROBLEM.id, "p2")]
    evidence = made_evidence([a_candidate("old")], [PROBLEM], patterns, {("old", "p1"): 8, ("old", "p2"): 1})
    assert evidence.chosen_on(PROBLEM.id) == {"old": 1}
    assert problem_lines(evidence)[0].chosen.startswith("Chosen on its failures (old: 1 of 2)")


def test_an_empty_workspace_has_words_for_everything():
    evidence = made_evidence([], [], [], {})
    assert best_words(evidence) == "No candidate has been measured yet."
    assert no_comparison_words(evidence) == "No candidate is registered yet."
