"""The check of a batch: what is held against what, whose answers are compared, and what is said where nothing is."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, NOT_ENOUGH, ColumnDrift, DriftReport
from ml_regress.core.production import LABEL, PREDICTION, DriftRules, Window
from ml_regress.engine import asking
from ml_regress.engine.drift import check_drift
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict
from ml_regress.predictors.host import PredictorHost
from ml_regress.settings import Settings
from ml_regress_tests.kept_rows import bring, muffin_schema, muffins, serve, write_reference
from ml_regress_tests.models import ConstantModel, FailingModel, ThresholdModel
from ml_regress_tests.scenario import write_workspace

Check = Callable[..., DriftReport]
MAY = Window("2026-05-01", "2026-06-01")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose production schema is in force; the reference is May."""
    made = Workspace.open(Settings.load(write_workspace(tmp_path / "workspace"), {}))
    made.store.batches.freeze_schema(muffin_schema(reference=MAY), "test")
    yield made
    made.store.close()


@pytest.fixture
def check(workspace: Workspace, host: PredictorHost) -> Check:
    """The check of a batch, with the one process for models that all tests share."""
    return functools.partial(check_drift, workspace, host=host)


def column(report: DriftReport, name: str) -> ColumnDrift:
    (found,) = [each for each in report.all_columns if each.column == name]
    return found


def answered(rows: int, seed: int, answers: object, **more: object) -> pd.DataFrame:
    """Muffins that came with answers (one, or one a row), whole numbers."""
    frame = muffins(rows, seed)
    frame[PREDICTION] = pd.array(np.broadcast_to(answers, rows).tolist(), "Int64")  # type: ignore[call-overload]
    for name, values in more.items():
        frame[f"@{name}"] = pd.array(values, "Int64")  # type: ignore[call-overload]
    return frame


def gone(workspace: Workspace, batch: Batch) -> None:
    (workspace.archive.folder / "rows" / f"{batch.digest}.parquet").unlink()


# -- inputs --------------------------------------------------------------------------------------


def test_a_column_that_moved_drifts_and_the_others_do_not(workspace: Workspace, check: Check) -> None:
    before, now = muffins(500, 1), muffins(400, 2, ears=1.5)
    bring(workspace, "2026-05-01", before)
    report = check(bring(workspace, "2026-06-01", now))
    assert (report.batch, report.rows, report.reason) == ("2026-06-01", (500, 400), "")
    assert [each.column for each in report.columns] == ["ears", "crumbs", "kind"]
    ears = column(report, "ears")
    assert ears.state == DRIFT and ears.values is not None
    assert ears.values.size == pytest.approx(
        stats.wasserstein_distance(before["ears"], now["ears"]) / before["ears"].std(ddof=0), rel=0.02
    )
    assert {column(report, name).state for name in ("crumbs", "kind")} == {NO_DRIFT}
    assert report.state == DRIFT
    assert report.domain is not None and report.domain.state == DRIFT
    assert report.domain.drivers[0][0] == "ears"


def test_a_batch_like_its_reference_has_no_drift(workspace: Workspace, check: Check) -> None:
    bring(workspace, "2026-05-01", muffins(500, 1))
    report = check(bring(workspace, "2026-06-01", muffins(500, 2)))
    assert {each.state for each in report.columns} == {NO_DRIFT}
    assert report.state == NO_DRIFT


def test_too_few_rows_are_not_enough_data(workspace: Workspace, check: Check) -> None:
    bring(workspace, "2026-05-01", muffins(500, 1))
    report = check(bring(workspace, "2026-06-01", muffins(5, 2, ears=9)))
    assert report.state == NOT_ENOUGH
    assert {each.state for each in report.columns} == {NOT_ENOUGH}


def test_ignored_columns_and_sizes_of_their_own_are_those_of_the_rules(workspace: Workspace, check: Check) -> None:
    rules = DriftRules(columns={"ears": 9.0}, ignored=("crumbs",))
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY, rules=rules), "test")
    bring(workspace, "2026-05-01", muffins(500, 1))
    report = check(bring(workspace, "2026-06-01", muffins(500, 2, ears=2, crumbs=2)))
    assert column(report, "ears").state == NO_DRIFT
    assert column(report, "crumbs").state == NOT_COMPARED


def test_a_column_that_had_another_type_when_the_batch_came_is_not_compared_and_the_others_are(
    workspace: Workspace,
    check: Check,
) -> None:
    older = muffin_schema({"ears": "number?", "crumbs": "text?", "gone": "number?"})
    workspace.store.batches.freeze_schema(older, "older")
    frame = muffins(300, 3).assign(crumbs="many", gone=1.0).drop(columns="kind")
    batch = bring(workspace, "2026-06-01", frame, older)
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY), "newer")
    bring(workspace, "2026-05-01", muffins(300, 1))
    report = check(batch)
    assert column(report, "ears").state == NO_DRIFT
    crumbs, kind, more = (column(report, name) for name in ("crumbs", "kind", "gone"))
    assert (crumbs.state, crumbs.reason) == (NOT_COMPARED, "was text when this batch came, is number now")
    assert (kind.state, kind.reason) == (NOT_COMPARED, "the batch has no such column")
    assert (more.state, more.reason) == (NOT_COMPARED, "was an input when this batch came, and is none now")


def test_a_batch_with_no_column_of_today_has_a_reason_for_each(workspace: Workspace, check: Check) -> None:
    older = muffin_schema({"flour": "number?"})
    workspace.store.batches.freeze_schema(older, "older")
    batch = bring(workspace, "2026-06-01", pd.DataFrame({"flour": np.arange(50.0)}), older)
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY), "newer")
    bring(workspace, "2026-05-01", muffins(300, 1))
    report = check(batch)
    assert report.state == NOT_COMPARED
    assert all(each.reason for each in report.all_columns)
    assert report.domain is not None and report.domain.reason == "there are no columns"


def test_whole_numbers_and_numbers_of_two_schemas_are_compared(workspace: Workspace, check: Check) -> None:
    older = muffin_schema({"ears": "integer", "crumbs": "number?", "kind": "text?"})
    workspace.store.batches.freeze_schema(older, "older")
    given = {seed: muffins(300, seed).assign(ears=np.arange(300) % 7) for seed in (1, 2)}
    bring(workspace, "2026-05-01", given[1], older)
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY), "newer")
    batch = bring(workspace, "2026-06-01", given[2].astype({"ears": float}))
    ears = column(check(batch), "ears")
    assert ears.state == NO_DRIFT and ears.values is not None
    assert (ears.values.p, ears.values.size) == (1.0, 0.0)


# -- references ----------------------------------------------------------------------------------


def test_without_a_reference_the_report_says_what_to_do_and_is_kept(workspace: Workspace, check: Check) -> None:
    batch = bring(workspace, "2026-06-01", muffins(50, 1))
    report = check(batch)
    assert (report.state, report.reference, report.columns) == (NOT_COMPARED, "no reference", ())
    assert "none begins in it; bring one" in report.reason
    assert workspace.store.drift.drift_of(batch.id) == report
    # Once there is one, it is another question.
    bring(workspace, "2026-05-01", muffins(50, 2))
    assert check(batch).state == NO_DRIFT


def test_a_batch_that_is_the_whole_reference_is_not_held_against_itself(workspace: Workspace, check: Check) -> None:
    report = check(bring(workspace, "2026-05-01", muffins(50, 1)))
    assert report.state == NOT_COMPARED
    assert "is the whole reference" in report.reason


def test_a_batch_of_the_window_is_held_against_the_others(workspace: Workspace, check: Check) -> None:
    odd = bring(workspace, "2026-05-01", muffins(200, 1, ears=3))
    bring(workspace, "2026-05-02", muffins(200, 2))
    bring(workspace, "2026-05-03", muffins(300, 3))
    report = check(odd)
    assert report.rows == (500, 200)
    assert report.reference.endswith("without 2026-05-01 itself")
    assert column(report, "ears").state == DRIFT


def test_a_quarantined_batch_is_refused_and_is_in_no_reference(workspace: Workspace, check: Check) -> None:
    held = bring(workspace, "2026-05-02", muffins(900, 2, ears=9), state=QUARANTINED)
    with pytest.raises(Conflict, match=r"2026-05-02 is quarantined.*release it"):
        check(held)
    assert workspace.store.drift.drifts() == {}
    bring(workspace, "2026-05-01", muffins(100, 1))
    report = check(bring(workspace, "2026-06-01", muffins(100, 3)))
    assert report.rows == (100, 100)
    assert report.state == NO_DRIFT


def test_a_window_of_two_schemas_says_what_it_leaves_out(workspace: Workspace, check: Check) -> None:
    older = muffin_schema({"ears": "number?", "crumbs": "text?", "kind": "text?"})
    workspace.store.batches.freeze_schema(older, "older")
    bring(workspace, "2026-05-01", muffins(200, 1).assign(crumbs="many"), older)
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY), "newer")
    bring(workspace, "2026-05-02", muffins(200, 2))
    serve(workspace, "first", ThresholdModel(0.0))
    report = check(bring(workspace, "2026-06-01", muffins(200, 3)))
    assert {column(report, name).state for name in ("ears", "kind")} == {NO_DRIFT}
    assert column(report, "ears").reference == 400
    crumbs = column(report, "crumbs")
    assert (crumbs.state, crumbs.reason) == (NOT_COMPARED, "the reference has no such column")
    assert any("crumbs" in note for note in report.notes)
    # The candidate needs both columns: it says so itself.
    said = column(report, PREDICTION)
    assert said.state == NOT_COMPARED
    assert said.reason.startswith("first was not asked: ") and "crumbs" in said.reason


def test_a_window_of_one_older_batch_whose_column_had_another_type_is_compared_without_it(
    workspace: Workspace,
    check: Check,
) -> None:
    older = muffin_schema({"ears": "number?", "crumbs": "text?", "kind": "text?"})
    workspace.store.batches.freeze_schema(older, "older")
    bring(workspace, "2026-05-01", muffins(200, 1).assign(crumbs="many"), older)
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY), "newer")
    serve(workspace, "first", ThresholdModel(0.0))
    report = check(bring(workspace, "2026-06-01", muffins(200, 3)))
    assert column(report, "ears").state == NO_DRIFT
    assert column(report, "crumbs").reason == "was text in the reference, is number now"
    assert column(report, PREDICTION).state == NOT_COMPARED


def test_answers_of_two_types_in_a_window_are_not_mixed(workspace: Workspace, check: Check) -> None:
    older = muffin_schema(answer_type="text", labels=(), positive_label=None)
    workspace.store.batches.freeze_schema(older, "older")
    serve(workspace, "first", ThresholdModel(0.0))
    bring(workspace, "2026-05-01", muffins(200, 1).assign(**{PREDICTION: "yes"}), older)
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY), "newer")
    bring(workspace, "2026-05-02", answered(200, 2, 1))
    frame = muffins(200, 3)
    frame[PREDICTION] = (frame["ears"] + frame["crumbs"] > 0).astype(int)
    report = check(bring(workspace, "2026-06-01", frame))
    # What the candidate said under another type cannot be held against, so it is asked.
    found = column(report, PREDICTION)
    assert (found.state, found.reference, found.current) == (NO_DRIFT, 400, 200)


def test_a_reference_whose_rows_are_gone_is_a_reason(workspace: Workspace, check: Check) -> None:
    window = bring(workspace, "2026-05-01", muffins(50, 1))
    batch = bring(workspace, "2026-06-01", muffins(50, 2))
    gone(workspace, window)
    report = check(batch)
    assert report.state == NOT_COMPARED
    assert "put the archive back" in report.reason


def test_a_reference_file_that_is_gone_is_a_reason_and_what_it_lacks_is_a_note(
    workspace: Workspace, check: Check
) -> None:
    workspace.store.batches.freeze_schema(muffin_schema(), "test")
    given = write_reference(workspace.settings.workspace, muffins(200, 1).drop(columns="kind"))
    serve(workspace, "first", ThresholdModel(0.0), trained_on=given)
    batch = bring(workspace, "2026-06-01", muffins(200, 2))
    report = check(batch)
    assert report.reference == "what first was trained on (reference/q1.csv)"
    assert column(report, "kind").reason == "the reference has no such column"
    assert any("reference/q1.csv" in note and "'kind'" in note for note in report.notes)
    assert column(report, PREDICTION).state == NO_DRIFT
    (workspace.settings.workspace / given).unlink()
    lost = check(batch)
    assert lost.state == NOT_COMPARED
    assert "there is no such file" in lost.reason


# -- questions -----------------------------------------------------------------------------------


def test_an_unchanged_question_is_answered_without_reading_a_file(workspace: Workspace, check: Check) -> None:
    window = bring(workspace, "2026-05-01", muffins(200, 1))
    batch = bring(workspace, "2026-06-01", muffins(200, 2))
    report = check(batch)
    gone(workspace, window)
    gone(workspace, batch)
    assert check(batch) == report
    again = check(batch, again=True)
    assert (again.state, again.question) == (NOT_COMPARED, report.question)


def test_what_an_answer_depends_on_is_another_question(workspace: Workspace, check: Check) -> None:
    bring(workspace, "2026-05-01", muffins(100, 1))
    batch = bring(workspace, "2026-06-01", muffins(100, 2))
    seen = [check(batch).question]
    changes = [
        lambda: workspace.store.batches.freeze_schema(
            muffin_schema(reference=MAY, rules=DriftRules(number=0.3)), "rules"
        ),
        lambda: workspace.store.batches.freeze_schema(muffin_schema(reference=MAY, metric="f1"), "metric"),
        lambda: serve(workspace, "first", ThresholdModel(0.0)),
        lambda: bring(workspace, "2026-05-02", muffins(100, 3)),
    ]
    for change in changes:
        change()
        seen.append(check(batch).question)
    assert len(set(seen)) == len(seen)
    # What no number depends on is none.
    workspace.store.batches.freeze_schema(
        muffin_schema(reference=MAY, metric="f1", every=timedelta(days=1)), "how often"
    )
    assert check(batch).question == seen[-1]


# -- answers -------------------------------------------------------------------------------------


def test_a_candidate_is_asked_once_about_rows_that_came_without_answers(workspace: Workspace, check: Check) -> None:
    log = serve(workspace, "first", ThresholdModel(0.0))
    before, now = muffins(300, 1), muffins(200, 2, ears=2)
    bring(workspace, "2026-05-01", before)
    batch = bring(workspace, "2026-06-01", now)
    report = check(batch)
    table = [
        [int((side["ears"] + side["crumbs"] > 0).sum()), int((side["ears"] + side["crumbs"] <= 0).sum())]
        for side in (before, now)
    ]
    found = column(report, PREDICTION)
    assert found.state == DRIFT and found.values is not None
    assert found.values.p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-6)
    assert column(report, "score:1").means == pytest.approx((table[0][0] / 300, table[1][0] / 200))
    assert report.candidate == "first"
    asked = [line for line in log.read_text().splitlines() if line.startswith("predict")]
    assert sorted(asked) == ["predict 200", "predict 300"]
    again = check(batch, again=True)
    assert replace(again, checked_at="") == replace(report, checked_at="")
    assert [line for line in log.read_text().splitlines() if line.startswith("predict")] == asked


def test_answers_of_another_candidate_are_never_held_against_each_other(workspace: Workspace, check: Check) -> None:
    """May was served by one who always says 0; June by one who always says 1: that is no drift of either."""
    serve(workspace, "never", ConstantModel(0))
    bring(workspace, "2026-05-01", answered(200, 1, 0))
    serve(workspace, "always", ConstantModel(1), production=False)
    batch = bring(workspace, "2026-06-01", answered(200, 2, 1), candidate="always")
    # Whoever serves now is not who answered then.
    assert workspace.store.candidates.production() == "never"
    report = check(batch)
    assert report.candidate == "always"
    found = column(report, PREDICTION)
    assert (found.state, found.reference, found.current) == (NO_DRIFT, 200, 200)


def test_answers_of_the_same_candidate_are_taken_and_nobody_is_asked(workspace: Workspace, check: Check) -> None:
    log = serve(workspace, "first", ConstantModel(1))
    bring(workspace, "2026-05-01", answered(200, 1, [0, 1] * 100))
    report = check(bring(workspace, "2026-06-01", answered(200, 2, [0, 1, 1, 1] * 50)))
    found = column(report, PREDICTION)
    assert found.values is not None
    assert found.values.p == pytest.approx(
        stats.chi2_contingency([[100, 100], [50, 150]], correction=False).pvalue, rel=1e-6
    )
    assert "predict" not in (log.read_text() if log.exists() else "")


def test_a_reference_with_some_answers_only_is_asked_whole(workspace: Workspace, check: Check) -> None:
    log = serve(workspace, "first", ConstantModel(1))
    bring(workspace, "2026-05-01", answered(200, 1, [0, None] * 100))
    report = check(bring(workspace, "2026-06-01", answered(200, 2, 1)))
    found = column(report, PREDICTION)
    assert (found.state, found.reference, found.current) == (NO_DRIFT, 200, 200)
    assert "predict 200" in log.read_text()


def test_rows_of_a_batch_without_an_answer_are_left_out_and_that_is_said(workspace: Workspace, check: Check) -> None:
    serve(workspace, "first", ConstantModel(1))
    bring(workspace, "2026-05-01", answered(200, 1, 1))
    report = check(bring(workspace, "2026-06-01", answered(200, 2, [1, 1, None, None] * 50)))
    found = column(report, PREDICTION)
    assert (found.state, found.current, found.gaps) == (NO_DRIFT, 100, None)
    assert any("100 of 200 rows of the batch came without an answer" in note for note in report.notes)


def test_answers_in_the_table_that_a_candidate_was_trained_on_are_nobody_s(workspace: Workspace, check: Check) -> None:
    workspace.store.batches.freeze_schema(muffin_schema(), "test")
    given = write_reference(workspace.settings.workspace, muffins(200, 1).assign(prediction=0))
    log = serve(workspace, "first", ConstantModel(1), trained_on=given)
    report = check(bring(workspace, "2026-06-01", answered(200, 2, 1)))
    assert column(report, PREDICTION).state == NO_DRIFT
    assert "predict 200" in log.read_text()


def test_answers_of_nobody_known_are_not_trusted(workspace: Workspace, check: Check) -> None:
    bring(workspace, "2026-05-01", answered(200, 1, 0))
    batch = bring(workspace, "2026-06-01", answered(200, 2, 1))
    assert batch.candidate is None
    report = check(batch)
    assert report.candidate is None
    found = column(report, PREDICTION)
    assert found.state == NOT_COMPARED
    assert "not known which candidate gave the batch's answers" in found.reason
    serve(workspace, "first", ConstantModel(1))
    asked = check(batch)
    assert column(asked, PREDICTION).state == NO_DRIFT
    assert any("first was asked instead" in note for note in asked.notes)


def test_without_a_candidate_inputs_and_labels_are_compared_and_it_is_said(workspace: Workspace, check: Check) -> None:
    bring(workspace, "2026-05-01", muffins(200, 1).assign(**{LABEL: 1}))
    report = check(bring(workspace, "2026-06-01", muffins(200, 2).assign(**{LABEL: 1})))
    assert column(report, "ears").state == column(report, LABEL).state == NO_DRIFT
    assert column(report, PREDICTION).reason == "no candidate is in production that could be asked"
    assert report.metric is not None
    assert (report.metric.state, report.metric.reason) == (NOT_COMPARED, column(report, PREDICTION).reason)


def test_a_candidate_that_cannot_be_opened_costs_its_answers_only(workspace: Workspace, check: Check) -> None:
    serve(workspace, "first", ThresholdModel(0.0))
    bring(workspace, "2026-05-01", muffins(200, 1))
    (workspace.settings.workspace / "candidates" / "first" / "model.joblib").write_bytes(b"no model")
    report = check(bring(workspace, "2026-06-01", muffins(200, 2)))
    assert {each.state for each in report.columns} == {NO_DRIFT}
    found = column(report, PREDICTION)
    assert found.state == NOT_COMPARED
    assert found.reason.startswith("first was not asked: ")
    assert len(found.reason) > len("first was not asked: ")


def test_a_candidate_that_raises_costs_its_answers_only(workspace: Workspace, check: Check) -> None:
    serve(workspace, "first", FailingModel("too cold to bake"))
    bring(workspace, "2026-05-01", muffins(200, 1))
    report = check(bring(workspace, "2026-06-01", muffins(200, 2)))
    assert "too cold to bake" in column(report, PREDICTION).reason
    assert {each.state for each in report.columns} == {NO_DRIFT}


def test_an_answer_map_is_applied_to_what_is_asked(workspace: Workspace, check: Check) -> None:
    serve(workspace, "first", ConstantModel("blueberry"), answer_map={"blueberry": 1})
    bring(workspace, "2026-05-01", answered(200, 1, 1))
    report = check(bring(workspace, "2026-06-01", muffins(200, 2)))
    found = column(report, PREDICTION)
    assert (found.state, found.reference, found.current) == (NO_DRIFT, 200, 200)


def test_many_rows_are_asked_as_a_sample_which_is_said(
    workspace: Workspace, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SAMPLE", 150)
    monkeypatch.setattr(asking, "PIECE", 60)
    monkeypatch.setattr("ml_regress.engine.drift_answers.SAMPLE", 150)
    log = serve(workspace, "first", ThresholdModel(0.0))
    labels = [0, 1, None, None] * 100
    bring(workspace, "2026-05-01", muffins(400, 1).assign(**{LABEL: pd.array(labels, "Int64")}))
    now = muffins(100, 2).assign(**{LABEL: pd.array([0, 1] * 50, "Int64")})
    report = check(bring(workspace, "2026-06-01", now))
    assert any("asked about a sample of 150 of 400 rows of the reference" in note for note in report.notes)
    assert column(report, PREDICTION).reference == 150
    # The metric takes labelled rows, of which a sample of all rows would hold half.
    assert report.metric is not None and report.metric.rows == (150, 100)
    assert "predict 60" in log.read_text()


# -- labels and the metric -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        ((False, True), "the reference has no labels"),
        ((True, False), "the batch has no labels"),
        ((False, False), "the reference and the batch have no labels"),
    ],
)
def test_labels_that_are_missing_on_a_side_are_said(
    workspace: Workspace, check: Check, sides: tuple[bool, bool], said: str
) -> None:
    serve(workspace, "first", ConstantModel(1))
    frames = [answered(100, seed, 1, **({"label": [1] * 100} if side else {})) for seed, side in enumerate(sides)]
    bring(workspace, "2026-05-01", frames[0])
    report = check(bring(workspace, "2026-06-01", frames[1]))
    found = column(report, LABEL)
    assert (found.state, found.reason) == (NOT_COMPARED, said)
    assert report.metric is not None
    assert (report.metric.state, report.metric.reason) == (NOT_COMPARED, said)
    assert column(report, PREDICTION).state == NO_DRIFT


@pytest.mark.parametrize("answer_type", ["integer", "text", "boolean", "number"])
def test_labels_equal_to_predictions_give_the_same_result(workspace: Workspace, check: Check, answer_type: str) -> None:
    schema = muffin_schema(reference=MAY, answer_type=answer_type, labels=(), positive_label=None)
    schema = replace(schema, metric="mae") if answer_type == "number" else schema
    workspace.store.batches.freeze_schema(schema, "test")
    serve(workspace, "first", ConstantModel(1))
    generator = np.random.default_rng(5)
    frames = []
    for rows, share in ((300, 0.2), (200, 0.5)):
        values = (generator.random(rows) < share).astype(int) + 10 * (generator.random(rows) < 0.1)
        kinds = {"integer": values, "text": [f"{value}" for value in values], "boolean": values > 0}
        given = kinds.get(answer_type, values.astype(float))
        frames.append(muffins(rows, rows).assign(**{PREDICTION: given, LABEL: given}))
    bring(workspace, "2026-05-01", frames[0])
    report = check(bring(workspace, "2026-06-01", frames[1]))
    said, right = column(report, PREDICTION), column(report, LABEL)
    assert replace(said, column=LABEL) == right
    assert said.kind == ("number" if answer_type == "number" else "category")
    assert said.state == DRIFT
    assert report.metric is not None and report.metric.state == NO_DRIFT, report.metric
    assert report.metric.reference == report.metric.current


def test_the_metric_is_that_of_labelled_and_answered_rows(workspace: Workspace, check: Check) -> None:
    serve(workspace, "first", ConstantModel(1))
    generator = np.random.default_rng(5)
    label = generator.integers(0, 2, 400)
    bring(workspace, "2026-05-01", answered(400, 1, label, label=label))
    said = np.where(generator.random(400) < 0.4, 1 - label, label)
    partly = [None if place % 3 == 0 else int(value) for place, value in enumerate(label)]
    report = check(bring(workspace, "2026-06-01", answered(400, 2, said, label=partly)))
    known = [place for place in range(400) if place % 3]
    assert report.metric is not None
    assert report.metric.rows == (400, len(known))
    assert report.metric.reference == 1.0
    assert report.metric.current == pytest.approx(accuracy_score(label[known], said[known]))
    assert report.metric.state == DRIFT
    assert column(report, LABEL).state == NO_DRIFT
