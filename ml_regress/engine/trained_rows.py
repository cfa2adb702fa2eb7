"""Rows of a batch that a candidate was trained on: they show nothing new."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.production import KEY, LABEL
from ml_regress.engine.batch_points import Ground, measured


def not_in_reference(ground: Ground, rows: Sequence[int]) -> list[int]:
    """The rows without those that are rows of the reference file: a candidate was trained on them.

    A row identifies itself by the same key, or by inputs that the reference has once: with few discrete inputs nearly
    every row would be one of the reference. A row whose label is another one there stays.
    """
    reference, names = ground.reference, list(ground.types.names)
    if reference is None or not rows:
        return list(rows)
    hashes = _hashes(measured(ground.frame(rows)))
    places: dict[int, list[int]] = {}
    for start in range(0, reference.rows, ground.features.rows_at_once):
        part = np.arange(start, min(reference.rows, start + ground.features.rows_at_once))
        there = _hashes(measured(reference.frame(names, part, ground.types)))
        for i in np.flatnonzero(np.isin(there, hashes)):
            places.setdefault(int(there[i]), []).append(int(part[i]))
    return [
        row for row, name in zip(rows, hashes, strict=True) if not _identified(ground, row, places.get(int(name), []))
    ]


def _hashes(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)


def _identified(ground: Ground, row: int, places: Sequence[int]) -> bool:
    reference = ground.reference
    if reference is None or not places:
        return False

    def values(name: str) -> tuple[Any, list[Any]]:
        if name not in ground.kept.names or name not in reference.names:
            return None, [None] * len(places)
        return ground.kept.column(name, [row]).to_pylist()[0], reference.column(name, places).to_pylist()

    key, keys = values(KEY)
    if key is not None and any(each is not None for each in keys):
        same = [place for place, each in enumerate(keys) if each == key]
    else:
        same = [0] if len(places) == 1 else []
    label, labels = values(LABEL)
    return any(label is None or labels[place] is None or labels[place] == label for place in same)
