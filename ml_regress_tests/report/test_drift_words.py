"""Drift in words: true for each state, with no more digits than are known, and harmless in a terminal."""

import io

import pytest
from rich.console import Console

from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, NOT_ENOUGH, ColumnDrift, MetricDrift
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.report import drift_words
from ml_regress.report.drift_text import batches_text, drift_text
from ml_regress.report.drift_words import (
    apart_words,
    column_words,
    domain_words,
    metric_words,
    moved_level,
    number_words,
    ordered,
    p_words,
    report_words,
    share_words,
)
from ml_regress_tests.report.made_drift import (
    a_batch,
    a_label,
    a_number,
    a_prediction,
    a_report,
    a_test,
    calm_report,
    few,
    levels,
    retyped,
)


def in_terminal(shown: object, width: int = 220) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(shown)
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def test_a_drifting_number_is_told_with_means_size_limit_and_p():
    assert column_words(a_number(), 24) == (
        "temp drifts: mean 38.1 → 62.4; W1 1.35 sd (limit 0.1), KS p < 1e-12 after correction of 24 tests"
    )


def test_a_column_that_drifts_by_its_gaps_alone_says_nothing_of_its_values():
    gaps = a_test("Fisher", 1e-30, 0.3, 0.05)
    column = a_number("visib", values=a_test(p=0.6, size=0.01), gaps=gaps, missing_reference=0, missing_current=386)
    assert column_words(column) == "visib drifts: missing 0% → 30% (limit 5 points), Fisher p < 1e-12"


def test_new_and_gone_levels_are_named_with_their_counts():
    column = levels("origin", (0.5, 0.5, 0.0), (0.2, 0.0, 0.8), ("EWR", "JFK", "TEB"), new_levels=(("TEB", 720),))
    assert column_words(column) == (
        "origin drifts: share of 'TEB' 0% → 80%; V 0.3 (limit 0.1), chi-square p 1e-09; new 'TEB' (720)"
    )


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (few(), "rare has not enough data: the batch has 3 values; it takes 20 on each side"),
        (retyped(), "carrier is not compared: was text when this batch came, is number now"),
        (a_number(state=NO_DRIFT), "temp does not drift: moved by 0.02, which chance explains"),
    ],
)
def test_other_states_say_why_and_claim_no_number(column: ColumnDrift, said: str):
    assert column_words(column) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0"), (38.123, "38.1"), (1000.0, "1,000"), (269796505.4, "269,796,505"), (-0.00211, "-0.00211"),
     (999.7, "1,000"), (2.5e12, "2.5e+12"), (5.0, "5")],
)  # fmt: skip
def test_numbers_have_three_digits_that_count(value: float, said: str):
    assert number_words(value) == said


def test_a_share_that_is_not_nothing_does_not_look_like_nothing():
    shares = (0.0, 0.00004, 0.05, 0.123, 0.99996, 1.0)
    assert [share_words(share) for share in shares] == ["0%", "< 0.1%", "5%", "12.3%", "> 99.9%", "100%"]


def test_a_tiny_p_is_no_number_of_its_own():
    assert [p_words(p) for p in (0.0, 3.8e-182, 4e-7, 0.0321)] == ["p < 1e-12", "p < 1e-12", "p 4e-07", "p 0.032"]


def test_of_two_levels_the_rarer_one_is_told_and_never_the_rest():
    assert moved_level(a_label()) == ("late", 0.2, 0.35)
    bundled = levels("c", (0.3, 0.1, 0.6), (0.5, 0.2, 0.3), ("A", "B", "other"))
    assert moved_level(bundled) == ("A", 0.3, 0.5)


def test_a_report_counts_what_was_compared_and_names_the_worst():
    assert report_words(a_report()) == (
        "2013-04 drifts: 1 of 2 columns drifts (temp); of the answers, label drifts; "
        "accuracy drifts, to the worse: accuracy 0.84 → 0.71, Fisher p 1e-08."
    )


def test_a_calm_report_says_how_much_it_rests_on():
    assert report_words(calm_report()) == "2013-03 does not drift: none of 2 columns drifts."
    partly = calm_report(columns=(a_number(state=NO_DRIFT), retyped()))
    assert report_words(partly) == "2013-03 does not drift: none of 1 column drifts, 1 could not be compared."


def test_a_report_that_is_a_reason_never_claims_that_nothing_drifts():
    nothing = {"columns": (), "answers": (), "domain": None, "metric": None}
    reason = a_report(**nothing, reason="no reference: name trained_on in candidate.yaml.")
    assert report_words(reason) == (
        "Nothing of 2013-04 could be compared: no reference: name trained_on in candidate.yaml."
    )
    assert report_words(a_report(**nothing)) == (
        "Nothing of 2013-04 could be compared: there are no columns to compare."
    )
    small = a_report(**{**nothing, "columns": (few(), few("other"))})
    assert small.state == NOT_ENOUGH
    assert report_words(small) == (
        "2013-04 has not enough data to say whether it drifts: the batch has 3 values; it takes 20 on each side."
    )
    retypes = a_report(**{**nothing, "columns": (retyped(),)})
    assert report_words(retypes) == (
        "Nothing of 2013-04 could be compared: was text when this batch came, is number now."
    )


def test_a_label_that_moves_alone_is_said_with_both_shares():
    assert apart_words(a_report()) == (
        "The label moves while the prediction does not: label share of 'late' 20% → 35%, "
        "prediction share of 'late' 18% → 19%."
    )


def test_a_prediction_that_moves_alone_is_said_too():
    report = a_report(answers=(a_prediction(0.18, 0.4), a_label(0.2, 0.21)))
    assert apart_words(report).startswith("The prediction moves while the label does not: prediction share of 'late'")


def test_scores_that_move_are_not_hidden_behind_a_prediction_that_does_not():
    report = a_report(answers=(a_prediction(), a_label(), a_number("score:late")))
    assert apart_words(report).endswith("; of the scores, score of late drifts.")


@pytest.mark.parametrize(
    "answers",
    [
        (a_prediction(0.18, 0.4), a_label()),
        (a_prediction(), a_label(0.2, 0.21)),
        (a_prediction(),),
        (a_label(),),
        (a_prediction(), ColumnDrift(LABEL, "category", NOT_COMPARED, "the batch has no labels", 3000, 0)),
        (ColumnDrift(PREDICTION, "category", NOT_ENOUGH, "few", 3000, 3), a_label()),
    ],
)
def test_nothing_is_said_to_go_apart_where_both_move_or_one_is_not_known(answers):
    assert apart_words(a_report(answers=answers)) == ""


def test_an_error_that_falls_is_called_better_and_one_that_rises_worse():
    test = a_test("Welch", 1e-5, 0.4, 0.05)
    assert "to the better" in metric_words(MetricDrift("mae", DRIFT, "x", 10.0, 6.0, (100, 100), test))
    assert "to the worse" in metric_words(MetricDrift("mae", DRIFT, "x", 6.0, 10.0, (100, 100), test))
    unlabelled = MetricDrift("mae", NOT_COMPARED, "the batch has no labels")
    assert metric_words(unlabelled) == "mae not compared: the batch has no labels"


def test_all_columns_together_name_what_drives_them():
    domain = a_report().domain
    assert domain is not None
    assert domain_words(domain) == (
        "all columns together drift: a classifier tells the rows apart, above all by temp, humid "
        "(AUC 0.910, where chance stays below 0.520)"
    )


def test_the_worst_columns_stand_first_and_the_calm_ones_last():
    far = a_number("far", values=a_test(size=9.0))
    names = [each.column for each in ordered([a_number("calm", NO_DRIFT), few(), retyped(), a_number(), far])]
    assert names == ["far", "temp", "carrier", "rare", "calm"]


def test_every_test_of_columns_and_answers_is_counted():
    assert drift_words.tests_made(a_report()) == 4
    assert drift_words.tests_made(a_report(columns=(a_number(gaps=a_test("Fisher")), few()))) == 4


def test_the_terminal_shows_verdict_columns_and_what_is_left_out():
    calm = tuple(a_number(f"c{place}", NO_DRIFT) for place in range(50))
    text = in_terminal(drift_text(a_report(columns=(a_number(), *calm, few())), most=10))
    assert "2013-04 drifts: 1 of 51 columns drifts (temp)" in text
    assert "The label moves while the prediction does not" in text
    assert "42 of 52 columns left out (calmest); none of them drifts" in text
    assert "the batch has 3 values" in text


def test_the_list_of_batches_tells_quarantined_and_unchecked_ones_apart():
    batches = [a_batch("2013-03", 3), a_batch(), a_batch("2013-05", 5, "quarantined"), a_batch("2013-06", 6)]
    text = in_terminal(batches_text(batches, {"2013-04": a_report(), "2013-05": a_report("2013-05")}))
    assert "▲ drift │ temp" in text
    assert "✗ quarantined │ column 'temp': 12 of 900" in text
    assert text.count("… not checked yet") == 2


def test_a_name_in_a_terminal_cannot_forge_a_line_or_a_style():
    text = in_terminal(drift_text(a_report(columns=(a_number("\x1b[2J[red]temp\nok"),))))
    assert "\x1b" not in text
    assert "[red]temp ok" in text
