"""What is common to strange rows, in words: the title of a problem that is proposed of them."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ml_regress.core.outlier_result import CAUSES, CONFIDENT_ERROR, DISAGREEMENT, LOW_RATING, OUTLIER
from ml_regress.engine.batch_points import Ground
from ml_regress.engine.strange_causes import Strange

_TITLES = {
    OUTLIER: "Unusual rows",
    CONFIDENT_ERROR: "Confident errors",
    DISAGREEMENT: "Rows on which candidates disagree",
    LOW_RATING: "Answers that users complained about",
}
_APART = 1.0
_SHARE = 0.3
_FARTHEST = 1e6


def title_of(ground: Ground, strange: Sequence[Strange]) -> str:
    """A title such as "Unusual rows of 2013-02: temp below the reference"."""
    cause = max(CAUSES, key=Counter(each.cause for each in strange).__getitem__)
    common = _common(ground, strange)
    return f"{_TITLES[cause]} of {ground.batch.id}{': ' if common else ''}{common}"


def _common(ground: Ground, strange: Sequence[Strange]) -> str:
    """The input that is farthest from usual in most of these rows, and how; "" where none is."""
    frame = ground.frame_of([each.inputs or {} for each in strange])
    distances: dict[str, list[float]] = {}
    for place in range(len(frame)):
        for each in ground.features.deviations(frame, place):
            distances.setdefault(each.name, []).append(min(each.distance, _FARTHEST))
    far = {name: float(np.median(found)) for name, found in distances.items()}
    for name in sorted(far, key=lambda name: -far[name]):
        column = ground.types.by_name.get(name)  # an image is no column
        if column is not None and far[name] > 1.0:
            here, there = frame[name], ground.like[name]
            number = column.kind in ("number", "integer")
            words = _number_apart(here, there) if number else _level_apart(here, there)
            if words:
                return f"{name} {words}"
    return ""


def _number_apart(here: "pd.Series[float]", there: "pd.Series[float]") -> str:
    if here.isna().mean() > there.isna().mean() + _SHARE:
        return "missing"
    if here.notna().sum() == 0 or there.notna().sum() == 0:
        return ""
    low, middle, high = there.quantile([0.25, 0.5, 0.75])
    width = (high - low) or float(there.std(ddof=0)) or 1.0
    apart = (float(here.median()) - middle) / width
    return f"{'above' if apart > 0 else 'below'} the reference" if abs(apart) >= _APART else ""


def _level_apart(here: "pd.Series[str]", there: "pd.Series[str]") -> str:
    """A level that most of these rows have and few of the reference."""
    counts = here.astype(object).where(here.notna(), "missing").astype(str).value_counts()
    level, share = str(counts.index[0]), float(counts.iloc[0]) / len(here)
    before = float((there.astype(object).where(there.notna(), "missing").astype(str) == level).mean())
    return f"= {level}" if share >= max(0.5, before + _SHARE) else ""
