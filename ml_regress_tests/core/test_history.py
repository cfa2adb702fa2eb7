import pandas as pd
import pytest

from ml_regress.core.history import (
    BROKEN,
    BROKEN_AGAIN,
    MET_FROM_START,
    SOLVED,
    SOLVED_AGAIN,
    CellFacts,
    Mark,
    flips,
    marks,
    pairs_with,
    pairs_with_previous,
    requirement_met,
)
from ml_regress.core.problem import Requirement


def cells(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["candidate", "state", "suite"])
    return frame.assign(problem="eights")


def outcomes(**by_candidate: str) -> pd.DataFrame:
    """Outcomes of patterns 1, 2, ... as letters: p passed, f failed, e error, space absent."""
    words = {"p": "passed", "f": "failed", "e": "error"}
    rows = [
        (candidate, "eights", f"pattern-{place}", words[letter])
        for candidate, letters in by_candidate.items()
        for place, letter in enumerate(letters, 1)
        if letter != " "
    ]
    return pd.DataFrame(rows, columns=["candidate", "problem", "pattern", "outcome"])


def as_rows(found: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(found["candidate"], found["pattern"], found["flip"], strict=True))


def test_flips_are_fixes_and_regressions_against_the_baseline():
    pairs = pairs_with(cells(("old", "ok", "s"), ("new", "ok", "s")), "old")
    found = flips(outcomes(old="pfpf", new="fppf"), pairs)
    assert as_rows(found) == [("new", "pattern-1", "regression"), ("new", "pattern-2", "fix")]


def test_flips_are_joined_by_pattern_id_and_not_by_position():
    pairs = pairs_with(cells(("old", "ok", "s"), ("new", "ok", "s")), "old")
    shuffled = outcomes(old="pfp", new="pfp").iloc[[5, 0, 3, 2, 4, 1]]
    assert flips(shuffled, pairs).empty


def test_an_error_or_an_absent_pattern_is_no_flip():
    pairs = pairs_with(cells(("old", "ok", "s"), ("new", "ok", "s")), "old")
    assert flips(outcomes(old="pef ", new="ep p"), pairs).empty


def test_cells_of_another_suite_and_unmeasured_cells_are_not_compared():
    table = cells(("old", "ok", "s"), ("stale", "ok", "t"), ("broken", "error", "s"), ("new", "ok", "s"))
    assert pairs_with(table, "old")["candidate"].tolist() == ["new"]


def test_without_a_baseline_there_are_no_pairs_and_no_flips():
    pairs = pairs_with(cells(("old", "ok", "s")), None)
    assert pairs.empty
    assert flips(outcomes(old="pf"), pairs).empty


def test_flips_of_empty_frames_are_empty():
    table = cells(("old", "ok", "s"), ("new", "ok", "s"))
    assert flips(outcomes(), pairs_with(table, "old")).empty


def test_the_previous_candidate_steps_over_errors_and_follows_the_given_order():
    table = cells(("c", "ok", "s"), ("a", "ok", "s"), ("b", "error", "s"))
    pairs = pairs_with_previous(table, ["a", "b", "c"])
    assert list(zip(pairs["baseline"], pairs["candidate"], strict=True)) == [("a", "c")]


def test_a_doubled_outcome_is_refused_and_not_counted_twice():
    pairs = pairs_with(cells(("old", "ok", "s"), ("new", "ok", "s")), "old")
    doubled = pd.concat([outcomes(old="p", new="f"), outcomes(old="f")])
    with pytest.raises(pd.errors.MergeError):
        flips(doubled, pairs)


@pytest.mark.parametrize(
    ("asked", "facts", "met"),
    [
        (Requirement(at_least=10), CellFacts(10, 0, 0.9), True),
        (Requirement(at_least=10), CellFacts(9, 0, 0.9), False),
        (Requirement(at_least=10), CellFacts(9, 1, 1.0), None),
        (Requirement(at_least=10), CellFacts(8, 1, 1.0), False),
        (Requirement(metric_at_least=0.9), CellFacts(0, 0, 0.9), True),
        (Requirement(metric_at_most=2.0), CellFacts(0, 0, 2.5), False),
        (Requirement(metric_at_least=0.9), CellFacts(3, 0, None), None),
        (Requirement(metric_at_least=0.9), CellFacts(3, 1, 0.95), None),
        (Requirement(at_least=1), CellFacts(9, 0, 0.9, canaries_passed=1, canaries_failed=1), False),
        (Requirement(at_least=1), CellFacts(9, 1, 0.9, canaries_passed=1, canaries_error=1), None),
        (Requirement(at_least=1, canaries=False), CellFacts(9, 0, 0.9, canaries_failed=1), True),
        (Requirement(), CellFacts(9, 0, 0.9, canaries_passed=2), True),
    ],
)
def test_requirement_is_held_against_a_cell(asked, facts, met):
    assert requirement_met(asked, facts) is met


def test_a_requirement_that_checks_nothing_is_never_met():
    assert requirement_met(Requirement(), CellFacts(12, 0, 1.0)) is None


def test_history_names_who_solved_and_who_broke_again():
    met = {"a": False, "b": True, "c": True, "d": False, "e": True}
    assert marks("abcde", met) == (Mark("b", SOLVED), Mark("d", BROKEN_AGAIN), Mark("e", SOLVED_AGAIN))


def test_an_error_cell_breaks_nothing_and_solves_nothing():
    assert marks("abcd", {"a": False, "b": None, "c": True, "d": None}) == (Mark("c", SOLVED),)
    assert marks("abc", {"a": True, "c": True}) == (Mark("a", MET_FROM_START),)


def test_a_problem_that_the_first_candidate_meets_was_not_solved_by_it():
    assert marks("ab", {"a": True, "b": False}) == (Mark("a", MET_FROM_START), Mark("b", BROKEN))


def test_a_problem_that_nobody_meets_has_no_marks():
    assert marks("ab", {"a": False, "b": False}) == ()
