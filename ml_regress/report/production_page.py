"""The page of all batches: what drifts over time, and which kinds of rows no pattern is near."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, DriftReport
from ml_regress.core.inputs import InputTypes
from ml_regress.core.outlier_result import CoveredCluster, OutlierReport
from ml_regress.core.production import LABEL
from ml_regress.report import drift_words
from ml_regress.report.batch_page import verdict_words, window_words
from ml_regress.report.coverage_picture import (
    coverage_drawing,
    coverage_words,
    nearness_words,
    shown_inputs,
)
from ml_regress.report.drift_heat import drift_heat
from ml_regress.report.page_links import PRODUCTION_PAGE, REPORT_PAGE, batch_file
from ml_regress.report.pages import figure_json
from ml_regress.report.series import (
    Series,
    answer_series,
    column_series,
    metric_series,
    reports_of,
    score_series,
)
from ml_regress.report.series_figure import series_figure
from ml_regress.report.templates import TEMPLATES, page_environment, production_style
from ml_regress.report.writing import write_whole

BATCHES_SHOWN = 200
SLANTED = 8  # more batches than these have their names upright
APART_SHOWN = 10
PLANES = 3
Coverage = Sequence[tuple[Batch, CoveredCluster]]


@dataclass(frozen=True)
class Drawn:
    """A figure with its heading and what it says in words."""

    id: str
    title: str
    said: str
    figure: Markup


def production_html(
    batches: Sequence[Batch],
    drifts: Mapping[str, DriftReport],
    outliers: Mapping[str, OutlierReport],
    coverage: Coverage,
    name: str,
    *,
    linked: Collection[str] = (),
    positive: str | None = None,
    types: InputTypes | None = None,
) -> str:
    """All batches as one self-contained page.

    `coverage` holds kinds of rows of recent batches. `linked` are the names of files beside this page, which it links
    to. `positive` is the label whose share is drawn; `types` are the input types, for images among them.
    """
    ordered = sorted(batches, key=lambda batch: (batch.starts, batch.id))
    shown = ordered[-BATCHES_SHOWN:]
    reports = reports_of(shown, drifts)
    checked = [(batch, report) for batch, report in zip(shown, reports, strict=True) if report is not None]
    apart = [(batch, said) for batch, report in reversed(checked) if (said := drift_words.apart_words(report))]
    clusters = sorted(coverage, key=lambda each: (each[1].covered, -each[1].rows))
    return (
        page_environment()
        .get_template("production.html.j2")
        .render(
            name=name,
            batches=ordered,
            shown=shown,
            shown_pairs=list(zip(shown, reports, strict=True)),
            outliers=outliers,
            words=drift_words,
            window=window_words,
            verdict=verdict_words,
            links={batch.id: batch_file(batch.id) for batch in ordered if batch_file(batch.id) in linked},
            report_page=REPORT_PAGE if REPORT_PAGE in linked else "",
            checked_at=max((report.checked_at for _, report in checked), default=""),
            newest=checked[-1] if checked else None,
            newest_label=_label_words(checked[-1][1]) if checked else "",
            drifting=[batch.id for batch, report in checked if report.state == DRIFT],
            checked=len(checked),
            quarantined=[batch for batch in ordered if batch.state == QUARANTINED],
            apart=apart[:APART_SHOWN],
            apart_left_out=len(apart) - APART_SHOWN,
            heat=drift_heat(shown, reports),
            slanted=len(shown) > SLANTED,
            answers=_drawn("answers", shown, reports, _answer_groups(reports, positive)),
            columns=_drawn("columns", shown, reports, [[each] for each in column_series(reports)]),
            coverage=[(batch, each, shown_inputs(each.inputs, types)) for batch, each in clusters],
            coverage_words=coverage_words([each for _, each in coverage]),
            planes=_planes(clusters),
            nearness=nearness_words,
            plotly=Markup(get_plotlyjs()),  # noqa: S704 - the library itself, no free text
            style=production_style(),
            script=Markup((TEMPLATES / "report.js").read_text(encoding="utf-8")),  # noqa: S704 - a file of this package
        )
    )


def write_production_page(
    batches: Sequence[Batch],
    drifts: Mapping[str, DriftReport],
    outliers: Mapping[str, OutlierReport],
    coverage: Coverage,
    *,
    name: str,
    folder: Path,
    positive: str | None = None,
    types: InputTypes | None = None,
) -> Path:
    """Writes production.html into the folder, whole or not at all; raises Unavailable.

    It links to the pages that lie in the folder already.
    """
    linked = {path.name for path in folder.glob("*.html")} if folder.is_dir() else set()
    page = production_html(batches, drifts, outliers, coverage, name, linked=linked, positive=positive, types=types)
    return write_whole(folder / PRODUCTION_PAGE, page)


def _answer_groups(reports: Sequence[DriftReport | None], positive: str | None) -> list[list[Series]]:
    """Prediction and label in one figure, so that one moving without the other is seen; then scores, then metrics."""
    answers = answer_series(reports, positive)
    together = [answers] if len({each.kind for each in answers}) == 1 else [[each] for each in answers]
    scores = score_series(reports)
    return [*together, *([scores] if scores else []), *([each] for each in metric_series(reports))]


def _drawn(
    prefix: str, batches: Sequence[Batch], reports: Sequence[DriftReport | None], groups: Sequence[Sequence[Series]]
) -> list[Drawn]:
    made = []
    for place, group in enumerate(groups, start=1):
        title = group[0].title if len(group) == 1 else _heading(group)
        figure = figure_json(series_figure(batches, reports, group))
        made.append(Drawn(f"figure-{prefix}-{place}", title, "; ".join(map(_said, group[:3])) + ".", figure))
    return made


def _heading(group: Sequence[Series]) -> str:
    if all(series.name.startswith("score of ") for series in group):
        return "Mean scores"
    return " and ".join(series.name for series in group).capitalize()


def _said(series: Series) -> str:
    count = sum(point.drifts for point in series.points if point is not None)
    return f"{series.name} drifts in {count:,} of {drift_words.counted(series.known, 'batch')}"


def _label_words(report: DriftReport) -> str:
    """Why the newest batch says nothing of labels; "" where it does."""
    label = drift_words.answers_of(report, LABEL)
    if label is None or label.state in (DRIFT, NO_DRIFT):
        return ""
    return f"{drift_words.column_words(label)}."


def _planes(clusters: Coverage) -> list[tuple[str, Markup]]:
    """A picture of the kinds of rows of each batch, the newest batch first."""
    by_batch: dict[tuple[str, str], list[CoveredCluster]] = {}
    for batch, each in clusters:
        by_batch.setdefault((batch.starts, batch.id), []).append(each)
    newest = sorted(by_batch, reverse=True)[:PLANES]
    return [(key[1], coverage_drawing(by_batch[key], f"The kinds of rows of {key[1]}").svg()) for key in newest]
