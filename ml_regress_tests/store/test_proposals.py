"""Proposals in the store: what is new is kept once, a person's word stands, and accepting is one transaction."""

from dataclasses import replace
from typing import Any

import pytest

from ml_regress.core.expectation import Expectation
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Problem
from ml_regress.core.proposal import Proposal
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress.store import Store
from ml_regress.store.proposals import Decided
from ml_regress_tests.scenario import execute, import_muffins, muffin_pattern, muffin_problem, scalar


def proposal(name: str, ears: float = 1.0, **changes: Any) -> Proposal:
    given: dict[str, Any] = {"problem": "muffin", "inputs": {"ears": ears, "crumbs": 2.0}, "expected": "muffin"}
    return Proposal(name, **{**given, **changes})


def pattern_of(made: Proposal, **changes: Any) -> Pattern:
    given = {"origin": made.origin, "twin": None, **changes}
    return Pattern(made.problem, made.id, made.inputs, Expectation("equals", "muffin"), **given)


def accept(store: Store, *names: str, problem: Problem | None = None, new: bool = False, **changes: Any) -> Any:
    patterns = tuple(pattern_of(store.proposals.get(name), **changes) for name in names)
    return store.proposals.accept([Decided(problem or muffin_problem(), patterns, new)], person="ada", why="seen")


def test_a_proposal_comes_back_as_it_was_added(store: Store) -> None:
    given = proposal(
        "odd-1", inputs={"ears": None, "name": "Äpfel \U0001f600"}, polarity="negative", origin="production",
        cause="confident error", why="answered dog", problem_title="Odd ones", expected=None, suggested="muffin",
        twin="odd-2", parent="p", selected_on=("a", "b"), cluster=3, row=7, varied="", notes=("one", "two"),
    )  # fmt: skip
    (added,) = store.proposals.add([given], actor="test")
    assert store.proposals.get("odd-1") == added
    assert replace(added, made_at="") == given
    assert added.made_at


def test_inputs_that_a_problem_has_in_a_proposal_are_not_added_again_whatever_became_of_it(store: Store) -> None:
    store.proposals.add([proposal("a", 1.0), proposal("b", 2.0)], actor="test")
    store.proposals.reject(["b"], person="ada", why="no")
    again = [proposal("c", 1.0), proposal("d", 2.0), proposal("e", 3.0), proposal("f", 3.0)]
    assert [each.id for each in store.proposals.add(again, actor="test")] == ["e"]
    assert [each.id for each in store.proposals.add([proposal("g", 1.0, problem="other")], actor="test")] == ["g"]


def test_inputs_of_an_active_pattern_of_the_problem_are_not_added(store: Store) -> None:
    known = muffin_pattern("known")
    import_muffins(store, [known])
    assert store.proposals.add([proposal("a", inputs=known.inputs)], actor="test") == []


def test_ids_are_unique_among_proposals_and_patterns_of_the_problem_in_any_case(store: Store) -> None:
    import_muffins(store, [muffin_pattern("Known")])
    first = store.proposals.add([proposal("a", 1.0), proposal("known", 2.0)], actor="test")
    assert [each.id for each in first] == ["a", "known-2"]
    second = store.proposals.add([proposal("A", 3.0), proposal("a-2", 4.0, twin="A")], actor="test")
    assert [(each.id, each.twin) for each in second] == [("A-2", None), ("a-2-2", "A-2")]


def test_an_id_that_no_folder_could_have_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="an id starts with a letter"):
        store.proposals.add([proposal("fine"), proposal("../up", 2.0)], actor="test")
    assert store.proposals.all() == []


def test_proposals_are_listed_by_state_and_problem_with_numbers_in_order(store: Store) -> None:
    added = [proposal(f"a-{number}", float(number)) for number in (10, 9, 1)] + [proposal("z", problem="other")]
    store.proposals.add(added, actor="test")
    store.proposals.reject(["a-9"], person="ada", why="")
    assert [each.id for each in store.proposals.all(problem="muffin")] == ["a-1", "a-9", "a-10"]
    assert [each.id for each in store.proposals.all("proposed")] == ["a-1", "a-10", "z"]


def test_an_unknown_proposal_is_not_found_and_names_that_are_near_are_said(store: Store) -> None:
    store.proposals.add([proposal("winter-1"), proposal("summer-1", 2.0)], actor="test")
    with pytest.raises(NotFound, match="no proposal 'wintr-1'; waiting are winter-1"):
        store.proposals.get("wintr-1")


def test_rejecting_is_all_or_nothing_and_keeps_who_and_why(store: Store) -> None:
    store.proposals.add([proposal("a"), proposal("b", 2.0)], actor="test")
    with pytest.raises(NotFound):
        store.proposals.reject(["a", "nobody"], person="ada", why="dull")
    assert store.proposals.get("a").waiting
    (done,) = store.proposals.reject(["a"], person="ada", why="dull")
    assert (done.state, done.decided_by, done.decided_why) == ("rejected", "ada", "dull")
    with pytest.raises(Conflict, match=r"a was rejected by ada at .* \(dull\)"):
        store.proposals.reject(["b", "a"], person="bob", why="")
    assert store.proposals.get("b").waiting


def test_an_edited_proposal_keeps_its_place_and_may_not_repeat_others(store: Store) -> None:
    store.proposals.add([proposal("a"), proposal("b", 2.0)], actor="test")
    changed = replace(store.proposals.get("a"), expected="chihuahua", inputs={"ears": 9.0, "crumbs": 2.0})
    store.proposals.change(changed, actor="ada", detail="expected")
    assert store.proposals.get("a") == changed
    with pytest.raises(Conflict, match="muffin has these inputs already, as b"):
        store.proposals.change(replace(changed, inputs={"ears": 2.0, "crumbs": 2.0}), actor="ada", detail="inputs")
    store.proposals.reject(["a"], person="ada", why="")
    with pytest.raises(Conflict, match="rejected by ada"):
        store.proposals.change(changed, actor="bob", detail="expected")


def test_an_accepted_proposal_is_an_active_pattern_that_no_import_takes_for_its_own(store: Store) -> None:
    import_muffins(store, [muffin_pattern("known")])
    store.proposals.add([proposal("a"), proposal("b", 2.0)], actor="test")
    (done,) = accept(store, "a")
    assert (done.state, done.decided_by, done.decided_why) == ("accepted", "ada", "seen")
    rows = store.problems.patterns("muffin").set_index("id")
    assert (rows.loc["a", "status"], rows.loc["a", "imported_digest"]) == ("active", None)
    with pytest.raises(Conflict, match="a was accepted by ada"):
        accept(store, "b", "a")
    assert store.proposals.get("b").waiting
    assert "b" not in set(store.problems.patterns("muffin")["id"])


def test_a_proposed_problem_is_made_with_its_first_patterns_or_not_at_all(store: Store) -> None:
    store.proposals.add([proposal("a", problem="odd"), proposal("b", 2.0, problem="odd")], actor="test")
    made = muffin_problem("odd")
    accept(store, "a", problem=made, new=True)
    assert list(store.problems.patterns("odd")["id"]) == ["a"]
    assert scalar(store, "SELECT imported_digest FROM problems WHERE id = 'odd'") is None
    with pytest.raises(Conflict, match="'odd' is already the id of the problem 'odd'"):
        accept(store, "b", problem=made, new=True)
    with pytest.raises(Conflict, match="already the id of the problem 'odd'"):
        accept(store, "b", problem=muffin_problem("ODD"), new=True)


def test_a_twin_that_was_accepted_before_is_told_and_another_one_is_left_alone(store: Store) -> None:
    import_muffins(store, [muffin_pattern("known")])
    pairs = [proposal("a", 1.0, twin="b"), proposal("b", 2.0, twin="a"), proposal("c", 3.0, twin="a")]
    store.proposals.add(pairs, actor="test")
    accept(store, "a")
    accept(store, "b", twin="a")
    accept(store, "c", twin="a")
    twins = store.problems.patterns("muffin").set_index("id")["twin"].to_dict()
    assert twins == {"known": None, "a": "b", "b": "a", "c": "a"}


def test_a_pattern_of_the_same_name_is_a_conflict(store: Store) -> None:
    import_muffins(store, [muffin_pattern("known")])
    store.proposals.add([proposal("a")], actor="test")
    execute(store, "INSERT INTO patterns (problem, id, inputs, expected) VALUES ('muffin', 'A', '{}', 'muffin')")
    with pytest.raises(Conflict, match="muffin has a pattern A already; nothing was accepted"):
        accept(store, "a")
    assert store.proposals.get("a").waiting


def test_the_version_changes_with_each_word_on_a_proposal(store: Store) -> None:
    import_muffins(store, [])
    seen = [store.proposals.version()]
    store.proposals.add([proposal("a"), proposal("b", 2.0)], actor="test")
    seen.append(store.proposals.version())
    store.proposals.change(replace(store.proposals.get("a"), expected="chihuahua"), actor="ada", detail="")
    seen.append(store.proposals.version())
    store.proposals.reject(["b"], person="ada", why="")
    seen.append(store.proposals.version())
    accept(store, "a")
    seen.append(store.proposals.version())
    assert len(set(seen)) == 5
    assert store.proposals.version() == seen[-1]
