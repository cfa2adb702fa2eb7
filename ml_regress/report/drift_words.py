"""Drift in words: one sentence a column, one a batch, and numbers that pretend no precision they do not have."""

from collections.abc import Sequence

from ml_regress.core.drift_result import (
    DRIFT,
    NO_DRIFT,
    NOT_COMPARED,
    NOT_ENOUGH,
    NUMBER,
    ColumnDrift,
    DomainDrift,
    DriftReport,
    MetricDrift,
    Test,
)
from ml_regress.core.expectation import SCORE
from ml_regress.core.problem import LOWER_IS_BETTER
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.errors import shortened
from ml_regress.report.evidence import DASH

ARROW = "→"
# A p below this is one of how many digits a float has, not of the data.
SMALLEST_P = 1e-12
# The sign says it, so that no colour has to.
SIGNS = {DRIFT: "▲", NO_DRIFT: "✓", NOT_ENOUGH: "?", NOT_COMPARED: DASH}
NAMED = 5
REST = "other"  # what the rarest levels are drawn as
_SHORT_TESTS = {"Kolmogorov-Smirnov": "KS"}


def shown_name(column: str) -> str:
    """How a column is called: reserved ones without their sign."""
    if column.startswith(SCORE):
        return f"score of {column.removeprefix(SCORE)}"
    return {PREDICTION: "prediction", LABEL: "label"}.get(column, column)


def number_words(value: float) -> str:
    """A number with three digits that count; one from a thousand to a billion in full, rounded."""
    return f"{value:,.0f}" if 999.5 <= abs(value) < 1e9 else f"{value:.3g}"


def p_words(p: float) -> str:
    """A p value: two digits, and below 1e-12 no more than that."""
    return f"p < {SMALLEST_P:.0e}" if p < SMALLEST_P else f"p {p:.2g}"


def share_words(share: float) -> str:
    """A share as a percentage; one that is not 0 does not look like it."""
    if 0 < share < 0.001:
        return "< 0.1%"
    if 0.999 < share < 1:
        return "> 99.9%"
    return f"{share * 100:.1f}%".replace(".0%", "%")


def missing_shares(column: ColumnDrift) -> tuple[float | None, float | None]:
    """The shares of missing values in reference and batch; None for a side without rows."""
    sides = (
        (column.missing_reference, column.reference + column.missing_reference),
        (column.missing_current, column.current + column.missing_current),
    )
    reference, current = (missing / rows if rows else None for missing, rows in sides)
    return reference, current


def missing_words(column: ColumnDrift) -> str:
    """ "1% → 30%", one share where both are the same; a side without rows is a dash."""
    before, after = (DASH if share is None else share_words(share) for share in missing_shares(column))
    return before if before == after else f"{before} {ARROW} {after}"


def psi_words(column: ColumnDrift) -> str:
    """PSI beside what it stays below by chance at these sizes; "" where there is none."""
    if column.psi is None:
        return ""
    critical = "" if column.psi_critical is None else f" ({number_words(column.psi_critical)})"
    return f"{number_words(column.psi)}{critical}"


def size_words(column: ColumnDrift) -> str:
    """The size of the values' difference beside its limit; "" where the values were not tested."""
    test = column.values
    if test is None:
        return ""
    size = f"W1 {number_words(test.size)} sd" if column.kind == NUMBER else f"V {number_words(test.size)}"
    return f"{size} (limit {number_words(test.limit)})"


def tested_words(test: Test, tests: int = 0) -> str:
    """The test with its p after correction; `tests` is how many were made in all, 0 where that is not to be said."""
    correction = f" after correction of {tests} tests" if tests > 1 else ""
    return f"{_SHORT_TESTS.get(test.name, test.name)} {p_words(test.adjusted)}{correction}"


def moved_level(column: ColumnDrift) -> tuple[str, float, float] | None:
    """The level whose share moved most, with its shares in reference and batch; None for numbers."""
    shape = column.shape
    if column.kind == NUMBER or not shape.get("levels"):
        return None
    rows = list(zip(shape["levels"], shape["reference"], shape["current"], strict=True))
    if len(rows) > 2 and rows[-1][0] == REST:  # rather a level than the sum of the rarest ones
        rows.pop()
    # Of two levels both moved alike: the rarer one is what is looked for.
    level, before, after = max(rows, key=lambda row: (round(abs(row[2] - row[1]), 9), -row[1]))
    return str(level), float(before), float(after)


def middle_words(column: ColumnDrift) -> str:
    """ "mean 38.1 → 62.4", or the level whose share moved most; "" where neither is known."""
    if column.means is not None:
        before, after = (number_words(mean) for mean in column.means)
        return f"mean {before} {ARROW} {after}"
    level = moved_level(column)
    if level is None:
        return ""
    return f"share of {shortened(level[0], 40)!r} {share_words(level[1])} {ARROW} {share_words(level[2])}"


def column_words(column: ColumnDrift, tests: int = 0) -> str:
    """A column in one sentence, without a full stop.

    `tests` is how many the p is corrected for, where it is known.
    """
    verbs = {
        DRIFT: "drifts",
        NO_DRIFT: "does not drift",
        NOT_ENOUGH: "has not enough data",
        NOT_COMPARED: "is not compared",
    }
    why = finding_words(column, tests)
    return f"{shown_name(column.column)} {verbs[column.state]}" + (f": {why}" if why else "")


def finding_words(column: ColumnDrift, tests: int = 0) -> str:
    """What makes the state of a column, without its name; "" where nothing is known."""
    if not column.drifts:
        return column.reason
    parts = []
    if column.values is not None and column.values.drifts:
        parts += [middle_words(column), f"{size_words(column)}, {tested_words(column.values, tests)}"]
        parts += [levels_words("new", column.new_levels), levels_words("gone", column.vanished)]
        tests = 0  # said once
    if column.gaps is not None and column.gaps.drifts:
        before, after = missing_shares(column)
        parts.append(
            f"missing {share_words(before or 0.0)} {ARROW} {share_words(after or 0.0)} (limit "
            f"{number_words(column.gaps.limit * 100)} points), {tested_words(column.gaps, tests)}"
        )
    return "; ".join(filter(None, parts)) or column.reason


def levels_words(word: str, levels: Sequence[tuple[str, int]], most: int = 3) -> str:
    """ "new 'b' (12), 'c' (1) and 4 more"; "" where there are none."""
    if not levels:
        return ""
    shown = ", ".join(f"{shortened(level, 30)!r} ({count:,})" for level, count in levels[:most])
    more = f" and {len(levels) - most} more" if len(levels) > most else ""
    return f"{word} {shown}{more}"


def domain_words(domain: DomainDrift) -> str:
    """All columns together in one sentence, without a full stop."""
    if domain.auc is None or domain.bound is None:
        return f"all columns together: {domain.state}" + (f", {domain.reason}" if domain.reason else "")
    measured = f"AUC {domain.auc:.3f}, where chance stays below {domain.bound:.3f}"
    if domain.state != DRIFT:
        return f"all columns together do not drift: {measured}"
    drivers = ", ".join(shown_name(name) for name, _ in domain.drivers[:3])
    by = f", above all by {drivers}" if drivers else ""
    return f"all columns together drift: a classifier tells the rows apart{by} ({measured})"


def metric_words(metric: MetricDrift) -> str:
    """The metric in one sentence, without a full stop."""
    if metric.reference is None or metric.current is None:
        return f"{metric.metric} {metric.state}: {metric.reason}"
    moved = f"{metric.metric} {metric.reference:.3g} {ARROW} {metric.current:.3g}"
    if metric.state == DRIFT:
        better = (metric.current < metric.reference) == (metric.metric in LOWER_IS_BETTER)
        p = "" if metric.test is None else f", {tested_words(metric.test)}"
        return f"{metric.metric} drifts, to the {'better' if better else 'worse'}: {moved}{p}"
    if metric.state == NO_DRIFT:
        return f"{metric.metric} does not drift: {moved}"
    return f"{metric.metric} {metric.state} ({moved}): {metric.reason}"


def report_words(report: DriftReport) -> str:
    """The verdict on a batch in one sentence."""
    if report.reason:
        return f"Nothing of {report.batch} could be compared: {report.reason.rstrip('.')}."
    compared = [each for each in report.columns if each.state in (DRIFT, NO_DRIFT)]
    drifting = [each for each in report.drifting if each in report.columns]
    answers = [shown_name(each.column) for each in report.answers if each.drifts]
    parts = []
    if drifting:
        parts.append(f"{len(drifting)} of {counted(len(compared), 'column')} {_drift(drifting)} ({_named(drifting)})")
    if answers:
        parts.append(f"of the answers, {', '.join(answers)} {_drift(answers)}")
    if report.domain is not None and report.domain.state == DRIFT and not drifting:
        parts.append("no column drifts by itself, but all together do" if compared else "all columns together drift")
    if report.metric is not None and report.metric.state == DRIFT:
        parts.append(metric_words(report.metric))
    if parts:
        return f"{report.batch} drifts: {'; '.join(parts)}."
    if report.state == NO_DRIFT:
        others = len(report.columns) - len(compared)
        rest = f", {others} could not be compared" if others else ""
        what = f"none of {counted(len(compared), 'column')} drifts{rest}" if compared else "nothing compared drifts"
        return f"{report.batch} does not drift: {what}."
    if report.state == NOT_ENOUGH:
        return f"{report.batch} has not enough data to say whether it drifts: {_why(report)}."
    return f"Nothing of {report.batch} could be compared: {_why(report)}."


def answers_of(report: DriftReport, name: str) -> ColumnDrift | None:
    """One of the answers by its name, None where the report has none."""
    return next((each for each in report.answers if each.column == name), None)


def apart_words(report: DriftReport) -> str:
    """That labels and predictions went different ways, in one sentence; "" where they did not or it is not known.

    A label that moves while the prediction stays is what a model does not see of a changed world.
    """
    label, prediction = answers_of(report, LABEL), answers_of(report, PREDICTION)
    if label is None or prediction is None or {label.state, prediction.state} != {DRIFT, NO_DRIFT}:
        return ""
    moved, still = (label, prediction) if label.drifts else (prediction, label)
    both = f"{_answer_words(moved)}, {_answer_words(still)}"
    if moved is prediction:
        return f"The prediction moves while the label does not: {both}."
    scores = [shown_name(each.column) for each in report.answers if each.column.startswith(SCORE) and each.drifts]
    though = f"; of the scores, {', '.join(scores[:3])} {_drift(scores)}" if scores else ""
    return f"The label moves while the prediction does not: {both}{though}."


def tests_made(report: DriftReport) -> int:
    """How many tests of columns and answers the check made."""
    return sum(test is not None for each in report.all_columns for test in (each.values, each.gaps))


def ordered(columns: Sequence[ColumnDrift]) -> list[ColumnDrift]:
    """Columns with the worst first: drifting ones by how far, then those that were not compared, then the others."""
    rank = {DRIFT: 0, NOT_COMPARED: 1, NOT_ENOUGH: 2, NO_DRIFT: 3}
    return sorted(columns, key=lambda each: (rank[each.state], -each.excess, each.column))


def counted(number: int, word: str) -> str:
    """ "1 batch", "2 batches"."""
    plural = word + ("es" if word.endswith("ch") else "s")
    return f"{number:,} {word if number == 1 else plural}"


def _answer_words(column: ColumnDrift) -> str:
    return f"{shown_name(column.column)} {middle_words(column) or column.state}"


def _named(columns: Sequence[ColumnDrift]) -> str:
    names = ", ".join(shown_name(each.column) for each in columns[:NAMED])
    return names + (f" and {len(columns) - NAMED} more" if len(columns) > NAMED else "")


def _drift(what: Sequence[object]) -> str:
    return "drifts" if len(what) == 1 else "drift"


def _why(report: DriftReport) -> str:
    """The reasons why nothing could be said, each once."""
    parts = [*report.all_columns, *(each for each in (report.domain, report.metric) if each is not None)]
    reasons = list(dict.fromkeys(each.reason.rstrip(".") for each in parts if each.reason))
    if not reasons:
        return "there are no columns to compare"
    return "; ".join(reasons[:2]) + (f" and {len(reasons) - 2} more reasons" if len(reasons) > 2 else "")
