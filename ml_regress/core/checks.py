"""Checks: each part of a requirement held against one cell, with its reason in words and its numbers.

Counts give pass or fail. A bound on the metric passes where its one-sided 95% bound clears it, fails where the opposite
bound misses it, and is inconclusive in between. What is missing, in error or not applicable is incomplete.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, Measure
from ml_regress.core.problem import Problem
from ml_regress.core.statistics import ONE_SIDED, wilson
from ml_regress.core.waiver import Waiver

FAIL, INCOMPLETE, INCONCLUSIVE, PASS = "fail", "incomplete", "inconclusive", "pass"
VERDICTS = (FAIL, INCOMPLETE, INCONCLUSIVE, PASS)
SKIPPED = "skipped"
AT_LEAST, CANARIES, METRIC, REGRESSIONS, CELL = "at least", "canaries", "metric", "regressions", "cell"
NAMED = 5


def worst(verdicts: Iterable[str]) -> str | None:
    """The verdict that wins; None where there is none."""
    found = set(verdicts)
    for verdict in VERDICTS:
        if verdict in found:
            return verdict
    return None


class Flips(NamedTuple):
    """What moved in a cell against the cell of another candidate, by pattern id.

    `open` are patterns that one side did not answer and that may hide a regression.
    """

    fixes: tuple[str, ...] = ()
    regressions: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


class CellFacts(NamedTuple):
    """What a requirement looks at in one cell.

    `state` is that of an evaluation or "due", `reason` its words. `patterns` counts the suite's patterns, `canaries`
    how many of them are canaries; `canaries_failed`, `canaries_error` and `waived_failures` (failures of patterns with
    a waiver) name patterns. `flips` are those against production, None where the two cannot be compared.
    """

    problem: Problem
    state: str
    reason: str | None = None
    suite: str | None = None
    passes: int = 0
    answered: int = 0
    errors: int = 0
    metric: Measure | None = None
    patterns: int = 0
    canaries: int = 0
    canaries_failed: tuple[str, ...] = ()
    canaries_error: tuple[str, ...] = ()
    waived_failures: tuple[str, ...] = ()
    flips: Flips | None = None

    @property
    def unknown(self) -> int:
        """How many patterns have no answer; in a cell in error at least one, whatever its counts say."""
        return max(self.patterns - self.answered, self.errors, int(self.state == ERROR))


class Check(NamedTuple):
    """One part of a requirement held against a cell: a verdict or "skipped", and why, in words with numbers.

    `patterns` are the patterns that count against it; `value`, `bound`, `low` and `high` the numbers it compares
    (`low` and `high` are the one-sided 95% bounds of a metric).
    """

    rule: str
    verdict: str
    reason: str
    patterns: tuple[str, ...] = ()
    value: float | None = None
    bound: float | None = None
    low: float | None = None
    high: float | None = None


def checks_of(
    facts: CellFacts, mine: Mapping[str, Waiver], baseline: str | None, *, itself: bool
) -> tuple[list[Check], list[Check]]:
    """(own, all) checks of a cell: those that look at it alone, and with them the ones that compare with production.

    `mine` are the waivers of the problem's patterns. There is at least one check that is not skipped: where the
    requirement asks nothing of this cell, that is what is wrong with it.
    """
    if facts.state not in (OK, ERROR) or not facts.answered:
        why = _error_words(facts) if facts.state in (OK, ERROR) else _absent_words(facts)
        return [], [Check(CELL, INCOMPLETE, why)]
    own = [*_at_least(facts, mine), *_canaries(facts, mine), *_metric(facts)]
    checks = [*own, *_regressions(facts, mine, baseline, itself=itself)]
    if facts.unknown:
        checks.append(Check(CELL, INCOMPLETE, _error_words(facts)))
    if all(check.verdict == SKIPPED for check in checks):
        checks.append(Check(CELL, INCOMPLETE, _nothing_words(checks)))
    return own, checks


def _at_least(facts: CellFacts, mine: Mapping[str, Waiver]) -> list[Check]:
    asked = facts.problem.requirement.at_least
    if asked is None:
        return []
    waived = sum(name in mine for name in facts.waived_failures)
    reached = facts.passes + waived
    words = f"{facts.passes} of {facts.answered} patterns pass" + (f", {waived} waived" if waived else "")
    reason = f"{words}; at least {asked} of {facts.patterns} must"
    verdict = PASS if reached >= asked else (FAIL if reached + facts.unknown < asked else INCOMPLETE)
    return [Check(AT_LEAST, verdict, reason, value=facts.passes, bound=asked)]


def _canaries(facts: CellFacts, mine: Mapping[str, Waiver]) -> list[Check]:
    if not facts.problem.requirement.canaries or not facts.canaries:
        return []
    failed = tuple(name for name in facts.canaries_failed if name not in mine)
    if failed:
        return [Check(CANARIES, FAIL, f"{_named('canary', 'canaries', failed)} failed", failed)]
    if facts.canaries_error:
        reason = f"{_named('canary', 'canaries', facts.canaries_error)} could not be measured"
        return [Check(CANARIES, INCOMPLETE, reason, facts.canaries_error)]
    waived = len(facts.canaries_failed)
    words = f"all {facts.canaries} canaries pass" if facts.canaries > 1 else "the canary passes"
    return [Check(CANARIES, PASS, f"{words} or are waived ({waived})" if waived else words)]


def _metric(facts: CellFacts) -> list[Check]:
    asked = facts.problem.requirement
    if asked.metric_at_least is None and asked.metric_at_most is None:
        return []
    return [
        _bound(facts, bound, least=least)
        for bound, least in ((asked.metric_at_least, True), (asked.metric_at_most, False))
        if bound is not None
    ]


def _bound(facts: CellFacts, bound: float, *, least: bool) -> Check:
    name, metric = facts.problem.metric, facts.metric
    must = f"{name} must be {'at least' if least else 'at most'} {bound:g}"
    if facts.unknown:
        return Check(METRIC, INCOMPLETE, f"{must}; {_count(facts.unknown, 'pattern')} without an answer", bound=bound)
    if metric is None or metric.value is None:
        why = metric.reason if metric is not None else "nothing was measured"
        return Check(METRIC, INCOMPLETE, f"{must}, but it is undefined: {why}", bound=bound)
    low, high = one_sided(metric, facts)
    if low is None or high is None:
        reason = f"{must} and is {metric.value:.3f}, but no interval of it is known; ask for a count (at_least) instead"
        return Check(METRIC, INCONCLUSIVE, reason, value=metric.value, bound=bound)
    passes, fails = (low >= bound, high < bound) if least else (high <= bound, low > bound)
    verdict = PASS if passes else (FAIL if fails else INCONCLUSIVE)
    reason = f"{must} and is {metric.value:.3f}, with one-sided 95% bounds {low:.3f} and {high:.3f}"
    return Check(METRIC, verdict, reason, value=metric.value, bound=bound, low=low, high=high)


def one_sided(metric: Measure, facts: CellFacts) -> tuple[float | None, float | None]:
    """The one-sided 95% bounds of a cell's metric; those of a rate follow from its counts."""
    if metric.name == "pass_rate":
        return wilson(facts.passes, facts.answered, ONE_SIDED)
    return metric.lower, metric.upper


def _regressions(facts: CellFacts, mine: Mapping[str, Waiver], baseline: str | None, *, itself: bool) -> list[Check]:
    watched = facts.problem.state == "watched"
    allowed = 0 if watched else facts.problem.requirement.max_regressions
    if allowed is None:
        return []
    rule = "it is watched: no regression against production" if watched else f"at most {_count(allowed, 'regression')}"
    if baseline is None:
        why = "the candidate is production itself" if itself else "no candidate is in production"
        return [Check(REGRESSIONS, SKIPPED, f"{rule}: skipped, {why}", bound=allowed)]
    if facts.flips is None:
        reason = f"{rule}, but {baseline} was not measured on the same suite"
        return [Check(REGRESSIONS, INCOMPLETE, reason, bound=allowed)]
    broken = tuple(name for name in facts.flips.regressions if name not in mine)
    waived = len(facts.flips.regressions) - len(broken)
    said = f"{_count(len(broken), 'regression')} against {baseline}" + (f", {waived} more waived" if waived else "")
    named = f" ({_listed(broken)})" if broken else ""
    reason = f"{said}{named}; {rule}"
    if len(broken) > allowed:
        return [Check(REGRESSIONS, FAIL, reason, broken, len(broken), allowed)]
    hidden = tuple(name for name in facts.flips.open if name not in mine)
    if len(broken) + len(hidden) > allowed:
        reason += f", and {_listed(hidden)} could not be compared"
        return [Check(REGRESSIONS, INCOMPLETE, reason, hidden, len(broken), allowed)]
    return [Check(REGRESSIONS, PASS, reason, broken, len(broken), allowed)]


def _error_words(facts: CellFacts) -> str:
    words = (
        f"{_count(facts.unknown, 'pattern')} could not be measured" if facts.answered else "nothing could be measured"
    )
    return f"{words}: {facts.reason}" if facts.reason else words


def _absent_words(facts: CellFacts) -> str:
    if facts.state == NOT_APPLICABLE:
        return f"the candidate declares itself not applicable: {facts.reason or 'no reason given'}"
    return f"not measured yet ({facts.reason})" if facts.reason else "not measured yet"


def _nothing_words(checks: Sequence[Check]) -> str:
    skipped = "; ".join(check.reason for check in checks if check.verdict == SKIPPED)
    return "the requirement checks nothing here" + (f" ({skipped})" if skipped else "")


def _named(one: str, many: str, names: Sequence[str]) -> str:
    return f"the {one} {names[0]}" if len(names) == 1 else f"{len(names)} {many} ({_listed(names)})"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
