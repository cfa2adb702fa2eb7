"""The digits of scikit-learn's load_digits, split by block, and the ways an image is varied."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

SIDE = 8
INK = 16
PIXELS = [f"pixel_{row}_{column}" for row in range(SIDE) for column in range(SIDE)]
# The order of the data set runs form by form (about 128 digits each), so that blocks which end
# where a form ends keep the hands of different people apart.
TRAINING = range(0, 776)
FIRST_FORMS = range(0, 256)
PRODUCTION = range(776, 1287)
HELD_OUT = range(1287, 1797)
# Thirteen contiguous blocks of the whole data set, as if one had come each Monday.
FIRST_MONDAY = date(2026, 7, 6)
_EDGES = [round(1797 * block / 13) for block in range(14)]
BLOCKS = {
    (FIRST_MONDAY + timedelta(weeks=week)).isoformat(): range(start, end)
    for week, (start, end) in enumerate(pairwise(_EDGES))
}


@dataclass(frozen=True)
class Digits:
    """All images (1797 x 64, whole numbers 0..16) and the digits they show, by image number."""

    images: np.ndarray
    labels: np.ndarray

    def part(self, numbers: range) -> tuple[pd.DataFrame, np.ndarray]:
        """The images of some numbers as a frame that candidates take, and their digits."""
        return frame(self.images[list(numbers)]), self.labels[list(numbers)]


def load() -> Digits:
    """The data set, with the three parts checked to be disjoint, in number and in content."""
    bunch = load_digits()
    digits = Digits(bunch.data.astype(np.int64), bunch.target.astype(np.int64))
    parts = [TRAINING, PRODUCTION, HELD_OUT]
    contents = [{digits.images[number].tobytes() for number in part} for part in parts]
    together = sorted(number for part in parts for number in part)
    if together != list(range(len(digits.labels))) or len(set().union(*contents)) < sum(map(len, contents)):
        raise ValueError("the training part, the production stream and the held-out images are not disjoint")
    return digits


def frame(images: np.ndarray) -> pd.DataFrame:
    """Images (n x 64) as the frame that candidates are trained on and asked with."""
    return pd.DataFrame(np.asarray(images, dtype=np.float64), columns=PIXELS)


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """The image moved by whole pixels; what leaves the field is lost, empty pixels come in."""
    padded = np.pad(image.reshape(SIDE, SIDE), 1)
    return padded[1 - down : 1 - down + SIDE, 1 - right : 1 - right + SIDE].reshape(-1)


def thickened(image: np.ndarray) -> np.ndarray:
    """A broader pen: every pixel takes at least half of its darkest direct neighbour."""
    neighbours = [shifted(image, down, right) for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    return np.maximum(image, np.max(neighbours, axis=0) // 2)


def dimmed(image: np.ndarray, percent: int) -> np.ndarray:
    """A paler pen: every pixel at some percent of its ink, in whole numbers."""
    return image * percent // 100


def without_column(image: np.ndarray, column: int) -> np.ndarray:
    """A dead column of the scanner: it reads no ink."""
    field = image.reshape(SIDE, SIDE).copy()
    field[:, column] = 0
    return field.reshape(-1)


def ink(images: np.ndarray) -> np.ndarray:
    """The sum of ink of each image (n x 64)."""
    return images.sum(axis=1)


def off_centre(images: np.ndarray) -> np.ndarray:
    """How far the ink's horizontal centre of each image lies from the stream's middle, in pixels."""
    columns = np.arange(SIDE * SIDE) % SIDE
    centres = images @ columns / images.sum(axis=1)
    return np.abs(centres - np.median(centres))
