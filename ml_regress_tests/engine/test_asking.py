"""What a candidate says to kept rows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_regress.core.candidate import Candidate
from ml_regress.engine import asking
from ml_regress.engine.asking import answers_of, kept_answers
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import CannotOpen, PredictionFailed
from ml_regress.intake.kept import Kept
from ml_regress.predictors.host import PredictorHost
from ml_regress.settings import Settings
from ml_regress_tests.kept_rows import keep, muffin_schema, muffins, serve
from ml_regress_tests.models import ConstantModel, ShortModel, ThresholdModel
from ml_regress_tests.scenario import logged, registered, write_workspace

NUMBERS = muffin_schema({"ears": "number?", "crumbs": "number?"})
TYPES = NUMBERS.inputs


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace.open(Settings.load(write_workspace(tmp_path / "workspace"), {}))
    yield made
    made.store.close()


def kept_muffins(workspace: Workspace, rows: int, **more: object) -> tuple[Kept, pd.DataFrame, str]:
    frame = muffins(rows, 1)[["ears", "crumbs"]].assign(**more)
    digest = keep(workspace, frame, NUMBERS)
    return Kept(workspace.archive.rows(digest)), frame, digest


def served(workspace: Workspace, name: str) -> Candidate:
    return workspace.store.candidates.get(name)


def test_rows_are_answered_in_their_order_with_scores(workspace: Workspace, host: PredictorHost) -> None:
    serve(workspace, "first", ThresholdModel(0.0))
    kept, frame, _ = kept_muffins(workspace, 50)
    rows = [40, 3, 7]
    said = answers_of(workspace, served(workspace, "first"), kept, rows, types=TYPES, answer_type="boolean", host=host)
    expected = (frame.sum(axis=1) > 0).iloc[rows].tolist()
    assert list(said.answers) == expected
    np.testing.assert_array_equal(said.scores["score:1"], np.array(expected, dtype=float))


def test_many_rows_are_asked_in_pieces_from_one_opening(
    workspace: Workspace, host: PredictorHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PIECE", 20)
    log = serve(workspace, "first", ThresholdModel(0.0))
    kept, frame, _ = kept_muffins(workspace, 50)
    said = answers_of(
        workspace, served(workspace, "first"), kept, range(50), types=TYPES, answer_type="integer", host=host
    )
    assert list(said.answers) == (frame.sum(axis=1) > 0).astype(int).tolist()
    assert logged(log) == ["open", "predict 20", "predict 20", "predict 10"]


def test_no_rows_are_no_answers(workspace: Workspace, host: PredictorHost) -> None:
    serve(workspace, "first", ThresholdModel(0.0))
    kept, _, _ = kept_muffins(workspace, 5)
    said = answers_of(workspace, served(workspace, "first"), kept, [], types=TYPES, answer_type="integer", host=host)
    assert list(said.answers) == []


def test_a_table_of_recorded_answers_cannot_be_asked(workspace: Workspace) -> None:
    kept, _, _ = kept_muffins(workspace, 5)
    given = registered("history")
    recorded = replace(given, manifest=replace(given.manifest, format="recorded"))
    with pytest.raises(CannotOpen, match="history is a table of recorded answers"):
        answers_of(workspace, recorded, kept, range(5), types=TYPES, answer_type="integer")


def test_a_candidate_that_answers_too_little_is_told_in_its_own_words(
    workspace: Workspace, host: PredictorHost
) -> None:
    serve(workspace, "short", ShortModel(1))
    kept, _, _ = kept_muffins(workspace, 5)
    with pytest.raises(PredictionFailed, match="4"):
        answers_of(workspace, served(workspace, "short"), kept, range(5), types=TYPES, answer_type="integer", host=host)


def test_answers_are_kept_with_the_labels_and_not_asked_for_again(workspace: Workspace, host: PredictorHost) -> None:
    log = serve(workspace, "first", ThresholdModel(0.0))
    labels = pd.array([1, None] * 25, "Int64")
    kept, frame, digest = kept_muffins(workspace, 50, **{"@label": labels})
    candidate = served(workspace, "first")
    options = {"types": TYPES, "answer_type": "integer", "host": host}
    name, found = kept_answers(workspace, candidate, kept, digest, **options)  # type: ignore[arg-type]
    assert found.column("@prediction").to_pylist() == (frame[["ears", "crumbs"]].sum(axis=1) > 0).astype(int).tolist()
    assert found.column("@label").to_pylist() == [1, None] * 25
    assert kept_answers(workspace, candidate, kept, digest, **options)[0] == name  # type: ignore[arg-type]
    assert logged(log) == ["open", "predict 50"]


def test_of_many_rows_a_sample_is_asked_and_the_labelled_ones_apart(
    workspace: Workspace, host: PredictorHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SAMPLE", 20)
    serve(workspace, "first", ConstantModel(1))
    labels = pd.array([None] * 190 + [0] * 10, "Int64")
    kept, _, digest = kept_muffins(workspace, 200, **{"@label": labels})
    candidate = served(workspace, "first")
    options = {"types": TYPES, "answer_type": "integer", "host": host}
    name, found = kept_answers(workspace, candidate, kept, digest, **options)  # type: ignore[arg-type]
    assert found.rows == 20
    other, labelled = kept_answers(workspace, candidate, kept, digest, labelled=True, **options)  # type: ignore[arg-type]
    assert other != name
    assert labelled.column("@label").to_pylist() == [0] * 10
