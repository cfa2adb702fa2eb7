"""The graphs over time: benchmarks and problems, functions of Evidence."""

from collections.abc import Sequence
from datetime import UTC, datetime

import plotly.graph_objects as go

from ml_regress.core.evaluation import ERROR, OK
from ml_regress.core.history import BROKEN, BROKEN_AGAIN, SOLVED, SOLVED_AGAIN
from ml_regress.core.problem import Problem
from ml_regress.report.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    VERMILION,
    base_layout,
    plain,
    wrapped,
)
from ml_regress.report.evidence import Cell, Evidence

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross")
LABEL_GAP = 0.024  # of the width of the plot: two slanted labels closer than this overlap
MARK_GAP = 0.28  # of the width of a small plot: two marks closer than this overlap
GOOD_MARKS = (SOLVED, SOLVED_AGAIN)
BAD_MARKS = (BROKEN, BROKEN_AGAIN)


def benchmark_figure(evidence: Evidence, benchmark_id: str, metric_names: Sequence[str] | None = None) -> go.Figure:
    """Metrics of every candidate on one benchmark over time, one line a metric with its interval.

    `metric_names` limits it to these (metrics of one scale belong in one figure); default: all.
    """
    cells = [evidence.cell(candidate, benchmark_id) for candidate in evidence.order]
    names = metric_names or measured_names(evidence, benchmark_id)
    times = [candidate.manifest.created_at for candidate in evidence.candidates]
    figure = go.Figure(layout=base_layout(390, top=110, bottom=80))
    for index, name in enumerate(names):
        found = [next((item for item in cell.measures if item.name == name), None) for cell in cells]
        values = [None if item is None else item.value for item in found]
        lows = [None if item is None else item.low for item in found]
        highs = [None if item is None else item.high for item in found]
        colour = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)[index % 5]
        figure.add_trace(
            go.Scatter(
                x=times,
                y=values,
                name=plain(name, 40),
                mode="lines+markers",
                line={"color": colour, "width": 2.5 if not index else 1.5, "dash": DASHES[index % 5]},
                marker={"symbol": SHAPES[index % 5], "size": 9},
                error_y=_interval(values, lows, highs, colour),
                hovertext=[
                    _point_words(evidence, cell, f"{plain(name)} {_number(value)}")
                    for cell, value in zip(cells, values, strict=True)
                ],
                hoverinfo="text",
            )
        )
    _unmeasured(figure, evidence, cells, times)
    figure.update_layout(
        showlegend=len(names) > 1 or len(figure.data) > 1,
        legend={"orientation": "h", "y": -0.22, "x": 0},
        yaxis_title=plain(names[0], 40) if len(names) == 1 else "metric",
    )
    _label_times(figure, evidence, times)
    return figure


def measured_names(evidence: Evidence, item: str) -> list[str]:
    """Names of the measures of a problem or benchmark, the headline first."""
    names = [m.name for candidate in evidence.order for m in evidence.cell(candidate, item).measures]
    return list(dict.fromkeys(names))


def problem_figure(evidence: Evidence, problem: Problem) -> go.Figure:
    """The metric of one problem over the candidates in time order, with 95% intervals.

    Drawn on the suite measured last: cells of an older suite are hollow and not joined. The marks
    say who solved the problem and who broke it again.
    """
    suite = evidence.current_suite(problem.id)
    cells = [evidence.cell(candidate, problem.id) for candidate in evidence.order]
    places = list(range(len(cells)))
    figure = go.Figure(layout=base_layout(270, left=48, top=26, bottom=84))
    for same, colour in ((True, BLUE), (False, GREY)):
        values = [cell.metric if cell.state == OK and (cell.suite == suite) is same else None for cell in cells]
        if not same and not any(value is not None for value in values):
            continue
        figure.add_trace(
            go.Scatter(
                x=places,
                y=values,
                name="measured" if same else "on an older suite",
                mode="lines+markers" if same else "markers",
                line={"color": colour, "width": 2},
                marker={
                    "size": [13 if cell.candidate == evidence.production else 8 for cell in cells],
                    "symbol": [
                        ("star" if cell.candidate == evidence.production else "circle") + ("" if same else "-open")
                        for cell in cells
                    ],
                    "color": colour,
                },
                error_y=_interval(values, [cell.low for cell in cells], [cell.high for cell in cells], colour),
                hovertext=[_problem_words(evidence, problem, cell, suite) for cell in cells],
                hoverinfo="text",
                showlegend=False,
            )
        )
    _unmeasured(figure, evidence, cells, places)
    _draw_marks(figure, evidence, problem, cells)
    _draw_requirement(figure, problem, cells, suite)
    _set_axes(figure, evidence, cells)
    return figure


def _draw_marks(figure: go.Figure, evidence: Evidence, problem: Problem, cells: list[Cell]) -> None:
    shown = [mark for mark in evidence.who_solved(problem.id) if mark.kind in (*GOOD_MARKS, *BAD_MARKS)]
    last = -1.0
    level = highest = 0
    for mark in shown:
        place = evidence.order.index(mark.candidate)
        good = mark.kind in GOOD_MARKS
        # Above the plot, away from line and interval; close neighbours step up to stay legible.
        level = (level + 1) % 3 if last >= 0 and (place - last) / len(cells) < MARK_GAP else 0
        last, highest = place, max(highest, level)
        figure.add_annotation(
            x=place,
            y=1.0,
            yref="paper",
            yanchor="bottom",
            yshift=15 * level,
            text=f"<b>{'✓' if good else '✗'} {mark.kind}</b>",
            showarrow=False,
            font={"size": 11, "color": BLUE if good else "#b34700"},
            bgcolor=PAPER,
        )
        figure.add_vline(x=place, line={"color": BLUE if good else VERMILION, "width": 1, "dash": "dot"})
    figure.update_layout(margin_t=26 + 15 * highest, height=270 + 15 * highest)


def _draw_requirement(figure: go.Figure, problem: Problem, cells: list[Cell], suite: str | None) -> None:
    asked = problem.requirement
    bounds = [("at least", asked.metric_at_least), ("at most", asked.metric_at_most)]
    sizes = {cell.answered + cell.errors for cell in cells if cell.state == OK and cell.suite == suite}
    if asked.at_least is not None and problem.metric == "pass_rate" and len(sizes) == 1:
        size = sizes.pop()
        bounds.append((f"asked: {asked.at_least} of {size}", asked.at_least / size if size else None))
    for words, bound in bounds:
        if bound is not None:
            figure.add_hline(y=bound, line={"color": INK, "width": 1, "dash": "dash"})
            figure.add_annotation(
                x=0, xref="paper", xanchor="left", y=bound, yanchor="bottom", showarrow=False,
                text=words if words.startswith("asked") else f"asked: {words} {bound:g}",
                font={"size": 10, "color": INK}, bgcolor="rgba(255,255,255,0.8)",
            )  # fmt: skip


def _set_axes(figure: go.Figure, evidence: Evidence, cells: list[Cell]) -> None:
    many = len(cells) > 12
    labels = [("★ " if candidate == evidence.production else "") + plain(candidate, 18) for candidate in evidence.order]
    step = max(1, len(cells) // 12 + (len(cells) % 12 > 0)) if many else 1
    shown = [place for place in range(len(cells)) if place % step == 0 or place == len(cells) - 1]
    figure.update_xaxes(
        tickvals=shown,
        ticktext=[labels[place] for place in shown],
        tickangle=-30 if len(cells) > 4 else 0,
        range=[-0.5, len(cells) - 0.5],
        tickfont={"size": 10},
        showgrid=False,
    )
    numbers = [n for cell in cells for n in (cell.metric, cell.low, cell.high) if cell.state == OK and n is not None]
    if not numbers or (min(numbers) >= 0 and max(numbers) <= 1):
        figure.update_yaxes(range=[-0.04, 1.06], tickvals=[0, 0.25, 0.5, 0.75, 1])


def _interval(
    values: Sequence[float | None], lows: Sequence[float | None], highs: Sequence[float | None], colour: str
) -> dict[str, object]:
    up = [0.0 if v is None or h is None else max(0.0, h - v) for v, h in zip(values, highs, strict=True)]
    down = [0.0 if v is None or low is None else max(0.0, v - low) for v, low in zip(values, lows, strict=True)]
    return {
        "type": "data", "symmetric": False, "array": up, "arrayminus": down,
        "color": colour, "thickness": 1, "width": 4,
    }  # fmt: skip


def _unmeasured(figure: go.Figure, evidence: Evidence, cells: Sequence[Cell], places: Sequence[object]) -> None:
    """Cells without a value stand at the foot of the plot: an error is never a score."""
    for states, symbol, name in (
        ((ERROR,), "x", "error"),
        ((OK,), "hourglass", "undefined"),
        (("due", "not applicable"), "line-ew-open", "due or not applicable"),
    ):
        found = [
            (place, cell)
            for place, cell in zip(places, cells, strict=True)
            if cell.state in states and not (cell.state == OK and cell.metric is not None)
        ]
        if found:
            figure.add_trace(
                go.Scatter(
                    x=[place for place, _ in found],
                    y=[0.03] * len(found),
                    yaxis="y2",
                    name=plain(name, 40),
                    mode="markers",
                    marker={"symbol": symbol, "size": 9, "color": GREY, "line": {"color": GREY, "width": 2}},
                    hovertext=[_point_words(evidence, cell, _why(cell)) for _, cell in found],
                    hoverinfo="text",
                )
            )
            figure.update_layout(yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True})


def _why(cell: Cell) -> str:
    reason = cell.undefined if cell.state == OK else cell.reason
    state = "undefined" if cell.state == OK else cell.state
    return f"{state}: {wrapped(reason)}" if reason else state


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"


def _point_words(evidence: Evidence, cell: Cell, numbers: str) -> str:
    candidate = next(item for item in evidence.candidates if item.id == cell.candidate)
    production = " (production)" if cell.candidate == evidence.production else ""
    lines = [f"<b>{plain(cell.candidate)}</b>{production}", plain(candidate.manifest.created_at), numbers]
    if candidate.manifest.changed:
        lines.append(f"<i>{wrapped(candidate.manifest.changed)}</i>")
    return "<br>".join(lines)


def _problem_words(evidence: Evidence, problem: Problem, cell: Cell, suite: str | None) -> str:
    if cell.state != OK:
        return ""
    numbers = f"{cell.passes} of {cell.answered} passed"
    if cell.errors:
        numbers += f", {cell.errors} without an answer"
    numbers += f"<br>{plain(problem.metric)} {_number(cell.metric)}"
    if cell.low is not None and cell.high is not None:
        numbers += f" (95% interval {cell.low:.2f} to {cell.high:.2f})"
    if cell.suite != suite:
        numbers += "<br>measured on an older suite: not comparable with the line"
    return _point_words(evidence, cell, numbers)


def _label_times(figure: go.Figure, evidence: Evidence, times: Sequence[str]) -> None:
    """Ids above their times; where times are close the labels step aside and arrows lead back."""
    if not times:
        return
    stamps = [_seconds(time) for time in times]
    first, span = stamps[0], (stamps[-1] - stamps[0]) or 1.0
    wanted = [0.04 + 0.92 * (stamp - first) / span for stamp in stamps]
    for candidate, time, at, place in zip(evidence.order, times, wanted, spread(wanted, LABEL_GAP), strict=True):
        figure.add_annotation(
            x=time, y=1, yref="paper", ax=(place - at) * 1000, ay=-14, axref="pixel", ayref="pixel",
            text=("★ " if candidate == evidence.production else "") + plain(candidate, 18),
            textangle=-35, xanchor="left", yanchor="bottom", showarrow=True, arrowhead=0, arrowwidth=0.8,
            arrowcolor="#9aa5b1", font={"size": 11},
        )  # fmt: skip
    pad = span * 0.0435
    figure.update_xaxes(range=[_iso(first - pad), _iso(stamps[-1] + pad)])


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places in ascending order, as near to the wanted ones as a first sweep with this gap allows."""
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + gap) if places else place)
    return places


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
