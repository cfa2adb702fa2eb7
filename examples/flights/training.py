"""The candidates of the example: what each was trained with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from flights import INPUTS, LATE
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

PRODUCTION_CANDIDATE = "2013-04-clock"
LEVELS = ["carrier", "airport"]
CLOCK = ["hour", "distance"]
STEADY = ["wind_speed", "precip", "visib", "pressure"]


@dataclass(frozen=True)
class Recipe:
    """How one candidate is made; all are trained on the same flights of January to March."""

    id: str
    created_at: str
    parent: str | None
    changed: str
    estimator: Callable[[], Any]


def logistic() -> Any:
    # Three of four flights are on time: without the weights nearly every answer would be.
    return LogisticRegression(max_iter=5000, class_weight="balanced", C=0.3)


def pipeline(numbers: Sequence[str], estimator: Any, bins: Sequence[str] = ()) -> Any:
    levels = OneHotEncoder(handle_unknown="ignore")
    parts: list[Any] = [(levels, LEVELS)]
    if numbers:
        parts.append((make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), list(numbers)))
    if bins:
        cut = KBinsDiscretizer(6, encode="onehot", strategy="quantile", quantile_method="averaged_inverted_cdf")
        parts.append((cut, list(bins)))
    return make_pipeline(make_column_transformer(*parts), estimator)


RECIPES = (
    Recipe(
        "2013-04-clock",
        "2013-04-02T09:00:00Z",
        None,
        "The first one: logistic regression on carrier, airport, hour and distance.",
        lambda: pipeline(CLOCK, logistic()),
    ),
    Recipe(
        "2013-05-weather",
        "2013-05-06T09:00:00Z",
        "2013-04-clock",
        "The same with the weather at departure, gaps filled with the median.",
        lambda: pipeline([*CLOCK, "temp", *STEADY], logistic()),
    ),
    Recipe(
        "2013-07-bins",
        "2013-07-08T09:00:00Z",
        "2013-05-weather",
        "Without the temperature, which had drifted since April; hour and distance cut into six bins each.",
        lambda: pipeline(STEADY, logistic(), bins=CLOCK),
    ),
    Recipe(
        "2013-10-kernel",
        "2013-10-07T09:00:00Z",
        "2013-07-bins",
        "Another method on the inputs of the bins: a support vector machine with a radial kernel.",
        lambda: pipeline([*CLOCK, *STEADY], SVC(C=1.0, gamma=0.1, class_weight="balanced")),
    ),
)


def train(recipe: Recipe, flights: pd.DataFrame) -> tuple[Any, dict[str, float]]:
    """The fitted estimator and its training metrics; the same on every call."""
    estimator = recipe.estimator().fit(flights[INPUTS], flights["late"].to_numpy(dtype=object))
    accuracy = float(np.mean(estimator.predict(flights[INPUTS]) == flights["late"]))
    return estimator, {"train_accuracy": round(accuracy, 4), "train_flights": len(flights)}


def lateness(estimator: Any, flights: pd.DataFrame) -> np.ndarray:
    """How late an estimator takes each flight to be: the larger, the later; a probability where it has one."""
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(flights[INPUTS])[:, list(estimator.classes_).index(LATE)])
    values = np.asarray(estimator.decision_function(flights[INPUTS]))
    return values if list(estimator.classes_)[1] == LATE else -values
