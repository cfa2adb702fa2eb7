"""Series over the batches as figures: a line each, its reference dashed, drift as a larger mark."""

from collections.abc import Sequence

import plotly.graph_objects as go

from ml_regress.core.batch import Batch
from ml_regress.core.drift_result import DriftReport
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
from ml_regress.report.series import MISSING, SHARE, Series, value_words

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, GREY)
SYMBOLS = ("circle", "square", "diamond", "pentagon", "cross", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
TICKS = 8
LETTERS = 46  # of all names below a figure, from when on they are slanted
CROWDED = 40  # batches, from when on marks are small


def series_figure(
    batches: Sequence[Batch], reports: Sequence[DriftReport | None], series: Sequence[Series]
) -> go.Figure:
    """Series of one scale over the batches. Batches that are not used, or not checked, are bands without a point."""
    step = -(-len(batches) // TICKS)
    ticks = list(range(0, len(batches), step))
    names = [plain(batches[place].id, 14) for place in ticks]
    slanted = sum(map(len, names)) > LETTERS
    height, bottom = (290, 88) if slanted else (240, 40)
    figure = go.Figure(layout=base_layout(height, left=80 if slanted else 54, top=14, bottom=bottom))
    for place, each in enumerate(series):
        _add(figure, batches, each, place)
    for place, (batch, report) in enumerate(zip(batches, reports, strict=True)):
        if not batch.usable:
            _band(figure, place, "✗")
        elif report is None:
            _band(figure, place, "…")
    figure.update_xaxes(
        tickvals=ticks,
        ticktext=names,
        range=[-0.6, len(batches) - 0.4],
        showgrid=False,
        automargin=True,  # names that do not fit side by side are turned, on a phone for example
        **({"tickangle": -35} if slanted else {}),
    )
    figure.update_yaxes(
        tickformat=".1~%" if all(each.kind in (SHARE, MISSING) for each in series) else ".4~g", nticks=6
    )
    if len(series) > 1:
        figure.update_layout(
            showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, margin_t=40
        )
    return figure


def _add(figure: go.Figure, batches: Sequence[Batch], series: Series, place: int) -> None:
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    name = plain(series.title, 60)
    figure.add_trace(
        go.Scatter(
            x=list(range(len(batches))),
            y=[None if point is None or point.reference is None else point.reference for point in series.points],
            mode="lines",
            line={"color": colour, "width": 1.2, "dash": "4px,4px", "shape": "hvh"},
            opacity=0.7,
            hoverinfo="skip",
            showlegend=False,
            name=f"{name}, reference",
        )
    )
    large, small = (7, 4) if len(batches) > CROWDED else (13, 7)
    drifts = [point is not None and point.drifts for point in series.points]
    figure.add_trace(
        go.Scatter(
            x=list(range(len(batches))),
            y=[None if point is None else point.value for point in series.points],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={
                "symbol": ["triangle-up" if each else SYMBOLS[place % len(SYMBOLS)] for each in drifts],
                "size": [large if each else small for each in drifts],
                "color": [colour if each else PAPER for each in drifts],
                "line": {"color": [INK if each else colour for each in drifts], "width": 1.5},
            },
            hovertext=[
                "" if point is None else _hover(batch, series, point.value, point.reference, point.words)
                for batch, point in zip(batches, series.points, strict=True)
            ],
            hoverinfo="text",
        )
    )  # fmt: skip


def _hover(batch: Batch, series: Series, value: float, reference: float | None, words: str) -> str:
    against = "" if reference is None else f", reference {value_words(series, reference)}"
    measured = f"{series.title} {value_words(series, value)}{against}"
    return "<br>".join([f"<b>{plain(batch.id)}</b>, {batch.starts[:10]}", wrapped(measured), wrapped(words)])


def _band(figure: go.Figure, place: int, sign: str) -> None:
    figure.add_shape(
        type="rect", x0=place - 0.45, x1=place + 0.45, y0=0, y1=1, yref="paper", layer="below",
        fillcolor="#eef0f3", line={"width": 0},
    )  # fmt: skip
    figure.add_annotation(
        x=place, y=0, yref="paper", yanchor="bottom", text=sign, showarrow=False, font={"size": 13, "color": INK}
    )
