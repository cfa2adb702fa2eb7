"""Rows as points: features that are fitted on a reference and then applied to any rows.

Each declared input has the same weight, an image as one: over the rows of the reference the
variance of its features is 1 in all.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from ml_regress.core.column_values import texts_of
from ml_regress.core.feature_blocks import (
    MOST_LEVELS,
    RUNS,
    Block,
    ImageBlock,
    LevelBlock,
    NumberBlock,
    TextBlock,
    level_block,
    number_block,
    text_block,
)
from ml_regress.core.inputs import Column, InputTypes
from ml_regress.core.sampling import sample_of

MAX_WIDTH = 512
AT_ONCE = 4_000_000  # values of points that are in memory at once, where points are made or judged in pieces
_SAMPLE = 20_000
_FEWEST_RUNS = 4
# A text column of which the most frequent levels hold fewer of the rows has texts, not levels.
_LEVELS_HOLD = 0.95
# An input that hardly varies in the reference would otherwise outweigh all others where it does vary.
_LARGEST_WEIGHT = 10.0


@dataclass(frozen=True)
class Deviation:
    """How far the value of one input is from usual: 1 is what 99% of the reference stay below."""

    name: str
    distance: float
    words: str


@dataclass(frozen=True, eq=False)
class Features:
    """How rows become points. `centre` and `weights` have one number a feature, `usual` one an input."""

    blocks: tuple[Block, ...]
    centre: np.ndarray
    weights: np.ndarray
    usual: np.ndarray

    @classmethod
    def fit(cls, types: InputTypes, frame: pd.DataFrame, max_width: int = MAX_WIDTH) -> "Features":
        """Fitted on typed rows of a reference.

        Wider than `max_width` are only points of that many numbers and pixels: first fewer levels, then fewer runs of
        characters, at last the flags of missing values give way. Raises ValueError for a frame without rows.
        """
        if frame.empty:
            raise ValueError("the reference has no rows or no columns, so that nothing says what is usual")
        pixels = {name for image in types.images for name in image.columns}
        blocks: list[Block] = [ImageBlock(image) for image in types.images]
        blocks += [_block(column, frame) for column in types.columns if column.name not in pixels]
        blocks = _narrowed(blocks, max_width)
        values = np.hstack([block.values(frame.iloc[sample_of(len(frame), _few(blocks))]) for block in blocks])
        centre = values.mean(axis=0)
        values -= centre
        weights, usual = [], []
        for (first, end), block in zip(_places(blocks), blocks, strict=True):
            squares = (values[:, first:end] ** 2).sum(axis=1)
            total = float(squares.mean())
            weight = min(1.0 / np.sqrt(total), _LARGEST_WEIGHT) if total > 1e-18 else 1.0
            weights.append(np.full(block.width, weight))
            usual.append(float(np.quantile(np.sqrt(squares), 0.99)) * weight)
        return cls(tuple(blocks), centre, np.concatenate(weights), np.array(usual))

    @property
    def width(self) -> int:
        """How many features a point has."""
        return len(self.centre)

    @property
    def rows_at_once(self) -> int:
        """How many rows to make points of at once, where memory is to be bounded."""
        return max(1, AT_ONCE // self.width)

    def points(self, frame: pd.DataFrame) -> np.ndarray:
        """Points (rows x width, float32) of typed rows."""
        found = np.empty((len(frame), self.width), dtype=np.float32)
        for start in range(0, len(frame), self.rows_at_once):
            rows = frame.iloc[start : start + self.rows_at_once]
            for (first, end), block in zip(_places(self.blocks), self.blocks, strict=True):
                values = (block.values(rows) - self.centre[first:end]) * self.weights[first:end]
                found[start : start + len(rows), first:end] = values
        return found

    def deviations(self, frame: pd.DataFrame, position: int) -> list[Deviation]:
        """How far each input of one row is from usual, the farthest first; what the reference never had is infinite."""
        row = frame.iloc[[position]]
        point = self.points(row)[0].astype(np.float64)
        found = []
        for (first, end), block, usual in zip(_places(self.blocks), self.blocks, self.usual, strict=True):
            distance = float(np.sqrt((point[first:end] ** 2).sum()))
            # An input that is always the same in the reference has no usual distance.
            far = np.inf if block.is_new(row) or (usual < 1e-9 < distance) else distance / max(usual, 1e-9)
            found.append(Deviation(block.name, float(far), block.words(row)))
        return sorted(found, key=lambda each: -each.distance)


def _block(column: Column, frame: pd.DataFrame) -> Block:
    values = frame[column.name]
    if column.kind in ("number", "integer", "boolean", "date"):
        return number_block(column.name, column.kind, values, flags=True)
    texts = texts_of(values)
    levels: Counter[str | None] = Counter(texts.tolist())
    few = len(levels) <= max(2, min(MOST_LEVELS, len(texts) // 2))
    held = sum(count for _, count in levels.most_common(MOST_LEVELS))
    if column.kind == "text" and not few and held < _LEVELS_HOLD * len(texts):
        return text_block(column.name, texts, RUNS)
    return level_block(column.name, levels, MOST_LEVELS)


def _narrowed(blocks: Sequence[Block], max_width: int) -> list[Block]:
    plans = [(most, RUNS, True) for most in range(MOST_LEVELS, 0, -1)]
    plans += [(1, _FEWEST_RUNS, True), (1, _FEWEST_RUNS, False)]
    narrowed = list(blocks)
    for most, runs, flags in plans:
        narrowed = [_narrow(block, most, runs, flags) for block in blocks]
        if sum(block.width for block in narrowed) <= max_width:
            break
    return narrowed


def _narrow(block: Block, most: int, runs: int, flags: bool) -> Block:
    if isinstance(block, LevelBlock):
        return replace(block, frequent=block.frequent[:most])
    if isinstance(block, TextBlock):
        return replace(block, runs=runs)
    if isinstance(block, NumberBlock):
        return replace(block, flag=block.flag and flags)
    return block


def _places(blocks: Sequence[Block]) -> Iterator[tuple[int, int]]:
    return pairwise(np.cumsum([0, *(block.width for block in blocks)]).tolist())


def _few(blocks: Sequence[Block]) -> int:
    return min(_SAMPLE, max(1_000, 2 * AT_ONCE // sum(block.width for block in blocks)))
