"""The matrix as a heat map: problems down, candidates across in time order.

Problems stand in rows, because their titles are long and time is read from left to right, as in
the graphs over time.
"""

import plotly.graph_objects as go

from ml_regress.core.evaluation import ERROR, OK
from ml_regress.report.drawing import INK, PAPER, base_layout, plain, wrapped
from ml_regress.report.evidence import MINUS, Cell, Evidence

# Orange to blue is told apart with every colour blindness, and all three carry dark text.
LOW, MIDDLE, HIGH = "#e8935f", "#f7f1e3", "#86b6df"
ERROR_GREY, DUE_PAPER = "#d5d8dd", "#ffffff"
ROW_HEIGHT = 38
SHORT = 8  # candidates whose ids fit side by side


def heat_map_figure(evidence: Evidence) -> go.Figure:
    """Pass rate of every cell as colour, "11/12" as text, flips against production below it.

    Errors are grey and hatched, due cells blank with "…", cells that do not apply say "n/a".
    """
    rows, columns = len(evidence.problems), len(evidence.shown)
    grid = [[evidence.cell(candidate, problem.id) for candidate in evidence.shown] for problem in evidence.problems]
    label_width = min(300, 24 + 7 * max((len(problem.title) for problem in evidence.problems), default=10))
    top = 36 if columns <= SHORT else 120
    figure = go.Figure(layout=base_layout(top + 10 + ROW_HEIGHT * max(rows, 1), left=label_width, top=top, bottom=10))
    figure.add_trace(
        go.Heatmap(
            x=list(range(columns)),
            y=list(range(rows)),
            z=[[cell.pass_rate for cell in line] for line in grid],
            text=[[cell_text(evidence, cell) for cell in line] for line in grid],
            hovertext=[[_hover(evidence, cell) for cell in line] for line in grid],
            texttemplate="",
            hoverinfo="text",
            hoverongaps=True,
            zmin=0,
            zmax=1,
            colorscale=[[0, LOW], [0.5, MIDDLE], [1, HIGH]],
            xgap=3,
            ygap=3,
            colorbar={
                "title": {"text": "pass rate", "side": "right"}, "thickness": 10, "outlinewidth": 0,
                "tickvals": [0, 0.5, 1], "ticktext": ["0", "half", "all"],
                "len": min(1.0, 260 / (ROW_HEIGHT * max(rows, 1))),
                "y": 1, "yanchor": "top",
            },
        )
    )  # fmt: skip
    _draw_texts(figure, evidence, grid)
    _draw_unmeasured(figure, grid)
    figure.update_xaxes(
        tickvals=list(range(columns)),
        ticktext=[
            ("<b>★ " + plain(candidate, 20) + "</b>") if candidate == evidence.production else plain(candidate, 20)
            for candidate in evidence.shown
        ],
        side="top",
        tickangle=0 if columns <= SHORT else -35,
        range=[-0.5, columns - 0.5],
        showgrid=False,
        ticks="",
        showline=False,
    )
    figure.update_yaxes(
        tickvals=list(range(rows)),
        ticktext=[plain(problem.title, 40) for problem in evidence.problems],
        range=[rows - 0.5, -0.5],
        showgrid=False,
        ticks="outside",
        ticklen=8,
        tickcolor=PAPER,
        showline=False,
    )
    if evidence.production in evidence.shown:
        place = evidence.shown.index(evidence.production)
        figure.add_shape(
            type="rect", x0=place - 0.5, x1=place + 0.5, y0=-0.5, y1=rows - 0.5, line={"color": INK, "width": 2.5}
        )
    return figure


def cell_text(evidence: Evidence, cell: Cell) -> str:
    """The cell's numbers, its metric where that is no pass rate, and its flips against production."""
    lines = [cell.words]
    if cell.state == OK and cell.metric_name not in ("", "pass_rate") and cell.metric is not None:
        lines[0] += f"  {plain(cell.metric_name, 12)} {cell.metric:.2f}"
    flips = flips_text(evidence, cell)
    return "<br>".join([*lines, flips] if flips else lines)


def flips_text(evidence: Evidence, cell: Cell) -> str:
    """ "+2 -1" (with a minus sign) for two fixes and one regression against production, "" where nothing flipped."""
    fixes, regressions = evidence.production_counts.get((cell.candidate, cell.problem), (0, 0))
    return " ".join(([f"+{fixes}"] if fixes else []) + ([f"{MINUS}{regressions}"] if regressions else []))


def _hover(evidence: Evidence, cell: Cell) -> str:
    lines = [f"<b>{plain(evidence.titles[cell.problem])}</b>", plain(cell.candidate)]
    if cell.candidate == evidence.production:
        lines[1] += " (production)"
    if cell.state != OK:
        lines.append(cell.state + (f": {wrapped(cell.reason)}" if cell.reason else ""))
        return "<br>".join(lines)
    errors = f", {cell.errors} without answer" if cell.errors else ""
    lines.append(f"{cell.passes} of {cell.answered} passed{errors}")
    if cell.metric is not None:
        lines.append(f"{plain(cell.metric_name)} {cell.metric:.4g}")
    elif cell.undefined:
        lines.append(f"{plain(cell.metric_name)} undefined: {wrapped(cell.undefined)}")
    if cell.low is not None and cell.high is not None:
        lines[-1] += f" (95% interval {cell.low:.2f} to {cell.high:.2f})"
    counts = evidence.production_counts.get((cell.candidate, cell.problem))
    if counts:
        lines.append(f"against production: {counts[0]} fixed, {counts[1]} broken")
    return "<br>".join(lines)


def _draw_texts(figure: go.Figure, evidence: Evidence, grid: list[list[Cell]]) -> None:
    # A trace of its own: heat maps draw no text where z is missing, and due cells have one too.
    figure.add_trace(
        go.Scatter(
            x=[column for line in grid for column in range(len(line))],
            y=[row for row, line in enumerate(grid) for _ in line],
            text=[cell_text(evidence, cell) for line in grid for cell in line],
            mode="text",
            hoverinfo="skip",
            textfont={"size": 12, "color": INK},
        )
    )


def _draw_unmeasured(figure: go.Figure, grid: list[list[Cell]]) -> None:
    hatch_x: list[float | None] = []
    hatch_y: list[float | None] = []
    for row, line in enumerate(grid):
        for column, cell in enumerate(line):
            if cell.state == OK:
                continue
            left, right, top, bottom = column - 0.47, column + 0.47, row - 0.46, row + 0.46
            figure.add_shape(
                type="rect", x0=left, x1=right, y0=top, y1=bottom, layer="below",
                fillcolor=ERROR_GREY if cell.state == ERROR else DUE_PAPER,
                line={"width": 1, "color": "#c5cad1", "dash": "solid" if cell.state == ERROR else "dot"},
            )  # fmt: skip
            if cell.state == ERROR:
                for at in (0.12, 0.3, 0.7, 0.88):
                    middle = left + at * (right - left)
                    hatch_x += [middle - 0.07, middle + 0.07, None]
                    hatch_y += [bottom, top, None]
    if hatch_x:
        figure.add_trace(
            go.Scatter(x=hatch_x, y=hatch_y, mode="lines", hoverinfo="skip", line={"color": "#9aa1ab", "width": 1})
        )
    figure.update_layout(plot_bgcolor=PAPER)
