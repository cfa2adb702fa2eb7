"""Which columns drift in which batches, as a table: things down, batches across in order of time."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_regress.core.batch import Batch
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, ColumnDrift, DriftReport
from ml_regress.errors import shortened
from ml_regress.report.drift_words import SIGNS, column_words, domain_words, metric_words, shown_name
from ml_regress.report.series import worst_columns

COLUMNS_SHOWN = 30
FAR = 5.0  # times its limit, from when on a cell is darker


@dataclass(frozen=True)
class HeatCell:
    """One cell: its sign and number, its class, and what a pointer over it is told."""

    text: str
    css: str
    title: str = ""


@dataclass(frozen=True)
class HeatRow:
    """A column, an answer, all columns together or the metric, over the batches."""

    name: str
    cells: tuple[HeatCell, ...]
    first: bool = False


@dataclass(frozen=True)
class Heat:
    """The table; `left_out` says which columns it has no row for."""

    rows: tuple[HeatRow, ...]
    left_out: str


def drift_heat(batches: Sequence[Batch], reports: Sequence[DriftReport | None], most: int = COLUMNS_SHOWN) -> Heat:
    """Answers, metric and all columns together, then the `most` worst columns."""
    pairs = list(zip(batches, reports, strict=True))
    rows = []
    answers = dict.fromkeys(each.column for report in reports if report for each in report.answers)
    for name in answers:
        rows.append(HeatRow(shown_name(name), tuple(_column(batch, report, name) for batch, report in pairs)))
    for metric in dict.fromkeys(report.metric.metric for report in reports if report and report.metric):
        rows.append(HeatRow(metric, tuple(_metric(batch, report, metric) for batch, report in pairs)))
    if any(report and report.domain for report in reports):
        rows.append(HeatRow("all columns together", tuple(_domain(batch, report) for batch, report in pairs)))
    names = worst_columns(reports)
    for place, name in enumerate(names[:most]):
        cells = tuple(_column(batch, report, name) for batch, report in pairs)
        rows.append(HeatRow(shown_name(name), cells, first=not place and bool(rows)))
    hidden = names[most:]
    if not hidden:
        return Heat(tuple(rows), "")
    drifting = {each.column for report in reports if report for each in report.columns if each.drifts}
    rest = len(drifting.intersection(hidden))
    words = f"{rest:,} of them drift in some batch" if rest else "none of them drifts in any batch shown"
    return Heat(tuple(rows), f"{len(hidden):,} of {len(names):,} columns are left out, the calmest ones; {words}.")


def _unchecked(batch: Batch, report: DriftReport | None) -> HeatCell | None:
    if not batch.usable:
        return HeatCell("✗", "held", "quarantined")
    if report is None:
        return HeatCell("…", "unsaid", "not checked yet")
    return None


def _column(batch: Batch, report: DriftReport | None, name: str) -> HeatCell:
    unchecked = _unchecked(batch, report)
    if unchecked is not None or report is None:
        return unchecked or HeatCell("", "unsaid")
    found = next((each for each in report.all_columns if each.column == name), None)
    return HeatCell("", "unsaid", "no such column") if found is None else _cell(found)


def _cell(column: ColumnDrift) -> HeatCell:
    if column.state == DRIFT:
        times = (
            "99+"
            if column.excess >= 99.5
            else f"{column.excess:.1f}"
            if column.excess < 9.95
            else f"{column.excess:.0f}"
        )
        css = "drift far" if column.excess >= FAR else "drift"
        return HeatCell(f"{SIGNS[DRIFT]} {times}", css, shortened(column_words(column), 200))
    if column.state == NO_DRIFT:
        return HeatCell("·", "calm")
    return HeatCell(SIGNS[column.state], "unsaid", shortened(column_words(column), 120))


def _metric(batch: Batch, report: DriftReport | None, name: str) -> HeatCell:
    unchecked = _unchecked(batch, report)
    if unchecked is not None or report is None:
        return unchecked or HeatCell("", "unsaid")
    metric = report.metric
    if metric is None or metric.metric != name:
        return HeatCell("", "unsaid", "not measured")
    return _measured(metric.state, metric.current, metric_words(metric))


def _domain(batch: Batch, report: DriftReport | None) -> HeatCell:
    unchecked = _unchecked(batch, report)
    if unchecked is not None or report is None:
        return unchecked or HeatCell("", "unsaid")
    domain = report.domain
    if domain is None:
        return HeatCell("", "unsaid", "no classifier was asked")
    return _measured(domain.state, domain.auc, domain_words(domain))


def _measured(state: str, value: float | None, words: str) -> HeatCell:
    number = "" if value is None else f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
    if state == DRIFT:
        return HeatCell(f"{SIGNS[DRIFT]} {number}".strip(), "drift", shortened(words, 200))
    if state == NO_DRIFT:
        return HeatCell(number or "·", "calm", shortened(words, 120))
    return HeatCell(SIGNS[state], "unsaid", shortened(words, 120))
