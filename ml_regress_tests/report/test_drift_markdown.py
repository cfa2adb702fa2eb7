"""Drift in the Dagster UI: the tables, and pictures that are pictures."""

import base64
import io

from PIL import Image

from ml_regress.core.drift_result import NO_DRIFT
from ml_regress.report.drift_markdown import drift_markdown, pictures_markdown, worst_pictures
from ml_regress.report.drift_pictures import column_drawing
from ml_regress.report.evidence import DASH
from ml_regress_tests.report.made_drift import (
    EVIL,
    a_label,
    a_number,
    a_report,
    a_test,
    calm_report,
    few,
    levels,
    retyped,
)


def cells(markdown: str, first: str) -> list[str]:
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def opened(uri: str) -> Image.Image:
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body))).convert("RGB")


def test_a_row_holds_the_size_beside_its_limit_and_psi_beside_its_critical_value():
    row = cells(drift_markdown(a_report()), "temp")
    assert row[:6] == [
        "temp", "▲ drift", "mean 38.1 → 62.4", "W1 1.35 sd \\(limit 0.1\\)", "&lt; 1e-12", "1.9 (0.021)",
    ]  # fmt: skip
    assert row[8] == "31"


def test_what_was_not_compared_says_why_and_has_no_number():
    row = cells(drift_markdown(a_report()), "carrier")
    assert row[1] == f"{DASH} not compared"
    assert row[3:6] == [DASH, DASH, DASH]
    assert row[-1] == "was text when this batch came, is number now"


def test_answers_all_columns_together_and_the_metric_are_told():
    text = drift_markdown(a_report())
    assert cells(text, "label")[1:3] == ["▲ drift", "share of 'late' 20% → 35%"]
    assert "AUC 0.910" in cells(text, "all columns together")[2]
    assert cells(text, "accuracy")[3] == "3,000 and 900 labelled rows"
    assert "**The label moves while the prediction does not" in text


def test_thirty_columns_are_shown_and_the_others_counted():
    columns = tuple(a_number(f"c{place:02d}", NO_DRIFT) for place in range(40))
    worst = tuple(a_number(f"w{place:02d}") for place in range(32))
    text = drift_markdown(calm_report(columns=(*columns, *worst), answers=()))
    assert text.count("| ▲ drift |") == 30
    assert "42 of 72 columns are left out, the calmest ones; 2 of them drift." in text


def test_a_report_that_is_a_reason_has_no_table():
    text = drift_markdown(a_report(columns=(), answers=(), domain=None, metric=None, reason="no reference"))
    assert text.startswith("Nothing of 2013-04 could be compared\\: no reference.")
    assert "|" not in text


def test_free_text_cannot_become_markup():
    column = levels(EVIL, (0.5, 0.5), (0.2, 0.8), (EVIL, "b"), new_levels=((EVIL, 3),), notes=(EVIL,))
    text = drift_markdown(a_report(columns=(column, few(EVIL)), notes=(EVIL,)))
    assert "<" not in text
    assert "[b](c)" not in text
    heads = [line for line in text.splitlines() if line.startswith("| Column")]
    rows = [line for line in text.splitlines() if line.startswith("| &lt;/script")]
    assert rows
    assert {row.count(" | ") for row in rows} == {heads[0].count(" | ")}


def test_pictures_are_of_what_drifts_the_farthest_first():
    far = a_number("far", values=a_test(size=9.0))
    names = [name for name, _ in worst_pictures(a_report(columns=(a_number(), few(), retyped(), far)))]
    assert names == ["far", "temp", "label"]
    assert [name for name, _ in worst_pictures(a_report(columns=(a_number(), far)), most=1)] == ["far"]
    assert worst_pictures(calm_report()) == []
    assert pictures_markdown(calm_report()) == ""


def test_a_picture_shows_both_sides():
    found = dict(worst_pictures(a_report()))
    for uri in found.values():
        picture = opened(uri)
        colours = {colour for _, colour in picture.getcolors(100_000) or []}
        assert (188, 211, 234) in colours  # the reference
        assert (168, 60, 0) in colours  # the batch
        assert len(uri) < 40_000


def test_heights_are_the_shares():
    drawing = column_drawing(a_number())
    assert drawing is not None
    bars = [part for part in drawing.parts if type(part).__name__ == "Box"]
    heights = [bar.height for bar in bars]  # type: ignore[union-attr]
    expected = [0.02, 0.1, 0.3, 0.36, 0.2, 0.02]
    assert [round(height / heights[3] * 0.36, 6) for height in heights] == expected


def test_a_column_without_a_shape_or_with_odd_numbers_is_not_drawn():
    assert column_drawing(retyped()) is None
    odd = {"edges": [0.0, 1.0], "reference": [float("nan")], "current": [1.0]}
    assert column_drawing(a_number(shape=odd)) is None


def test_one_level_and_one_bin_can_be_drawn():
    only = levels("flag", (1.0,), (1.0,), ("yes",))
    one = a_number(shape={"edges": [4.9, 5.1], "reference": [1.0], "current": [0.0]})
    many = levels("c", [0.05] * 13, [0.05] * 12 + [0.4], [*"ABCDEFGHIJKL", "other"])
    for column in (only, one, many, a_label()):
        drawing = column_drawing(column, headed=True)
        assert drawing is not None
        assert Image.open(io.BytesIO(drawing.png())).size == (drawing.width * 2, drawing.height * 2)
    drawing = column_drawing(many)
    assert drawing is not None
    assert "6 others moved less" in drawing.svg()
