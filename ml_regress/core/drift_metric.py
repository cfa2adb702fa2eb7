"""Whether the metric moved between the labelled rows of the reference and those of a batch.

The sides hold other rows, so nothing is paired. Shares are tested as counts of right and wrong answers, errors by
Welch's t, and metrics without a sum over rows (f1, roc_auc) by permuting rows between the sides.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, stdtr

from ml_regress.core.answers import typed_answer
from ml_regress.core.contingency import shares_differ
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, NOT_ENOUGH, MetricDrift, Test
from ml_regress.core.expectation import SCORE
from ml_regress.core.metrics import measure, positive_of
from ml_regress.core.production import DriftRules
from ml_regress.core.typed_column import typed_column

PERMUTATIONS = 2000
_PERMUTED_ROWS = 20_000  # a side; of more a sample is permuted
ERRORS = ("mae", "rmse")
Labelled = tuple[Sequence[Any], Sequence[Any]]  # true labels, and the answers to the same rows
Scores = Mapping[str, Sequence[float]]


@dataclass(frozen=True, eq=False)
class _Side:
    """What a metric counts of a side's rows, as arrays of one value a row."""

    expected: np.ndarray
    given: np.ndarray
    usable: np.ndarray
    positive: Any
    score: np.ndarray | None

    @property
    def right(self) -> np.ndarray:
        return np.asarray((self.expected == self.given) & self.usable, dtype=bool)

    @property
    def expected_positive(self) -> np.ndarray:
        return np.asarray(self.expected == self.positive, dtype=bool)

    @property
    def given_positive(self) -> np.ndarray:
        return np.asarray((self.given == self.positive) & self.usable, dtype=bool)

    def errors(self, power: int) -> np.ndarray:
        return np.asarray(np.abs(self.expected.astype(np.float64) - self.given.astype(np.float64)) ** power)


def metric_drift(
    metric: str,
    reference: Labelled | None,
    current: Labelled | None,
    *,
    answer_type: str,
    rules: DriftRules,
    positive_label: Any = None,
    labels: Sequence[Any] = (),
    scores: tuple[Scores | None, Scores | None] = (None, None),
    why_not: str = "",
    seed: int = 0,
) -> MetricDrift:
    """The metric on (labels, answers) of the reference and of a batch, and whether it drifts.

    A metric between 0 and 1 drifts where it changed by `rules.metric` or more, an error where it changed by that
    part of the reference's (from 0 to anything counts as a change by 1); both only where the test is significant at
    `rules.alpha`, on which no other test bears. `scores` maps "score:<class>" to numbers, a side each (roc_auc).
    None for a side without labels; `why_not` says why it has none.
    """
    sizes = (0 if reference is None else len(reference[0]), 0 if current is None else len(current[0]))
    if reference is None or current is None or not all(sizes):
        without = " and ".join(
            side for side, count in zip(("the reference", "the batch"), sizes, strict=True) if not count
        )
        reason = why_not or f"no labelled rows with an answer in {without}"
        return MetricDrift(metric, NOT_COMPARED, reason, rows=sizes)
    options = {"answer_type": answer_type, "positive_label": positive_label, "labels": labels}
    values = []
    for name, (truth, answers), score in zip(("the reference", "the batch"), (reference, current), scores, strict=True):
        try:
            found = measure(metric, truth=truth, answers=answers, scores=score, **options)
        except ValueError as error:
            return MetricDrift(metric, NOT_COMPARED, f"{name}: {error}", rows=sizes)
        if found.value is None:
            return MetricDrift(metric, NOT_COMPARED, f"{name}: {found.reason}", rows=sizes)
        values.append(found.value)
    few = [
        f"{side} has {count:,} labelled {'row' if count == 1 else 'rows'}"
        for side, count in zip(("the reference", "the batch"), sizes, strict=True)
        if count < rules.fewest
    ]
    if few:
        reason = f"{' and '.join(few)}; it takes {rules.fewest} on each side"
        return MetricDrift(metric, NOT_ENOUGH, reason, values[0], values[1], sizes)
    positive = positive_of(answer_type, positive_label, labels)
    sides = [
        _side(labelled, score, answer_type, positive)
        for labelled, score in zip((reference, current), scores, strict=True)
    ]
    name, statistic, p = _tested(metric, sides[0], sides[1], seed)
    size = _size(metric, values[0], values[1])
    test = Test(name, statistic, p, size, rules.metric, adjusted=p, alpha=rules.alpha)
    state = DRIFT if test.drifts else NO_DRIFT
    return MetricDrift(metric, state, _words(metric, values, test), values[0], values[1], sizes, test)


def _size(metric: str, reference: float, current: float) -> float:
    change = abs(current - reference)
    if metric not in ERRORS:
        return change
    if not reference:
        return 1.0 if change else 0.0
    return min(change / reference, 1e300)


def _words(metric: str, values: Sequence[float], test: Test) -> str:
    moved = f"{metric} {values[0]:.4g} in the reference, {values[1]:.4g} in the batch"
    if test.drifts:
        limit = f"{test.limit:.0%} of it" if metric in ERRORS else f"{test.limit:g}"
        return f"{moved}: changed by {limit} or more; {test.name} p {test.p:.2g}"
    if test.significant:
        return f"{moved}: less than the limit {test.limit:g}; {test.name} p {test.p:.2g}"
    return f"{moved}, which chance explains; {test.name} p {test.p:.2g}"


def _side(labelled: Labelled, scores: Scores | None, answer_type: str, positive: Any) -> _Side:
    expected, given = typed_column(answer_type, labelled[0]), typed_column(answer_type, labelled[1])
    names = [
        name
        for name in scores or {}
        if name.startswith(SCORE) and typed_answer(answer_type, name.removeprefix(SCORE)) == positive
    ]
    wanted = SCORE + str(typed_answer("text", positive))
    score = None
    if scores and names:
        score = np.asarray(scores[wanted if wanted in names else names[0]], dtype=np.float64)
    return _Side(expected.values, given.values, given.usable, positive, score)


def _tested(metric: str, reference: _Side, current: _Side, seed: int) -> tuple[str, float, float]:
    """(test, statistic, p) of a metric that both sides have."""
    if metric in ERRORS:
        power = 1 if metric == "mae" else 2
        return _welch(reference.errors(power), current.errors(power))
    counted: dict[str, Callable[[_Side], tuple[np.ndarray, np.ndarray]]] = {
        "accuracy": lambda side: (side.right, np.ones(len(side.right), dtype=bool)),
        "precision": lambda side: (side.expected_positive, side.given_positive),
        "recall": lambda side: (side.given_positive, side.expected_positive),
    }
    if metric in counted:
        numbers: list[int] = []
        for side in (reference, current):
            hits, among = counted[metric](side)
            numbers += [int((hits & among).sum()), int(among.sum())]
        return shares_differ(*numbers)
    difference, permuted = (_f1_permuted if metric == "f1" else _auc_permuted)(
        reference, current, np.random.default_rng(seed)
    )
    # A permutation in which the metric is undefined counts against a finding.
    beyond = int((~(np.abs(permuted) < abs(difference) - 1e-12)).sum())
    return "permutation", difference, (1 + beyond) / (1 + len(permuted))


def _welch(reference: np.ndarray, current: np.ndarray) -> tuple[str, float, float]:
    """Welch's t of two means, without equal variances."""
    unit = max(float(reference.max()), float(current.max()))
    if unit == 0.0:
        return "Welch", 0.0, 1.0
    r, c = reference / unit, current / unit
    of_r, of_c = float(r.var(ddof=1)) / len(r), float(c.var(ddof=1)) / len(c)
    difference = float(c.mean()) - float(r.mean())
    if of_r + of_c == 0.0:  # every error of a side is the same: what is left is whether both are
        same = bool(r[0] == c[0])
        logs = gammaln(len(r) + len(c) + 1) - gammaln(len(r) + 1) - gammaln(len(c) + 1)
        return "Welch", 0.0, 1.0 if same else min(1.0, 2 * math.exp(-float(logs)))
    t = difference / math.sqrt(of_r + of_c)
    freedom = (of_r + of_c) ** 2 / (of_r**2 / (len(r) - 1) + of_c**2 / (len(c) - 1))
    return "Welch", t, min(1.0, 2 * float(stdtr(freedom, -abs(t))))


def _f1_permuted(reference: _Side, current: _Side, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """The difference of f1, and those of permutations: how the hits and the errors of all rows fall on both sides."""

    def counts(side: _Side) -> np.ndarray:
        hits = int((side.expected_positive & side.given_positive).sum())
        errors = int((side.expected_positive ^ side.given_positive).sum())
        return np.array([hits, errors, len(side.expected) - hits - errors])

    def f1(table: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.asarray(2 * table[..., 0] / (2 * table[..., 0] + table[..., 1]))

    first, second = counts(reference), counts(current)
    drawn = rng.multivariate_hypergeometric(first + second, len(reference.expected), PERMUTATIONS, method="marginals")
    return float(f1(second) - f1(first)), f1(first + second - drawn) - f1(drawn)


def _auc_permuted(reference: _Side, current: _Side, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """The difference of ROC AUC, and those of permutations."""
    parts = []
    for side in (reference, current):
        count = len(side.expected)
        rows = rng.permutation(count)[:_PERMUTED_ROWS]
        assert side.score is not None  # noqa: S101  the metric has a value, so there is a score
        parts.append((side.expected_positive[rows], side.score[rows]))
    positive = np.concatenate([each[0] for each in parts])
    _, group = np.unique(np.concatenate([each[1] for each in parts]), return_inverse=True)
    groups, first = int(group.max()) + 1, len(parts[0][0])
    rows = np.arange(len(positive))

    def auc(chosen: np.ndarray) -> float:
        hits = np.bincount(group[chosen[positive[chosen]]], minlength=groups)
        others = np.bincount(group[chosen[~positive[chosen]]], minlength=groups)
        pairs = int(hits.sum()) * int(others.sum())
        if not pairs:
            return math.nan
        return float(np.dot(hits, np.cumsum(others) - others / 2)) / pairs  # a tie is half of a pair

    difference = auc(rows[first:]) - auc(rows[:first])
    permuted = np.empty(PERMUTATIONS)
    for at in range(PERMUTATIONS):
        mixed = rng.permutation(rows)
        permuted[at] = auc(mixed[first:]) - auc(mixed[:first])
    return difference, permuted
