"""History of the matrix: which patterns flipped between candidates, who solved a problem, who broke it.

Frames used here: cells [candidate, problem, state, suite], outcomes [candidate, problem, pattern,
outcome], pairs [candidate, problem, baseline]. Everything is joined by id, never by position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml_regress.core.evaluation import FAILED, OK, PASSED
from ml_regress.core.problem import Requirement

FIX, REGRESSION = "fix", "regression"
MET_FROM_START = "met from the start"
SOLVED, BROKEN, SOLVED_AGAIN, BROKEN_AGAIN = "solved", "broken", "solved again", "broken again"
FLIP_COLUMNS = ["candidate", "problem", "pattern", "baseline", "flip"]
PAIR_COLUMNS = ["candidate", "problem", "baseline"]


def pairs_with(cells: pd.DataFrame, baseline: str | None) -> pd.DataFrame:
    """Every measured cell beside the baseline's cell of the same problem and the same suite."""
    measured = cells.loc[cells["state"] == OK, ["candidate", "problem", "suite"]]
    base = measured[measured["candidate"] == baseline].rename(columns={"candidate": "baseline"})
    pairs = measured[measured["candidate"] != baseline].merge(base, on=["problem", "suite"])
    return pairs[PAIR_COLUMNS]


def pairs_with_previous(cells: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Every measured cell beside that of the candidate before it in `order` on the same suite.

    A candidate without a measured cell is stepped over: an error is no state to compare with.
    """
    place = {candidate: position for position, candidate in enumerate(order)}
    measured = cells.loc[cells["state"] == OK, ["candidate", "problem", "suite"]]
    measured = measured[measured["candidate"].isin(place)]
    measured = measured.assign(place=measured["candidate"].map(place)).sort_values("place")
    measured["baseline"] = measured.groupby(["problem", "suite"])["candidate"].shift(1)
    return measured.dropna(subset=["baseline"])[PAIR_COLUMNS].reset_index(drop=True)


def flips(outcomes: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The flips of every pair: FLIP_COLUMNS, in the order of `pairs` and of the patterns.

    A pattern that one side did not answer (outcome error, or not in its suite) is no flip.
    """
    answered = outcomes.loc[outcomes["outcome"].isin((PASSED, FAILED)), ["candidate", "problem", "pattern", "outcome"]]
    before = answered.rename(columns={"candidate": "baseline", "outcome": "before"})
    joined = pairs.merge(answered, on=["candidate", "problem"], validate="one_to_many").merge(
        before, on=["baseline", "problem", "pattern"], validate="many_to_one"
    )
    changed = joined[joined["outcome"] != joined["before"]]
    flip = np.where(changed["outcome"] == PASSED, FIX, REGRESSION)
    return changed.assign(flip=flip)[FLIP_COLUMNS].reset_index(drop=True)


def count_flips(pairs: pd.DataFrame, found: pd.DataFrame) -> dict[tuple[str, str], tuple[int, int]]:
    """(fixes, regressions) by (candidate, problem); a pair without flips counts (0, 0)."""
    counts = dict.fromkeys(zip(pairs["candidate"], pairs["problem"], strict=True), (0, 0))
    for candidate, problem, flip in zip(found["candidate"], found["problem"], found["flip"], strict=True):
        fixes, regressions = counts[candidate, problem]
        counts[candidate, problem] = (fixes + (flip == FIX), regressions + (flip == REGRESSION))
    return counts


@dataclass(frozen=True)
class CellFacts:
    """What a requirement looks at in one measured cell; `canaries` by outcome, `metric` None if undefined."""

    passes: int
    errors: int
    metric: float | None
    canaries_passed: int = 0
    canaries_failed: int = 0
    canaries_error: int = 0


def requirement_met(requirement: Requirement, facts: CellFacts) -> bool | None:
    """Whether a measured cell meets its own requirement; None where that cannot be said.

    It cannot be said where patterns without an answer could still turn it, where the bounded
    metric is undefined, or where the requirement asks nothing of this cell. Metric bounds are held
    against the value itself, not its interval. Regressions against production are a comparison of
    two cells and no part of this.
    """
    checks: list[bool | None] = []
    if requirement.at_least is not None:
        missing = requirement.at_least - facts.passes
        checks.append(True if missing <= 0 else (False if missing > facts.errors else None))
    bounded = requirement.metric_at_least is not None or requirement.metric_at_most is not None
    if bounded:
        checks.append(None if facts.errors else _within(requirement, facts.metric))
    if requirement.canaries and facts.canaries_passed + facts.canaries_failed + facts.canaries_error:
        checks.append(False if facts.canaries_failed else (None if facts.canaries_error else True))
    if False in checks:
        return False
    return None if not checks or None in checks else True


def _within(requirement: Requirement, metric: float | None) -> bool | None:
    if metric is None:
        return None
    low, high = requirement.metric_at_least, requirement.metric_at_most
    return (low is None or metric >= low) and (high is None or metric <= high)


@dataclass(frozen=True)
class Mark:
    """A turn in the history of a problem: `candidate` is where it happened."""

    candidate: str
    kind: str


def marks(order: Sequence[str], met: Mapping[str, bool | None]) -> tuple[Mark, ...]:
    """The turns of one problem, walking the candidates in order.

    `met` says for each candidate whether the requirement is met; None and absence (error, due, not
    applicable, another suite) solve nothing and break nothing. A problem that the first measured
    candidate meets was not solved by it: "met from the start".
    """
    found: list[Mark] = []
    before: bool | None = None
    solved = False
    for candidate in order:
        now = met.get(candidate)
        if now is None or now == before:
            continue
        if before is None:
            if now:
                found.append(Mark(candidate, MET_FROM_START))
        elif now:
            found.append(Mark(candidate, SOLVED_AGAIN if solved else SOLVED))
            solved = True
        else:
            found.append(Mark(candidate, BROKEN_AGAIN if solved else BROKEN))
        before = now
    return tuple(found)
