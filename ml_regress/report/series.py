"""Numbers over the batches in order of time: of columns, of predictions and labels, and of the metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ml_regress.core.batch import Batch
from ml_regress.core.drift_result import DRIFT, ColumnDrift, DriftReport
from ml_regress.core.expectation import SCORE
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.errors import shortened
from ml_regress.report.drift_words import (
    REST,
    answers_of,
    column_words,
    metric_words,
    missing_shares,
    moved_level,
    share_words,
    shown_name,
)

MEAN, SHARE, MISSING, METRIC = "mean", "share", "missing", "metric"


@dataclass(frozen=True)
class Point:
    """A batch's number beside that of its reference; `words` say what the check found."""

    value: float
    reference: float | None
    drifts: bool
    words: str


@dataclass(frozen=True)
class Series:
    """One number over the batches: a point for each, None where a batch has none.

    `kind` is what the number is: a mean, the share of `level`, the share of missing values, or a metric.
    """

    name: str
    kind: str
    points: tuple[Point | None, ...]
    level: str = ""

    @property
    def known(self) -> int:
        """For how many batches there is a number."""
        return sum(point is not None for point in self.points)

    @property
    def title(self) -> str:
        """What is drawn, in words."""
        if self.kind == SHARE:
            return f"{self.name}: share of {shortened(self.level, 40)!r}"
        return f"{self.name}: " + {MEAN: "mean", MISSING: "share missing", METRIC: "on labelled rows"}[self.kind]


Reports = Sequence[DriftReport | None]


def reports_of(batches: Sequence[Batch], drifts: Mapping[str, DriftReport]) -> list[DriftReport | None]:
    """The check of each batch; None for one that is not used or not checked."""
    return [drifts.get(batch.id) if batch.usable else None for batch in batches]


def answer_series(reports: Reports, positive: str | None = None) -> list[Series]:
    """The prediction and the label, both by the same number: their means, or the share of one level.

    That is the positive label where it is known, else the level whose share moved most.
    """
    found = {name: _answers(reports, name) for name in (PREDICTION, LABEL)}
    level = _level([*found[LABEL], *found[PREDICTION]], positive)
    made = [_column_series(name, columns, level) for name, columns in found.items()]
    return [series for series in made if series.known]


def score_series(reports: Reports, most: int = 6) -> list[Series]:
    """The mean of each score, those that drift first."""
    names = dict.fromkeys(
        each.column for report in reports if report for each in report.answers if each.column.startswith(SCORE)
    )
    made = [_column_series(name, _answers(reports, name)) for name in names]
    made = [series for series in made if series.known]
    return sorted(made, key=lambda series: -sum(point.drifts for point in series.points if point))[:most]


def metric_series(reports: Reports) -> list[Series]:
    """Each metric that was measured; usually one."""
    names = dict.fromkeys(report.metric.metric for report in reports if report and report.metric)
    made = []
    for name in names:
        points = list[Point | None]()
        for report in reports:
            metric = report.metric if report else None
            if metric is None or metric.metric != name or metric.current is None:
                points.append(None)
            else:
                points.append(Point(metric.current, metric.reference, metric.state == DRIFT, metric_words(metric)))
        made.append(Series(name, METRIC, tuple(points)))
    return [series for series in made if series.known]


def worst_columns(reports: Reports) -> list[str]:
    """The names of all columns: those that drift in most batches first, then by how far at most."""
    drifting: dict[str, int] = {}
    farthest: dict[str, float] = {}
    for report in reports:
        for each in report.columns if report else ():
            drifting[each.column] = drifting.get(each.column, 0) + each.drifts
            farthest[each.column] = max(farthest.get(each.column, 0.0), each.excess)
    return sorted(drifting, key=lambda name: (-drifting[name], -farthest[name], name))


def column_series(reports: Reports, most: int = 8) -> list[Series]:
    """The worst columns that drift in any batch, by their mean, the share of a level, or what is missing."""
    made = []
    for name in worst_columns(reports):
        columns = _columns(reports, name)
        if not any(each is not None and each.drifts for each in columns):
            break
        series = _column_series(name, columns, _level(columns, None))
        if series.known:
            made.append(series)
        if len(made) == most:
            break
    return made


def _answers(reports: Reports, name: str) -> list[ColumnDrift | None]:
    return [None if report is None else answers_of(report, name) for report in reports]


def _columns(reports: Reports, name: str) -> list[ColumnDrift | None]:
    return [
        None if report is None else next((each for each in report.columns if each.column == name), None)
        for report in reports
    ]


def _level(columns: Sequence[ColumnDrift | None], positive: str | None) -> str | None:
    """The level that is drawn; None where no column has levels."""
    there = [each for each in columns if each is not None]
    if positive is not None:
        # Kept rows write True as "true", and 1.0 as "1".
        wanted = positive.casefold().removesuffix(".0")
        found = [level for each in there for level in each.shape.get("levels", ()) if level.casefold() == wanted]
        if found:
            return str(found[0])
    moved = [level for each in there if (level := moved_level(each)) is not None]
    return max(moved, key=lambda each: (round(abs(each[2] - each[1]), 9), -each[1]))[0] if moved else None


def _column_series(name: str, columns: Sequence[ColumnDrift | None], level: str | None = None) -> Series:
    gaps_only = [each for each in columns if each is not None and each.drifts]
    missing = bool(gaps_only) and not any(each.values is not None and each.values.drifts for each in gaps_only)
    numbers = any(each is not None and each.means is not None for each in columns)
    kind = MISSING if missing else MEAN if numbers else SHARE
    points = tuple(None if each is None else _point(each, kind, level) for each in columns)
    return Series(shown_name(name), kind, points, (level or "") if kind == SHARE else "")


def _point(column: ColumnDrift, kind: str, level: str | None) -> Point | None:
    before: float | None
    after: float | None
    if kind == MISSING:
        before, after = missing_shares(column)
    elif kind == MEAN:
        before, after = column.means or (None, None)
    else:
        before, after = _shares(column, level)
    return None if after is None else Point(after, before, column.drifts, column_words(column))


def _shares(column: ColumnDrift, level: str | None) -> tuple[float | None, float | None]:
    """Both shares of a level; one that is not named has none, unless it stands among the rest."""
    names = list(column.shape.get("levels", ()))
    if level in names:
        place = names.index(level)
        return column.shape["reference"][place], column.shape["current"][place]
    return (None, None) if not names or names[-1] == REST else (0.0, 0.0)


def value_words(series: Series, value: float) -> str:
    """A number of the series as it is written."""
    return share_words(value) if series.kind in (SHARE, MISSING) else f"{value:.4g}"
