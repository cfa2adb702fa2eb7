"""Metrics: one number over many answers, or the reason why there is none.

A metric that is undefined (no positive label, only one class, no answer) is decided here before
scikit-learn is asked, so that no 0 and no NaN ever stands for "cannot be said".
"""

import importlib.metadata
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ml_regress.core.answers import typed_answer
from ml_regress.core.evaluation import Measure
from ml_regress.core.expectation import SCORE
from ml_regress.core.problem import METRICS, SCORER
from ml_regress.core.statistics import wilson
from ml_regress.core.typed_column import TypedColumn, typed_column
from ml_regress.errors import NotFound, shortened

ENTRY_POINTS = "ml_regress.scorers"
UNKNOWN_SHOWN = 10
# Two labels of which everybody takes the same one as the positive one.
_BINARY: tuple[tuple[frozenset[Any], Any], ...] = (
    (frozenset({0, 1}), 1),
    (frozenset({-1, 1}), 1),
    (frozenset({"0", "1"}), "1"),
)


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


def measure(
    name: str,
    *,
    truth: Sequence[Any],
    answers: Sequence[Any],
    scores: Mapping[str, Any] | None = None,
    answer_type: str,
    positive_label: Any = None,
    labels: Sequence[Any] = (),
) -> Measure:
    """One metric; see measure_all."""
    return measure_all(
        (name,), truth, answers, scores, answer_type=answer_type, positive_label=positive_label, labels=labels
    )[0]


def measure_all(
    names: Sequence[str],
    truth: Sequence[Any],
    answers: Sequence[Any],
    scores: Mapping[str, Any] | None = None,
    *,
    answer_type: str,
    positive_label: Any = None,
    labels: Sequence[Any] = (),
) -> tuple[Measure, ...]:
    """The metrics `names` of n answers against n expected ones, in the order of the names.

    `truth` is typed, `answers` raw, both of the rows that were answered: the caller leaves errors
    out. An answer that is not of the type counts as a wrong label, and makes an error of numbers
    (mae, rmse) undefined. `scores` maps "score:<class>" to n numbers, NaN where one is missing.
    Accuracy, precision and recall have the Wilson interval of their own denominator. Raises
    ValueError where lengths differ, where an expected answer is not of the type, or for a name that
    is no such metric (a custom scorer, pass_rate).
    """
    unknown = [name for name in names if name not in _FORMULAS]
    if unknown:
        raise ValueError(f"cannot measure {unknown[0]!r} on answers; use one of {', '.join(_FORMULAS)}")
    expected, given = typed_column(answer_type, truth), typed_column(answer_type, answers)
    if len(expected.values) != len(given.values):
        raise ValueError(f"{len(expected.values)} expected answers, but {len(given.values)} answers")
    if not expected.usable.all():
        raise ValueError(f"the expected answer {np.flatnonzero(~expected.usable)[0] + 1} is no {answer_type}")
    if not len(expected.values):
        return tuple(Measure(name, None, "there is no answer to measure") for name in names)
    positive = positive_of(answer_type, positive_label, labels)
    data = _Data(expected, given, scores or {}, answer_type, positive)
    return tuple(_measured(name, data) for name in names)


def positive_of(answer_type: str, positive_label: Any, labels: Sequence[Any]) -> Any:
    """The positive label: the declared one, True, or 1 among two labels 0 and 1 (or -1 and 1); else None."""
    if positive_label is not None:
        return typed_answer(answer_type, positive_label)
    if answer_type == "boolean":
        return True
    return next((positive for binary, positive in _BINARY if frozenset(labels) == binary), None)


def unknown_answers(answers: Iterable[Any], answer_type: str, labels: Sequence[Any]) -> str | None:
    """A warning that names the answers outside the labels with their counts; None where all are known.

    Without labels: the answers that are not of the type. A missing answer is no answer and not named.
    """
    plain = [raw for raw in answers if raw is not None and raw is not pd.NA and raw == raw]  # noqa: PLR0124
    column = typed_column(answer_type, plain)
    known = column.usable
    if labels:
        typed = {typed_answer(answer_type, label) for label in labels}
        known = known & np.array([value in typed for value in column.values.tolist()], dtype=bool)
    if known.all():
        return None
    counts = Counter(str(typed_answer("text", plain[row])) for row in np.flatnonzero(~known))
    shown = [f"{shortened(text)!r} x{count}" for text, count in counts.most_common(UNKNOWN_SHOWN)]
    if len(counts) > UNKNOWN_SHOWN:
        shown.append(f"and {len(counts) - UNKNOWN_SHOWN} more")
    return f"answers {'outside the labels' if labels else f'that are no {answer_type}'}: {', '.join(shown)}"


@dataclass(frozen=True, eq=False)
class _Data:
    expected: TypedColumn
    given: TypedColumn
    scores: Mapping[str, Any]
    answer_type: str
    positive: Any

    def expected_positive(self) -> np.ndarray:
        return np.asarray(self.expected.values == self._needed(), dtype=bool)

    def given_positive(self) -> np.ndarray:
        return np.asarray((self.given.values == self._needed()) & self.given.usable, dtype=bool)

    def _needed(self) -> Any:
        if self.positive is None:
            raise _UndefinedError("it needs a positive label: declare `positive_label`")
        return self.positive


class _UndefinedError(Exception):
    """Why a metric has no value; never leaves this module."""


def _measured(name: str, data: _Data) -> Measure:
    try:
        value, interval = _FORMULAS[name](data)
    except _UndefinedError as reason:
        return Measure(name, None, str(reason))
    low, high = interval or (None, None)
    return Measure(name, value, None, low, high)


_Result = tuple[float, tuple[float, float] | None]


def _accuracy(data: _Data) -> _Result:
    size = len(data.expected.values)
    codes, _ = pd.factorize(np.concatenate([data.expected.values, data.given.values]))
    given = np.where(data.given.usable, codes[size:], -1)
    right = int((codes[:size] == given).sum())
    return float(_sklearn().accuracy_score(codes[:size], given)), wilson(right, size)


def _precision(data: _Data) -> _Result:
    expected, given = data.expected_positive(), data.given_positive()
    if not given.any():
        raise _UndefinedError(f"the candidate never answered the positive label {data.positive!r}")
    return float(_sklearn().precision_score(expected, given)), wilson(int((expected & given).sum()), int(given.sum()))


def _recall(data: _Data) -> _Result:
    expected, given = data.expected_positive(), data.given_positive()
    if not expected.any():
        raise _UndefinedError(f"no expected answer is the positive label {data.positive!r}")
    return float(_sklearn().recall_score(expected, given)), wilson(int((expected & given).sum()), int(expected.sum()))


def _f1(data: _Data) -> _Result:
    # 2 tp / (2 tp + fp + fn): a candidate that misses every positive has earned its 0.
    expected = data.expected_positive()
    if not expected.any():
        raise _UndefinedError(f"no expected answer is the positive label {data.positive!r}")
    return float(_sklearn().f1_score(expected, data.given_positive())), None


def _roc_auc(data: _Data) -> _Result:
    expected = data.expected_positive()
    if expected.all() or not expected.any():
        which = "every" if expected.all() else "no"
        raise _UndefinedError(f"it needs both classes, but {which} expected answer is {data.positive!r}")
    wanted = SCORE + str(typed_answer("text", data.positive))
    # A class may be written 8, 8.0 or True in the name of its score: the answer type decides.
    names = [
        name
        for name in data.scores
        if name.startswith(SCORE) and typed_answer(data.answer_type, name.removeprefix(SCORE)) == data.positive
    ]
    if not names:
        raise _UndefinedError(f"it needs the output {wanted!r}, which the candidate does not give")
    score = np.asarray(data.scores[wanted if wanted in names else names[0]], dtype=np.float64)
    if len(score) != len(expected):
        raise ValueError(f"{len(score)} scores, but {len(expected)} answers")
    missing = int((~np.isfinite(score)).sum())
    if missing:
        raise _UndefinedError(f"{missing} of {len(score)} answers have no number in {wanted!r}")
    return float(_sklearn().roc_auc_score(expected, score)), None


def _sklearn() -> Any:
    """scikit-learn's metrics, imported when one is asked for: that takes seconds, which every process would pay."""
    from sklearn import metrics  # noqa: PLC0415

    return metrics


def _error_of(name: str) -> Any:
    def calculate(data: _Data) -> _Result:
        if data.answer_type not in ("integer", "number"):
            raise _UndefinedError(f"it needs numbers, but answers are {data.answer_type}")
        unusable = int((~data.given.usable).sum())
        if unusable:
            raise _UndefinedError(f"{unusable} of {len(data.given.values)} answers are no {data.answer_type}")
        formula = getattr(_sklearn(), name)
        with np.errstate(over="ignore"):
            value = float(formula(data.expected.values.astype(np.float64), data.given.values.astype(np.float64)))
        if not math.isfinite(value):
            raise _UndefinedError("the errors are too large for a floating-point number")
        return value, None

    return calculate


_FORMULAS = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "roc_auc": _roc_auc,
    "mae": _error_of("mean_absolute_error"),
    "rmse": _error_of("root_mean_squared_error"),
}


def _words(error: Exception) -> str:
    return shortened(f"{type(error).__name__}: {error}", 300)
