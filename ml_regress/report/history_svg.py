"""A problem over its candidates as a small picture without a script: for pages that are printed and signed."""

from html import escape

from markupsafe import Markup

from ml_regress.core.problem import Problem
from ml_regress.errors import shortened
from ml_regress.report.evidence import Evidence

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 560, 150, 44, 12, 34
SHOWN = 12
INK, SOFT, LINE, BLUE, ORANGE = "#1f2933", "#52606d", "#d5d8dd", "#0b5c9a", "#a83c00"


def history_svg(evidence: Evidence, problem: Problem, candidate: str) -> Markup:
    """The pass rate of the newest candidates with 95% intervals, this one filled, production with a star.

    A candidate without a rate (error, due) has a dash at the foot. All text is escaped.
    """
    wanted = {*evidence.order[-SHOWN:], evidence.production, candidate}
    shown = [name for name in evidence.order if name in wanted]
    step = (WIDTH - LEFT - 20) / max(len(shown), 1)
    parts = [
        f'<svg class="history" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="11" '
        'font-family="system-ui, DejaVu Sans, sans-serif">'
        f"<title>{escape(problem.title)}: pass rate by candidate</title>"
    ]
    for share, label in ((0.0, "0"), (0.5, "half"), (1.0, "all")):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{_y(share):.1f}" y2="{_y(share):.1f}" stroke="{LINE}"/>'
            f'<text x="{LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end" fill="{SOFT}">{label}</text>'
        )
    lines, before = [list[str]()], -1
    for place, name in enumerate(shown):
        here = evidence.order.index(name)
        if place and here != before + 1:  # some are left out between the two
            lines.append([])
            parts.append(f'<text x="{LEFT + step * place:.1f}" y="{_y(0.5):.1f}" text-anchor="middle">…</text>')
        before = here
        x, cell = LEFT + step * (place + 0.5), evidence.cell(name, problem.id)
        star = "★ " if name == evidence.production else ""
        weight = "bold" if name == candidate else "normal"
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle" fill="{INK}" font-weight="{weight}">'
            f"{star}{escape(shortened(name, max(4, int(step / 7.5))))}</text>"
        )
        rate = cell.pass_rate
        if rate is None:
            parts.append(
                f'<text x="{x:.1f}" y="{_y(0) - 3:.1f}" text-anchor="middle" fill="{SOFT}">{escape(cell.words)}</text>'
            )
            continue
        lines[-1].append(f"{x:.1f},{_y(rate):.1f}")
        parts.append(_point(evidence, problem, name, x, filled=name == candidate))
    drawn = (" ".join(points) for points in lines if points)
    line = "".join(f'<polyline points="{points}" fill="none" stroke="{SOFT}" stroke-width="1"/>' for points in drawn)
    return Markup("".join([parts[0], line, *parts[1:], "</svg>"]))  # noqa: S704 - escaped above


def _point(evidence: Evidence, problem: Problem, name: str, x: float, *, filled: bool) -> str:
    cell = evidence.cell(name, problem.id)
    rate = cell.pass_rate or 0.0
    rates = [measure for measure in cell.measures if measure.name == "pass_rate"]
    colour = BLUE if evidence.met.get((name, problem.id)) else ORANGE
    interval = ""
    if rates and rates[0].low is not None and rates[0].high is not None:
        top, foot = _y(rates[0].high), _y(rates[0].low)
        interval = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{foot:.1f}" stroke="{colour}"/>'
    fill = colour if filled else "#ffffff"
    return (
        f'{interval}<circle cx="{x:.1f}" cy="{_y(rate):.1f}" r="4.5" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{x + 8:.1f}" y="{_y(rate) + 4:.1f}" fill="{INK}">{escape(cell.words)}</text>'
    )


def _y(rate: float) -> float:
    return TOP + (1 - rate) * (HEIGHT - TOP - BOTTOM)
