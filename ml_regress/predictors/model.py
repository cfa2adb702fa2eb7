"""Models: anything with predict, and predict_proba where there is one."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.answers import storable, to_raw, typed_answer
from ml_regress.errors import PredictionFailed

ANSWER = "answer"


class ModelPredictor:
    """A predictor over a model with `predict`.

    It gives one answer a row: a sequence, or a frame with the column `answer` and outputs beside it.

    Its features are the manifest's, else those the model was fitted on, else unknown (None).
    """

    def __init__(self, model: Any, features: Sequence[str] | None = None, warning_texts: tuple[str, ...] = ()) -> None:
        self._model = model
        self._fitted_on_names = getattr(model, "feature_names_in_", None) is not None
        if features is None and self._fitted_on_names:
            features = [str(name) for name in model.feature_names_in_]
        self.features = None if features is None else tuple(features)
        self.warnings = warning_texts

    def predict(self, frame: pd.DataFrame) -> dict[str, list[Any]]:
        """Answers and outputs of the rows, in order; raises PredictionFailed where it does not answer one a row."""
        inputs = self._inputs(frame)
        given = self._model.predict(inputs)
        if isinstance(given, pd.DataFrame) and ANSWER in given.columns:
            return _one_a_row(given, frame)
        answers = _column(given)
        raws = to_raw(answers)
        _check_rows(len(raws), frame)
        return {ANSWER: raws, **self._scores(inputs, len(frame))}

    def _inputs(self, frame: pd.DataFrame) -> Any:
        """What the model takes: the frame, or an array where it was fitted on one."""
        if self._fitted_on_names or getattr(self._model, "n_features_in_", None) is None:
            return frame
        dtypes = set(frame.dtypes)
        numeric = all(pd.api.types.is_numeric_dtype(dtype) for dtype in dtypes)
        if numeric and any(pd.api.types.is_extension_array_dtype(dtype) for dtype in dtypes):
            return frame.to_numpy(dtype=np.float64, na_value=np.nan)  # pandas.NA is no number to numpy
        return frame.to_numpy()

    def _scores(self, inputs: Any, rows: int) -> dict[str, list[Any]]:
        if not hasattr(self._model, "predict_proba"):
            return {}
        try:
            scores = self._model.predict_proba(inputs)
        except (AttributeError, NotImplementedError):
            return {}  # a classifier that was fitted without probabilities
        classes = getattr(self._model, "classes_", None)
        shape = np.shape(scores) if isinstance(scores, (np.ndarray, pd.DataFrame)) else ()
        if classes is None or shape != (rows, len(classes)):
            warnings.warn(
                f"predict_proba gave no score a class and input (shape {shape}): scores are left out", stacklevel=2
            )
            return {}
        values = np.asarray(scores, dtype=np.float64)
        names = [f"score:{typed_answer('text', label)}" for label in to_raw(classes)]
        return {name: to_raw(values[:, position]) for position, name in enumerate(names)}


def _check_rows(answered: int, frame: pd.DataFrame) -> None:
    if answered != len(frame):
        raise PredictionFailed(f"answered {answered} of {len(frame)} inputs")


def _one_a_row(given: pd.DataFrame, frame: pd.DataFrame) -> dict[str, list[Any]]:
    """What a model answered as a frame; raises PredictionFailed where it is not one row an input."""
    _check_rows(len(given), frame)
    if not given.columns.is_unique or not given.index.equals(frame.index):
        raise PredictionFailed(
            "answered a frame whose columns repeat, or whose index is not that of the inputs: a position is no key; "
            "give each answer the index of its input"
        )
    return {storable(str(name)): to_raw(given[name]) for name in given.columns}


def _column(answers: Any) -> Any:
    """One answer a row; a table of one column is unfolded."""
    if not hasattr(answers, "__len__") or isinstance(answers, (str, bytes, dict)):
        raise PredictionFailed(f"answered with a {type(answers).__name__}; predict must give one answer an input")
    shape: tuple[int, ...] = getattr(answers, "shape", (len(answers),))
    if len(shape) == 2 and shape[1] == 1:
        return np.asarray(answers).ravel()
    if len(shape) > 1:
        raise PredictionFailed(f"answered a table of shape {tuple(shape)}; predict must give one answer an input")
    return answers
