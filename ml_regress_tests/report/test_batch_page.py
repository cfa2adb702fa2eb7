"""The page of a batch: true in every state of the batch, harmless whatever names say, and small."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml_regress.core.drift_result import NO_DRIFT
from ml_regress.errors import Unavailable
from ml_regress.report.batch_page import batch_html, window_words, write_batch_page
from ml_regress.report.page_links import batch_file, batch_link, production_link
from ml_regress.settings import Settings
from ml_regress_tests.report.made_drift import (
    EVIL,
    a_batch,
    a_cluster,
    a_number,
    a_proposal,
    a_report,
    an_outlier_report,
    few,
    levels,
    retyped,
)
from ml_regress_tests.report.read_page import ReadPage


def shown(*values: object, **rest: object) -> ReadPage:
    return ReadPage(batch_html(*values, **rest))  # type: ignore[arg-type]


def test_a_checked_batch_shows_its_verdict_columns_answers_and_metric():
    page = shown(a_batch(labelled=900), a_report(), an_outlier_report(), [a_proposal()])
    assert "▲ 2013-04 drifts: 1 of 2 columns drifts (temp); of the answers, label drifts" in page.text
    assert "The label moves while the prediction does not" in page.text
    assert "mean 38.1 → 62.4" in page.row("temp number")
    assert "W1 1.35 sd (limit 0.1)" in page.row("temp number")
    assert "was text when this batch came, is number now" in page.row("carrier category")
    assert "accuracy drifts, to the worse: accuracy 0.84 → 0.71" in page.text
    assert "AUC 0.910, where chance stays below 0.520" in page.text
    assert "reference/q1.parquet (3,000 rows)" in page.text
    assert "900 with a label" in page.text


def test_each_column_with_a_shape_is_drawn_in_place_without_a_script():
    html = batch_html(a_batch(), a_report(), None)
    page = ReadPage(html)
    assert html.count('class="small-drawing"') == 4  # temp, hour, prediction, label
    assert not [tag for tag, _ in page.elements if tag == "script"]
    assert "There is nothing to draw." in page.text


def test_a_quarantined_batch_shows_its_reasons_and_no_check_that_was_made_before():
    page = shown(a_batch(state="quarantined"), a_report(), an_outlier_report(), [a_proposal()])
    assert "2013-04 is quarantined: it breaks the production schema, and nothing uses it." in page.text
    assert "12 of 900 cells are no numbers" in page.text
    assert "drift" not in page.text
    assert "Strange rows" not in page.text


def test_a_released_batch_says_who_released_it_and_why():
    batch = a_batch(
        state="released", reasons=("column 'temp' breaks",), released_by="Ada", released_why="known gap",
        released_at="2013-05-02T10:00:00Z",
    )  # fmt: skip
    page = shown(batch, a_report(), None)
    assert "by Ada, 2013-05-02, because “known gap”. Cells that broke the schema are missing." in page.text
    assert "It broke the production schema:" in page.text


def test_a_batch_that_nobody_checked_says_so():
    page = shown(a_batch(), None, None)
    assert "2013-04 is not checked yet." in page.text
    assert "Columns" not in page.text


def test_a_check_that_is_a_reason_shows_it_and_no_rule_of_drift():
    report = a_report(columns=(), answers=(), domain=None, metric=None, reason="no reference: name trained_on")
    page = shown(a_batch(), report, an_outlier_report(strange=(), counts={}, clusters=(), proposed=(), reason="none"))
    assert "Nothing of 2013-04 could be compared: no reference: name trained_on." in page.text
    assert "A column drifts where" not in page.text
    assert "Strange rows could not be looked for: none" in page.text
    assert "None of 900 rows is strange" not in page.text


def test_a_check_older_than_the_rows_is_said_to_be_old():
    old = a_batch(updated_at="2013-05-01T06:10:01Z")
    assert "changed after this check" in shown(old, a_report(), None).text
    assert "changed after this check" not in shown(a_batch(updated_at="2013-05-01T06:09:59Z"), a_report(), None).text


def test_strange_rows_lead_to_the_proposals_that_wait_of_them():
    other = a_proposal("elsewhere", batch="2013-03", row=17)
    decided = a_proposal("refused-1", row=17, state="rejected")
    page = shown(a_batch(), a_report(), an_outlier_report(), [a_proposal(), other, decided])
    assert "18 confident error 0.930" in page.row("18")
    assert page.row("5 outlier").endswith("storm-x1")
    assert {link for link in page.links() if link.startswith("#proposal")} == {"#proposal-storm-x1"}
    assert {link[1:] for link in page.links() if link.startswith("#")} <= page.anchors()
    assert "suggested: late" in page.text
    assert "elsewhere" not in page.text
    assert "refused-1" not in page.text


def test_proposals_that_were_all_decided_are_not_said_to_wait():
    page = shown(a_batch(), a_report(), an_outlier_report())
    assert "2 proposals came of this batch, and none of them waits." in page.text
    nothing = an_outlier_report(strange=(), counts={}, proposed=())
    assert "None of 900 rows is strange." in shown(a_batch(), a_report(), nothing).text


def test_kinds_of_rows_stand_with_the_uncovered_ones_first():
    page = shown(a_batch(), a_report(), an_outlier_report())
    assert "2 of 3 kinds of rows have no pattern near: 400 of 900 rows." in page.text
    rows = [" ".join(row.split()) for row in page.rows]
    kinds = [row for row in rows if " temp " in row and " visib " in row]
    assert [row[0] for row in kinds] == ["2", "3", "1"]


def test_of_many_columns_the_worst_are_drawn_and_all_are_listed():
    columns = tuple(a_number(f"c{place:03d}", NO_DRIFT) for place in range(490))
    worst = tuple(a_number(f"w{place:02d}") for place in range(10))
    html = batch_html(a_batch(), a_report(columns=(*columns, *worst), answers=()), None)
    page = ReadPage(html)
    assert html.count('class="small-drawing"') == 60
    assert "The worst 60 of 500 columns are drawn; the table below has all, and none of the others drifts." in page.text
    assert page.row("c489 number")


def test_a_page_of_thirty_columns_stays_small():
    shares = [0.05] * 20
    shape = {"edges": [float(place) / 7 for place in range(21)], "reference": shares, "current": shares[::-1]}
    columns = tuple(a_number(f"column_{place}", shape=shape) for place in range(30))
    assert len(batch_html(a_batch(), a_report(columns=columns), an_outlier_report())) < 150_000


def test_free_text_cannot_become_markup():
    batch = a_batch(
        state="released", reasons=(EVIL,), notes=(EVIL,), released_by=EVIL, released_why=EVIL, candidate=EVIL
    )
    batch = replace(batch, source=EVIL)
    columns = (
        levels(EVIL, (0.5, 0.5), (0.2, 0.8), (EVIL, "b"), new_levels=((EVIL, 3),), notes=(EVIL,)),
        a_number(EVIL + "n"),
        few(EVIL + "f"),
        replace(retyped(), reason=EVIL),
    )
    report = replace(a_report(columns=columns, notes=(EVIL,)), reference=EVIL)
    strange = tuple(replace(each, why=EVIL, cause=EVIL) for each in an_outlier_report().strange)
    cluster = replace(a_cluster(inputs={EVIL: EVIL}), problem=EVIL, pattern=EVIL)
    outliers = an_outlier_report(strange=strange, counts={EVIL: 2}, clusters=(cluster,), notes=(EVIL,))
    proposal = a_proposal(why=EVIL, problem_title=EVIL, inputs={EVIL: EVIL}, suggested=EVIL, cause=EVIL)
    page = shown(batch, report, outliers, [proposal])
    assert not [tag for tag, _ in page.elements if tag in ("script", "img")]
    assert not page.dangerous()
    assert page.text.count(EVIL.split(" | ")[0]) > 15


def test_the_page_asks_no_server_and_its_links_lead_beside_it():
    page = shown(a_batch(), a_report(), an_outlier_report(), [a_proposal()])
    assert page.outside() == []
    assert [link for link in page.links() if not link.startswith("#")] == ["production.html"]


def test_each_batch_has_a_file_of_its_own(tmp_path: Path):
    batch = a_batch("2013-04.v2")
    path = write_batch_page(batch, None, None, [], tmp_path)
    assert path == tmp_path / "batch-2013-04.v2.html"
    assert "is not checked yet" in path.read_text(encoding="utf-8")
    assert batch_file("../../etc/passwd") == "batch-.._.._etc_passwd.html"


def test_a_page_that_cannot_be_written_says_so(tmp_path: Path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be written"):
        write_batch_page(a_batch(), None, None, [], tmp_path / "folder")


def test_links_are_those_under_which_the_folder_is_served(tmp_path: Path):
    settings = Settings(tmp_path, tmp_path, "sqlite://", "flights", report_port=4001)
    assert batch_link(settings, "2013-04") == "http://127.0.0.1:4001/batch-2013-04.html"
    assert production_link(settings) == "http://127.0.0.1:4001/production.html"


def test_a_window_repeats_nothing_and_says_its_zone():
    assert window_words(a_batch()) == "2013-04-01 to 2013-04-28 23:00 UTC"
    moment = replace(a_batch(), starts="2013-04-01T10:30:00Z", ends="2013-04-01T10:30:00Z")
    assert window_words(moment) == "2013-04-01 10:30 UTC"
