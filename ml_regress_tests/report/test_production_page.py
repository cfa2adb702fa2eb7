"""The page of all batches: each thing over time, and what moved without the other."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_regress.core.drift_result import NO_DRIFT, DriftReport
from ml_regress.report import pages, production_page
from ml_regress.report.drift_heat import drift_heat
from ml_regress.report.evidence import DASH
from ml_regress.report.pages import write_report
from ml_regress.report.production_page import production_html, write_production_page
from ml_regress.report.series import (
    MEAN,
    MISSING,
    SHARE,
    answer_series,
    column_series,
    metric_series,
    score_series,
)
from ml_regress.report.series_figure import series_figure
from ml_regress_tests.report.made_drift import (
    EVIL,
    a_batch,
    a_cluster,
    a_label,
    a_number,
    a_prediction,
    a_report,
    a_test,
    an_outlier_report,
    calm_report,
    few,
    levels,
    retyped,
)
from ml_regress_tests.report.made_evidence import a_candidate, a_pattern, a_problem, made_evidence
from ml_regress_tests.report.read_page import ReadPage

MARCH, APRIL, MAY = a_batch("2013-03", 3), a_batch(), a_batch("2013-05", 5, "quarantined")
JUNE = a_batch("2013-06", 6)
BATCHES = [JUNE, MAY, APRIL, MARCH]
DRIFTS = {"2013-03": calm_report(), "2013-04": a_report(), "2013-05": a_report("2013-05")}


@pytest.fixture(autouse=True)
def small_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawing library is 5 MB that every parse of a page would read."""
    monkeypatch.setattr(pages, "get_plotlyjs", lambda: "/* the drawing library */")
    monkeypatch.setattr(production_page, "get_plotlyjs", lambda: "/* the drawing library */")


def shown(batches: Any = BATCHES, drifts: Any = None, **rest: Any) -> ReadPage:
    outliers = {"2013-04": an_outlier_report()}
    return ReadPage(production_html(batches, DRIFTS if drifts is None else drifts, outliers, [], "flights", **rest))


def test_batches_stand_in_order_of_time_and_quarantined_ones_are_shown_as_such():
    heat = drift_heat([MARCH, APRIL, MAY, JUNE], [DRIFTS["2013-03"], DRIFTS["2013-04"], None, None])
    rows = {row.name: [cell.text for cell in row.cells] for row in heat.rows}
    assert rows["temp"] == ["·", "▲ 14", "✗", "…"]
    assert rows["label"] == ["·", "▲ 1.5", "✗", "…"]
    assert rows["prediction"] == ["·", "·", "✗", "…"]
    assert rows["accuracy"] == ["0.83", "▲ 0.71", "✗", "…"]
    assert rows["all columns together"] == ["0.51", "▲ 0.91", "✗", "…"]
    assert rows["rare"] == ["", "?", "✗", "…"]
    assert rows["carrier"] == ["", DASH, "✗", "…"]
    assert shown().row("temp") == "temp · ▲ 14 ✗ …"


def test_a_check_of_a_batch_that_was_quarantined_later_is_not_counted():
    page = shown()
    assert "1 of 2 batches of those that were checked" in page.text
    assert "2013-05: column 'temp': 12 of 900 cells are no numbers" in page.text
    assert "2013-05 drifts" not in page.text


def test_the_newest_check_is_the_first_sentence():
    assert "In short ▲ 2013-04 drifts: 1 of 2 columns drifts (temp)" in shown().text


def test_a_label_that_moves_alone_is_said_for_every_batch_the_newest_first():
    reports = {
        "2013-03": replace(a_report(), batch="2013-03"),
        "2013-04": a_report(),
        "2013-06": calm_report("2013-06"),
    }
    page = shown(drifts=reports)
    found = re.findall(r"(2013-\d\d) : The label moves while the prediction does not", page.text)
    assert found == ["2013-04", "2013-03"]
    assert "went different ways in 2 batches" in page.text


def test_nothing_is_said_to_go_apart_where_nothing_does():
    assert "went different ways" not in shown(drifts={"2013-03": calm_report()}).text


def test_prediction_and_label_are_drawn_as_the_share_of_one_level():
    reports = [calm_report(), a_report(), None]
    prediction, label = answer_series(reports)
    assert (prediction.kind, prediction.level, label.level) == (SHARE, "late", "late")
    assert [point and point.value for point in label.points] == [0.21, 0.35, None]
    assert [point and point.value for point in prediction.points] == [0.19, 0.19, None]
    assert [point and point.drifts for point in label.points] == [False, True, None]
    assert [point and point.reference for point in label.points] == [0.2, 0.2, None]


def test_the_positive_label_is_drawn_where_it_is_known_however_it_is_written():
    named = ("true", "false")
    label = levels("@label", (0.2, 0.8), (0.35, 0.65), named)
    reports = [a_report(answers=(levels("@prediction", (0.5, 0.5), (0.5, 0.5), named), label))]
    assert {series.level for series in answer_series(reports, "True")} == {"true"}
    assert {series.level for series in answer_series(reports, "false")} == {"false"}
    ones = [a_report(answers=(levels("@label", (0.2, 0.8), (0.3, 0.7), ("1", "0")),))]
    assert answer_series(ones, "1.0")[0].level == "1"


def test_a_level_that_a_batch_does_not_have_is_a_share_of_nothing_and_one_among_the_rest_is_unknown():
    absent = levels("c", (0.5, 0.5), (0.5, 0.5), ("A", "B"))
    bundled = levels("c", (0.5, 0.5), (0.5, 0.5), ("A", "other"))
    new = levels("c", (0.5, 0.5, 0.0), (0.2, 0.2, 0.6), ("A", "B", "N"))
    ((series),) = column_series([a_report(columns=(each,)) for each in (absent, bundled, new)])
    assert series.level == "N"
    assert [point and point.value for point in series.points] == [0.0, None, 0.6]


def test_numbers_are_drawn_by_their_mean_and_gaps_by_the_share_missing():
    gaps = a_test("Fisher", 1e-30, 0.3, 0.05)
    gappy = a_number("visib", values=a_test(p=0.6, size=0.01), gaps=gaps, missing_current=386)
    temp, visib = column_series([a_report(columns=(a_number(), gappy, a_number("hour", NO_DRIFT), few(), retyped()))])
    assert (temp.name, temp.kind, temp.points[0] and temp.points[0].value) == ("temp", MEAN, 62.4)
    assert (visib.name, visib.kind) == ("visib", MISSING)
    assert visib.points[0] is not None
    assert visib.points[0].value == pytest.approx(386 / 1286)


def test_columns_that_never_drift_are_not_drawn():
    assert column_series([calm_report()]) == []
    assert "No column drifts in any batch." in shown(drifts={"2013-03": calm_report()}).text


def test_scores_and_the_metric_have_a_line_with_their_reference():
    reports = [a_report(answers=(a_number("score:late", means=(0.2, 0.3)),)), None]
    (score,) = score_series(reports)
    assert (score.name, score.points[0] and score.points[0].value) == ("score of late", 0.3)
    (metric,) = metric_series(reports)
    assert metric.points[0] is not None
    assert (metric.points[0].value, metric.points[0].reference) == (0.71, 0.84)


def test_a_figure_marks_drift_by_shape_and_bands_what_has_no_check():
    reports = [DRIFTS["2013-03"], DRIFTS["2013-04"], None, None]
    figure = series_figure([MARCH, APRIL, MAY, JUNE], reports, answer_series(reports))
    label = figure.data[3]
    assert label.name == "label: share of 'late'"
    assert list(label.y) == [0.21, 0.35, None, None]
    assert list(label.marker.symbol)[:2] == ["square", "triangle-up"]
    assert list(figure.data[2].y) == [0.2, 0.2, None, None]
    assert [note.text for note in figure.layout.annotations] == ["✗", "…"]


def test_the_figures_are_in_the_page():
    page = shown()
    assert list(page.figures) == ["figure-answers-1", "figure-answers-2", "figure-columns-1"]
    assert page.figures["figure-answers-2"]["data"][1]["y"] == [0.83, 0.71, None, None]
    assert "prediction drifts in 0 of 2 batches; label drifts in 1 of 2 batches." in page.text


def many_batches(count: int) -> tuple[list[Any], dict[str, DriftReport]]:
    days = [f"2013-{1 + place // 28:02d}-{1 + place % 28:02d}" for place in range(count)]
    batches = [replace(a_batch(f"day-{day}"), starts=f"{day}T00:00:00Z") for day in days]
    return batches, {batch.id: a_report(batch.id) for batch in batches}


def test_of_many_batches_the_newest_are_drawn_and_that_is_said():
    batches, drifts = many_batches(230)
    page = shown(batches, drifts)
    assert "The newest 200 of 230 batches." in page.text
    assert len(page.figures["figure-answers-1"]["data"][1]["x"]) == 200
    assert "and 190 more, older ones" in page.text
    assert "230 batches" in page.text


def test_of_many_columns_the_worst_stand_in_the_table_and_the_others_are_counted():
    calm = tuple(a_number(f"c{place}", NO_DRIFT) for place in range(40))
    report = a_report(columns=(*calm, *(a_number(f"w{place}") for place in range(5))))
    heat = drift_heat([APRIL], [report])
    assert len(heat.rows) == 4 + 30
    assert heat.left_out == "15 of 45 columns are left out, the calmest ones; none of them drifts in any batch shown."
    assert drift_heat([APRIL], [report], most=3).left_out.endswith("2 of them drift in some batch.")


def test_a_store_without_batches_says_what_to_do():
    page = shown([], {})
    assert "No batch has come yet." in page.text
    assert page.figures == {}


def test_batches_that_nobody_checked_show_no_verdict():
    page = shown([MARCH, APRIL], {})
    assert "No batch is checked yet." in page.text
    assert "does not drift" not in page.text
    assert "2013-03 is not checked yet." in page.text


def test_a_newest_batch_without_labels_says_why():
    label = replace(a_label(), state="not compared", reason="the batch has no labels", values=None)
    page = shown(drifts={"2013-04": a_report(answers=(a_prediction(), label))})
    assert "Of 2013-04: label is not compared: the batch has no labels." in page.text


def test_uncovered_kinds_stand_first_with_batch_inputs_and_distance():
    coverage = [(APRIL, a_cluster(1, 0.4, 500)), (JUNE, a_cluster(2, 2.5, 300)), (APRIL, a_cluster(3, None, 100))]
    page = ReadPage(production_html(BATCHES, DRIFTS, {}, coverage, "flights"))
    assert "2 of 3 kinds of rows have no pattern near: 400 of 900 rows." in page.text
    rows = [" ".join(row.split()) for row in page.rows]
    kinds = [row for row in rows if " temp " in row and " visib " in row]
    assert [row.split()[:3] for row in kinds] == [
        ["2013-06", "2", "300"],
        ["2013-04", "3", "100"],
        ["2013-04", "1", "500"],
    ]
    assert "storm-2 winter-storms too far: 2.5 times the limit" in kinds[0]


def test_links_lead_only_to_pages_that_are_there(tmp_path: Path):
    (tmp_path / "batch-2013-04.html").write_text("there")
    path = write_production_page(BATCHES, DRIFTS, {}, [], name="flights", folder=tmp_path)
    page = ReadPage(path.read_text(encoding="utf-8"))
    assert path.name == "production.html"
    assert {link for link in page.links() if not link.startswith("#")} == {"batch-2013-04.html"}
    assert {link[1:] for link in page.links() if link.startswith("#")} <= page.anchors()
    assert page.outside() == []


def test_report_and_production_lead_to_each_other_once_both_are_there(tmp_path: Path):
    problem = a_problem()
    evidence = made_evidence([a_candidate("old")], [problem], [a_pattern(problem.id, "p1")], {("old", "p1"): 1})
    report = write_report(evidence, tmp_path)
    assert "production.html" not in ReadPage(report.read_text(encoding="utf-8")).links()
    page = write_production_page(BATCHES, DRIFTS, {}, [], name="flights", folder=tmp_path)
    assert "report.html" in ReadPage(page.read_text(encoding="utf-8")).links()
    assert "production.html" in ReadPage(write_report(evidence, tmp_path).read_text(encoding="utf-8")).links()


def test_free_text_cannot_become_markup():
    columns = (levels(EVIL, (0.5, 0.5), (0.2, 0.8), (EVIL, "b")), a_number(EVIL + "n"), few(EVIL + "f"))
    answers = (a_number(f"score:{EVIL}"), levels("@label", (0.5, 0.5), (0.2, 0.8), (EVIL, "b")))
    report = a_report(columns=columns, answers=answers)
    cluster = replace(a_cluster(inputs={EVIL: EVIL}), problem=EVIL, pattern=EVIL)
    bad = replace(MAY, reasons=(EVIL,))
    html = production_html(
        [APRIL, bad], {"2013-04": report}, {"2013-04": an_outlier_report(counts={EVIL: 2})}, [(APRIL, cluster)], EVIL
    )
    page = ReadPage(html)
    scripts = [found for tag, found in page.elements if tag == "script"]
    assert len([found for found in scripts if found.get("type") != "application/json"]) == 2
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert not page.dangerous()
    for figure in page.figures.values():
        names = [trace.get("name", "") + "".join(trace.get("hovertext") or []) for trace in figure["data"]]
        assert not any("<script" in name or "<img" in name for name in names)
