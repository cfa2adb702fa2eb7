"""What so few patterns can tell: flips that are needed, rates that are certified, gates that fail by chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc, ndtri

from ml_regress.core.statistics import wilson, wilson_lower

ALPHA = 0.05


def least_flips(tests: int = 1, *, alpha: float = ALPHA, sides: int = 2) -> int:
    """How many flips, all in one direction, the exact test needs for p < alpha among so many tests (Bonferroni)."""
    needed = 1
    while sides * 0.5**needed * tests >= alpha:
        needed += 1
    return needed


def certified(n: int, confidence: float = 0.95) -> float:
    """The rate that n of n passes certify: the lower end of Wilson's two-sided interval."""
    return wilson(n, n, confidence)[0]


def patterns_needed(rate: float, *, sides: int = 2, exact: bool = False) -> int:
    """The least number of patterns that, all passing, certify a rate at 95%.

    By Wilson's interval with one or two sides, or exactly, one-sided: ln 0.05 / ln rate. Raises ValueError unless
    0 < rate < 1: no number of patterns certifies 1.
    """
    if not 0 < rate < 1:
        raise ValueError(f"a rate that patterns can certify lies between 0 and 1, and is not {rate}")
    if exact:
        return math.ceil(math.log(ALPHA) / math.log(rate) - 1e-12)
    # n of n has the lower bound n / (n + z^2): the least n is solved for, and the steps make up for rounding.
    z = float(ndtri(1 - ALPHA / sides))
    n = max(1, math.floor(rate / (1 - rate) * z * z) - 1)
    while (wilson(n, n)[0] if sides == 2 else wilson_lower(n, n)) < rate:
        n += 1
    return n


def chance_of(reliabilities: Sequence[float]) -> np.ndarray:
    """The chances of 0, 1, ... n passes of patterns that pass with these probabilities, independently."""
    chances = np.array([1.0])
    for reliability in reliabilities:
        chances = np.append(chances, 0.0) * (1 - reliability) + np.append(0.0, chances) * reliability
    return chances


def false_fail(reliabilities: Sequence[float], at_least: int) -> float:
    """How often a gate of at least k passes fails where patterns pass with these probabilities (Poisson binomial)."""
    return float(min(1.0, chance_of(reliabilities)[: max(0, at_least)].sum()))


def majority_reliability(reliability: float, draws: int) -> float:
    """How often the majority of so many draws passes; a tie is no majority."""
    return float(bdtrc(draws // 2, draws, reliability))


@dataclass(frozen=True)
class Flakiness:
    """What the draws of a problem's patterns say of its gate.

    `draws` is the smallest number of draws of a pattern, `flaky` names patterns whose outcomes differ. `one_draw` and
    `majority` are the chances that the gate fails when it is measured anew, by one draw and by the majority of draws.
    """

    draws: int
    flaky: tuple[str, ...]
    one_draw: float
    majority: float


def flakiness(shares: dict[str, tuple[int, int]], at_least: int, canaries: Sequence[str] = ()) -> Flakiness:
    """The flakiness of a gate: at least k passes, and all canaries among them.

    `shares` maps each pattern to (draws that passed, draws). Raises ValueError for a pattern without a draw.
    """
    if not all(draws for _, draws in shares.values()):
        raise ValueError("a pattern without a draw has no reliability")
    one = {name: passed / draws for name, (passed, draws) in shares.items()}
    most = {name: majority_reliability(one[name], draws) for name, (_, draws) in shares.items()}

    def fails(chances: dict[str, float]) -> float:
        must = [name for name in canaries if name in chances]
        sure = math.prod(chances[name] for name in must)
        others = [chance for name, chance in chances.items() if name not in must]
        return 1 - sure * (1 - false_fail(others, at_least - len(must)))

    flaky = tuple(name for name, (passed, draws) in shares.items() if 0 < passed < draws)
    return Flakiness(min((draws for _, draws in shares.values()), default=0), flaky, fails(one), fails(most))
