"""All columns together: can a classifier tell rows of a batch from rows of the reference?

A classifier is trained on half of the rows of both sides and asked about the other half. Where
nothing drifted, the sides of the held-out rows are exchangeable, so the AUC over them is held
against what it is when these sides are permuted: an exact test for any number of rows, unlike a
fixed limit of the AUC.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.column_values import are_dates, days_of, is_number, numbers_of, texts_of
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, NOT_ENOUGH, DomainDrift
from ml_regress.core.production import DriftRules
from ml_regress.core.sampling import sample_of
from ml_regress.core.threads import one_thread

# Rows of a side beyond which more of them no longer change what is said.
SAMPLE = 5_000
# An AUC nearer to a half than this is no drift that matters, however many rows make it significant.
PRACTICAL_SIZE = 0.05
PERMUTATIONS = 2_000
MOST_LEVELS = 100
MOST_DRIVERS = 10
SMALLEST_FALL = 0.005
_REPEATS = 5
# Shuffling each of hundreds of columns several times would take longer than everything else.
_SHUFFLES = 60
_BLOCK = 1_000_000  # numbers that are permuted at once


@dataclass(frozen=True)
class _Rows:
    """Encoded rows of both sides (rows x columns, NaN missing), who is of the batch, and who is held out."""

    names: tuple[str, ...]
    values: np.ndarray
    categories: tuple[bool, ...]
    current: np.ndarray
    held_out: np.ndarray


def domain_drift(reference: pd.DataFrame, current: pd.DataFrame, rules: DriftRules, seed: int = 0) -> DomainDrift:
    """Whether the columns together differ; both frames have the same columns, missing values are NaN or None.

    Drift is said where p is at most `rules.alpha`, the AUC is at least its 95% bound, and it is at least
    `PRACTICAL_SIZE` away from a half. Raises ValueError where the columns are not the same.
    """
    if set(reference.columns) != set(current.columns):
        odd = sorted(map(str, set(reference.columns) ^ set(current.columns)))
        raise ValueError(f"the reference and the batch have different columns: {', '.join(odd)} is only in one")
    fewest = 2 * rules.fewest
    if min(len(reference), len(current)) < fewest:
        rows = f"{len(reference)} rows in the reference, {len(current)} in the batch"
        return DomainDrift(NOT_ENOUGH, f"{rows}; a classifier needs {fewest} of each")
    names = [name for name in reference.columns if name not in rules.ignored]
    if not names:
        said = "there are no columns" if not len(reference.columns) else "all columns are ignored"
        return DomainDrift(NOT_COMPARED, said)
    # The rows first: a wide frame is copied column by column, and only where it has to be.
    sides = [
        side.iloc[sample_of(len(side), SAMPLE, seed + place)][names] if len(side) > SAMPLE else side[names]
        for place, side in enumerate((reference, current))
    ]
    rows_of_both = _encoded(sides[0], sides[1], seed)
    if not rows_of_both.names:
        return DomainDrift(NOT_COMPARED, "no column varies: each is constant, empty or has a new value in each row")
    return _judged(rows_of_both, rules, seed)


def auc_of(scores: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs in which the positive row has the higher score; ties count half (Mann-Whitney)."""
    return float(_aucs(_ranks(scores)[positive].sum(), int(positive.sum()), len(positive)))


def permuted_aucs(scores: np.ndarray, positive: np.ndarray, seed: int = 0, count: int = PERMUTATIONS) -> np.ndarray:
    """`count` AUCs of these scores, each with the sides of the rows permuted."""
    ranks = _ranks(scores)
    rows, positives = len(ranks), int(positive.sum())
    generator = np.random.default_rng(seed)
    at_once = max(1, _BLOCK // rows)
    sums = []
    for first in range(0, count, at_once):
        block = np.tile(ranks, (min(at_once, count - first), 1))
        sums.append(generator.permuted(block, axis=1, out=block)[:, :positives].sum(axis=1))
    return np.asarray(_aucs(np.concatenate(sums), positives, rows))


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks from 1; ties share their mean rank."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


def _aucs(sums: np.ndarray, positives: int, rows: int) -> np.ndarray:
    return np.asarray((sums - positives * (positives + 1) / 2) / (positives * (rows - positives)))


def _judged(rows: _Rows, rules: DriftRules, seed: int) -> DomainDrift:
    held_out, positive = rows.values[rows.held_out], rows.current[rows.held_out]
    with one_thread():
        model = _trained(rows, seed)
        scores = model.decision_function(held_out)
        auc = auc_of(scores, positive)
        null = permuted_aucs(scores, positive, seed)
        bound = float(np.quantile(null, 0.95))
        # A sum of ranks in another order may differ in its last digit from one that is the same.
        p = float((1 + (null >= auc - 1e-12).sum()) / (1 + len(null)))
        drifts = p <= rules.alpha and auc >= bound and auc - 0.5 >= PRACTICAL_SIZE
        drivers = _drivers(model, rows, auc, seed) if drifts else ()
    sizes = (int((~positive).sum()), int(positive.sum()))
    found = DomainDrift(DRIFT if drifts else NO_DRIFT, "", auc, bound, p, sizes, drivers)
    return replace(found, reason=_reason(found, p <= rules.alpha and auc >= bound))


def _reason(found: DomainDrift, significant: bool) -> str:
    reference, current = found.held_out
    measured = (
        f"AUC {found.auc:.3f} over {reference} and {current} held-out rows, where 95% of permutations are "
        f"below {found.bound:.3f}"
    )
    if found.state == DRIFT:
        by = ", ".join(f"{name} ({fall:.3f})" for name, fall in found.drivers[:3])
        named = f", above all by {by}" if by else ", by no single column"
        return f"a classifier tells rows of the batch from rows of the reference{named}: {measured}"
    if significant:
        return f"a classifier tells the sides apart, but by less than {PRACTICAL_SIZE:g} above a half: {measured}"
    return f"a classifier does not tell rows of the batch from rows of the reference: {measured}"


def _encoded(reference: pd.DataFrame, current: pd.DataFrame, seed: int) -> _Rows:
    """Rows of both sides with half of each side held out; columns that say nothing are left out."""
    generator = np.random.default_rng(seed)
    halves = []
    for count in (len(reference), len(current)):
        half = np.zeros(count, dtype=bool)
        half[generator.permutation(count)[: count // 2]] = True
        halves.append(half)
    held_out = np.concatenate(halves)
    names, blocks, categories = [], [], []
    for name in reference.columns:
        values, is_category = _column(reference[name], current[name], ~held_out)
        there = values[~np.isnan(values)]
        gaps = len(values) - len(there)
        if len(there) and (gaps or (there != there[0]).any()):
            names.append(str(name))
            blocks.append(values)
            categories.append(is_category)
    matrix = np.column_stack(blocks) if blocks else np.zeros((len(held_out), 0))
    side = np.repeat([False, True], [len(reference), len(current)])
    return _Rows(tuple(names), matrix, tuple(categories), side, held_out)


def _column(reference: "pd.Series[Any]", current: "pd.Series[Any]", training: np.ndarray) -> tuple[np.ndarray, bool]:
    """A column of both sides as numbers, and whether these are codes of levels; NaN where missing.

    Levels are those of the rows in `training`, so that no held-out row tells which it has.
    """
    if is_number(reference) and is_number(current):
        return np.concatenate([numbers_of(reference), numbers_of(current)]), False
    texts = np.concatenate([texts_of(reference), texts_of(current)])
    if are_dates(texts):
        return days_of(texts), False
    series = pd.Series(texts)
    counts = series[training].value_counts()
    # Levels of which each row has its own would be learned by heart; how long they are may still say something.
    if len(counts) > MOST_LEVELS and len(counts) > counts.sum() / 2:
        return series.str.len().to_numpy(dtype=np.float64, na_value=np.nan), False
    # The order of equal counts must not depend on the order of the rows.
    frequent = sorted(counts.index, key=lambda level: (-counts[level], level))[:MOST_LEVELS]
    codes = series.map({level: float(code) for code, level in enumerate(frequent)})
    found = codes.to_numpy(dtype=np.float64, na_value=np.nan)
    others = np.isnan(found) & series.notna().to_numpy()
    return np.where(others, float(len(frequent)), found), True


def _trained(rows: _Rows, seed: int) -> Any:
    # Importing it takes as long as a whole command that compares nothing.
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415

    training = ~rows.held_out
    model = HistGradientBoostingClassifier(
        max_iter=40,
        max_leaf_nodes=15,
        # With the usual 20 a few dozen rows are never split.
        min_samples_leaf=int(np.clip(training.sum() // 20, 4, 20)),
        l2_regularization=1.0,
        max_bins=MOST_LEVELS + 27,
        categorical_features=np.array(rows.categories),
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(rows.values[training], rows.current[training])


def _drivers(model: Any, rows: _Rows, auc: float, seed: int) -> tuple[tuple[str, float], ...]:
    """The columns by how much the AUC falls, on average, when a column of the held-out rows is shuffled."""
    generator = np.random.default_rng(seed)
    held_out, positive = rows.values[rows.held_out], rows.current[rows.held_out]
    repeats = int(np.clip(_SHUFFLES // len(rows.names), 1, _REPEATS))
    falls = []
    shuffled = held_out.copy()
    for place, name in enumerate(rows.names):
        losses = []
        for _ in range(repeats):
            shuffled[:, place] = generator.permutation(held_out[:, place])
            losses.append(auc - auc_of(model.decision_function(shuffled), positive))
        shuffled[:, place] = held_out[:, place]
        falls.append((name, float(np.mean(losses))))
    large = [each for each in falls if each[1] >= SMALLEST_FALL]
    return tuple(sorted(large, key=lambda each: -each[1])[:MOST_DRIVERS])
