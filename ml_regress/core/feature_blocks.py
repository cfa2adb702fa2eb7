"""The features of one input: what its values are as numbers, and how far from usual a value is, in words.

A block is fitted on the reference and then applied to any rows. Each gives rows x width of plain
numbers; `core/features.py` weighs the blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ml_regress.core.column_values import days_of, numbers_of, texts_of
from ml_regress.core.inputs import Image

FARTHEST = 10.0  # in robust units: beyond it an odd value says no more than that it is odd
MOST_LEVELS = 30
RUNS = 16
# A level that the reference does not have is news only where the reference shows nearly all levels: where fewer of
# its rows than this have a level of their own (Good's estimate of the share of levels not seen).
_UNSEEN = 0.005
# So many rows say that what none of them has is rarer than that.
_ENOUGH_ROWS = 200
_SHAPE = 4  # length, digits, upper case, spaces
_LONGEST_SHOWN = 40


class Block(Protocol):
    """The features of one input."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    def values(self, frame: pd.DataFrame) -> np.ndarray:
        """Rows x width, float64 without gaps."""
        ...

    def is_new(self, row: pd.DataFrame) -> bool:
        """Whether the one row has a value (a level, or none at all) that the reference does not know."""
        ...

    def words(self, row: pd.DataFrame) -> str:
        """The value of the one row beside those of the reference."""
        ...


@dataclass(frozen=True)
class NumberBlock:
    """Numbers, booleans or days in robust units of the reference, and whether they are missing.

    `low` to `high` are its smallest and largest value, `usual` holds 99% of its values. Where the reference has no
    missing value, a missing one stands at the far end; with `flag` it stands in the middle and has its flag.
    """

    name: str
    kind: str
    middle: float
    unit: float
    low: float
    high: float
    usual: tuple[float, float]
    gaps: bool
    flag: bool

    @property
    def width(self) -> int:
        return 2 if self.flag else 1

    def values(self, frame: pd.DataFrame) -> np.ndarray:
        numbers = _numbers(self.kind, frame[self.name])
        missing = np.isnan(numbers)
        scaled = np.clip((numbers - self.middle) / self.unit, -FARTHEST, FARTHEST)
        scaled[missing] = 0.0 if self.gaps else FARTHEST
        return np.column_stack([scaled, missing]) if self.flag else scaled[:, None]

    def is_new(self, row: pd.DataFrame) -> bool:
        return not self.gaps and bool(np.isnan(_numbers(self.kind, row[self.name])[0]))

    def words(self, row: pd.DataFrame) -> str:
        number = float(_numbers(self.kind, row[self.name])[0])
        if np.isnan(number):
            return f"{self.name} is missing" + ("" if self.gaps else " (never in the reference)")
        if np.isnan(self.low):
            return f"{self.name} {self._shown(number)} (always missing in the reference)"
        if self.low == self.high:
            return f"{self.name} {self._shown(number)} (reference always {self._shown(self.low)})"
        if self.low <= number <= self.high and self.kind != "boolean":
            low, high = map(self._shown, self.usual)
            return f"{self.name} {self._shown(number)} (99% of the reference {low} to {high})"
        between = "or" if self.kind == "boolean" else "to"
        low, high = self._shown(self.low), self._shown(self.high)
        return f"{self.name} {self._shown(number)} (reference {low} {between} {high})"

    def _shown(self, number: float) -> str:
        if self.kind == "boolean":
            return "true" if number else "false"
        if self.kind == "date":
            return str(np.datetime64(int(number), "D"))
        return f"{number:.0f}" if number == int(number) and abs(number) < 1e15 else f"{number:.6g}"


@dataclass(frozen=True)
class LevelBlock:
    """One of a few levels: a column each for the most frequent (None is that of missing), one for all others of the
    reference, and one for what it does not know, where it knows nearly all.
    """

    name: str
    frequent: tuple[str | None, ...]
    known: Mapping[str | None, float]  # and which share of the reference each is
    complete: bool

    @property
    def width(self) -> int:
        return len(self.frequent) + 2

    def values(self, frame: pd.DataFrame) -> np.ndarray:
        codes, levels = pd.factorize(texts_of(frame[self.name]), use_na_sentinel=False)
        places = np.array([self._place(None if pd.isna(level) else level) for level in levels], dtype=np.intp)
        found = np.zeros((len(frame), self.width))
        found[np.arange(len(frame)), places[codes]] = 1.0
        return found

    def is_new(self, row: pd.DataFrame) -> bool:
        return self.complete and texts_of(row[self.name])[0] not in self.known

    def words(self, row: pd.DataFrame) -> str:
        level = texts_of(row[self.name])[0]
        value = f"{self.name} is missing" if level is None else f"{self.name} {_quoted(level)}"
        if level not in self.known:
            return f"{value} ({'never' if level is None else 'not'} in the reference)"
        return f"{value} ({100 * self.known[level]:.3g}% of the reference)"

    def _place(self, level: str | None) -> int:
        if level in self.frequent:
            return self.frequent.index(level)
        return len(self.frequent) + (1 if self.complete and level not in self.known else 0)


@dataclass(frozen=True)
class TextBlock:
    """Texts of many kinds: length, shares of digits, upper case and spaces (each in robust units of the reference),
    and their runs of three characters, hashed into `runs` columns.
    """

    name: str
    shape: tuple[NumberBlock, ...]
    runs: int
    gaps: bool

    @property
    def width(self) -> int:
        return _SHAPE + self.runs

    def values(self, frame: pd.DataFrame) -> np.ndarray:
        # Importing it takes as long as a whole command that looks at no text.
        from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415

        texts = texts_of(frame[self.name])
        written = ["" if text is None else text for text in texts]
        hashed = HashingVectorizer(analyzer="char", ngram_range=(3, 3), n_features=self.runs, lowercase=False)
        shapes = text_shapes(texts)
        scaled = [block.values(shapes) for block in self.shape]
        return np.hstack([*scaled, hashed.transform(f" {text} " for text in written).toarray()])

    def is_new(self, row: pd.DataFrame) -> bool:
        return not self.gaps and texts_of(row[self.name])[0] is None

    def words(self, row: pd.DataFrame) -> str:
        text = texts_of(row[self.name])[0]
        if text is None:
            return f"{self.name} is missing" + ("" if self.gaps else " (never in the reference)")
        length = self.shape[0]
        if not length.low <= len(text) <= length.high:
            return f"{self.name} has {len(text)} characters (reference {length.low:.0f} to {length.high:.0f})"
        return f"{self.name} {_quoted(text)} (written unlike the reference)"


@dataclass(frozen=True)
class ImageBlock:
    """The pixels of an image between 0 (its low) and 1 (its high); a missing pixel is low."""

    image: Image

    @property
    def name(self) -> str:
        return self.image.name

    @property
    def width(self) -> int:
        return self.image.height * self.image.width

    def values(self, frame: pd.DataFrame) -> np.ndarray:
        pixels = frame[list(self.image.columns)].to_numpy(dtype=np.float64, na_value=np.nan)
        low, high = self.image.low, self.image.high
        scaled = (np.where(np.isnan(pixels), low, pixels) - low) / (high - low)
        return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST))

    def is_new(self, row: pd.DataFrame) -> bool:
        return False

    def words(self, row: pd.DataFrame) -> str:
        return f"{self.name} is unlike the images of the reference"


def number_block(name: str, kind: str, values: "pd.Series[Any]", flags: bool) -> NumberBlock:
    """Fitted on the values of the reference; `flags` says whether missing values may have a column of their own."""
    numbers = _numbers(kind, values)
    there = numbers[~np.isnan(numbers)]
    gaps = len(there) < len(numbers)
    flag = flags and gaps
    # So few rows without a missing value do not say that there is none.
    gaps = gaps or len(numbers) < _ENOUGH_ROWS
    if not len(there):
        return NumberBlock(name, kind, 0.0, 1.0, np.nan, np.nan, (np.nan, np.nan), gaps, flag)
    least, low, middle, high, most = np.quantile(there, [0.005, 0.25, 0.5, 0.75, 0.995]).tolist()
    # A column that is mostly one value has no quartiles apart.
    unit = (high - low) or float(there.std()) or 1.0
    ends = float(there.min()), float(there.max())
    return NumberBlock(name, kind, middle, unit, *ends, (least, most), gaps, flag)


def level_block(name: str, counts: Mapping[str | None, int], most: int) -> LevelBlock:
    """Fitted on how often each level occurs in the reference, with a column each for the `most` most frequent."""
    order = sorted(counts, key=lambda level: (-counts[level], level is None, level or ""))
    alone = sum(1 for count in counts.values() if count == 1)
    rows = sum(counts.values())
    return LevelBlock(
        name, tuple(order[:most]), {level: counts[level] / rows for level in counts}, alone <= _UNSEEN * rows
    )


def text_block(name: str, texts: np.ndarray, runs: int) -> TextBlock:
    """Fitted on the texts of the reference (None where missing)."""
    shapes = text_shapes(texts)
    shape = tuple(number_block(str(part), "number", shapes[part], flags=False) for part in shapes)
    return TextBlock(name, shape, runs, gaps=any(text is None for text in texts))


def text_shapes(texts: np.ndarray) -> pd.DataFrame:
    """Length and shares of digits, upper case and spaces of each text; all of them missing where it is."""
    written = pd.Series(texts, dtype=object)
    length = written.str.len().to_numpy(dtype=np.float64, na_value=np.nan)
    shares = {
        part: written.str.count(pattern).to_numpy(dtype=np.float64, na_value=np.nan) / np.maximum(length, 1.0)
        for part, pattern in (("digits", r"\d"), ("upper", "[A-Z]"), ("spaces", r"\s"))
    }
    return pd.DataFrame({"length": length, **shares})


def _numbers(kind: str, values: "pd.Series[Any]") -> np.ndarray:
    return days_of(texts_of(values)) if kind == "date" else numbers_of(values)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "...")
