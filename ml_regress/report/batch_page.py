"""The page of one batch: one static HTML file without a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.drift_result import ColumnDrift, DriftReport
from ml_regress.core.inputs import InputTypes
from ml_regress.core.outlier_result import CAUSES, OutlierReport, StrangeRow
from ml_regress.core.proposal import Proposal
from ml_regress.report import drift_words
from ml_regress.report.coverage_picture import (
    coverage_drawing,
    coverage_words,
    nearness_words,
    shown_inputs,
    uncovered_first,
)
from ml_regress.report.drift_pictures import column_drawing
from ml_regress.report.page_links import PRODUCTION_PAGE, batch_file
from ml_regress.report.templates import page_environment, production_style
from ml_regress.report.writing import write_whole

DRAWN = 60
STRANGE_SHOWN = 100
WAITING_SHOWN = 100
REASONS_SHOWN = 40


@dataclass(frozen=True)
class ColumnView:
    """A column and its picture, None where there is nothing to draw."""

    column: ColumnDrift
    picture: Markup | None


def batch_html(
    batch: Batch,
    drift: DriftReport | None,
    outliers: OutlierReport | None,
    waiting: Sequence[Proposal] = (),
    types: InputTypes | None = None,
) -> str:
    """All that is known of a batch as one self-contained page. A quarantined one is not checked, and shows no check.

    Of the proposals that wait those of this batch are shown. `types` are the input types, for images among them.
    """
    if batch.state == QUARANTINED:
        drift = outliers = None
    columns = [] if drift is None else drift_words.ordered(drift.columns)
    drivers = () if drift is None or drift.domain is None else drift.domain.drivers
    clusters = [] if outliers is None else uncovered_first(outliers.clusters)
    own = [each for each in waiting if each.waiting and each.batch == batch.id]
    changed = [each for each in (drift, outliers) if each is not None and "" < each.checked_at < batch.updated_at]
    return (
        page_environment()
        .get_template("batch.html.j2")
        .render(
            batch=batch,
            drift=drift,
            outliers=outliers,
            words=drift_words,
            window=window_words(batch),
            verdict=verdict_words(batch, drift),
            apart="" if drift is None else drift_words.apart_words(drift),
            changed=bool(changed),
            notes=list(dict.fromkeys([*batch.notes, *(() if drift is None else drift.notes)])),
            reasons_shown=REASONS_SHOWN,
            tests=0 if drift is None else drift_words.tests_made(drift),
            columns=_views(columns[:DRAWN]),
            columns_left_out=_columns_left_out(columns),
            all_columns=columns,
            answers=[] if drift is None else _views(drift.answers),
            largest_fall=max([fall for _, fall in drivers] or [1.0]) or 1.0,
            strange=[] if outliers is None else _strange(outliers, own),
            strange_words="" if outliers is None else _strange_words(outliers),
            strange_left_out=_left_out(0 if outliers is None else len(outliers.strange), STRANGE_SHOWN, "row"),
            waiting=[(each, shown_inputs(each.inputs, types)) for each in own[:WAITING_SHOWN]],
            waiting_left_out=_left_out(len(own), WAITING_SHOWN, "proposal"),
            clusters=[(each, shown_inputs(each.inputs, types)) for each in clusters],
            plane=coverage_drawing(clusters, f"The kinds of rows of {batch.id}").svg() if clusters else None,
            coverage_words=coverage_words(clusters),
            nearness=nearness_words,
            production=PRODUCTION_PAGE,
            style=production_style(),
        )
    )


def write_batch_page(
    batch: Batch,
    drift: DriftReport | None,
    outliers: OutlierReport | None,
    waiting: Sequence[Proposal],
    folder: Path,
    *,
    types: InputTypes | None = None,
) -> Path:
    """Writes batch-ID.html into the folder, whole or not at all; raises Unavailable."""
    return write_whole(folder / batch_file(batch.id), batch_html(batch, drift, outliers, waiting, types))


def verdict_words(batch: Batch, drift: DriftReport | None) -> str:
    """What is to be said first of a batch, in one sentence."""
    if batch.state == QUARANTINED:
        return f"{batch.id} is quarantined: it breaks the production schema, and nothing uses it."
    return f"{batch.id} is not checked yet." if drift is None else drift_words.report_words(drift)


def window_words(batch: Batch) -> str:
    """The first and the last moment of its rows, without what both share."""
    first, last = (_moment(text) for text in (batch.starts, batch.ends))
    return first if first == last else f"{first} to {last}"


def _moment(text: str) -> str:
    """A moment in UTC, as precise as it is given to be."""
    day, _, time = text.partition("T")
    return day if not time or time.startswith("00:00:00") else f"{day} {time[:5]} UTC"


def _views(columns: Sequence[ColumnDrift]) -> list[ColumnView]:
    views = []
    for column in columns:
        drawing = column_drawing(column)
        views.append(ColumnView(column, None if drawing is None else drawing.svg()))
    return views


def _columns_left_out(columns: Sequence[ColumnDrift]) -> str:
    if len(columns) <= DRAWN:
        return ""
    drifting = sum(each.drifts for each in columns[DRAWN:])
    rest = f"{drifting:,} of the others drift too" if drifting else "none of the others drifts"
    return f"The worst {DRAWN} of {len(columns):,} columns are drawn; the table below has all, and {rest}."


def _strange(outliers: OutlierReport, waiting: Sequence[Proposal]) -> list[tuple[StrangeRow, str]]:
    """The rows, the strangest of each cause first, each with the proposal that waits of it ("" for none)."""
    proposals = {each.row: each.id for each in waiting[:WAITING_SHOWN] if each.row is not None}
    rows = sorted(outliers.strange, key=lambda each: (_rank(each.cause), -each.score, each.row))
    return [(each, proposals.get(each.row, "")) for each in rows[:STRANGE_SHOWN]]


def _rank(cause: str) -> int:
    return CAUSES.index(cause) if cause in CAUSES else len(CAUSES)


def _strange_words(outliers: OutlierReport) -> str:
    counts = {cause: count for cause, count in (outliers.counts or {}).items() if count}
    if not counts:
        return "" if outliers.reason else f"None of {drift_words.counted(outliers.rows, 'row')} is strange."
    listed = ", ".join(
        drift_words.counted(counts[cause], cause) for cause in sorted(counts, key=lambda cause: (_rank(cause), cause))
    )
    return f"Of {drift_words.counted(outliers.rows, 'row')}: {listed}."


def _left_out(total: int, shown: int, word: str) -> str:
    return f"{total - shown:,} of {drift_words.counted(total, word)} are left out." if total > shown else ""
