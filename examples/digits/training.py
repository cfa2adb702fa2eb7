"""The candidates of the example: what each was trained with, and how it is saved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from images import FIRST_FORMS, TRAINING, Digits, dimmed, frame, shifted, thickened
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

PRODUCTION_CANDIDATE = "2026-07-more-data"
FOUR_WAYS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass(frozen=True)
class Recipe:
    """How one candidate is made: an estimator, numbered training images, and their copies."""

    id: str
    created_at: str
    parent: str | None
    changed: str
    data: str
    numbers: range
    estimator: Callable[[], Any]
    copies: tuple[Callable[[np.ndarray], np.ndarray], ...] = ()


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))


def neighbours() -> Any:
    return KNeighborsClassifier(n_neighbors=5, weights="distance", algorithm="brute")


def support_vectors() -> Any:
    return SVC(C=10.0, gamma="scale")


def shift(down: int, right: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: shifted(image, down, right)


SHIFTS = tuple(shift(down, right) for down, right in FOUR_WAYS)
ALL = "all 776 images of the training part (numbers 0 to 775)"
RECIPES = (
    Recipe(
        "2026-06-logistic",
        "2026-06-01T09:00:00Z",
        None,
        "The first one: logistic regression on standardised pixels, trained on two forms only.",
        "256 images of the training part (numbers 0 to 255)",
        FIRST_FORMS,
        logistic,
    ),
    Recipe(
        "2026-07-more-data",
        "2026-07-01T09:00:00Z",
        "2026-06-logistic",
        "The same logistic regression with three times the data: four more forms were labelled.",
        ALL,
        TRAINING,
        logistic,
    ),
    Recipe(
        "2026-08-neighbours",
        "2026-08-03T09:00:00Z",
        "2026-07-more-data",
        "Another method on the same data: the five nearest training images instead of logistic regression.",
        ALL,
        TRAINING,
        neighbours,
    ),
    Recipe(
        "2026-09-svc",
        "2026-09-01T09:00:00Z",
        "2026-07-more-data",
        "Another method on the same data: a support vector machine with a radial kernel.",
        ALL,
        TRAINING,
        support_vectors,
    ),
    Recipe(
        "2026-10-svc-shifted",
        "2026-10-01T09:00:00Z",
        "2026-09-svc",
        "More data from the same images: each also moved by one pixel left, right, up and down.",
        ALL + ", each with four shifted copies",
        TRAINING,
        support_vectors,
        SHIFTS,
    ),
    Recipe(
        "2026-11-svc-strokes",
        "2026-11-02T09:00:00Z",
        "2026-10-svc-shifted",
        "Copies for the pens as well: each image also thickened, and at 60 and 35 percent of its ink.",
        ALL + ", each with four shifted, one thickened and two paler copies",
        TRAINING,
        support_vectors,
        (*SHIFTS, thickened, lambda image: dimmed(image, 60), lambda image: dimmed(image, 35)),
    ),
)


def train(recipe: Recipe, digits: Digits) -> tuple[Any, dict[str, float]]:
    """The fitted estimator and its training metrics; the same on every call."""
    images = digits.images[list(recipe.numbers)]
    labels = digits.labels[list(recipe.numbers)]
    blocks = [images, *([copy(image) for image in images] for copy in recipe.copies)]
    inputs = frame(np.concatenate(blocks))
    truth = np.tile(labels, len(blocks))
    estimator = recipe.estimator().fit(inputs, truth)
    accuracy = float(np.mean(estimator.predict(inputs) == truth))
    return estimator, {"train_accuracy": round(accuracy, 4), "train_images": len(truth)}


def scores(estimator: Any, images: np.ndarray) -> np.ndarray:
    """The candidate's score of every digit (n x 10): probabilities, or distances of an SVC."""
    inputs = frame(images)
    given = estimator.decision_function if isinstance(estimator, SVC) else estimator.predict_proba
    return np.asarray(given(inputs))
