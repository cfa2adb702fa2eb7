import html
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from ml_regress.core.candidate import Manifest
from ml_regress.core.problem import Benchmark
from ml_regress.errors import Unavailable
from ml_regress.report import pages
from ml_regress.report.figures import problem_figure
from ml_regress.report.heat_map import heat_map_figure
from ml_regress.report.markdown import scoreboard_markdown
from ml_regress.report.pages import report_html, write_report
from ml_regress.report.pattern_grid import Budget, pattern_grid, top_score
from ml_regress.report.scoreboard import picture_left_out, scoreboard_png, scoreboard_svg
from ml_regress_tests.report.made_evidence import ERROR, a_candidate, a_cell, a_pattern, a_problem, made_evidence

EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements of a page and the text of its JSON scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.words: list[str] = []
        self._script: str | None = None
        self._hidden = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.elements.append((tag, found))
        self._hidden = tag in ("script", "style")
        self._script = found.get("id") if tag == "script" else None

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if self._script:
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        elif not self._hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def steady_and_flipping(steady: int, flipping: int):
    """`flipping` patterns that the new candidate fixes, after `steady` ones that both pass."""
    problem = a_problem()
    names = [f"steady-{n}" for n in range(steady)] + [f"flip-{n}" for n in range(flipping)]
    answers = {("new", name): 1 for name in names}
    answers |= {("old", name): 1 if name.startswith("steady") else 8 for name in names}
    candidates = [a_candidate("old", 1), a_candidate("new", 2)]
    patterns = [a_pattern(problem.id, name) for name in names]
    return made_evidence(candidates, [problem], patterns, answers, production="old"), problem


@pytest.fixture(autouse=True)
def small_library(monkeypatch):
    """The drawing library is 5 MB that every parse of a page would read."""
    monkeypatch.setattr(pages, "get_plotlyjs", lambda: "/* the drawing library */")


def test_the_numbers_of_the_page_are_those_of_the_evidence():
    evidence, _ = steady_and_flipping(2, 3)
    page = Page(report_html(evidence))
    assert "+ 3 patterns" in page.text
    assert "5 patterns, 3 flipped by a candidate" in page.text
    matrix = json.loads(page.scripts["figure-matrix"])
    assert matrix["data"][0]["text"] == [["2/5", "5/5<br>+3"]]
    line = json.loads(page.scripts["figure-one-or-eight"])["data"][0]
    assert line["y"] == [0.4, 1.0]


def test_a_large_problem_shows_all_flips_and_says_what_is_left_out():
    evidence, problem = steady_and_flipping(950, 50)
    grid = pattern_grid(evidence, problem, Budget(10**6))
    assert [row.id for row in grid.rows] == [f"flip-{n}" for n in range(50)]
    assert grid.left_out == "950 of 1,000 patterns that no candidate flips are left out."
    assert grid.left_out in Page(report_html(evidence)).text


def test_flips_beyond_the_limit_are_shown_too():
    evidence, problem = steady_and_flipping(5, 70)
    grid = pattern_grid(evidence, problem, Budget(10**6))
    assert len(grid.rows) == 70
    assert grid.left_out == "5 of 75 patterns that no candidate flips are left out."


def test_room_beside_the_flips_is_filled_with_steady_patterns():
    evidence, problem = steady_and_flipping(60, 10)
    grid = pattern_grid(evidence, problem, Budget(10**6))
    assert len(grid.rows) == 50
    assert grid.left_out == "20 of 70 patterns are left out; no candidate flips any of them."


def test_a_small_problem_leaves_nothing_out():
    evidence, problem = steady_and_flipping(3, 2)
    assert pattern_grid(evidence, problem, Budget(10**6)).left_out == ""


def test_a_row_shows_answers_flips_errors_and_scores():
    problem = a_problem()
    answers = {("old", "p1"): 8, ("new", "p1"): 1, ("odd", "p1"): ERROR}
    outputs = {("new", "p1"): {"score:1": 0.75, "score:8": 0.25}}
    candidates = [a_candidate("old", 1), a_candidate("new", 2), a_candidate("odd", 3), a_candidate("late", 4)]
    evidence = made_evidence(candidates, [problem], [a_pattern(problem.id, "p1")], answers, outputs=outputs)
    ((row),) = pattern_grid(evidence, problem, Budget(10**6)).rows
    assert [cell.text for cell in row.cells] == ["✗ 8", "✓ 1 ▲", "!", "·"]
    assert [cell.css for cell in row.cells] == ["f", "p u", "e", "a"]
    assert row.cells[1].score == "1 at 0.75"
    assert row.cells[2].reason == "raised ValueError"


def test_inputs_beyond_the_budget_are_left_out_and_said():
    evidence, problem = steady_and_flipping(2, 1)
    budget = Budget(30)
    rows = pattern_grid(evidence, problem, budget).rows
    assert [bool(row.inputs) for row in rows] == [True, False, False]
    assert budget.refused == 2


def test_predictions_without_scores_have_no_top_score():
    assert top_score(None) == ""
    assert top_score({"reason": "text"}) == ""


def test_free_text_cannot_become_markup_anywhere():
    inputs = {"x": "text"}
    problem = a_problem(
        title=EVIL, inputs=inputs, description=EVIL, owner=EVIL, labels=(EVIL,), reported_by=EVIL, severity=EVIL
    )
    patterns = [
        a_pattern(problem.id, "p1", expected=EVIL, inputs={"x": EVIL}, note=EVIL, origin=EVIL, twin=EVIL),
        a_pattern(problem.id, "p2", inputs={"x": EVIL}),
    ]
    candidates = [a_candidate("old", 1, EVIL), a_candidate("new", 2, EVIL), a_candidate("odd", 3, EVIL)]
    answers = {("old", "p1"): EVIL, ("old", "p2"): EVIL, ("new", "p1"): "other", ("new", "p2"): ERROR}
    benchmark = Benchmark("held-out", EVIL, problem.inputs, "digit", description=EVIL)
    cells = [
        a_cell("odd", problem.id, "error", reason=EVIL),
        a_cell("odd", "held-out", undefined=EVIL, answered=3, metric_name=EVIL, suite="b"),
    ]
    evidence = made_evidence(
        candidates, [problem], patterns, answers, production="old", cells=cells, benchmarks=[benchmark], name=EVIL
    )
    text = report_html(evidence)
    assert "alert('x')" not in re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.S)
    page = Page(text)
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert len([attrs for attrs in scripts if attrs.get("type") != "application/json"]) == 2
    assert not [attrs for _, attrs in page.elements if "onerror" in attrs]
    for body in page.scripts.values():
        assert "<" not in body
        json.loads(body)
    assert html.unescape(EVIL) in html.unescape(text)


def test_the_page_refers_to_nothing_outside_itself():
    evidence, _ = steady_and_flipping(2, 1)
    page = Page(report_html(evidence))
    for _, attrs in page.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            value = attrs.get(name)
            assert value is None or value.startswith(("#", "data:"))
    policy = next(attrs["content"] for tag, attrs in page.elements if tag == "meta" and "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'")


def test_images_are_drawn_as_images():
    problem = a_problem(inputs={"image": "image(1, 2, p{index})"})
    pattern = a_pattern(problem.id, "p1", inputs={"p0": 0.0, "p1": 255.0})
    evidence = made_evidence([a_candidate("c")], [problem], [pattern], {("c", "p1"): 1})
    pictures = [attrs for tag, attrs in Page(report_html(evidence)).elements if tag == "img"]
    assert len(pictures) == 2
    assert all(attrs["src"].startswith("data:image/png;base64,") for attrs in pictures)


def test_the_page_says_who_chose_the_patterns_and_what_intervals_mean():
    problem = a_problem()
    evidence = made_evidence(
        [a_candidate("c")], [problem], [a_pattern(problem.id, "p1", selected_on=("c",))], {("c", "p1"): 8}
    )
    text = Page(report_html(evidence)).text
    assert "Chosen on its failures (c: 1 of 1)" in text
    assert "Intervals say how far the rate would move if patterns were random draws." in text


def test_an_empty_workspace_has_a_page():
    text = Page(report_html(made_evidence([], [], [], {}))).text
    assert "No candidate is registered yet." in text


def test_the_report_is_written_whole_and_replaces_the_one_before(tmp_path):
    evidence, _ = steady_and_flipping(1, 1)
    folder = tmp_path / "home" / "report"
    path = write_report(evidence, folder)
    first = path.read_text(encoding="utf-8")
    assert write_report(evidence, folder) == path == folder / "report.html"
    assert path.read_text(encoding="utf-8") == first
    assert [file.name for file in folder.iterdir()] == ["report.html"]


def test_a_report_that_fails_leaves_the_one_before_untouched(tmp_path, monkeypatch):
    evidence, _ = steady_and_flipping(1, 1)
    path = write_report(evidence, tmp_path)
    before = path.read_bytes()

    def refuse(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(Unavailable, match="no space left on device"):
        write_report(evidence, tmp_path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_of_many_candidates_the_newest_and_production_stand_side_by_side_and_the_page_says_so():
    problem = a_problem()
    names = [f"model-{number:02d}" for number in range(60)]
    candidates = [replace(a_candidate(name), manifest=Manifest(f"2026-06-01T09:{at:02d}:00Z", "skops", "m.skops"))
                  for at, name in enumerate(names)]  # fmt: skip
    answers = {(name, "p1"): 8 if at == 3 else 1 for at, name in enumerate(names)}
    patterns = [a_pattern(problem.id, "p1")]
    evidence = made_evidence(candidates, [problem], patterns, answers, production="model-05")
    assert evidence.shown == ("model-05", *names[20:])
    assert evidence.left_out == "19 of 60 candidates are left out here, the oldest ones."
    (line,) = heat_map_figure(evidence).data[0].z
    assert len(line) == 41
    (row,) = pattern_grid(evidence, problem, Budget(10**6)).rows
    assert (len(row.cells), row.flips) == (41, False), "model-03 flipped it, and does not stand here"
    assert Page(report_html(evidence)).text.count(evidence.left_out) == 2
    assert "model-03" in str(problem_figure(evidence, problem).to_json()), "a graph over time shows all"
    assert picture_left_out(evidence) == "39 of 60 candidates are left out here, the oldest ones."
    assert picture_left_out(evidence) in scoreboard_markdown(evidence)
    assert len(scoreboard_svg(evidence)) < 40_000


def test_a_picture_of_many_problems_stays_small_and_says_what_it_leaves_out():
    problems = [a_problem(f"problem-{number}") for number in range(300)]
    patterns = [a_pattern(problem.id, "p1") for problem in problems]
    evidence = made_evidence([a_candidate("one")], problems, patterns, {("one", "p1"): 1})
    assert picture_left_out(evidence) == "The picture shows the first 40 of 300 problems."
    with Image.open(io.BytesIO(scoreboard_png(evidence))) as picture:
        assert picture.height < 4000
    assert scoreboard_markdown(evidence).count("1 or 8") == 300
