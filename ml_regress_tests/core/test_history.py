import pandas as pd
import pytest

from ml_regress.core.history import (
    BROKEN,
    BROKEN_AGAIN,
    MET_FROM_START,
    SOLVED,
    SOLVED_AGAIN,
    Mark,
    flips,
    marks,
    pairs_with_previous,
)


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
    pairs = pairs_with_previous(cells(("old", "ok", "s"), ("new", "ok", "s")), ["old", "new"])
    found = flips(outcomes(old="pfpf", new="fppf"), pairs)
    assert as_rows(found) == [("new", "pattern-1", "regression"), ("new", "pattern-2", "fix")]


def test_flips_are_joined_by_pattern_id_and_not_by_position():
    pairs = pairs_with_previous(cells(("old", "ok", "s"), ("new", "ok", "s")), ["old", "new"])
    shuffled = outcomes(old="pfp", new="pfp").iloc[[5, 0, 3, 2, 4, 1]]
    assert flips(shuffled, pairs).empty


def test_an_error_or_an_absent_pattern_is_no_flip():
    pairs = pairs_with_previous(cells(("old", "ok", "s"), ("new", "ok", "s")), ["old", "new"])
    assert flips(outcomes(old="pef ", new="ep p"), pairs).empty


def test_cells_of_another_suite_and_unmeasured_cells_are_not_compared():
    table = cells(("old", "ok", "s"), ("stale", "ok", "t"), ("broken", "error", "s"), ("new", "ok", "s"))
    pairs = pairs_with_previous(table, ["old", "stale", "broken", "new"])
    assert list(zip(pairs["baseline"], pairs["candidate"], strict=True)) == [("old", "new")]


def test_a_first_candidate_has_no_pair_and_no_flip():
    pairs = pairs_with_previous(cells(("old", "ok", "s")), ["old"])
    assert pairs.empty
    assert flips(outcomes(old="pf"), pairs).empty


def test_flips_of_empty_frames_are_empty():
    table = cells(("old", "ok", "s"), ("new", "ok", "s"))
    assert flips(outcomes(), pairs_with_previous(table, ["old", "new"])).empty


def test_the_previous_candidate_steps_over_errors_and_follows_the_given_order():
    table = cells(("c", "ok", "s"), ("a", "ok", "s"), ("b", "error", "s"))
    pairs = pairs_with_previous(table, ["a", "b", "c"])
    assert list(zip(pairs["baseline"], pairs["candidate"], strict=True)) == [("a", "c")]


def test_a_doubled_outcome_is_refused_and_not_counted_twice():
    pairs = pairs_with_previous(cells(("old", "ok", "s"), ("new", "ok", "s")), ["old", "new"])
    doubled = pd.concat([outcomes(old="p", new="f"), outcomes(old="f")])
    with pytest.raises(pd.errors.MergeError):
        flips(doubled, pairs)


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
