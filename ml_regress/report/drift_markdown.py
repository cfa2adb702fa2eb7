"""Drift as Markdown for the Dagster UI: tables whose free text cannot become markup, and small pictures."""

from collections.abc import Sequence

from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NUMBER, ColumnDrift, DriftReport, Test
from ml_regress.report.drift_pictures import worst_pictures
from ml_regress.report.drift_words import (
    SIGNS,
    apart_words,
    domain_words,
    levels_words,
    metric_words,
    middle_words,
    missing_words,
    ordered,
    p_words,
    psi_words,
    report_words,
    shown_name,
    size_words,
)
from ml_regress.report.evidence import DASH
from ml_regress.report.markdown import markdown_table, markdown_text

__all__ = ["COLUMNS_SHOWN", "drift_markdown", "pictures_markdown", "worst_pictures"]

COLUMNS_SHOWN = 30
HEADER = [
    "Column",
    "State",
    "Moved",
    "Size",
    "p",
    "PSI (critical)",
    "Missing",
    "New, gone levels",
    "Outside",
    "Why not",
]


def drift_markdown(report: DriftReport) -> str:
    """A check as a sentence and tables: inputs with the worst first, answers, all columns together, the metric."""
    parts = [markdown_text(report_words(report), 600)]
    if apart_words(report):
        parts.append(f"**{markdown_text(apart_words(report), 400)}**")
    parts.append(
        f"Held against: {markdown_text(report.reference or DASH)}, {report.rows[0]:,} rows; {report.rows[1]:,} here."
    )
    parts += [markdown_text(note, 400) for note in report.notes]
    if report.columns:
        worst = ordered(report.columns)
        parts.append(_table(worst[:COLUMNS_SHOWN]))
        left_out = len(worst) - COLUMNS_SHOWN
        if left_out > 0:
            hidden = sum(each.drifts for each in worst[COLUMNS_SHOWN:])
            drift = f"{hidden:,} of them drift" if hidden else "none of them drifts"
            parts.append(f"{left_out:,} of {len(worst):,} columns are left out, the calmest ones; {drift}.")
    if report.answers:
        parts.append(_table(report.answers))
    together = []
    if report.domain is not None:
        drivers = ", ".join(f"{shown_name(name)} ({fall:.3f})" for name, fall in report.domain.drivers)
        together.append(["all columns together", _state(report.domain.state), domain_words(report.domain), drivers])
    if report.metric is not None:
        rows = f"{report.metric.rows[0]:,} and {report.metric.rows[1]:,} labelled rows"
        together.append([report.metric.metric, _state(report.metric.state), metric_words(report.metric), rows])
    if together:
        rows_of_both = [[markdown_text(text, 400) for text in row] for row in together]
        parts.append(markdown_table(["What", "State", "Measured", "By"], rows_of_both))
    return "\n\n".join(parts)


def pictures_markdown(report: DriftReport, most: int = 6) -> str:
    """Small pictures of the worst columns as Markdown; "" where nothing drifts."""
    pictures = worst_pictures(report, most)
    if not pictures:
        return ""
    note = "Filled: the reference. Line or frame: the batch. The outermost bars of numbers hold all that is beyond."
    return "\n\n".join([*(f"![{markdown_text(name)}]({uri})" for name, uri in pictures), note])


def _table(columns: Sequence[ColumnDrift]) -> str:
    return markdown_table(HEADER, [_row(column) for column in columns])


def _row(column: ColumnDrift) -> list[str]:
    levels = [levels_words("new", column.new_levels), levels_words("gone", column.vanished)]
    return [
        markdown_text(shown_name(column.column), 60),
        _state(column.state),
        markdown_text(middle_words(column)),
        markdown_text(size_words(column)) or DASH,
        DASH if column.values is None else _p(column.values),
        psi_words(column) or DASH,
        _missing(column),
        markdown_text("; ".join(filter(None, levels)), 160),
        f"{column.outside:,}" if column.kind == NUMBER and column.values is not None else DASH,
        "" if column.state in (DRIFT, NO_DRIFT) else markdown_text(column.reason, 160),
    ]


def _missing(column: ColumnDrift) -> str:
    words = missing_words(column).replace("<", "&lt;")
    return words if column.gaps is None else f"{words} (p {_p(column.gaps)})"


def _p(test: Test) -> str:
    return p_words(test.adjusted).removeprefix("p ").replace("<", "&lt;")


def _state(state: str) -> str:
    return f"{SIGNS[state]} {state}"
