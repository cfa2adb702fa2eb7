"""Varying a pattern: proposals of one family that wait for a person, and cost nothing until then."""

from pathlib import Path
from typing import Any

import pytest

from ml_regress.engine import registry
from ml_regress.engine.varying import vary
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import execute, row, write_candidate, write_problem

ROWS = (
    row("cake", 0.5, canary=True),
    row("dog", 2, "chihuahua", polarity="negative", selected_on="first", twin="cake"),
    row("bat", 3, "chihuahua", status="proposed"),
)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database is enough here: what is stored is tested on both in store/."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def baked(workspace: Workspace, folder: Path) -> Workspace:
    """A candidate and a problem that knows cakes and dogs."""
    write_candidate(folder, "first", ConstantModel("muffin"))
    registry.import_candidate(workspace, folder / "candidates" / "first")
    registry.import_problem(workspace, write_problem(folder, rows=ROWS))
    return workspace


def problem_of(folder: Path, workspace: Workspace, problem: str, rows: Any, **changes: Any) -> None:
    registry.import_problem(workspace, write_problem(folder, problem, rows=rows, **changes))


def test_a_neighbour_has_the_expectation_of_its_parent_and_names_what_was_varied(baked: Workspace) -> None:
    made = vary(baked, "muffin/dog", count=6)
    assert len(made.proposals) == 6
    for each in made.proposals:
        assert (each.problem, each.parent, each.origin, each.cause) == ("muffin", "dog", "contrived", "varied")
        assert (each.polarity, each.selected_on, each.twin) == ("negative", ("first",), None)
        assert (each.expectation, each.suggested, each.tolerance) == ("equals", "chihuahua", None)
        assert each.varied.startswith(("ears ", "crumbs "))
        assert f"varied from dog: {each.varied}" in each.why
        assert each.waiting
    assert len({each.id for each in made.proposals}) == 6


def test_a_person_must_say_what_to_expect_where_the_answer_may_be_another_one(baked: Workspace) -> None:
    made = vary(baked, "dog", count=50)
    large = [each for each in made.proposals if each.expected is None]
    assert any("half of its spread" in each.varied for each in large)
    assert all("somebody must say" in each.why for each in large)
    small = [each for each in made.proposals if each.expected is not None]
    assert any("1 %" in each.varied for each in small)
    assert {each.expected for each in small} == {"chihuahua"}


def test_nothing_is_due_and_no_suite_changes_by_varying(baked: Workspace) -> None:
    due, suites = baked.store.due.all(), baked.store.problems.measured()
    version = baked.store.problems.version()
    vary(baked, "muffin/dog", count=10)
    assert (baked.store.due.all(), baked.store.problems.measured()) == (due, suites)
    assert baked.store.problems.version() == version


def test_the_same_call_proposes_nothing_twice_and_another_seed_others(baked: Workspace) -> None:
    first = vary(baked, "cake", count=4)
    again = vary(baked, "cake", count=4)
    assert (again.proposals, again.known) == ((), 4)
    other = vary(baked, "cake", count=4, seed=5)
    assert other.proposals
    assert not {each.varied for each in first.proposals} & {each.varied for each in other.proposals}


def test_what_was_rejected_is_not_proposed_again(baked: Workspace) -> None:
    made = vary(baked, "cake", count=3)
    baked.store.proposals.reject([each.id for each in made.proposals], person="Ada", why="no such cake")
    assert vary(baked, "cake", count=3).proposals == ()


def test_no_neighbour_is_a_pattern_of_the_problem_also_not_a_retired_one(baked: Workspace, folder: Path) -> None:
    rows = [row("a", 100), row("b", 101), row("gone", 99)]
    problem_of(folder, baked, "scale", rows)
    execute(baked.store, "UPDATE patterns SET status = 'retired' WHERE id = 'gone'")
    ears = {each.inputs["ears"] for each in vary(baked, "scale/a", count=50, only=("ears",)).proposals}
    assert {95.0, 105.0} <= ears
    assert not ears & {99.0, 100.0, 101.0}


def test_few_neighbours_are_fewer_and_said(baked: Workspace, folder: Path) -> None:
    rows = [{"pattern_id": "on", "late": "true", "expected": "x"}]
    problem_of(folder, baked, "switch", rows, inputs={"late": "boolean"}, labels=["x", "y"])
    made = vary(baked, "switch/on")
    assert [each.varied for each in made.proposals] == ["late true became false"]
    assert made.notes == ("10 were asked for; there are 1 that are no pattern of the problem already",)


def test_relations_and_tolerances_are_kept(baked: Workspace, folder: Path) -> None:
    rows = [
        row("base", 2, "5", expectation="close_to", tolerance="0.5"),
        row("above", 3, "base", expectation="higher_than"),
        row("within", 4, "[1, 9]", expectation="not_between"),
    ]
    problem_of(folder, baked, "prices", rows, answer="number", labels=[], metric="mae")
    (base,) = vary(baked, "prices/base", count=1, only=("crumbs",)).proposals
    assert (base.expectation, base.expected, base.tolerance) == ("close_to", "5.0", "0.5")
    (above,) = vary(baked, "prices/above", count=1, only=("crumbs",)).proposals
    assert (above.expectation, above.expected) == ("higher_than", "base")
    (within,) = vary(baked, "prices/within", count=1, only=("crumbs",)).proposals
    assert (within.expectation, within.suggested) == ("not_between", '["1.0","9.0"]')


def test_an_accepted_neighbour_is_one_family_with_its_parent_and_no_canary(baked: Workspace) -> None:
    from ml_regress.engine import proposals

    made = vary(baked, "muffin/cake", count=8)
    chosen = next(each for each in made.proposals if each.expected is not None)
    proposals.accept(baked, [chosen.id], person="Ada")
    rows = baked.store.problems.patterns("muffin").set_index("id")
    assert rows.loc[chosen.id, "parent"] == "cake"
    assert not rows.loc[chosen.id, "canary"]
    assert rows.loc[chosen.id, "status"] == "active"
    assert [cell.cell for cell in baked.store.due.all()] == [("first", "muffin")]


def test_a_neighbour_looks_at_the_output_of_its_parent(baked: Workspace, folder: Path) -> None:
    from ml_regress.engine import proposals

    problem_of(folder, baked, "scored", [row("sure", 1, "0.9", expectation="greater_than", output="score:muffin")])
    (made,) = vary(baked, "sure", count=1, only=("crumbs",)).proposals
    assert (made.output, made.expectation, made.expected) == ("score:muffin", "greater_than", "0.9")
    assert baked.store.proposals.get(made.id).output == "score:muffin"
    proposals.accept(baked, made.id, person="Ada")
    rows = baked.store.problems.patterns("scored").set_index("id")
    assert rows.loc[made.id, ["output", "expectation", "expected"]].tolist() == ["score:muffin", "greater_than", "0.9"]


# -- which pattern is meant ----------------------------------------------------------------------


def test_an_id_of_several_problems_needs_its_problem(baked: Workspace, folder: Path) -> None:
    problem_of(folder, baked, "towel", [row("dog", 1)])
    with pytest.raises(Conflict, match="muffin/dog or towel/dog"):
        vary(baked, "dog")
    assert vary(baked, "dog", problem="towel", count=1).parent.problem == "towel"
    assert vary(baked, "towel/dog", count=1).parent.problem == "towel"
    with pytest.raises(InvalidInput, match="--problem another one"):
        vary(baked, "towel/dog", problem="muffin")


@pytest.mark.parametrize(
    ("pattern", "problem", "said"),
    [
        ("dogg", None, "do you mean muffin/dog"),
        ("muffin/dogg", None, "it has dog, "),
        ("dog", "mufin", "there are muffin"),
        ("mufin/dog", None, "there are muffin"),
        ("zzzz", None, "ml-regress patterns PROBLEM"),
    ],
)
def test_an_unknown_pattern_is_refused_with_those_that_are_near(
    baked: Workspace, pattern: str, problem: str | None, said: str
) -> None:
    with pytest.raises(NotFound, match=said):
        vary(baked, pattern, problem=problem)


def test_a_proposed_pattern_can_be_varied_and_a_retired_one_not(baked: Workspace) -> None:
    assert vary(baked, "bat", count=2).proposals
    execute(baked.store, "UPDATE patterns SET status = 'retired' WHERE id = 'bat'")
    with pytest.raises(Conflict, match="muffin/bat is retired"):
        vary(baked, "bat")


def test_what_cannot_be_varied_says_why(baked: Workspace, folder: Path) -> None:
    with pytest.raises(InvalidInput, match="must be from 1 to 100"):
        vary(baked, "dog", count=0)
    with pytest.raises(InvalidInput, match="is no input; use ears, crumbs"):
        vary(baked, "dog", only=("eyes",))
    problem_of(folder, baked, "recorded", [{"pattern_id": "told", "expected": "muffin"}])
    with pytest.raises(InvalidInput, match="has no inputs"):
        vary(baked, "told")
    assert baked.store.proposals.all() == []
