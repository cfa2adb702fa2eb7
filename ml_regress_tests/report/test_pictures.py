import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from ml_regress.report.markdown import markdown_text, patterns_markdown, scoreboard_markdown
from ml_regress.report.pictures import image_png, input_pictures, plain_inputs
from ml_regress.report.scoreboard import LABEL, TALL, WIDE, matrix_text, scoreboard_png, scoreboard_svg
from ml_regress_tests.report.made_evidence import a_candidate, a_cell, a_pattern, a_problem, made_evidence

IMAGE = {"image": "image(2, 3, p{row}{column}, 0..16)", "scanner": "text"}
PIXELS = {"p00": 0.0, "p01": 16.0, "p02": 8.0, "p10": 4.0, "p11": 99.0, "p12": -5.0}


def pixels_of(png: bytes) -> list[list[int]]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "L"
        return np.asarray(picture).tolist()


def decoded(uri: str) -> bytes:
    assert uri.startswith("data:image/png;base64,")
    return base64.b64decode(uri.partition(",")[2], validate=True)


def test_an_image_decodes_to_the_right_pixels_low_black_high_white():
    assert pixels_of(image_png([0, 16, 8, 4, 99, -5], 2, 3, 0, 16)) == [[0, 255, 128], [64, 255, 0]]


def test_an_image_is_enlarged_by_whole_pixels():
    assert pixels_of(image_png([0, 255], 1, 2, scale=2)) == [[0, 0, 255, 255], [0, 0, 255, 255]]


def test_a_missing_pixel_is_grey():
    assert pixels_of(image_png([None, float("nan"), 255], 1, 3)) == [[128, 128, 255]]


def test_a_wrong_number_of_pixels_is_refused():
    with pytest.raises(ValueError, match="takes 6 values, not 5"):
        image_png([0] * 5, 2, 3)


def test_declared_images_become_pictures_and_the_rest_a_table():
    problem = a_problem(inputs=IMAGE)
    inputs = {**PIXELS, "scanner": "front desk"}
    ((name, uri),) = input_pictures(problem.inputs, inputs)
    assert name == "image"
    assert pixels_of(decoded(uri)) == [[0, 255, 128], [64, 255, 0]]
    assert plain_inputs(problem.inputs, inputs) == [("scanner", "front desk")]
    assert input_pictures(problem.inputs, None) == []


def test_a_large_image_is_made_smaller_for_the_page():
    problem = a_problem(inputs={"photo": "image(100, 200, p{index})"})
    inputs = {f"p{index}": 255.0 for index in range(20_000)}
    ((_, uri),) = input_pictures(problem.inputs, inputs)
    assert np.asarray(pixels_of(decoded(uri))).shape == (32, 64)


def small_evidence(title: str = "1 or 8", **rest):
    problem = a_problem(title=title)
    patterns = [a_pattern(problem.id, "p1"), a_pattern(problem.id, "p2")]
    answers = {("old", "p1"): 1, ("old", "p2"): 8, ("new", "p1"): 1, ("new", "p2"): 1}
    candidates = [a_candidate("old", 1), a_candidate("new", 2), a_candidate("odd", 3)]
    return made_evidence(candidates, [problem], patterns, answers, production="old", **rest)


def test_the_svg_scoreboard_is_xml_with_every_cell_and_escaped_titles():
    svg = scoreboard_svg(small_evidence("<script>alert(1)</script> & co"))
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own text
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "<script>alert(1)</script> &…"[:20] in texts[3]
    assert {"★ old", "1/2", "2/2", "+1", "…"} <= set(texts)
    assert "<script" not in svg


def test_the_png_scoreboard_colours_cells_by_their_rate():
    evidence = small_evidence(cells=[a_cell("odd", "one-or-eight", "error", reason="x")])
    with Image.open(io.BytesIO(scoreboard_png(evidence, scale=1))) as picture:
        at = [picture.getpixel((LABEL + WIDE * column + 6, TALL)) for column in range(3)]
    assert at[0] == (0xF7, 0xF1, 0xE3)
    assert at[1] == (0x86, 0xB6, 0xDF)
    assert at[2][0] == pytest.approx(0xD5, abs=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("a\nb", "a b"),
        ("`code`", "&#96;code&#96;"),
        ("<script>", "&lt;script&gt;"),
        ("R&D", "R&amp;D"),
        ("![x](https://a.b)", r"\!\[x\]\(https\://a.b\)"),
        ("one-or-eight_01", r"one-or-eight\_01"),
    ],
)
def test_free_text_cannot_become_markdown(text, shown):
    assert markdown_text(text) == shown


def test_patterns_are_a_markdown_table_with_pictures_and_say_what_is_left_out():
    problem = a_problem(inputs=IMAGE)
    inputs = {**PIXELS, "scanner": "a|b\n`c`"}
    patterns = [a_pattern(problem.id, f"p{n}", inputs=inputs, note="<b>note</b>") for n in range(5)]
    table = patterns_markdown(made_evidence([], [problem], patterns, {}).patterns, problem, limit=2)
    lines = table.splitlines()
    assert lines[0] == "| Pattern | image | scanner | Expected | Polarity | Origin | Note |"
    assert lines[2].count(" | ") == 6
    assert "a&#124;b &#96;c&#96;" in lines[2]
    assert "&lt;b&gt;note" in lines[2]
    uri = lines[2].partition("![image](")[2].partition(")")[0]
    with Image.open(io.BytesIO(decoded(uri))) as picture:
        assert picture.size == (48, 32)
    assert lines[-1] == "3 of 5 patterns are left out."


def test_the_scoreboard_table_shows_cells_and_flips():
    lines = scoreboard_markdown(small_evidence()).splitlines()
    assert lines[0] == "| Problem | **★ old** | new | odd |"
    assert lines[2] == "| 1 or 8 | 1/2 | 2/2 +1 | … |"


def test_the_terminal_table_shows_the_newest_and_production_and_says_what_is_left_out():
    console = Console(width=100, file=io.StringIO(), force_terminal=False)
    console.print(matrix_text(small_evidence("[red]1 or 8"), limit=1))
    text = console.file.getvalue()
    assert "* old" in text
    assert "[red]1 or 8" in text
    assert "1/2" in text
    assert "1 of 3 candidates left out" in " ".join(text.split())
