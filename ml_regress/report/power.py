"""What a cell's numbers can tell, in words: beside each requirement its interval and its power."""

from ml_regress.core.paired import mcnemar
from ml_regress.core.power import ALPHA, certified, least_flips, patterns_needed
from ml_regress.core.problem import PROPORTION_METRICS, Problem
from ml_regress.core.statistics import wilson
from ml_regress.core.verdict import CellFacts


def power_words(problem: Problem, facts: CellFacts) -> tuple[str, ...]:
    """The interval of a cell, and what so few patterns can tell, in lines; empty for a problem without a pattern."""
    if not facts.patterns:
        return ()
    asked = problem.requirement
    allowed = 0 if problem.state == "watched" else asked.max_regressions
    return tuple(
        line
        for line in (
            _interval(facts),
            _certifies(facts),
            _flips(facts.patterns),
            *(
                _needed(problem, facts.patterns, bound, least=least)
                for bound, least in ((asked.metric_at_least, True), (asked.metric_at_most, False))
                if bound is not None
            ),
            "" if allowed is None else _net(allowed, facts.patterns),
        )
        if line
    )


def _interval(facts: CellFacts) -> str:
    if not facts.answered:
        return ""
    low, high = wilson(facts.passes, facts.answered)
    rate = facts.passes / facts.answered
    return f"{facts.passes} of {facts.answered} is {rate:.3f}, 95% interval {low:.3f} to {high:.3f}"


def _certifies(facts: CellFacts) -> str:
    size = facts.patterns
    return f"{size} of {size} certifies only {certified(size):.3f}"


def _flips(size: int) -> str:
    needed = least_flips()
    if size < needed:
        return f"with {_patterns(size)} no change can reach p < {ALPHA:g}: {needed} one-way flips are needed"
    return f"with {_patterns(size)} {needed} one-way flips are needed for p < {ALPHA:g}"


def _needed(problem: Problem, size: int, bound: float, *, least: bool) -> str:
    """How many patterns a bound on a rate would need; only a rate follows from counts."""
    if problem.metric not in PROPORTION_METRICS:
        return ""
    asked = f"{problem.metric} at {'least' if least else 'most'} {bound:g}"
    rate = bound if least else 1 - bound  # at most a tenth passing is at least nine tenths not passing
    if rate <= 0:
        return ""
    if rate >= 1:
        return f"{asked}: no number of patterns certifies it; ask for a count (at_least) instead"
    needed, how = patterns_needed(rate, sides=1), "all passing" if least else "none passing"
    # The other rates are shares of a part of the patterns: those that count in their denominator.
    counted = (
        _patterns(needed) if problem.metric in ("pass_rate", "accuracy") else f"{needed} patterns that count in it"
    )
    short = f"; there are {size}, so it cannot pass" if size < needed else ""
    return f"{asked} needs at least {counted}, {how}{short}"


def _net(allowed: int, size: int) -> str:
    """What an allowance of regressions lets happen to the rate, and whether chance could do as much."""
    if not allowed:
        return "no regression is allowed: one flaky pattern is enough to fail it"
    worst = min(allowed, size)
    return (
        f"at most {allowed} regression{'s' if allowed > 1 else ''} of {_patterns(size)}: a net of "
        f"{-worst / size:+.3f} on the rate where nothing is fixed ({worst} one-way "
        f"flip{'s have' if worst > 1 else ' has'} p = {mcnemar(worst, 0).exact:.3g})"
    )


def _patterns(number: int) -> str:
    return f"{number} pattern" if number == 1 else f"{number} patterns"
