"""The report: one static HTML file that needs nothing else."""

import json
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ml_regress.core.evaluation import OK
from ml_regress.core.problem import LOWER_IS_BETTER, Benchmark, Problem
from ml_regress.report import summary
from ml_regress.report.evidence import MINUS, Evidence
from ml_regress.report.figures import benchmark_figure, measured_names, problem_figure
from ml_regress.report.heat_map import heat_map_figure
from ml_regress.report.page_links import PRODUCTION_PAGE, REPORT_PAGE
from ml_regress.report.pattern_grid import Budget, Grid, pattern_grid
from ml_regress.report.templates import TEMPLATES, in_script, page_environment, page_style
from ml_regress.report.writing import write_whole

FILE_NAME = REPORT_PAGE
# Characters of inputs (pictures, tables) and of details (one row a candidate) that one page may hold.
INPUT_CHARACTERS = 5_000_000
DETAIL_ROWS = 60_000
STEPS_SHOWN = 12


@dataclass(frozen=True)
class Step:
    """What one candidate did to a problem: its row below the graph."""

    candidate: str
    result: str
    moved: str
    mark: str
    changed: str


@dataclass(frozen=True)
class ProblemView:
    """One problem with its graph, steps and patterns; `details` False where the page grew too large."""

    line: summary.ProblemLine
    figure: Markup
    steps: tuple[Step, ...]
    steps_left_out: str
    grid: Grid
    details: bool


def report_html(evidence: Evidence, production: str = "") -> str:
    """The whole report as one self-contained page; it links to the page about `production` where that is named."""
    budget = Budget(INPUT_CHARACTERS)
    details = Budget(DETAIL_ROWS)
    lines = summary.problem_lines(evidence)
    views = [_problem_view(evidence, line, budget, details) for line in lines]
    template = page_environment().get_template("report.html.j2")
    return template.render(
        evidence=evidence,
        production=production,
        summary=summary,
        lines=lines,
        judged=summary.judged(evidence),
        views=views,
        standings={row[0]: row for row in summary.standings(evidence)},
        comparison=summary.newest_comparison(evidence),
        flipped=summary.newest_flips(evidence),
        chosen=sum(1 for line in lines if line.chosen),
        unmeasured=summary.unmeasured(evidence),
        matrix=figure_json(heat_map_figure(evidence)),
        benchmarks=[
            (item, [(names, figure_json(benchmark_figure(evidence, item.id, names))) for names in scales])
            for item in evidence.benchmarks
            for scales in [_scales(evidence, item)]
        ],
        inputs_left_out=budget.refused,
        details_left_out=details.refused,
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - the library itself, no free text
        style=page_style(),
        script=Markup((TEMPLATES / "report.js").read_text(encoding="utf-8")),  # noqa: S704 - a file of this package
        state_ok=OK,
    )


def write_report(evidence: Evidence, folder: Path) -> Path:
    """Writes report.html into the folder, whole or not at all; readers never see a half page.

    Raises Unavailable where it cannot be written; the report before stays then.
    """
    # Without batches there is no such page, and a link to it would lead nowhere.
    production = PRODUCTION_PAGE if (folder / PRODUCTION_PAGE).is_file() else ""
    return write_whole(folder / FILE_NAME, report_html(evidence, production))


def figure_json(figure: go.Figure) -> Markup:
    """A figure as JSON that can stand inside a script element: no text in it can end the element."""
    return in_script(json.dumps(json.loads(figure.to_json()), separators=(",", ":"), ensure_ascii=False))


def _scales(evidence: Evidence, benchmark: Benchmark) -> list[list[str]]:
    """Metrics that share a figure: those between 0 and 1 together, each other one by itself."""
    names = measured_names(evidence, benchmark.id) or list(benchmark.metrics)
    values: dict[str, list[float]] = {name: [] for name in names}
    for candidate in evidence.order:
        for measure in evidence.cell(candidate, benchmark.id).measures:
            if measure.value is not None:
                values[measure.name].append(measure.value)
    shares = [name for name in names if name not in LOWER_IS_BETTER]
    together = [name for name in shares if all(0 <= value <= 1 for value in values[name])]
    alone = [[name] for name in names if name not in together]
    return [together, *alone] if together else alone


def _problem_view(evidence: Evidence, line: summary.ProblemLine, budget: Budget, details: Budget) -> ProblemView:
    problem = line.problem
    grid = pattern_grid(evidence, problem, budget)
    steps, left_out = _steps(evidence, problem)
    return ProblemView(
        line,
        figure_json(problem_figure(evidence, problem)),
        steps,
        left_out,
        grid,
        details.take(len(grid.rows) * len(evidence.shown)),
    )


def _steps(evidence: Evidence, problem: Problem) -> tuple[tuple[Step, ...], str]:
    """What every candidate did; of many candidates only those after which something had moved."""
    marks = {mark.candidate: mark.kind for mark in evidence.who_solved(problem.id)}
    moves: dict[str, list[int]] = {}
    before = evidence.previous_flips
    before = before[before["problem"] == problem.id]
    for candidate, flip in zip(before["candidate"], before["flip"], strict=True):
        moves.setdefault(candidate, [0, 0])[flip == "regression"] += 1
    steps = []
    for candidate in evidence.candidates:
        cell = evidence.cell(candidate.id, problem.id)
        fixes, regressions = moves.get(candidate.id, (0, 0))
        moved = " ".join(([f"+{fixes}"] if fixes else []) + ([f"{MINUS}{regressions}"] if regressions else []))
        mark = marks.get(candidate.id, "")
        if len(evidence.candidates) <= STEPS_SHOWN or moved or mark or candidate.id == evidence.newest:
            steps.append(Step(candidate.id, cell.words, moved, mark, candidate.manifest.changed))
    hidden = len(evidence.candidates) - len(steps)
    words = f"{summary.counted(hidden, 'candidate')} after which no pattern moved left out." if hidden else ""
    return tuple(steps), words
