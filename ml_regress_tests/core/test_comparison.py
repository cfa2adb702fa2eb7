import importlib
import random
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from ml_regress.core.comparison import (
    BETTER,
    CHOSEN,
    NOTHING,
    UNCLEAR,
    WITHIN,
    WORSE,
    Comparison,
    Paired,
    Pairs,
    Special,
    compare,
)
from ml_regress.core.evaluation import FAILED, OUTCOME_ERROR, PASSED
from ml_regress.core.paired import BENJAMINI_HOCHBERG, BONFERRONI, HOLM, compatibility, mcnemar, newcombe_difference

TURNED = {BETTER: WORSE, WORSE: BETTER}
OUTCOMES = {"+": PASSED, "-": FAILED, "!": OUTCOME_ERROR}


def pairs(problem: str, *columns: str) -> list[Pairs]:
    """The patterns p0, p1, ... of a problem; "+-" passed before and fails after, "!" could not be measured."""
    ways: dict[str, list[str]] = {}
    for at, way in enumerate(columns):
        ways.setdefault(way, []).append(f"p{at}")
    return [Pairs(problem, OUTCOMES[way[0]], OUTCOMES[way[1]], tuple(names)) for way, names in ways.items()]


def table(problem: str, both: int, regressions: int, fixes: int, neither: int) -> list[Pairs]:
    return pairs(problem, *["++"] * both, *["+-"] * regressions, *["-+"] * fixes, *["--"] * neither)


class About(NamedTuple):
    """What is special of one pattern."""

    twin: str | None = None
    parent: str | None = None
    selected_on: tuple[str, ...] = ()


def special(problem: str, **about: About) -> dict[str, Special]:
    return {
        problem: Special(
            {name: said.twin for name, said in about.items() if said.twin is not None},
            {name: said.parent for name, said in about.items() if said.parent is not None},
            {name: said.selected_on for name, said in about.items() if said.selected_on},
        )
    }


# Whatever is compared


@st.composite
def compared(draw: st.DrawFn) -> tuple[list[Pairs], dict[str, Special], dict[str, float]]:
    """Patterns of up to three problems with twins, parents, choices and tolerances."""
    outcome, name = st.sampled_from([PASSED, PASSED, FAILED, FAILED, OUTCOME_ERROR]), st.sampled_from
    rows: list[Pairs] = []
    about: dict[str, Special] = {}
    tolerances: dict[str, float] = {}
    for problem in draw(st.lists(name(["x", "y", "z"]), unique=True, max_size=3)):
        names = [f"p{at}" for at in range(draw(st.integers(1, 12)))]
        for each in names:
            rows.append(Pairs(problem, draw(outcome), draw(outcome), (each,)))
        said: dict[str, About] = {}
        for each in names:
            if draw(st.booleans()):
                other = st.none() | name([*(found for found in names if found != each), "absent"])
                chosen = st.lists(name(["a", "b", "c"]), unique=True, max_size=2).map(tuple)
                said[each] = About(draw(other), draw(other), draw(chosen))
        about.update(special(problem, **said))
        tolerances[problem] = draw(st.sampled_from([0.0, 0.1, 0.5]))
    return rows, about, tolerances


def turned(paired: Paired) -> Paired:
    return Paired(paired.both, paired.fixes, paired.regressions, paired.neither)


def assert_turned(there: tuple[float, float, float] | None, back: tuple[float, float, float] | None) -> None:
    assert (there is None) == (back is None)
    if there is not None:
        assert back == pytest.approx((-there[0], -there[2], -there[1]), abs=1e-12)


@given(compared(), st.sampled_from([HOLM, BENJAMINI_HOCHBERG]))
def test_a_comparison_read_from_the_other_side_says_the_contrary(
    made: tuple[list[Pairs], dict[str, Special], dict[str, float]], correction: str
) -> None:
    rows, about, tolerances = made
    there = compare("a", "b", rows, about, tolerances=tolerances, correction=correction)
    swapped = [row._replace(before=row.after, after=row.before) for row in rows]
    back = compare("b", "a", swapped, about, tolerances=tolerances, correction=correction)
    assert (back.counted, back.units) == (turned(there.counted), turned(there.units))
    assert (back.test, back.finding) == (there.test, TURNED.get(there.finding, there.finding))
    assert_turned(there.change, back.change)
    assert len(there.problems) == len(back.problems)
    for one, two in zip(there.problems, back.problems, strict=True):
        assert (two.counted, two.tested) == (turned(one.counted), turned(one.tested))
        assert (two.test, two.p_adjusted) == (one.test, one.p_adjusted)
        assert two.finding == TURNED.get(one.finding, one.finding)
        assert (two.chosen, two.open) == (one.chosen, one.open)
        assert two.pair_score == (one.pair_score and (one.pair_score[1], one.pair_score[0], one.pair_score[2]))
        assert_turned(one.change, two.change)


@given(compared(), st.randoms(use_true_random=False))
def test_a_comparison_does_not_depend_on_the_order_of_its_rows(
    made: tuple[list[Pairs], dict[str, Special], dict[str, float]], order: random.Random
) -> None:
    rows, about, tolerances = made
    shuffled = list(rows)
    order.shuffle(shuffled)

    def mixed(said: Mapping[str, Any]) -> dict[str, Any]:
        return dict(order.sample(list(said.items()), len(said)))

    other = {
        problem: Special(mixed(said.twins), mixed(said.parents), mixed(said.selected_on))
        for problem, said in mixed(about).items()
    }
    assert compare("a", "b", shuffled, other, tolerances=tolerances) == compare(
        "a", "b", rows, about, tolerances=tolerances
    )


@given(compared())
def test_every_pattern_is_counted_once_and_no_unit_is_made_up(
    made: tuple[list[Pairs], dict[str, Special], dict[str, float]],
) -> None:
    rows, about, _ = made
    found = compare("a", "b", rows, about)
    assert sum(each.counted.compared + each.open for each in found.problems) == len(rows)
    for each in found.problems:
        assert each.counted.compared == each.tested.compared + each.chosen
        assert (each.test is None) == (each.p_adjusted is None) == (not each.tested.compared)
    assert min(found.units.table) >= 0
    assert found.units.compared <= sum(each.tested.compared for each in found.problems)
    assert (found.units.compared > 0) == any(each.tested.compared for each in found.problems)
    assert found.compatibility == compatibility(*found.counted.table)


def test_nothing_is_compared_of_nothing() -> None:
    found = compare("a", "b", [], {})
    assert (found.problems, found.test, found.change, found.finding) == ((), None, None, NOTHING)
    assert found.compatibility.negative is None


# What a difference is called


def test_a_candidate_that_only_fixes_is_better_from_six_flips_on() -> None:
    assert [compare("a", "b", table("x", 5, 0, fixes, 1), {}).finding for fixes in (5, 6)] == [UNCLEAR, BETTER]
    assert compare("a", "b", table("x", 5, 6, 0, 1), {}).finding == WORSE
    near = compare("a", "b", table("x", 5, 8, 19, 1), {})
    assert near.test is not None and 0.05 < near.test.exact < 0.053 and near.finding == UNCLEAR


def test_patterns_are_counted_by_what_both_made_of_them() -> None:
    # The example of the documentation of mlxtend, where the flips stand the other way round.
    truth, one, two = "0000011111", "0100011000", "0011011000"
    right = [("+" if a == t else "-") + ("+" if b == t else "-") for t, a, b in zip(truth, one, two, strict=True)]
    assert compare("a", "b", pairs("x", *right), {}).counted == Paired(4, 2, 1, 3)


def test_groups_of_the_same_way_are_counted_together() -> None:
    groups = [Pairs("x", FAILED, PASSED, ("p0",)), Pairs("x", FAILED, PASSED, ("p1", "p2"))]
    assert compare("a", "b", groups, {}).counted == Paired(fixes=3)


def test_a_paired_test_sees_what_the_comparison_of_two_rates_does_not() -> None:
    both, regressions, fixes, neither = 150, 8, 25, 37
    found = compare("a", "b", table("x", both, regressions, fixes, neither), {})
    total = both + regressions + fixes + neither
    old, new = (both + regressions) / total, (both + fixes) / total
    unpaired = 2 * norm.sf((new - old) / ((old * (1 - old) + new * (1 - new)) / total) ** 0.5)
    assert unpaired == pytest.approx(0.057850, abs=5e-7)
    assert found.test is not None and found.test.exact == pytest.approx(0.004551, abs=5e-7)
    assert found.finding == BETTER
    assert found.change == newcombe_difference(both, regressions, fixes, neither)


def test_problems_that_say_nothing_alone_are_pooled() -> None:
    rows = [*table("x", 5, 3, 0, 1), *table("y", 5, 2, 1, 1), *table("z", 5, 4, 0, 1)]
    found = compare("a", "b", rows, {})
    assert [each.finding for each in found.problems] == [UNCLEAR] * 3
    assert (found.units.regressions, found.units.fixes) == (9, 1)
    assert found.test is not None and found.test.exact == pytest.approx(0.021484, abs=5e-7)
    assert found.finding == WORSE


@pytest.mark.parametrize(
    ("tolerance", "moved", "finding"),
    [
        (0.0, 29, BETTER),
        (0.28, 29, BETTER),
        (0.29, 29, WITHIN),
        (0.3, 29, WITHIN),
        (0.3, 31, BETTER),
        (0.9, 5, UNCLEAR),
    ],
)
def test_a_change_is_one_where_it_is_significant_and_beyond_the_tolerance(
    tolerance: float, moved: int, finding: str
) -> None:
    for regressions, fixes, wanted in ((0, moved, finding), (moved, 0, TURNED.get(finding, finding))):
        rows = table("x", 100 - moved, regressions, fixes, 0)
        found = compare("a", "b", rows, {}, tolerances={"x": tolerance}).problems[0]
        assert (found.finding, found.tolerance) == (wanted, tolerance)


def test_a_tolerance_is_of_its_problem_and_the_pooled_finding_has_none() -> None:
    rows = [*table("x", 50, 0, 10, 0), *table("y", 50, 0, 10, 0)]
    found = compare("a", "b", rows, {}, tolerances={"x": 0.5})
    assert [each.finding for each in found.problems] == [WITHIN, BETTER]
    assert found.finding == BETTER


# Many problems


def many() -> list[Pairs]:
    """Ten problems: 8 fixes in each of three, none in the others."""
    return [row for at, fixes in enumerate([8, 8, 8, *[0] * 7]) for row in table(f"x{at}", 5, 0, fixes, 5)]


def findings(found: Comparison) -> Counter[str]:
    return Counter(each.finding for each in found.problems)


def test_with_many_problems_one_needs_more_flips_and_the_correction_may_be_chosen() -> None:
    assert compare("a", "b", table("x0", 5, 0, 8, 5), {}).finding == BETTER
    holm, shares = compare("a", "b", many(), {}), compare("a", "b", many(), {}, correction=BENJAMINI_HOCHBERG)
    assert (holm.correction, findings(holm)[BETTER]) == (HOLM, 0)
    assert (shares.correction, findings(shares)[BETTER]) == (BENJAMINI_HOCHBERG, 3)
    assert holm.problems[0].p_adjusted == pytest.approx(10 * mcnemar(0, 8).exact)
    assert compare("a", "b", many(), {}, correction=BONFERRONI).problems[2].p_adjusted == pytest.approx(10 / 128)


def test_a_problem_that_is_not_tested_makes_no_other_harder() -> None:
    rows = [*table("x", 5, 0, 6, 0), *(row for at in range(9) for row in pairs(f"y{at}", "!+", "+!"))]
    found = compare("a", "b", rows, {})
    assert findings(found) == {BETTER: 1, NOTHING: 9}


def test_a_correction_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no correction 'none'"):
        compare("a", "b", table("x", 1, 1, 1, 1), {}, correction="none")


# Errors


def test_an_error_is_open_and_never_a_flip() -> None:
    found = compare("a", "b", pairs("x", "+!", "!+", "!-", "-!", "!!", "++"), {})
    assert found.counted == found.units == Paired(both=1)
    assert (found.problems[0].open, found.problems[0].finding) == (5, UNCLEAR)


def test_a_problem_in_error_has_nothing_to_compare() -> None:
    found = compare("a", "b", pairs("x", "+!", "+!"), {})
    assert (found.problems[0].finding, found.problems[0].test, found.problems[0].change) == (NOTHING, None, None)
    assert (found.problems[0].open, found.finding) == (2, NOTHING)


# Chosen on the failures of one side


@pytest.mark.parametrize("side", ["a", "b"])
def test_patterns_chosen_on_the_failures_of_a_side_are_counted_and_take_no_part_in_p(side: str) -> None:
    rows = table("x", 5, 1, 8, 0)
    about = special("x", **{f"p{at}": About(selected_on=("other", side)) for at in range(6, 14)})
    found = compare("a", "b", rows, about)
    one = found.problems[0]
    assert (one.counted, one.tested, one.chosen) == (Paired(5, 1, 8, 0), Paired(5, 1, 0, 0), 8)
    assert (one.finding, found.finding, found.chosen) == (UNCLEAR, UNCLEAR, 8)
    assert one.test == mcnemar(1, 0) and found.units == one.tested
    assert one.change == newcombe_difference(5, 1, 0, 0)


def test_patterns_chosen_on_the_failures_of_a_third_candidate_are_fair() -> None:
    about = special("x", **{f"p{at}": About(selected_on=("c",)) for at in range(6)})
    found = compare("a", "b", table("x", 0, 0, 6, 0), about)
    assert (found.problems[0].chosen, found.problems[0].finding) == (0, BETTER)


def test_where_all_were_chosen_there_is_no_p_at_all() -> None:
    about = special("x", **{f"p{at}": About(selected_on=("a",)) for at in range(9)})
    found = compare("a", "b", table("x", 0, 0, 9, 0), about)
    one = found.problems[0]
    assert (one.finding, one.test, one.p_adjusted, one.change) == (CHOSEN, None, None, None)
    assert (found.finding, found.test, found.change) == (CHOSEN, None, None)
    assert found.compatibility.positive == 1.0  # flip rates are of all that was compared


def test_a_chosen_pattern_in_error_is_open_and_not_among_the_chosen() -> None:
    found = compare("a", "b", pairs("x", "-!", "-+"), special("x", p0=About(selected_on=("a",))))
    assert (found.problems[0].chosen, found.problems[0].open, found.problems[0].tested) == (0, 1, Paired(fixes=1))


# Families


def test_twins_are_one_unit_of_the_pooled_test_and_a_pair_in_the_score() -> None:
    rows = pairs("x", "++", "-+", "+-", "++", "--")
    about = special("x", p0=About(twin="p1"), p1=About(twin="p0"), p2=About(twin="p3"), p3=About(twin="p2"))
    found = compare("a", "b", rows, about)
    assert found.counted == found.problems[0].tested == Paired(2, 1, 1, 1)
    assert found.units == Paired(0, 1, 1, 1)
    assert found.problems[0].pair_score == (1, 1, 2)


def test_a_twin_that_one_side_names_alone_is_a_twin() -> None:
    found = compare("a", "b", pairs("x", "-+", "-+"), special("x", p0=About(twin="p1")))
    assert (found.units, found.problems[0].pair_score) == (Paired(fixes=1), (0, 1, 1))


def test_a_twin_that_is_absent_or_in_error_leaves_its_pattern_a_unit_without_a_pair() -> None:
    about = special("x", p0=About(twin="gone"), p1=About(twin="p2"), p2=About(twin="p1"))
    found = compare("a", "b", pairs("x", "-+", "-+", "!+"), about)
    assert (found.units, found.problems[0].pair_score) == (Paired(fixes=2), None)
    alone = compare("a", "b", pairs("x", "!+", "-+"), special("x", p0=About(twin="p1"), gone=About(twin="p1")))
    assert (alone.units, alone.problems[0].pair_score) == (Paired(fixes=1), None)


def chain(*names: str) -> dict[str, Special]:
    """Each is varied from the one before it."""
    return special("x", **{child: About(parent=parent) for parent, child in pairwise(names)})


@pytest.mark.parametrize("names", [("p0", "p1", "p2", "p3"), ("p2", "p0", "p3", "p1"), ("p3", "p2", "p1", "p0")])
def test_a_pattern_with_its_children_and_theirs_is_one_family(names: tuple[str, ...]) -> None:
    found = compare("a", "b", [*pairs("x", "-+", "-+", "-+", "-+", "-+"), *pairs("y", "-+", "-+")], chain(*names))
    assert found.units == Paired(fixes=1 + 1 + 2)


def test_a_parent_about_which_nothing_is_special_belongs_to_its_family() -> None:
    found = compare("a", "b", pairs("x", "-+", "-+"), special("x", p1=About(parent="p0")))
    assert found.units == Paired(fixes=1)


def test_children_of_a_parent_that_is_not_asked_any_more_are_one_family() -> None:
    about = special(
        "x", p0=About(parent="gone"), p1=About(parent="gone"), p2=About(parent="old"), old=About(parent="p3")
    )
    found = compare("a", "b", pairs("x", "-+", "-+", "-+", "-+"), about)
    assert found.units == Paired(fixes=2)


def test_families_of_two_problems_with_the_same_names_are_two() -> None:
    about = {**special("x", p1=About(parent="p0")), **special("y", p1=About(parent="p0"))}
    found = compare("a", "b", [*pairs("x", "-+", "-+"), *pairs("y", "-+", "-+")], about)
    assert found.units == Paired(fixes=2)


@pytest.mark.parametrize(
    ("columns", "unit"),
    [
        (("++", "+-"), Paired(regressions=1)),
        (("-+", "++"), Paired(fixes=1)),
        (("-+", "+-"), Paired(neither=1)),
        (("-+", "--"), Paired(neither=1)),
        (("++", "!-"), Paired(both=1)),
        (("!+", "!-"), Paired()),
    ],
)
def test_a_family_passes_where_all_of_it_that_both_answered_pass(columns: tuple[str, ...], unit: Paired) -> None:
    assert compare("a", "b", pairs("x", *columns), special("x", p1=About(parent="p0"))).units == unit


def test_what_is_left_of_a_family_partly_chosen_is_its_unit() -> None:
    about = special("x", p0=About(selected_on=("a",)), p1=About(parent="p0"), p2=About(parent="p0"))
    found = compare("a", "b", pairs("x", "-+", "++", "+-"), about)
    assert (found.units, found.chosen) == (Paired(regressions=1), 1)


def test_problems_are_tested_by_patterns_and_only_the_pool_by_families() -> None:
    family = special("x", **{f"p{at}": About(parent="p0") for at in range(1, 8)})
    found = compare("a", "b", table("x", 0, 0, 8, 0), family)
    assert (found.problems[0].finding, found.finding) == (BETTER, UNCLEAR)


# How often an equally good candidate is called better


def test_an_equally_good_candidate_is_hardly_ever_called_better_with_the_rule_and_mostly_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    simulated, repetitions = importlib.import_module("selected_on").simulated, 150
    with_rule, without = simulated(repetitions, rule=True), simulated(repetitions, rule=False)
    # Three standard errors of a rate of 5% in so many repetitions.
    margin = 3 * (0.05 * 0.95 / repetitions) ** 0.5
    assert with_rule.better <= 0.05 + margin and with_rule.significant <= 0.05 + margin
    assert without.better > 0.5
    assert simulated(20, rule=True) == simulated(20, rule=True)
