"""The check of a batch: what is compared with what, and what is not taken for drift."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_regress.core.batch import QUARANTINED
from ml_regress.core.drift_result import (
    DRIFT,
    NO_DRIFT,
    NOT_COMPARED,
    NOT_ENOUGH,
    NUMBER,
    ColumnDrift,
    DriftReport,
)
from ml_regress.core.production import ProductionSchema, Window
from ml_regress.engine.drift import check_drift
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.settings import Settings
from ml_regress_tests.kept_rows import bring, muffin_schema, muffins, serve, write_reference
from ml_regress_tests.models import ConstantModel, ThresholdModel
from ml_regress_tests.scenario import write_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace whose production schema is in force."""
    made = Workspace.open(Settings.load(write_workspace(tmp_path / "workspace"), {}))
    made.store.batches.freeze_schema(muffin_schema(), "test")
    yield made
    made.store.close()


def column(report: DriftReport, name: str) -> ColumnDrift:
    (found,) = (each for each in report.all_columns if each.column == name)
    return found


def states(report: DriftReport) -> dict[str, str]:
    return {each.column: each.state for each in report.all_columns}


def answered(frame: pd.DataFrame, limit: float, **more: Any) -> pd.DataFrame:
    """Rows with what a ThresholdModel of this limit answers, and its scores."""
    above = (frame[["ears", "crumbs"]].sum(axis=1) > limit).astype(int)
    scores = {"score:0": 1.0 - above, "score:1": above.astype(float)}
    return frame.assign(**{**scores, "@prediction": above, **more})


def reference_by(workspace: Workspace, limit: float, rows: int = 400, **manifest: Any) -> Path:
    """A candidate in production that answers 1 above a limit, trained on labelled rows; returns its log."""
    frame = muffins(rows, 1)
    given = write_reference(
        workspace.settings.workspace, frame.assign(label=(frame["ears"] + frame["crumbs"] > limit).astype(int))
    )
    return serve(workspace, "first", ThresholdModel(limit), trained_on=given, **manifest)


def under(workspace: Workspace, schema: ProductionSchema) -> None:
    workspace.store.batches.freeze_schema(schema, "test")


def windowed(workspace: Workspace, **changes: Any) -> ProductionSchema:
    """The schema in force from now on: batches of May are the reference."""
    schema = replace(muffin_schema(), reference=Window("2026-05-01", "2026-06-01"), **changes)
    under(workspace, schema)
    return schema


# -- inputs ----------------------------------------------------------------------------------------


def test_all_tests_of_inputs_and_answers_are_corrected_together(workspace: Workspace, host: PredictorHost) -> None:
    reference_by(workspace, 0.0)
    report = check_drift(workspace, bring(workspace, "calm", muffins(300, 2)), host=host)
    tests = [test for each in report.all_columns for test in (each.values, each.gaps) if test is not None]
    assert [each.column for each in report.all_columns] == [
        "ears", "crumbs", "kind", "@prediction", "score:0", "score:1", "@label",
    ]  # fmt: skip
    ranked = sorted(tests, key=lambda test: test.p)
    assert ranked[0].adjusted == pytest.approx(min(each.p * len(ranked) / (i + 1) for i, each in enumerate(ranked)))


def test_what_the_reference_never_had_is_no_gap_of_it(workspace: Workspace, host: PredictorHost) -> None:
    given = write_reference(workspace.settings.workspace, muffins(300, 1).drop(columns="kind"))
    serve(workspace, "first", ThresholdModel(0.0), trained_on=given)
    report = check_drift(workspace, bring(workspace, "calm", muffins(300, 2)), host=host)
    assert column(report, "kind").reason == "the reference has no such column"
    assert states(report)["kind"] == NOT_COMPARED
    assert report.state == NO_DRIFT


def test_a_column_that_is_empty_now_drifts_by_its_gaps(workspace: Workspace, host: PredictorHost) -> None:
    reference_by(workspace, 0.0)
    report = check_drift(workspace, bring(workspace, "gaps", muffins(300, 2).assign(crumbs=np.nan)), host=host)
    found = column(report, "crumbs")
    assert found.state == DRIFT and found.gaps is not None and found.gaps.size == 1.0


# -- answers ---------------------------------------------------------------------------------------


def test_answers_that_are_numbers_are_compared_as_numbers(workspace: Workspace, host: PredictorHost) -> None:
    windowed(workspace, answer_type="number", labels=(), positive_label=None, metric="mae")
    serve(workspace, "first", ThresholdModel(0.0))
    for day, moved in (("2026-05-01", 0.0), ("2026-06-03", 2.0)):
        frame = muffins(300, int(day[-1]))
        frame = frame.assign(**{"@prediction": frame["ears"] + moved, "@label": frame["ears"]})
        batch = bring(workspace, day, frame)
    report = check_drift(workspace, batch, host=host)
    assert column(report, "@prediction").kind == NUMBER
    assert states(report)["@prediction"] == DRIFT and states(report)["@label"] == NO_DRIFT
    assert report.metric is not None and report.metric.state == DRIFT
    assert report.metric.current == pytest.approx(2.0)


def test_labels_that_come_later_bring_the_metric(workspace: Workspace, host: PredictorHost) -> None:
    reference_by(workspace, 0.0)
    frame = answered(muffins(300, 2), 0.0)
    before = check_drift(workspace, bring(workspace, "week", frame), host=host)
    wrong = frame["@prediction"].where(np.arange(300) < 150, 1 - frame["@prediction"])
    labelled = bring(workspace, "week-2", frame.assign(**{"@label": wrong}))
    after = check_drift(workspace, labelled, host=host)
    assert before.question != after.question
    assert after.metric is not None and after.metric.state == DRIFT
    assert (after.metric.reference, after.metric.current) == (1.0, 0.5)
    assert any("first was trained on the reference" in note for note in after.notes)


def test_an_answer_of_another_type_is_none_and_said(workspace: Workspace, host: PredictorHost) -> None:
    given = write_reference(workspace.settings.workspace, muffins(300, 1))
    serve(workspace, "first", ConstantModel("chihuahua"), trained_on=given)
    report = check_drift(workspace, bring(workspace, "calm", muffins(300, 2)), host=host)
    assert states(report)["@prediction"] == NOT_ENOUGH or states(report)["@prediction"] == NO_DRIFT
    assert any("gave no answer of type integer to 300 of 300 rows of the batch" in note for note in report.notes)


# -- references and questions ----------------------------------------------------------------------


def test_rows_that_are_gone_are_the_reason_and_come_back_with_the_archive(
    workspace: Workspace, host: PredictorHost
) -> None:
    reference_by(workspace, 0.0)
    batch = bring(workspace, "calm", muffins(300, 2))
    rows = workspace.archive.rows(batch.digest)
    rows.rename(rows.with_suffix(".away"))
    gone = check_drift(workspace, batch, host=host)
    assert gone.state == NOT_COMPARED and "put the archive back" in gone.reason
    rows.with_suffix(".away").rename(rows)
    assert check_drift(workspace, batch, again=True, host=host).state == NO_DRIFT


def test_what_makes_no_difference_is_the_same_question(workspace: Workspace, host: PredictorHost) -> None:
    schema = windowed(workspace)
    bring(workspace, "2026-05-01", muffins(100, 1))
    batch = bring(workspace, "2026-06-01", muffins(100, 2))
    before = check_drift(workspace, batch, host=host)
    bring(workspace, "2026-06-02", muffins(100, 3))
    bring(workspace, "2026-05-02", muffins(100, 4), state=QUARANTINED)
    under(workspace, replace(schema, largest=10**6))
    serve(workspace, "first", ConstantModel(0), production=False)
    assert check_drift(workspace, batch, host=host) == before
