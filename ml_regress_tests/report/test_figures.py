import json

from ml_regress.core.evaluation import Measure
from ml_regress.core.problem import Benchmark, Requirement
from ml_regress.report.figures import benchmark_figure, problem_figure, spread
from ml_regress.report.heat_map import heat_map_figure
from ml_regress_tests.report.made_evidence import (
    ERROR,
    a_candidate,
    a_cell,
    a_pattern,
    a_problem,
    made_evidence,
    measured_cell,
)

PROBLEM = a_problem(requirement=Requirement(at_least=3))
PATTERNS = [a_pattern(PROBLEM.id, name) for name in ("p1", "p2", "p3", "p4")]
ORDER = ("old", "middle", "new")
ANSWERS = {
    **{("old", p): a for p, a in zip(("p1", "p2", "p3", "p4"), (1, 8, 8, 8), strict=True)},
    **{("middle", p): a for p, a in zip(("p1", "p2", "p3", "p4"), (1, 1, 1, 8), strict=True)},
    **{("new", p): a for p, a in zip(("p1", "p2", "p3", "p4"), (8, 1, 8, 1), strict=True)},
}
CANDIDATES = [a_candidate(name, day, f"change of {name}") for day, name in enumerate(ORDER, 1)]


def evidence(**rest):
    return made_evidence(CANDIDATES, [PROBLEM], PATTERNS, ANSWERS, **{"production": "middle", **rest})


def test_a_problem_is_drawn_with_its_rates_intervals_and_notes():
    made = evidence()
    line = problem_figure(made, PROBLEM).data[0]
    assert list(line.y) == [0.25, 0.75, 0.5]
    cell = made.cell("middle", PROBLEM.id)
    assert line.error_y.array[1] == cell.high - 0.75
    assert line.error_y.arrayminus[1] == 0.75 - cell.low
    assert "3 of 4 passed" in line.hovertext[1]
    assert "change of middle" in line.hovertext[1]
    assert list(line.marker.symbol) == ["circle", "star", "circle"]


def test_a_problem_is_marked_where_it_was_solved_and_broken_again():
    texts = [note.text for note in problem_figure(evidence(), PROBLEM).layout.annotations]
    places = {note.text: note.x for note in problem_figure(evidence(), PROBLEM).layout.annotations}
    assert places["<b>✓ solved</b>"] == 1
    assert places["<b>✗ broken again</b>"] == 2
    assert "asked: 3 of 4" in texts


def test_an_error_is_no_point_of_the_line_and_keeps_its_reason():
    made = evidence(cells=[a_cell("middle", PROBLEM.id, "error", reason="time limit of 60 s")])
    figure = problem_figure(made, PROBLEM)
    assert figure.data[0].y[1] is None
    assert figure.data[0].connectgaps is None
    assert figure.data[1].name == "error"
    assert "time limit of 60 s" in figure.data[1].hovertext[0]


def test_a_cell_of_an_older_suite_is_drawn_apart_from_the_line():
    stale = measured_cell("old", PROBLEM.id, ["passed"] * 4, suite="suite-0")
    made = evidence(cells=[{**stale, "evaluated_at": "2026-06-01T10:00:00Z"}])
    line, apart = problem_figure(made, PROBLEM).data[:2]
    assert list(line.y) == [None, 0.75, 0.5]
    assert list(apart.y) == [1.0, None, None]
    assert apart.mode == "markers"


def test_benchmark_metrics_stand_at_the_time_of_their_candidate():
    benchmark = Benchmark("held-out", "Held-out", PROBLEM.inputs, "digit", ("accuracy", "f1"))
    cells = [
        a_cell(
            name, "held-out", answered=9, metric=value, suite="b",
            measures=[Measure("accuracy", value, None, value - 0.1, value + 0.05), Measure("f1", None, "one class")],
        )
        for name, value in (("old", 0.8), ("new", 0.9))
    ]  # fmt: skip
    figure = benchmark_figure(evidence(cells=cells, benchmarks=[benchmark]), "held-out")
    accuracy = figure.data[0]
    assert list(accuracy.y) == [0.8, None, 0.9]
    assert list(accuracy.x) == [candidate.manifest.created_at for candidate in CANDIDATES]
    assert [note.text for note in figure.layout.annotations] == ["old", "★ middle", "new"]


def test_labels_of_close_times_step_aside_in_order():
    assert spread([0.1, 0.11, 0.5], 0.05) == [0.1, 0.15000000000000002, 0.5]


def test_the_heat_map_holds_every_cell_with_flips_against_production():
    figure = heat_map_figure(evidence())
    heat = figure.data[0]
    assert [list(line) for line in heat.z] == [[0.25, 0.75, 0.5]]
    assert [list(line) for line in heat.text] == [["1/4<br>\N{MINUS SIGN}2", "3/4", "2/4<br>+1 \N{MINUS SIGN}2"]]
    frames = [shape for shape in figure.layout.shapes if shape.x0 == 0.5 and shape.x1 == 1.5]
    assert len(frames) == 1


def test_unmeasured_cells_have_words_and_no_colour():
    made = evidence(
        cells=[
            a_cell("old", PROBLEM.id, "error", reason="cannot be opened"),
            a_cell("middle", PROBLEM.id, "not applicable", reason="no such label"),
            a_cell("new", PROBLEM.id, "due", reason="new pattern"),
        ]
    )
    heat = heat_map_figure(made).data[0]
    assert list(heat.z[0]) == [None, None, None]
    assert list(heat.text[0]) == ["error", "n/a", "…"]
    assert "cannot be opened" in heat.hovertext[0][0]


def test_free_text_cannot_become_markup_of_a_figure():
    problem = a_problem(title="<a href='x'>title</a>")
    candidates = [a_candidate("c", changed="<b onclick=x>loud</b>")]
    made = made_evidence(candidates, [problem], [a_pattern(problem.id, "p1")], {("c", "p1"): 1})
    texts = json.loads(problem_figure(made, problem).to_json())["data"][0]["hovertext"]
    assert "&lt;b onclick" in texts[0]
    assert heat_map_figure(made).layout.yaxis.ticktext[0].startswith("&lt;a href")


def test_errors_among_patterns_are_said_beside_the_rate():
    made = made_evidence([a_candidate("c")], [PROBLEM], PATTERNS[:2], {("c", "p1"): 1, ("c", "p2"): ERROR})
    assert heat_map_figure(made).data[0].text[0][0] == "1/1 (1 error)"
    assert problem_figure(made, PROBLEM).data[0].hovertext[0].count("1 without an answer") == 1
