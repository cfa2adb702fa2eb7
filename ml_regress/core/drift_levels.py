"""A column of levels against its profile: two-sample chi-square, and the bias-corrected V of Cramer as the size."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ml_regress.core.compared import Compared, gaps_test
from ml_regress.core.contingency import FEWEST_EXPECTED, chi_square, cramers_v, fisher
from ml_regress.core.divergence import jensen_shannon, psi, psi_critical
from ml_regress.core.drift_result import CATEGORY, Test
from ml_regress.core.profile import LevelProfile, is_identifier

LEVELS_KEPT = 20
LEVELS_DRAWN = 12


def compare_levels(profile: LevelProfile, counts: Mapping[str, int], missing: int, size_limit: float) -> Compared:
    """Levels of a batch with their counts against the profile of the reference; missing is no level (see `gaps`).

    PSI and Jensen-Shannon are of all levels. The test and its size are of cells that chi-square holds for: the
    rarest levels count as one.
    """
    there = {level: count for level, count in counts.items() if count}
    total = sum(there.values())
    known: dict[str, Any] = {
        "column": profile.name,
        "kind": CATEGORY,
        "reference": profile.count,
        "current": total,
        "missing_reference": profile.missing,
        "missing_current": missing,
        "gaps": gaps_test(profile.count, profile.missing, total, missing),
    }
    if not profile.count or not total:
        return Compared(**known)
    if profile.identifier and is_identifier(len(there), total):
        reason = (
            f"it names rows rather than describes them: {profile.distinct:,} levels in {profile.count:,} values of the "
            f"reference, {len(there):,} in {total:,} of the batch"
        )
        return Compared(**known, reason=reason)
    names, reference, current = _aligned(profile, there)
    test = _test(names, reference, current, size_limit)
    r, c = reference / profile.count, current / total
    whole = profile.distinct == len(profile.levels)  # else the rest of an identifier stands in one cell
    return Compared(
        **known,
        values=test,
        sparse="" if test else "every level is too rare to be compared: fewer than 5 values of a cell are expected",
        psi=psi(r, c),
        psi_critical=psi_critical(len(names), profile.count, total),
        js=jensen_shannon(r, c),
        new_levels=_alone(names, current, reference) if whole else (),
        vanished=_alone(names, reference, current) if whole else (),
        shape=_shape(names, r, c),
        simple=profile.constant,
    )


def merged(names: list[str], reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The table with its rarest levels in one cell, so that at least 5 of each cell are expected on each side.

    Rare is a level whose counts of both sides together are few (then comes its name): the choice knows nothing of
    how they differ, so the test keeps its rate of false alarms.
    """
    pooled = reference + current
    order = np.array(sorted(range(len(names)), key=lambda place: (-pooled[place], names[place])))
    expected = pooled[order] * (min(reference.sum(), current.sum()) / pooled.sum())
    keep = int((expected >= FEWEST_EXPECTED).sum())
    if keep < len(order) and expected[keep:].sum() < FEWEST_EXPECTED and keep:
        keep -= 1  # the rarest together are too few as well: the next one joins them
    if keep == len(order):
        return reference[order], current[order]
    a, b = reference[order], current[order]
    return np.append(a[:keep], a[keep:].sum()), np.append(b[:keep], b[keep:].sum())


def _test(names: list[str], reference: np.ndarray, current: np.ndarray, limit: float) -> Test | None:
    """Chi-square; where fewer than two cells remain, Fisher's test of the most frequent level; None without it."""
    if len(reference) == 1:
        return Test("chi-square", 0.0, 1.0, 0.0, limit)
    a, b = merged(names, reference, current)
    if len(a) >= 2:
        statistic, p = chi_square(a, b)
        return Test("chi-square", statistic, p, cramers_v(a, b), limit)
    most = int(np.argmax(reference + current))
    first, second = int(reference[most]), int(current[most])
    others, other_seconds = int(reference.sum()) - first, int(current.sum()) - second
    if first + second < FEWEST_EXPECTED:
        return None
    size = cramers_v(np.array([first, others]), np.array([second, other_seconds]))
    difference = second / (second + other_seconds) - first / (first + others)
    return Test("Fisher", difference, fisher(first, others, second, other_seconds), size, limit)


def _aligned(profile: LevelProfile, counts: Mapping[str, int]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The levels of both sides with their counts; one more cell for the levels of an identifier that are not kept."""
    places = {level: place for place, level in enumerate(profile.levels)}
    names = [*profile.levels, *sorted(level for level in counts if level not in places)]
    reference = np.zeros(len(names), dtype=np.int64)
    reference[: len(profile.levels)] = profile.counts
    current = np.array([counts.get(level, 0) for level in names], dtype=np.int64)
    unnamed = profile.count - int(profile.counts.sum())
    if unnamed:
        return [*names, "(others)"], np.append(reference, unnamed), np.append(current, 0)
    return names, reference, current


def _alone(names: list[str], here: np.ndarray, there: np.ndarray) -> tuple[tuple[str, int], ...]:
    """The levels that only one side has, the largest first."""
    found = [(names[place], int(here[place])) for place in np.flatnonzero((here > 0) & (there == 0))]
    return tuple(sorted(found, key=lambda each: (-each[1], each[0]))[:LEVELS_KEPT])


def _shape(names: list[str], r: np.ndarray, c: np.ndarray) -> dict[str, Any]:
    """The most frequent levels by both shares, and the rest as one."""
    order = np.argsort(-(r + c), kind="stable")
    shown, rest = order[:LEVELS_DRAWN], order[LEVELS_DRAWN:]
    drawn = {
        "levels": [names[place] for place in shown],
        "reference": r[shown].tolist(),
        "current": c[shown].tolist(),
    }
    if len(rest):
        drawn["levels"].append("other")
        drawn["reference"].append(float(r[rest].sum()))
        drawn["current"].append(float(c[rest].sum()))
    return drawn
