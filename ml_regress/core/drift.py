"""Which columns drift: all tests of a check together, corrected for being many, and the reason in words.

A column drifts where a test is significant after Benjamini-Hochberg *and* the difference is of practical size: large
batches make every difference significant, small ones make every difference large.
"""

from collections.abc import Sequence
from dataclasses import replace

from ml_regress.core.compared import Compared
from ml_regress.core.drift_levels import compare_levels
from ml_regress.core.drift_numbers import compare_numbers
from ml_regress.core.drift_result import (
    DRIFT,
    NO_DRIFT,
    NOT_COMPARED,
    NOT_ENOUGH,
    NUMBER,
    ColumnDrift,
    Test,
)
from ml_regress.core.paired import BENJAMINI_HOCHBERG, adjusted
from ml_regress.core.production import DriftRules

__all__ = ["DRIFT_VERSION", "Compared", "compare_levels", "compare_numbers", "judged", "not_compared"]

# Raised with every change of what a number or a state means: batches are checked again.
DRIFT_VERSION = "1"
# Where the reference knows one value, this many show that a batch holds it, or another one.
FEWEST_OF_CONSTANT = 5
_OF_COMPARED = ("reason", "sparse", "simple", "skipped")


def not_compared(column: str, kind: str, reason: str, reference: int = 0, current: int = 0) -> Compared:
    """A column of which nothing is compared, and why; the counts are of values that are there."""
    return Compared(column, kind, reference=reference, current=current, reason=reason, skipped=True)


def judged(compared: Sequence[Compared], rules: DriftRules) -> tuple[ColumnDrift, ...]:
    """The columns in their order, each with its state. Tests of all columns are corrected together.

    A test that is not made (too few values; nothing missing anywhere) is none of them.
    """
    admitted = [_admitted(each, rules) for each in compared]
    tests = [test for each in admitted for test in (each.values, each.gaps) if test is not None]
    corrected = iter(adjusted([test.p for test in tests], BENJAMINI_HOCHBERG))

    def correct(test: Test | None) -> Test | None:
        return None if test is None else replace(test, adjusted=next(corrected), alpha=rules.alpha)

    result = []
    for each in admitted:
        values = correct(each.values)  # values before gaps, as they were listed
        gaps = correct(each.gaps)
        result.append(_stated(replace(each, values=values, gaps=gaps), rules, len(tests)))
    return tuple(result)


def _admitted(each: Compared, rules: DriftRules) -> Compared:
    """Without the tests that too few values stand behind."""
    values, gaps = each.values, each.gaps
    if min(each.reference, each.current) < _fewest(each, rules):
        values = None
    if min(each.reference + each.missing_reference, each.current + each.missing_current) < rules.fewest:
        gaps = None
    elif gaps is not None:
        gaps = replace(gaps, limit=rules.missing)
    return replace(each, values=values, gaps=gaps)


def _fewest(each: Compared, rules: DriftRules) -> int:
    return min(rules.fewest, FEWEST_OF_CONSTANT) if each.simple else rules.fewest


def _stated(each: Compared, rules: DriftRules, tests: int) -> ColumnDrift:
    state, reason = _state(each, rules, tests)
    shared = {name: value for name, value in vars(each).items() if name not in _OF_COMPARED}
    return ColumnDrift(**shared, state=state, reason=reason)


def _state(each: Compared, rules: DriftRules, tests: int) -> tuple[str, str]:
    if each.skipped:
        return NOT_COMPARED, each.reason
    found = []
    if each.values is not None and each.values.drifts:
        found.append(_values_words(each, each.values, tests))
    if each.gaps is not None and each.gaps.drifts:
        found.append(_gaps_words(each, each.gaps, tests))
    if found:
        return DRIFT, "; ".join(found)
    if each.reason:
        return NOT_COMPARED, each.reason
    if each.values is None:
        return _nothing_tested(each, rules)
    return NO_DRIFT, _calm_words(each, each.values, tests)


def _nothing_tested(each: Compared, rules: DriftRules) -> tuple[str, str]:
    rows, other_rows = each.reference + each.missing_reference, each.current + each.missing_current
    if not each.reference and not each.current and min(rows, other_rows) >= rules.fewest:
        return NO_DRIFT, f"missing on both sides: in all {rows:,} and all {other_rows:,} rows"
    empty = [side for side, count in (("the reference", rows), ("the batch", other_rows)) if not count]
    if empty:
        return NOT_ENOUGH, f"no data: {' and '.join(empty)} {'has' if len(empty) == 1 else 'have'} no rows"
    few = [
        f"{side} has {count:,} {'value' if count == 1 else 'values'}"
        for side, count in (("the reference", each.reference), ("the batch", each.current))
        if count < rules.fewest
    ]
    if few:
        return NOT_ENOUGH, f"{' and '.join(few)}; it takes {rules.fewest} on each side"
    return NOT_ENOUGH, each.sparse


def _values_words(each: Compared, test: Test, tests: int) -> str:
    if each.kind == NUMBER:
        size = (
            f"moved by {_number(test.size)} times {_spread_words(each)} (Wasserstein distance, limit "
            f"{_number(test.limit)})"
        )
        if each.means is not None:
            size += f", mean {each.means[0]:.4g} to {each.means[1]:.4g}"
    else:
        size = f"levels are distributed otherwise: V {_number(test.size)} (limit {_number(test.limit)})"
        if each.new_levels:
            size += f", new {_level_words(each.new_levels, each.current)}"
        if each.vanished:
            size += f", gone {_level_words(each.vanished, each.reference)}"
    return f"{size}; {_p_words(test, tests)}"


def _spread_words(each: Compared) -> str:
    return "the floor of the spread, for the reference is constant" if each.simple else "the reference's spread"


def _level_words(levels: Sequence[tuple[str, int]], total: int) -> str:
    level, count = levels[0]
    others = "" if len(levels) == 1 else f" and {len(levels) - 1} more"
    shown = level if len(level) <= 40 else level[:39] + "…"
    return f"{shown!r} ({count:,} of {total:,}){others}"


def _gaps_words(each: Compared, test: Test, tests: int) -> str:
    before = each.missing_reference / (each.reference + each.missing_reference)
    now = each.missing_current / (each.current + each.missing_current)
    return (
        f"{now:.1%} missing, {before:.1%} in the reference (limit {test.limit * 100:g} points); {_p_words(test, tests)}"
    )


def _calm_words(each: Compared, test: Test, tests: int) -> str:
    unit = "times the reference's spread" if each.kind == NUMBER else ""
    name = "moved by" if each.kind == NUMBER else "V"
    size = " ".join(part for part in (name, _number(test.size), unit) if part)
    if each.simple and test.size == 0:
        return "the same constant on both sides"
    if not test.significant:
        return f"{size}, which chance explains; {_p_words(test, tests)}"
    return f"{size}, less than the limit {_number(test.limit)}; {_p_words(test, tests)}"


def _p_words(test: Test, tests: int) -> str:
    correction = f" after correction for {tests} tests" if tests > 1 else ""
    return f"{test.name} p {test.adjusted:.2g}{correction}"


def _number(value: float) -> str:
    return f"{value:.3g}"
