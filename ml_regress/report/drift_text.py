"""Drift for the terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ml_regress.core.batch import Batch
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, ColumnDrift, DriftReport
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.report.drift_words import (
    SIGNS,
    answers_of,
    apart_words,
    counted,
    domain_words,
    metric_words,
    middle_words,
    missing_words,
    ordered,
    p_words,
    report_words,
    shown_name,
    size_words,
)
from ml_regress.report.plain import plain

COLUMNS_SHOWN = 40
WORST = 4
STYLES = {DRIFT: "yellow", NO_DRIFT: "cyan"}


def drift_text(report: DriftReport, most: int = COLUMNS_SHOWN) -> Group:
    """One check: the verdict, a table of columns with the worst first, answers, all columns together, the metric."""
    parts: list[Text | Table] = [_line(report_words(report))]
    if apart_words(report):
        parts.append(_line(apart_words(report), "bold"))
    if report.reference:
        parts.append(
            _line(f"held against {report.reference}: {report.rows[0]:,} rows, {report.rows[1]:,} in the batch")
        )
    columns = ordered(report.columns)
    if columns or report.answers:
        parts.append(_table([*report.answers, *columns[:most]]))
    if len(columns) > most:
        hidden = sum(each.drifts for each in columns[most:])
        drift = f"{hidden:,} of them drift" if hidden else "none of them drifts"
        parts.append(_line(f"{len(columns) - most:,} of {counted(len(columns), 'column')} left out (calmest); {drift}"))
    if report.domain is not None:
        parts.append(_line(domain_words(report.domain)))
    if report.metric is not None:
        parts.append(_line(metric_words(report.metric)))
    parts += [_line(f"note: {note}", "dim") for note in report.notes]
    return Group(*parts)


def batches_text(batches: Sequence[Batch], drifts: Mapping[str, DriftReport]) -> Table:
    """The newest check of each batch, in order of time."""
    table = Table()
    for name in ("batch", "rows", "state", "worst columns", "prediction", "label", "together", "metric", "candidate"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    for batch in batches:
        table.add_row(*_batch_row(batch, drifts.get(batch.id)))
    return table


def _table(columns: Sequence[ColumnDrift]) -> Table:
    table = Table()
    for name in ("column", "state", "moved", "size (limit)", "p", "missing", "why"):
        table.add_column(name)
    for each in columns:
        said = "" if each.state in (DRIFT, NO_DRIFT) else each.reason
        p = "" if each.values is None else p_words(each.values.adjusted).removeprefix("p ")
        cells = (middle_words(each), size_words(each), p, missing_words(each), said)
        table.add_row(_text(shown_name(each.column)), _state(each.state), *map(_text, cells))
    return table


def _batch_row(batch: Batch, report: DriftReport | None) -> list[Text]:
    rows = f"{batch.rows:,}"
    if not batch.usable:
        first = batch.reasons[0] if batch.reasons else ""
        return [_text(batch.id), _text(rows), Text(f"✗ {batch.state}", "magenta"), _text(first)]
    if report is None:
        return [_text(batch.id), _text(rows), Text("… not checked yet", "dim")]
    drifting = [shown_name(each.column) for each in report.drifting if each in report.columns]
    more = f" and {len(drifting) - WORST} more" if len(drifting) > WORST else ""
    answers = [answers_of(report, name) for name in (PREDICTION, LABEL)]
    domain, metric = report.domain, report.metric
    return [
        _text(batch.id),
        _text(rows),
        _state(report.state),
        _text(report.reason or ", ".join(drifting[:WORST]) + more),
        *(Text("") if each is None else _state(each.state, middle_words(each)) for each in answers),
        Text("") if domain is None else _state(domain.state, "" if domain.auc is None else f"AUC {domain.auc:.3f}"),
        Text("") if metric is None else _state(metric.state, "" if metric.current is None else f"{metric.current:.3g}"),
        _text(report.candidate or ""),
    ]


def _state(state: str, number: str = "") -> Text:
    """A state with its sign; with a number that tells it, the sign alone stands before that."""
    shown = f"{SIGNS[state]} {number}" if number else f"{SIGNS[state]} {state}"
    return Text(plain(shown), STYLES.get(state, "dim"))


def _line(text: str, style: str = "") -> Text:
    return Text(plain(text), style)


def _text(text: str) -> Text:
    # Text, not str: names and levels may hold what rich would read as its own markup.
    return Text(plain(text))
