"""Custom scorers: metrics that a team registers by entry point."""

import importlib.metadata
import math
from typing import Protocol

import pandas as pd

from ml_regress.core.evaluation import Measure
from ml_regress.core.problem import METRICS, SCORER
from ml_regress.errors import NotFound, shortened

ENTRY_POINTS = "ml_regress.scorers"


class Scorer(Protocol):
    """A custom metric: a callable with a version, named by an entry point of `ml_regress.scorers`.

    It gets a frame of the answered patterns with the columns pattern, expected, answer (typed,
    None where it is not of the type), outputs, outcome and polarity, and returns a finite number.
    A change of its numbers needs another version.
    """

    version: str

    def __call__(self, frame: pd.DataFrame, /) -> float: ...


def load_scorer(name: str) -> Scorer:
    """The scorer of an entry point; `name` goes without "scorer:". Raises NotFound."""
    place = f"the entry point {name!r} of group {ENTRY_POINTS!r}"
    found = tuple(importlib.metadata.entry_points(group=ENTRY_POINTS, name=name))
    if not found:
        raise NotFound(
            f"metric {SCORER + name!r}: no installed package has {place}; install the package that "
            f'defines it ([project.entry-points."{ENTRY_POINTS}"] in its pyproject.toml)'
        )
    try:
        scorer = found[0].load()
    except Exception as error:  # code of another package: whatever it raises, the scorer is not there
        raise NotFound(f"metric {SCORER + name!r}: {place} cannot be loaded ({_words(error)})") from error
    if not callable(scorer) or not isinstance(getattr(scorer, "version", None), str) or not scorer.version:
        raise NotFound(
            f"metric {SCORER + name!r}: {place} must be a callable with a text `version`, which names "
            "the numbers it gives"
        )
    return scorer  # type: ignore[no-any-return]


def scorer_version(metric: str) -> str:
    """The version of a custom scorer, "" for a built-in metric. Raises NotFound for any other."""
    if metric in METRICS:
        return ""
    if metric.startswith(SCORER):
        return load_scorer(metric.removeprefix(SCORER)).version
    raise NotFound(f"there is no metric {metric!r}; use one of {', '.join(METRICS)} or {SCORER}NAME")


def measure_scorer(metric: str, frame: pd.DataFrame, scorer: Scorer | None = None) -> Measure:
    """A custom metric; whatever goes wrong in foreign code makes it undefined, with the reason."""
    try:
        value = (scorer or load_scorer(metric.removeprefix(SCORER)))(frame)
        number = float(value)
    except NotFound as error:
        return Measure(metric, None, str(error))
    except Exception as error:  # noqa: BLE001  code of another package: its failure is the reason, never a number
        return Measure(metric, None, f"the scorer failed: {_words(error)}")
    if isinstance(value, str) or not math.isfinite(number):
        return Measure(metric, None, f"the scorer gave {value!r}, which is no finite number")
    return Measure(metric, number)


def _words(error: Exception) -> str:
    return shortened(f"{type(error).__name__}: {error}", 300)
