"""History of the matrix: which patterns flipped between candidates, who solved a problem, who broke it.

Frames used here: cells [candidate, problem, state, suite], outcomes [candidate, problem, pattern,
outcome], pairs [candidate, problem, baseline]. Everything is joined by id, never by position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml_regress.core.evaluation import FAILED, OK, PASSED

FIX, REGRESSION = "fix", "regression"
MET_FROM_START = "met from the start"
SOLVED, BROKEN, SOLVED_AGAIN, BROKEN_AGAIN = "solved", "broken", "solved again", "broken again"
FLIP_COLUMNS = ["candidate", "problem", "pattern", "baseline", "flip"]
PAIR_COLUMNS = ["candidate", "problem", "baseline"]


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
