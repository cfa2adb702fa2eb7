from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_regress.core.digest import digest_of
from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, Measure
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.problem import Problem, Requirement
from ml_regress.core.statistics import ONE_SIDED, wilson
from ml_regress.core.verdict import (
    AT_LEAST,
    CANARIES,
    CELL,
    FAIL,
    INCOMPLETE,
    INCONCLUSIVE,
    METRIC,
    PASS,
    REGRESSIONS,
    SKIPPED,
    VERDICTS,
    CellFacts,
    Check,
    Flips,
    ProblemVerdict,
    Verdict,
    evidence_of,
    judge,
    judge_cell,
    worst,
)
from ml_regress.core.waiver import Waiver, Waivers

NEW, OLD, NONE = ("new", "digest-new"), ("old", "digest-old"), Waivers({}, {})


def problem(name: str = "sheep", *, state: str = "open", metric: str = "pass_rate", **asked: Any) -> Problem:
    requirement = Requirement(**asked)
    inputs = parse_input_types({"x": "number"})
    return Problem(name, name.title(), inputs, state=state, metric=metric, requirement=requirement)


def cell(asked: Problem, passes: int, patterns: int = 10, errors: int = 0, **facts: Any) -> CellFacts:
    """A measured cell: what neither passes nor is an error fails."""
    answered = patterns - errors
    given = {
        "state": ERROR if errors else OK,
        "suite": "s1",
        "patterns": patterns,
        "answered": answered,
        "metric": Measure("pass_rate", passes / answered),
    }
    return CellFacts(asked, passes=passes, errors=errors, **{**given, **facts})


def waiver(pattern: str | None = None, number: int = 1, **changes: Any) -> Waiver:
    given = {"candidate": "new", "problem": "sheep", "by": "Ada", "why": "a known gap", "until": "2026-06-30"}
    return Waiver(number, pattern=pattern, at="2026-06-01T00:00:00+00:00", **{**given, **changes})


def waived(*waivers: Waiver, moment: str = "2026-06-15T12:00:00+00:00") -> Waivers:
    return Waivers.of(waivers, "new", moment)


def judged(facts: CellFacts, *waivers: Waiver, baseline: str | None = "old") -> ProblemVerdict:
    return judge_cell(facts, waived(*waivers), baseline)


def only(found: ProblemVerdict, rule: str) -> Check:
    (check,) = (each for each in found.checks if each.rule == rule)
    return check


def on_candidate(*facts: CellFacts, **given: Any) -> Verdict:
    return judge(NEW, OLD, facts, **given)


# Verdicts in general


def test_of_several_verdicts_the_first_of_the_order_wins() -> None:
    assert VERDICTS == (FAIL, INCOMPLETE, INCONCLUSIVE, PASS)
    for at, verdict in enumerate(VERDICTS):
        assert worst(reversed(VERDICTS[at:])) == verdict
    assert worst([SKIPPED]) is None and worst([]) is None


def test_the_verdict_on_a_candidate_is_the_worst_of_its_problems() -> None:
    asked = problem(metric_at_least=0.7)
    one = {
        FAIL: cell(problem("a", at_least=9), 5),
        INCOMPLETE: cell(problem("b", at_least=9), 9, errors=1),
        INCONCLUSIVE: cell(replace(asked, id="c"), 8),
        PASS: cell(problem("d", at_least=9), 9),
    }
    for at, verdict in enumerate(VERDICTS):
        found = on_candidate(*[one[each] for each in VERDICTS[at:]])
        assert found.verdict == verdict
        assert found.counts() == {**{each: int(each in VERDICTS[at:]) for each in VERDICTS}, "waived": 0}
        assert bool(found.reasons) == (verdict != PASS)


def test_every_reason_names_its_problem_and_only_what_decides_is_a_reason() -> None:
    found = on_candidate(cell(problem("a", at_least=9), 5), cell(problem("b", at_least=9), 9, errors=1))
    assert found.reasons == ("A (a): 5 of 10 patterns pass; at least 9 of 10 must",)
    assert on_candidate(cell(problem("b", at_least=9), 9)).reasons == ()


def test_without_a_problem_nothing_was_checked_and_that_is_incomplete() -> None:
    found = on_candidate()
    assert (found.verdict, found.reasons) == (INCOMPLETE, ("no problem is in the matrix: nothing was checked",))


def test_what_is_missing_makes_a_pass_incomplete_and_leaves_a_fail_a_fail() -> None:
    missing = ("problems/cat.yaml is refused: line 3",)
    good, bad = cell(problem(at_least=9), 9), cell(problem(at_least=9), 5)
    found = on_candidate(good, missing=missing)
    assert (found.verdict, found.reasons, found.missing) == (INCOMPLETE, missing, missing)
    assert on_candidate(bad, missing=missing).verdict == FAIL
    unclear = cell(problem(metric_at_least=0.7), 8)
    assert on_candidate(unclear, missing=missing).verdict == INCOMPLETE


# At least k passes


@pytest.mark.parametrize(
    ("passes", "errors", "verdict"),
    [(9, 0, PASS), (10, 0, PASS), (8, 0, FAIL), (8, 1, INCOMPLETE), (7, 1, FAIL), (7, 2, INCOMPLETE), (9, 1, PASS)],
)
def test_a_count_passes_fails_or_waits_for_what_could_not_be_measured(passes: int, errors: int, verdict: str) -> None:
    found = judged(cell(problem(at_least=9), passes, errors=errors, reason="2 predictions timed out"))
    check = only(found, AT_LEAST)
    assert (check.verdict, check.value, check.bound) == (verdict, passes, 9)
    assert check.reason == f"{passes} of {10 - errors} patterns pass; at least 9 of 10 must"
    # A cell with an error never passes as a whole, whatever its count says.
    assert found.verdict == (FAIL if verdict == FAIL else INCOMPLETE if errors else verdict)
    assert found.own == found.verdict


def test_an_error_is_named_with_its_number_and_reason() -> None:
    found = judged(cell(problem(at_least=5), 7, errors=3, reason="timed out"))
    assert found.reasons == ("3 patterns could not be measured: timed out",)
    assert judged(cell(problem(at_least=5), 7, errors=1)).reasons == ("1 pattern could not be measured",)


def test_patterns_without_an_outcome_are_unknown_like_errors() -> None:
    found = judged(cell(problem(at_least=5), 7, answered=8))
    assert (found.verdict, found.reasons) == (INCOMPLETE, ("2 patterns could not be measured",))
    assert cell(problem(), 7, answered=8).unknown == 2
    assert cell(problem(), 10, state=ERROR).unknown == 1  # the counts are whole, but the cell says it is not


def test_more_passes_than_there_are_patterns_cannot_be_reached() -> None:
    assert judged(cell(problem(at_least=11), 10)).verdict == FAIL


# Canaries


def test_a_canary_that_fails_fails_whatever_the_count() -> None:
    found = judged(cell(problem(at_least=5), 9, canaries=2, canaries_failed=("p1",)))
    assert found.verdict == FAIL
    assert found.reasons == ("the canary p1 failed",)
    assert only(found, CANARIES).patterns == ("p1",)


def test_many_canaries_are_counted_and_the_first_are_named() -> None:
    names = tuple(f"p{at}" for at in range(7))
    found = judged(cell(problem(), 3, canaries=7, canaries_failed=names))
    assert found.reasons == ("7 canaries (p0, p1, p2, p3, p4 and 2 more) failed",)
    assert only(found, CANARIES).patterns == names


def test_a_canary_in_error_is_incomplete_and_named_and_one_that_failed_wins() -> None:
    facts = cell(problem(), 9, errors=1, canaries=2, canaries_error=("p2",))
    found = judged(facts)
    assert found.verdict == INCOMPLETE
    assert found.reasons[0] == "the canary p2 could not be measured"
    assert judged(facts._replace(passes=8, canaries_failed=("p1",))).verdict == FAIL


@pytest.mark.parametrize(("canaries", "words"), [(1, "the canary passes"), (3, "all 3 canaries pass")])
def test_canaries_that_pass_are_enough_of_a_requirement(canaries: int, words: str) -> None:
    found = judged(cell(problem(), 9, canaries=canaries))
    assert (found.verdict, only(found, CANARIES).reason) == (PASS, words)


def test_canaries_that_are_not_asked_for_or_not_there_check_nothing() -> None:
    for facts in (cell(problem(canaries=False), 0, canaries=2, canaries_failed=("p1",)), cell(problem(), 10)):
        found = judged(facts)
        assert (found.verdict, found.reasons) == (INCOMPLETE, ("the requirement checks nothing here",))
        assert found.own is None


# A bound on the metric


def test_a_rate_passes_where_its_lower_bound_clears_it_and_fails_where_its_upper_one_misses_it() -> None:
    verdicts = [judged(cell(problem(metric_at_least=0.8), passes, 20)).verdict for passes in range(21)]
    for passes, verdict in enumerate(verdicts):
        low, high = wilson(passes, 20, ONE_SIDED)
        assert verdict == (PASS if low >= 0.8 else FAIL if high < 0.8 else INCONCLUSIVE)
    assert [verdicts.count(each) for each in (FAIL, INCONCLUSIVE, PASS)] == [14, 5, 2]


def test_the_reason_of_a_bound_holds_the_numbers_that_decide() -> None:
    check = only(judged(cell(problem(metric_at_least=0.7), 8)), METRIC)
    low, high = wilson(8, 10, ONE_SIDED)
    assert check.verdict == INCONCLUSIVE
    assert (check.value, check.bound, check.low, check.high) == (0.8, 0.7, low, high)
    assert check.reason == ("pass_rate must be at least 0.7 and is 0.800, with one-sided 95% bounds 0.541 and 0.931")


def of_metric(name: str, *numbers: float | None, **asked: Any) -> CellFacts:
    value, lower, upper = numbers
    return cell(problem(metric=name, **asked), 10, metric=Measure(name, value, None, None, None, lower, upper))


@pytest.mark.parametrize(
    ("lower", "upper", "least", "most"),
    [
        (0.6, 0.9, PASS, FAIL),
        (0.5, 0.5, PASS, PASS),
        (0.4, 0.6, INCONCLUSIVE, INCONCLUSIVE),
        (0.1, 0.4, FAIL, PASS),
        (0.1, 0.5, INCONCLUSIVE, PASS),
        (0.5, 0.9, PASS, INCONCLUSIVE),
    ],
)
def test_a_bound_from_above_is_that_from_below_mirrored(lower: float, upper: float, least: str, most: str) -> None:
    assert judged(of_metric("mae", 0.5, lower, upper, metric_at_least=0.5)).verdict == least
    assert judged(of_metric("mae", 0.5, lower, upper, metric_at_most=0.5)).verdict == most


def test_both_bounds_are_checked_and_the_worse_one_counts() -> None:
    found = judged(of_metric("mae", 0.5, 0.4, 0.6, metric_at_least=0.3, metric_at_most=0.5))
    assert [check.verdict for check in found.checks] == [PASS, INCONCLUSIVE]
    assert found.verdict == INCONCLUSIVE


def test_an_undefined_metric_is_incomplete_with_its_reason() -> None:
    facts = of_metric("f1", None, None, None, metric_at_least=0.5)
    facts = facts._replace(metric=Measure("f1", None, "no expected answer is the positive label 8"))
    found = judged(facts)
    assert found.verdict == INCOMPLETE
    assert found.reasons == (
        "f1 must be at least 0.5, but it is undefined: no expected answer is the positive label 8",
    )
    assert judged(facts._replace(metric=None)).reasons[0].endswith("undefined: nothing was measured")


@pytest.mark.parametrize("value", [0.1, 0.9])
def test_a_metric_without_an_interval_is_inconclusive_whatever_its_value(value: float) -> None:
    found = judged(of_metric("scorer:mine", value, None, None, metric_at_least=0.5))
    assert found.verdict == INCONCLUSIVE
    assert found.reasons == (
        f"scorer:mine must be at least 0.5 and is {value:.3f}, but no interval of it is known; "
        "ask for a count (at_least) instead",
    )


def test_a_metric_of_a_cell_with_errors_is_incomplete_and_neither_passes_nor_fails() -> None:
    for passes in (0, 9):
        found = judged(cell(problem(metric_at_least=0.5), passes, errors=1))
        assert (found.verdict, only(found, METRIC).verdict) == (INCOMPLETE, INCOMPLETE)
        assert only(found, METRIC).reason == "pass_rate must be at least 0.5; 1 pattern without an answer"


# Regressions against production


@pytest.mark.parametrize(
    ("regressions", "hidden", "allowed", "verdict"),
    [
        ((), (), 0, PASS),
        (("p1",), (), 0, FAIL),
        (("p1",), (), 1, PASS),
        (("p1", "p2"), (), 1, FAIL),
        ((), ("p3",), 0, INCOMPLETE),
        (("p1",), ("p3",), 1, INCOMPLETE),
        (("p1",), ("p3",), 2, PASS),
        (("p1",), ("p3",), 0, FAIL),
    ],
)
def test_regressions_are_counted_and_what_is_open_may_be_one(
    regressions: tuple[str, ...], hidden: tuple[str, ...], allowed: int, verdict: str
) -> None:
    flips = Flips(fixes=("p9",), regressions=regressions, open=hidden)
    check = only(judged(cell(problem(max_regressions=allowed), 8, flips=flips)), REGRESSIONS)
    assert (check.verdict, check.value, check.bound) == (verdict, len(regressions), allowed)
    assert "against old" in check.reason
    assert all(name in check.reason for name in regressions)
    assert check.patterns == (hidden if verdict == INCOMPLETE else regressions)


def test_the_reason_of_regressions_names_patterns_numbers_and_production() -> None:
    found = judged(cell(problem(max_regressions=1), 8, flips=Flips(regressions=("p1", "p2"))))
    assert found.reasons == ("2 regressions against old (p1, p2); at most 1 regression",)
    hidden = judged(cell(problem(max_regressions=0), 8, flips=Flips(open=("p3",))))
    assert hidden.reasons == ("0 regressions against old; at most 0 regressions, and p3 could not be compared",)


def test_a_watched_problem_allows_no_regression_whatever_it_asks() -> None:
    watched = problem(state="watched", max_regressions=5)
    found = judged(cell(watched, 8, flips=Flips(regressions=("p1",))))
    assert found.verdict == FAIL
    assert found.reasons == ("1 regression against old (p1); it is watched: no regression against production",)
    assert judged(cell(problem(state="watched"), 3, flips=Flips())).verdict == PASS


def test_production_that_was_not_measured_on_the_same_suite_makes_it_incomplete() -> None:
    found = judged(cell(problem(max_regressions=2), 10, flips=None))
    assert found.verdict == INCOMPLETE
    assert found.reasons == ("at most 2 regressions, but old was not measured on the same suite",)


def test_without_a_production_the_rule_is_skipped_named_and_the_others_decide() -> None:
    found = judge(NEW, None, [cell(problem(at_least=9, max_regressions=0), 9)]).problems[0]
    assert found.verdict == PASS
    check = only(found, REGRESSIONS)
    assert (check.verdict, check.reason) == (SKIPPED, "at most 0 regressions: skipped, no candidate is in production")


def test_production_itself_is_not_compared_with_itself() -> None:
    found = judge(OLD, OLD, [cell(problem(at_least=9, max_regressions=0), 9)])
    assert (found.verdict, found.production, found.production_digest) == (PASS, *OLD)
    check = only(found.problems[0], REGRESSIONS)
    assert (check.verdict, check.reason) == (
        SKIPPED,
        "at most 0 regressions: skipped, the candidate is production itself",
    )


def test_a_requirement_of_which_all_is_skipped_checks_nothing_and_is_incomplete() -> None:
    found = judge(NEW, None, [cell(problem(max_regressions=3), 10)])
    assert found.verdict == INCOMPLETE
    assert found.reasons == (
        "Sheep (sheep): the requirement checks nothing here "
        "(at most 3 regressions: skipped, no candidate is in production)",
    )
    assert found.problems[0].own is None


def test_the_verdict_on_a_cell_alone_leaves_production_out() -> None:
    found = judged(cell(problem(at_least=9, max_regressions=0), 9, flips=Flips(regressions=("p1",))))
    assert (found.verdict, found.own) == (FAIL, PASS)
    assert judged(cell(problem(max_regressions=0), 9, flips=Flips())).own is None


# Cells that are not whole


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("due", "new candidate", "not measured yet (new candidate)"),
        ("due", None, "not measured yet"),
        (ERROR, "it crashed three times", "nothing could be measured: it crashed three times"),
        (NOT_APPLICABLE, "it has no camera", "the candidate declares itself not applicable: it has no camera"),
        (NOT_APPLICABLE, None, "the candidate declares itself not applicable: no reason given"),
    ],
)
def test_a_cell_without_an_answer_is_incomplete_and_says_which_way(state: str, reason: str | None, words: str) -> None:
    facts = CellFacts(problem(at_least=9), state, reason, patterns=10, errors=10 if state == ERROR else 0)
    found = on_candidate(facts)
    assert (found.verdict, found.reasons) == (INCOMPLETE, (f"Sheep (sheep): {words}",))
    assert [check.rule for check in found.problems[0].checks] == [CELL]
    assert found.problems[0].own is None


def test_what_a_stale_cell_counted_once_does_not_count() -> None:
    facts = cell(problem(at_least=9), 10, state="due", reason="the suite changed")
    assert judged(facts).verdict == INCOMPLETE


# Waivers


def test_a_waived_problem_is_shown_as_waived_and_lets_the_candidate_pass() -> None:
    found = on_candidate(cell(problem(at_least=9), 5), waivers=waived(waiver()))
    one = found.problems[0]
    assert (found.verdict, found.reasons, found.waived) == (PASS, (), (waiver(),))
    assert (one.verdict, one.counted, one.words, one.waiver) == (FAIL, PASS, "fail (waived)", waiver())
    assert one.reasons == ("5 of 10 patterns pass; at least 9 of 10 must",)
    assert found.counts() == {FAIL: 0, INCOMPLETE: 0, INCONCLUSIVE: 0, PASS: 0, "waived": 1}
    assert waiver().words == "waived until 2026-06-30 by Ada: a known gap"


@pytest.mark.parametrize(
    ("moment", "counts"),
    [("2026-06-30T23:59:59+00:00", True), ("2026-07-01T00:00:00+00:00", False), ("2026-06-01T00:00:00+00:00", True)],
)
def test_a_waiver_stops_counting_by_itself_after_its_last_day(moment: str, counts: bool) -> None:
    for each in (waiver(), waiver("p1")):
        facts = cell(problem(at_least=10), 9, waived_failures=("p1",))
        found = on_candidate(facts, waivers=waived(each, moment=moment))
        assert found.verdict == (PASS if counts else FAIL)
        assert found.waived == ((each,) if counts else ())


@pytest.mark.parametrize("pattern", [None, "p1"])
@pytest.mark.parametrize("other", [{"candidate": "another"}, {"problem": "goat"}])
def test_a_waiver_of_another_candidate_or_problem_changes_nothing(pattern: str | None, other: dict[str, str]) -> None:
    facts = cell(problem(at_least=10), 9, canaries=1, canaries_failed=("p1",), waived_failures=("p1",))
    found = on_candidate(facts, waivers=waived(waiver(pattern, **other)))
    assert (found.verdict, found.waived) == (FAIL, ())


def test_of_two_waivers_of_one_thing_the_newer_counts_in_whatever_order_they_come() -> None:
    both = [waiver(number=2, until="2026-12-31"), waiver(number=1), waiver("p1", number=4), waiver("p1", number=3)]
    found = waived(*both)
    assert found.of_problems["sheep"].number == 2
    assert found.of_patterns["sheep", "p1"].number == 4


def test_a_waived_pattern_counts_as_a_pass_where_passes_are_counted() -> None:
    facts = cell(problem(at_least=9), 7, waived_failures=("p1", "p2"))
    found = judged(facts, waiver("p1"), waiver("p2", 2))
    assert (found.verdict, found.words, found.waived) == (PASS, PASS, (waiver("p1"), waiver("p2", 2)))
    assert only(found, AT_LEAST).reason == "7 of 10 patterns pass, 2 waived; at least 9 of 10 must"
    assert judged(facts, waiver("p1")).verdict == FAIL


def test_a_waived_canary_and_a_waived_regression_let_through_only_themselves() -> None:
    facts = cell(problem(max_regressions=0), 8, canaries=2, canaries_failed=("p1",), flips=Flips(regressions=("p1",)))
    found = judged(facts, waiver("p1"))
    assert found.verdict == PASS
    assert only(found, CANARIES).reason == "all 2 canaries pass or are waived (1)"
    assert only(found, REGRESSIONS).reason == "0 regressions against old, 1 more waived; at most 0 regressions"
    broken = facts._replace(canaries_failed=("p1", "p2"), flips=Flips(regressions=("p1", "p2")))
    assert judged(broken, waiver("p1")).reasons == (
        "the canary p2 failed",
        "1 regression against old, 1 more waived (p2); at most 0 regressions",
    )


def test_a_waived_pattern_that_is_open_hides_no_regression() -> None:
    facts = cell(problem(max_regressions=0), 9, flips=Flips(open=("p1",)))
    assert judged(facts).verdict == INCOMPLETE
    assert judged(facts, waiver("p1")).verdict == PASS


def test_a_waiver_of_a_pattern_that_passes_is_not_shown() -> None:
    assert judged(cell(problem(at_least=9), 9), waiver("p1")).waived == ()


def test_a_waiver_lets_no_error_through() -> None:
    facts = cell(problem(at_least=9), 8, errors=1, canaries=1, canaries_error=("p1",))
    found = on_candidate(facts, waivers=waived(waiver(), waiver("p1", 2)))
    assert (found.verdict, found.waived) == (INCOMPLETE, ())


@pytest.mark.parametrize("state", ["due", ERROR])
def test_what_is_incomplete_cannot_be_waived(state: str) -> None:
    found = on_candidate(CellFacts(problem(at_least=9), state, patterns=10), waivers=waived(waiver()))
    assert (found.verdict, found.waived) == (INCOMPLETE, ())
    unclear = on_candidate(cell(problem(metric_at_least=0.7), 8), waivers=waived(waiver()))
    assert (unclear.verdict, unclear.waived) == (INCONCLUSIVE, ())


def test_what_is_not_applicable_can_be_waived() -> None:
    facts = CellFacts(problem(at_least=9), NOT_APPLICABLE, "it has no camera", patterns=10)
    found = on_candidate(facts, waivers=waived(waiver()))
    assert (found.verdict, found.waived, found.problems[0].words) == (PASS, (waiver(),), "incomplete (waived)")


def test_a_waiver_does_not_make_up_for_what_is_missing() -> None:
    found = on_candidate(cell(problem(at_least=9), 5), waivers=waived(waiver()), missing=("a file is refused",))
    assert (found.verdict, found.reasons) == (INCOMPLETE, ("a file is refused",))


# Solved


@pytest.mark.parametrize(
    ("passes", "met", "solved"), [(9, False, True), (9, True, False), (9, None, False), (8, False, False)]
)
def test_solved_is_what_is_met_now_and_not_by_production(passes: int, met: bool | None, solved: bool) -> None:
    found = on_candidate(cell(problem(at_least=9), passes), production_met={"sheep": met})
    assert [each.problem for each in found.solved] == (["sheep"] if solved else [])


def test_nothing_is_solved_by_a_waiver() -> None:
    facts = cell(problem(at_least=9), 8, waived_failures=("p1",))
    for each in (waiver(), waiver("p1")):
        found = on_candidate(facts, waivers=waived(each), production_met={"sheep": False})
        assert (found.verdict, found.solved) == (PASS, ())
    enough = on_candidate(facts._replace(passes=9), waivers=waived(waiver("p1")), production_met={"sheep": False})
    assert [each.problem for each in enough.solved] == ["sheep"]


def test_production_itself_and_a_candidate_without_one_solve_nothing() -> None:
    facts = [cell(problem(at_least=9), 9)]
    assert judge(OLD, OLD, facts, production_met={"sheep": False}).solved == ()
    assert judge(NEW, None, facts).solved == ()


# Evidence


def evidence(**changes: Any) -> str:
    """The digest of the evidence on a small verdict, of which something differs."""
    flips = Flips(regressions=("p1",))
    asked = changes.pop("asked", problem(at_least=9, max_regressions=1))
    facts = cell(asked, 9, waived_failures=("p1",), flips=flips)
    judging = {"candidate": NEW, "production": OLD, "facts": [facts._replace(**changes.pop("cell", {}))], **changes}
    return digest_of(evidence_of(judge(**judging)))


def test_equal_evidence_has_an_equal_digest_and_survives_json() -> None:
    assert evidence() == evidence()
    # A title and what nobody asks about are not evidence.
    assert evidence(asked=replace(problem(at_least=9, max_regressions=1), title="Other", owner="Bo")) == evidence()


@pytest.mark.parametrize(
    "changes",
    [
        {"candidate": ("new", "another digest")},
        {"candidate": ("newer", "digest-new")},
        {"production": ("old", "another digest")},
        {"production": ("older", "digest-old")},
        {"production": None},
        {"missing": ("a file is refused",)},
        {"waivers": waived(waiver("p1"))},
        {"waivers": waived(waiver("p1", number=2))},
        {"asked": problem(at_least=8, max_regressions=1)},
        {"asked": problem(at_least=9)},
        {"asked": problem(at_least=9, max_regressions=1, metric_at_least=0.1)},
        {"asked": problem("goat", at_least=9, max_regressions=1)},
        {"asked": problem(at_least=9, max_regressions=1, state="watched")},
        {"cell": {"suite": "s2"}},
        {"cell": {"passes": 10}},
        {"cell": {"errors": 1, "state": ERROR, "answered": 9}},
        {"cell": {"flips": Flips()}},
        {"cell": {"flips": Flips(regressions=("p2",))}},
        {"cell": {"canaries": 1}},
        {"facts": []},
    ],
    ids="-".join,
)
def test_whatever_a_sign_off_rests_on_changes_the_digest(changes: dict[str, Any]) -> None:
    assert evidence(**changes) != evidence()


# More passes are never worse


@given(
    st.integers(1, 30),
    st.none() | st.integers(0, 32),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.none() | st.integers(0, 32),
)
def test_on_whole_cells_the_verdict_rises_with_the_passes(
    patterns: int, at_least: int | None, low: float | None, other: float | None, second: int | None
) -> None:
    rising = (FAIL, INCONCLUSIVE, PASS)
    first = problem(at_least=at_least, metric_at_least=low)
    more = [cell(problem("goat", at_least=second, metric_at_least=other), patterns, patterns)]
    if at_least is None and low is None:
        assert judged(cell(first, patterns, patterns)).verdict == INCOMPLETE
        return
    facts = [cell(first, passes, patterns) for passes in range(patterns + 1)]
    alone = [judged(each).verdict for each in facts]
    assert [rising.index(each) for each in alone] == sorted(rising.index(each) for each in alone)
    if second is not None or other is not None:
        whole = [rising.index(on_candidate(each, *more).verdict) for each in facts]
        assert whole == sorted(whole)


@given(st.integers(1, 30), st.floats(0, 1))
def test_a_bound_from_above_falls_with_the_passes(patterns: int, most: float) -> None:
    rising = (FAIL, INCONCLUSIVE, PASS)
    asked = problem(metric_at_most=most)
    found = [rising.index(judged(cell(asked, passes, patterns)).verdict) for passes in range(patterns + 1)]
    assert found == sorted(found, reverse=True)


def test_a_waiver_lets_what_fails_through_and_not_what_is_missing_beside_it() -> None:
    facts = cell(problem(at_least=9), 3, 10, errors=2)
    alone = judged(facts)
    assert (alone.verdict, alone.counted) == (FAIL, FAIL)
    let = judged(facts, waiver())
    assert (let.verdict, let.counted) == (FAIL, INCOMPLETE)
    assert let.reasons == tuple(check.reason for check in let.checks if check.verdict == INCOMPLETE)
    found = on_candidate(facts, waivers=waived(waiver()))
    assert found.verdict == INCOMPLETE
    assert "2 patterns could not be measured" in found.reasons[0]
    assert (found.counts()["waived"], found.counts()[INCOMPLETE]) == (0, 1)


def test_other_patterns_with_equal_counts_and_a_problem_that_is_solved_by_both_are_other_evidence() -> None:
    asked = problem(at_least=5)
    one, two = (cell(asked, 9, flips=Flips((), (name,))) for name in ("p1", "p2"))
    assert digest_of(evidence_of(on_candidate(one))) != digest_of(evidence_of(on_candidate(two)))
    solved, met = (on_candidate(one, production_met={asked.id: there}) for there in (False, True))
    assert digest_of(evidence_of(solved)) != digest_of(evidence_of(met))
