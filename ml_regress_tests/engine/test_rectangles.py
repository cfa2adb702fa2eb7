"""Rectangles cover exactly the cells that are due."""

from hypothesis import given
from hypothesis import strategies as st

from ml_regress.engine.rectangles import cover

CANDIDATES = [f"c{number}" for number in range(5)]
PROBLEMS = [f"p{number}" for number in range(6)]
ALL = [(candidate, problem) for candidate in CANDIDATES for problem in PROBLEMS]


@given(st.sets(st.sampled_from(ALL)))
def test_every_cell_is_covered_once_and_no_other(cells: set[tuple[str, str]]) -> None:
    covered = [cell for rectangle in cover(cells, CANDIDATES, PROBLEMS) for cell in rectangle.cells]
    assert sorted(covered) == sorted(cells)


@given(st.sets(st.sampled_from(ALL)))
def test_a_rectangle_is_contiguous_in_the_order_of_the_keys(cells: set[tuple[str, str]]) -> None:
    for rectangle in cover(cells, CANDIDATES, PROBLEMS):
        rows = [CANDIDATES.index(candidate) for candidate in rectangle.candidates]
        columns = [PROBLEMS.index(problem) for problem in rectangle.problems]
        assert rows == list(range(rows[0], rows[-1] + 1))
        assert columns == list(range(columns[0], columns[-1] + 1))


def test_a_new_candidate_a_new_pattern_and_a_whole_matrix_are_one_rectangle_each() -> None:
    for cells in (
        [("c4", problem) for problem in PROBLEMS],
        [(candidate, "p2") for candidate in CANDIDATES],
        ALL,
    ):
        (rectangle,) = cover(cells, CANDIDATES, PROBLEMS)
        assert set(rectangle.cells) == set(cells)


def test_the_largest_rectangle_comes_first() -> None:
    found = cover([("c0", "p0"), *[("c2", problem) for problem in PROBLEMS]], CANDIDATES, PROBLEMS)
    assert [len(rectangle.cells) for rectangle in found] == [6, 1]


def test_cells_without_a_key_are_left_for_a_later_look() -> None:
    assert cover([("ghost", "p0"), ("c0", "ghost")], CANDIDATES, PROBLEMS) == []
