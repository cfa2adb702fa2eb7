"""Chosen on its failures: how often a candidate that is just as good is called better, with and without the rule.

Simulated with a fixed seed: ten problems of twelve patterns, of which some were chosen because the old candidate failed
on them, and the others at random. Each case has its own difficulty, and both candidates pass it with the same chance.
So every "better" is a false one, and the nominal 5% is the limit.

better        the pooled finding is "better"
significant   the pooled exact p is below 0.05, whichever way
a problem     at least one of the ten problems is called better (Holm)

The two figures are the largest shares with the rule.
"""

from typing import NamedTuple

import numpy as np
from measure import report

from ml_regress.core.comparison import BETTER, Pairs, Special, compare
from ml_regress.core.evaluation import FAILED, PASSED
from ml_regress.core.power import ALPHA

REPETITIONS, SEED = 1000, 20260601
PROBLEMS, PATTERNS, CASES, CHOSEN = 10, 12, 200, (0, 3, 6, 9)
# The chances to pass, from case to case: 0.8 on average.
DIFFICULTY = (4.0, 1.0)


class Rates(NamedTuple):
    """Shares of the repetitions."""

    better: float
    significant: float
    problem: float


def simulated(repetitions: int, *, rule: bool, chosen: int = 6) -> Rates:
    """The shares among repetitions in which `chosen` patterns of each problem are failures of the old candidate.

    Without the rule nothing is said of how they were chosen. Equal arguments give equal shares.
    """
    random = np.random.default_rng(SEED)
    names = [f"problem-{number}" for number in range(PROBLEMS)]
    said = Special(selected_on={f"p{at}": ("old",) for at in range(chosen)})
    special = dict.fromkeys(names, said) if rule else {}
    counts = np.zeros(3)
    for _ in range(repetitions):
        found = compare("old", "new", [pairs for name in names for pairs in _asked(random, name, chosen)], special)
        counts += (
            found.finding == BETTER,
            found.test is not None and found.test.exact < ALPHA,
            any(each.finding == BETTER for each in found.problems),
        )
    return Rates(*(counts / repetitions).tolist())


def _asked(random: np.random.Generator, problem: str, chosen: int) -> list[Pairs]:
    """The patterns of a problem: `chosen` failures of the old candidate out of many cases, then cases as they come."""
    old, new = random.random((2, CASES)) < random.beta(*DIFFICULTY, CASES)
    looked_at = CASES - PATTERNS
    failures = np.flatnonzero(~old[:looked_at])[:chosen]
    cases = [*failures, *range(looked_at, CASES - chosen)]
    assert len(cases) == PATTERNS
    words, ways = (FAILED, PASSED), dict[tuple[int, int], list[str]]()
    for at, way in enumerate(zip(old[cases].tolist(), new[cases].tolist(), strict=True)):
        ways.setdefault(way, []).append(f"p{at}")
    return [Pairs(problem, words[before], words[after], tuple(names)) for (before, after), names in ways.items()]


def main() -> None:
    kept: list[Rates] = []
    print(
        f"{'chosen of ' + str(PATTERNS):<14}{'rule':<9}{'better':>8}{'significant':>13}{'a problem':>11}{'nominal':>9}"
    )
    for chosen in CHOSEN:
        for rule in (True, False):
            found = simulated(REPETITIONS, rule=rule, chosen=chosen)
            shares = f"{found.better:>8.3f}{found.significant:>13.3f}{found.problem:>11.3f}{ALPHA:>9.2f}"
            print(f"{chosen:<14}{'with' if rule else 'without':<9}{shares}", flush=True)
            if rule:
                kept.append(found)
    report("chosen_better", max(each.better for each in kept), ALPHA, 1.0)
    report("chosen_significant", max(each.significant for each in kept), ALPHA, 1.0)


if __name__ == "__main__":
    main()
