"""Two candidates read side by side from the store: what is compared, what is not, and the answer about a problem."""

from collections.abc import Mapping

import pytest

from ml_regress.core.comparison import BETTER, CHOSEN, NOTHING, UNCLEAR
from ml_regress.core.history import FIX, REGRESSION
from ml_regress.core.problem import Requirement
from ml_regress.errors import InvalidInput, NotFound
from ml_regress.report.answer import BUT_BREAKS, NO, NOT_ANY_MORE, NOT_YET_IN_PRODUCTION, OPEN, YES, answer
from ml_regress.report.compared import gather_compared
from ml_regress.report.gather import gather
from ml_regress.report.pattern_results import pattern_results
from ml_regress.store import Store
from ml_regress_tests.scenario import (
    commit_outcomes,
    execute,
    import_muffins,
    muffin_pattern,
    muffin_problem,
    registered,
)
from ml_regress_tests.store.made import ENVIRONMENT, predictions

NAMES = [f"p{place}" for place in range(8)]
PASSED, FAILED = dict.fromkeys(NAMES, "passed"), dict.fromkeys(NAMES, "failed")


def filled(store: Store, outcomes: Mapping[str, Mapping[str, str]], problem: str = "muffin", **changes: object) -> None:
    """One problem of eight patterns, and candidates with these outcomes, the oldest first."""
    given = muffin_problem(problem, title=problem.title(), **changes)
    import_muffins(store, [muffin_pattern(name, problem=problem) for name in NAMES], given)
    for place, (candidate, found) in enumerate(outcomes.items(), 1):
        changed = registered(candidate, f"2026-0{place}-01T00:00:00+00:00", changed=f"change {place}")
        store.candidates.register(changed)
        if found:
            commit_outcomes(store, candidate, found, problem)


def test_every_pattern_that_moved_is_named_worst_first_with_input_and_answers(store: Store) -> None:
    given = muffin_problem()
    patterns = [muffin_pattern(name, canary=name == "p3") for name in NAMES]
    import_muffins(store, patterns, given)
    for candidate, answers in (("old", {"p0": "chihuahua"}), ("new", {"p2": "towel", "p3": "chihuahua"})):
        store.candidates.register(registered(candidate))
        made = {pattern.input_digest: answers.get(pattern.id, "muffin") for pattern in patterns}
        store.evaluations.commit(candidate, [], predictions=predictions(**made), environment=ENVIRONMENT, claim="test")
        commit_outcomes(store, candidate, {**PASSED, **dict.fromkeys(answers, "failed")})
    found = gather_compared(store, "test", "old", "new")
    assert [(each.pattern, each.flip, each.before, each.after) for each in found.flipped] == [
        ("p3", REGRESSION, "muffin", "chihuahua"),  # the canary first
        ("p2", REGRESSION, "muffin", "towel"),
        ("p0", FIX, "chihuahua", "muffin"),
    ]
    first = found.flipped[0]
    assert (first.canary, first.expectation, first.inputs) == (True, "answer equals muffin", patterns[3].inputs)
    assert found.flips == 3
    assert gather_compared(store, "test", "old", "new", limit=1).flipped == found.flipped[:1]


def test_a_clear_change_is_called_one_and_an_unclear_one_is_not(store: Store) -> None:
    filled(store, {"old": FAILED, "mid": {**FAILED, "p0": "passed"}, "new": PASSED})
    assert gather_compared(store, "test", "old", "new").comparison.finding == BETTER
    assert gather_compared(store, "test", "old", "mid").comparison.finding == UNCLEAR


def test_patterns_chosen_on_the_failures_of_one_side_take_no_part_in_p(store: Store) -> None:
    filled(store, {"old": FAILED, "new": PASSED, "third": PASSED})
    execute(store, "UPDATE patterns SET selected_on = 'other old'")
    found = gather_compared(store, "test", "old", "new").comparison.problems[0]
    assert (found.finding, found.test, found.chosen, found.counted.fixes) == (CHOSEN, None, 8, 8)
    assert all(each.chosen for each in gather_compared(store, "test", "old", "new").flipped)
    assert gather_compared(store, "test", "new", "third").comparison.problems[0].chosen == 0


def test_what_is_not_measured_on_the_current_suite_is_not_compared_and_says_why(store: Store) -> None:
    filled(store, {"old": PASSED, "new": {}, "broken": dict.fromkeys(NAMES, "error")})
    found = gather_compared(store, "test", "old", "new")
    assert dict(found.not_compared) == {"muffin": "new is not measured on the current suite"}
    assert (found.comparison.problems, found.comparison.finding) == ((), NOTHING)
    found = gather_compared(store, "test", "old", "broken")
    assert dict(found.not_compared) == {"muffin": "broken: error (8 patterns could not be measured)"}


def test_older_suites_are_compared_when_asked_on_the_patterns_that_did_not_change(store: Store) -> None:
    filled(store, {"old": PASSED, "new": {}})
    changed = [muffin_pattern(name, "chihuahua" if name == "p0" else "muffin") for name in [*NAMES[:6], "p9"]]
    import_muffins(store, changed, muffin_problem(title="Muffin"), sync=True)
    commit_outcomes(store, "new", {each.id: "failed" for each in changed})
    assert list(gather_compared(store, "test", "old", "new").not_compared) == ["muffin"]
    found = gather_compared(store, "test", "old", "new", common=True)
    # p0 expects another answer now, p6 and p7 are retired, p9 is new.
    assert found.comparison.counted.regressions == 5
    assert {each.pattern for each in found.flipped} == {"p1", "p2", "p3", "p4", "p5"}
    assert dict(found.older) == {"muffin": "on the patterns that did not change since old was measured"}


def test_environments_that_differ_are_named(store: Store) -> None:
    filled(store, {"old": PASSED, "new": PASSED})
    for candidate, digest, version in (("old", "e1", "1.8.0"), ("new", "e2", "1.9.1")):
        content = f'{{"python": "3.11", "libraries": {{"scikit-learn": "{version}"}}}}'
        execute(store, "INSERT INTO environments VALUES (:digest, :content)", digest=digest, content=content)
        execute(
            store,
            "UPDATE evaluations SET environments = :all WHERE candidate = :name",
            all=f'["{digest}"]',
            name=candidate,
        )
    assert gather_compared(store, "test", "old", "new").environments == ("scikit-learn 1.8.0, now 1.9.1",)


def test_a_candidate_is_not_compared_with_itself_or_with_nobody(store: Store) -> None:
    filled(store, {"old": PASSED})
    with pytest.raises(InvalidInput, match="the same candidate twice"):
        gather_compared(store, "test", "old", "old")
    with pytest.raises(NotFound, match="no candidate 'nobody'"):
        gather_compared(store, "test", "old", "nobody")


def test_archived_candidates_are_compared_with_what_they_had(store: Store) -> None:
    filled(store, {"old": PASSED, "new": FAILED})
    store.candidates.archive("old", actor="test")
    assert gather_compared(store, "test", "old", "new").comparison.counted.regressions == 8


SOLVED = Requirement(at_least=8)


@pytest.mark.parametrize(
    ("outcomes", "production", "word"),
    [
        ({"a": FAILED, "b": PASSED}, "b", YES),
        ({"a": FAILED, "b": PASSED}, "a", NOT_YET_IN_PRODUCTION),
        ({"a": FAILED, "b": PASSED, "c": FAILED}, "a", NOT_ANY_MORE),
        ({"a": FAILED, "b": FAILED}, "a", NO),
        ({"a": {}, "b": {}}, "a", OPEN),
    ],
)
def test_the_answer_is_a_word_and_a_paragraph_with_numbers_dates_and_names(
    store: Store, outcomes: Mapping[str, Mapping[str, str]], production: str, word: str
) -> None:
    filled(store, outcomes, requirement=SOLVED, reported_by="a client", reported_at="2026-01-05")
    store.candidates.adopt_production(production, actor="test", reason="")
    found = answer(store, "muffin")
    assert found.answer == word
    openings = {
        YES: "Yes: b,",
        NOT_YET_IN_PRODUCTION: "Yes, but not in production: b",
        NOT_ANY_MORE: "Not any more: b met",
        NO: "No:",
        OPEN: "That cannot",
    }
    assert found.text.startswith(openings[word])
    assert "“Muffin” (muffin, reported by a client on 2026-01-05) asks: at least 8 pass." in found.text
    assert f"is {production}: " in found.text
    if PASSED in outcomes.values():
        assert "It was solved by b (2026-02-01, “change 2”): 8 of 8." in found.text
        assert "8 of 8 patterns pass (95% interval 0.68 to 1.00)" in found.text or word == NOT_ANY_MORE
    if word == NOT_ANY_MORE:
        assert "It was broken again by c (2026-03-01, “change 3”): 0 of 8." in found.text
    assert [each.pattern for each in found.patterns] == NAMES
    newest = list(outcomes.values())[-1]
    assert [each.newest for each in found.patterns] == [newest.get(name) for name in NAMES]


def test_a_problem_that_asks_only_about_regressions_is_answered_by_its_verdict(store: Store) -> None:
    filled(store, {"a": PASSED, "b": FAILED}, requirement=Requirement(max_regressions=1))
    store.candidates.adopt_production("a", actor="test", reason="")
    found = answer(store, "muffin")
    assert found.answer == NO
    assert "verdict fail: 8 regressions against a (p0, p1, p2, p3, p4 and 3 more); at most 1 regression." in found.text


def test_a_problem_that_is_not_in_the_matrix_has_no_answer(store: Store) -> None:
    with pytest.raises(NotFound, match="'sponge' is not in the matrix"):
        answer(store, "sponge")


def test_the_answer_speaks_of_the_newest_candidate_that_was_measured(store: Store) -> None:
    filled(store, {"a": FAILED, "b": PASSED, "c": FAILED, "fresh": {}}, requirement=SOLVED)
    store.candidates.adopt_production("a", actor="test", reason="")
    found = answer(store, "muffin")
    assert found.answer == NOT_ANY_MORE
    assert found.text.startswith("Not any more: b met what is asked, and the newest measured candidate does not.")
    assert "The newest candidate is fresh (2026-04-01, “change 4”): due (new candidate)." in found.text


def test_of_several_draws_the_one_that_goes_with_the_outcome_is_shown(store: Store) -> None:
    given, pattern = muffin_problem(), muffin_pattern("p0")
    import_muffins(store, [pattern], given)
    for candidate, answers in (("old", ["muffin"]), ("new", ["muffin", "chihuahua", "chihuahua"])):
        store.candidates.register(registered(candidate))
        for number, made in enumerate(answers):
            execute(
                store,
                "INSERT INTO predictions (candidate, input_digest, draw, answer, environment, made_at) "
                "VALUES (:candidate, :digest, :number, :answer, 'e', '2026-07-01')",
                candidate=candidate, digest=pattern.input_digest, number=number, answer=f'"{made}"',
            )  # fmt: skip
    commit_outcomes(store, "old", {"p0": "passed"})
    commit_outcomes(store, "new", {"p0": "failed"})
    number = next(row.number for row in store.facts.cells(["new"]))
    execute(store, "INSERT INTO reliabilities VALUES (:number, 'p0', 1, 3)", number=number)
    flip = gather_compared(store, "test", "old", "new").flipped[0]
    assert (flip.flip, flip.before, flip.after) == (REGRESSION, "muffin", "chihuahua")
    outcomes = gather(store, "test").outcomes.set_index("candidate")
    assert (outcomes.at["old", "answer"], outcomes.at["new", "answer"]) == ("muffin", "chihuahua")
    assert "chihuahua" in next(iter(pattern_results(store, "new"))).text


def test_a_candidate_that_reaches_the_count_and_breaks_others_has_not_just_solved_it(store: Store) -> None:
    asked = Requirement(at_least=2, max_regressions=0)
    filled(store, {"a": {**FAILED, "p0": "passed"}, "b": {**PASSED, "p0": "failed"}}, requirement=asked)
    store.candidates.adopt_production("a", actor="test", reason="")
    found = answer(store, "muffin")
    assert found.answer == BUT_BREAKS
    assert found.text.startswith(
        "Yes, but not in production, and not without loss: b reaches what is asked of it alone"
    )


def test_environments_are_compared_cell_by_cell(store: Store) -> None:
    for problem, digests in (("muffin", ("e1", "e2")), ("towel", ("e2", "e1"))):
        filled(store, {"old": PASSED, "new": PASSED}, problem)
        for name, digest in zip(("old", "new"), digests, strict=True):
            execute(
                store,
                "UPDATE evaluations SET environments = :all WHERE candidate = :name AND problem = :problem",
                all=f'["{digest}"]', name=name, problem=problem,
            )  # fmt: skip
    for digest, version in (("e1", "3.11"), ("e2", "3.12")):
        execute(store, "INSERT INTO environments VALUES (:d, :c)", d=digest, c=f'{{"python": "{version}"}}')
    assert gather_compared(store, "test", "old", "new").environments == (
        "Python 3.11, now 3.12", "Python 3.12, now 3.11",
    )  # fmt: skip
