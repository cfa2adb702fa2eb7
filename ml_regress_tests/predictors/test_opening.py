"""Opening candidates of each format, with real models."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, NotPermitted
from ml_regress.predictors import Policy, open_predictor, saved_libraries
from ml_regress.predictors.batch import Answered, Refused, serve
from ml_regress.predictors.versions import running
from ml_regress_tests.models import as_candidate, joblib_candidate

DATA = Path(__file__).parent / "data"
OPEN = Policy(allow_formats=("joblib", "python"))
INPUTS = pd.DataFrame({"a": [0.0, 1.0, 0.0, 1.0], "b": [5.0, 6.0, 6.0, 5.0]})
HERE = running("scikit-learn")


def skops_candidate(folder: Path, model: Any, **manifest: Any) -> Candidate:
    folder.mkdir(parents=True)
    skops.io.dump(model, folder / "model.skops")
    return as_candidate(folder / "model.skops", "skops", **manifest)


def old_candidate(tmp_path: Path, name: str) -> Candidate:
    """A model that scikit-learn 1.2.2 saved."""
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(DATA / f"{name}_sklearn122.joblib", folder / "model.joblib")
    return as_candidate(folder / "model.joblib")


@pytest.mark.parametrize("save", [skops_candidate, joblib_candidate])
def test_both_formats_give_answers_and_scores(tmp_path: Path, save: Any) -> None:
    model = LogisticRegression().fit(INPUTS, [False, True, False, True])
    predictor = open_predictor(save(tmp_path / "model", model), OPEN)
    predictions = predictor.predict(INPUTS)
    assert predictor.features == ("a", "b")
    assert predictor.warnings == ()
    assert predictions["answer"] == [False, True, False, True]
    assert list(predictions) == ["answer", "score:false", "score:true"]
    np.testing.assert_allclose(predictions["score:true"], model.predict_proba(INPUTS)[:, 1])


def test_a_model_fitted_on_arrays_gets_an_array_in_the_declared_order(tmp_path: Path) -> None:
    model = LogisticRegression().fit(INPUTS.to_numpy(), [0, 1, 0, 1])
    candidate = skops_candidate(tmp_path / "model", model, features=("a", "b"))
    (answered,) = [reply for reply in serve(candidate, [INPUTS[["b", "a"]]], OPEN) if isinstance(reply, Answered)]
    assert getattr(answered.batch, "answers", answered.batch) == [0, 1, 0, 1]
    assert getattr(answered.batch, "warnings", None) == ()


def test_missing_values_of_whole_numbers_reach_an_array_as_nan(tmp_path: Path) -> None:
    model = DecisionTreeClassifier().fit(np.array([[0.0, 1], [np.nan, 1]]), [0, 1])
    predictor = open_predictor(joblib_candidate(tmp_path / "model", model), OPEN)
    frame = pd.DataFrame({"a": pd.array([0, None], dtype="Int64"), "b": [1.0, 1.0]})
    assert predictor.predict(frame)["answer"] == [0, 1]


def test_a_regressor_answers_with_numbers_and_has_no_scores(tmp_path: Path) -> None:
    predictor = open_predictor(skops_candidate(tmp_path / "model", LinearRegression().fit(INPUTS, [0, 1, 0, 1])), OPEN)
    predictions = predictor.predict(INPUTS)
    assert list(predictions) == ["answer"]
    assert predictions["answer"] == pytest.approx([0, 1, 0, 1], abs=1e-9)


def test_a_classifier_without_probabilities_has_no_scores(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), SVC()).fit(INPUTS, ["no", "yes", "no", "yes"])
    predictions = open_predictor(joblib_candidate(tmp_path / "model", model), OPEN).predict(INPUTS)
    assert list(predictions) == ["answer"]
    assert predictions["answer"] == ["no", "yes", "no", "yes"]


def test_skops_types_that_the_operator_does_not_trust_are_named_and_refused(tmp_path: Path) -> None:
    model = DecisionTreeClassifier().fit(INPUTS, [0, 1, 0, 1])
    candidate = skops_candidate(tmp_path / "model", model)
    with pytest.raises(NotPermitted, match=r"sklearn\.tree\._tree\.Tree; the operator adds .* trusted_types"):
        open_predictor(candidate, OPEN)
    trusting = Policy(trusted_types=("sklearn.tree._tree.Tree",))
    assert open_predictor(candidate, trusting).predict(INPUTS)["answer"] == [0, 1, 0, 1]


def test_joblib_is_refused_with_why_and_how_unless_the_operator_allows_it(tmp_path: Path) -> None:
    with pytest.raises(NotPermitted, match=r"a pickle runs any code .* skops\.io\.dump.* add joblib to allow_formats"):
        open_predictor(joblib_candidate(tmp_path / "model", LogisticRegression().fit(INPUTS, [0, 1, 0, 1])), Policy())


def test_an_artefact_that_changed_after_registration_is_not_opened(tmp_path: Path) -> None:
    candidate = joblib_candidate(tmp_path / "model", LogisticRegression().fit(INPUTS, [0, 1, 0, 1]))
    joblib.dump(LinearRegression(), tmp_path / "model" / "model.joblib")
    with pytest.raises(CannotOpen, match=f"registered is sha256 {candidate.sha256}, found is [0-9a-f]{{64}};"):
        open_predictor(candidate, OPEN)


def test_an_artefact_that_is_gone_cannot_be_opened(tmp_path: Path) -> None:
    candidate = joblib_candidate(tmp_path / "model", LinearRegression())
    (tmp_path / "model" / "model.joblib").unlink()
    with pytest.raises(CannotOpen, match=r"model\.joblib is no longer in the candidate's folder"):
        open_predictor(candidate, OPEN)


def test_something_else_than_a_model_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="opened a dict, which has no predict"):
        open_predictor(joblib_candidate(tmp_path / "model", {"model": 1}), OPEN)


@pytest.mark.parametrize("name", ["gbc", "hgb", "rf", "tree"])
def test_an_old_model_that_fails_to_load_says_both_versions(tmp_path: Path, name: str) -> None:
    (reply,) = serve(old_candidate(tmp_path, name), [pd.read_csv(DATA / "X.csv")], OPEN)
    assert isinstance(reply, Refused)
    assert str(reply.error).startswith(f"could not open: saved with scikit-learn 1.2.2, running {HERE}: ")


def test_an_old_model_that_fails_only_when_it_predicts_says_both_versions(tmp_path: Path) -> None:
    _, reply = serve(old_candidate(tmp_path, "svc"), [pd.read_csv(DATA / "X.csv")], OPEN)
    assert isinstance(reply, Answered)
    assert str(reply.batch).startswith(f"saved with scikit-learn 1.2.2, running {HERE}: AttributeError: ")


def test_an_old_model_that_still_predicts_carries_a_warning(tmp_path: Path) -> None:
    expected = json.loads((DATA / "predictions_in_sklearn122.json").read_text())["logreg"]
    _, reply = serve(old_candidate(tmp_path, "logreg"), [pd.read_csv(DATA / "X.csv")], OPEN)
    assert isinstance(reply, Answered)
    assert getattr(reply.batch, "answers", reply.batch) == expected
    assert getattr(reply.batch, "warnings", None) == (f"saved with scikit-learn 1.2.2, running {HERE}",)


@pytest.mark.parametrize("name", ["gbc", "hgb", "logreg", "rf", "svc", "tree"])
def test_the_version_in_a_pickle_is_found_without_opening_it(name: str) -> None:
    assert saved_libraries("joblib", DATA / f"{name}_sklearn122.joblib") == {"scikit-learn": "1.2.2"}


@pytest.mark.parametrize("packing", [0, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("zlib", 3)])
def test_the_version_in_a_pickle_is_found_in_every_packing(tmp_path: Path, packing: Any) -> None:
    with warnings.catch_warnings():
        joblib.dump(LogisticRegression().fit(INPUTS, [0, 1, 0, 1]), tmp_path / "model", compress=packing)
    assert saved_libraries("joblib", tmp_path / "model") == {"scikit-learn": HERE}


def test_the_versions_in_a_skops_file_are_found(tmp_path: Path) -> None:
    skops.io.dump(make_pipeline(StandardScaler()), tmp_path / "model.skops")
    found = saved_libraries("skops", tmp_path / "model.skops")
    assert found == {"scikit-learn": HERE, "skops": running("skops")}


@pytest.mark.parametrize("content", [b"", b"x\x9c", b"x\x9cbroken", b"\x1f\x8bbroken", b"PK\x03\x04", b"BZh9", b"text"])
@pytest.mark.parametrize("name", ["skops", "joblib"])
def test_a_broken_artefact_has_no_known_versions(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "model").write_bytes(content)
    assert saved_libraries(name, tmp_path / "model") == {}
