"""What all figures share: colours, the light layout, and free text that Plotly shows as it was written."""

from html import escape

import plotly.graph_objects as go

# Okabe and Ito's colours, told apart with every kind of colour blindness.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#8a8f98"
INK, LINE, PAPER = "#1f2933", "#e4e7eb", "#ffffff"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def plain(text: str, limit: int = 90) -> str:
    """Free text for Plotly, whose texts know some HTML: shown as it was written, cut to `limit`."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return escape(cut, quote=False).replace("\n", " ")


def wrapped(text: str, width: int = 60, lines: int = 4) -> str:
    """Free text for a hover box, broken into lines between words."""
    rows: list[str] = [""]
    for word in text.split():
        if rows[-1] and len(rows[-1]) + len(word) >= width:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    shown = rows[:lines] if len(rows) <= lines else [*rows[: lines - 1], rows[lines - 1] + " …"]
    return "<br>".join(plain(row) for row in shown)


def base_layout(height: int, left: int = 56, top: int = 24, bottom: int = 60) -> go.Layout:
    """The light layout that all figures share."""
    axis = {"gridcolor": LINE, "linecolor": "#9aa5b1", "zeroline": False, "ticks": "outside", "tickcolor": "#9aa5b1"}
    return go.Layout(
        template="none",
        height=height,
        margin={"l": left, "r": 20, "t": top, "b": bottom},
        font={"family": FONT, "size": 12, "color": INK},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        hoverlabel={"bgcolor": PAPER, "font": {"color": INK, "family": FONT}, "align": "left"},
        xaxis=axis,
        yaxis=axis,
        showlegend=False,
    )
