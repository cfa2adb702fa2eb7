"""Metrics: one number over many answers, or the reason why there is none.

A metric that is undefined (no positive label, only one class, no answer) is decided here before
scikit-learn is asked, so that no 0 and no NaN ever stands for "cannot be said".
"""

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.answers import typed_answer
from ml_regress.core.evaluation import Measure
from ml_regress.core.expectation import SCORE
from ml_regress.core.statistics import (
    CONFIDENCE,
    ONE_SIDED,
    Interval,
    auc_interval,
    f1_interval,
    mean_interval,
    wilson,
)
from ml_regress.core.typed_column import TypedColumn, typed_column
from ml_regress.errors import shortened

UNKNOWN_SHOWN = 10
# Two labels of which everybody takes the same one as the positive one.
_BINARY: tuple[tuple[frozenset[Any], Any], ...] = (
    (frozenset({0, 1}), 1),
    (frozenset({-1, 1}), 1),
    (frozenset({"0", "1"}), "1"),
)


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
    Accuracy, precision and recall have the Wilson interval of their own denominator, the others that of
    core.statistics; an error over fewer than two rows has none. Raises
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
    return measured(name, value, interval)


_IntervalOf = Callable[[float], Interval | None]
_Result = tuple[float, _IntervalOf]


def measured(name: str, value: float, interval: _IntervalOf) -> Measure:
    """The measure of a value whose interval is a function of the confidence."""
    low, high = interval(CONFIDENCE) or (None, None)
    lower, upper = interval(ONE_SIDED) or (None, None)
    return Measure(name, value, None, low, high, lower, upper)


def _accuracy(data: _Data) -> _Result:
    size = len(data.expected.values)
    codes, _ = pd.factorize(np.concatenate([data.expected.values, data.given.values]))
    given = np.where(data.given.usable, codes[size:], -1)
    right = int((codes[:size] == given).sum())
    return float(_sklearn().accuracy_score(codes[:size], given)), functools.partial(wilson, right, size)


def _precision(data: _Data) -> _Result:
    expected, given = data.expected_positive(), data.given_positive()
    if not given.any():
        raise _UndefinedError(f"the candidate never answered the positive label {data.positive!r}")
    both = functools.partial(wilson, int((expected & given).sum()), int(given.sum()))
    return float(_sklearn().precision_score(expected, given)), both


def _recall(data: _Data) -> _Result:
    expected, given = data.expected_positive(), data.given_positive()
    if not expected.any():
        raise _UndefinedError(f"no expected answer is the positive label {data.positive!r}")
    both = functools.partial(wilson, int((expected & given).sum()), int(expected.sum()))
    return float(_sklearn().recall_score(expected, given)), both


def _f1(data: _Data) -> _Result:
    # 2 tp / (2 tp + fp + fn): a candidate that misses every positive has earned its 0.
    expected = data.expected_positive()
    if not expected.any():
        raise _UndefinedError(f"no expected answer is the positive label {data.positive!r}")
    given = data.given_positive()
    counts = int((expected & given).sum()), int((expected ^ given).sum())
    return float(_sklearn().f1_score(expected, given)), functools.partial(f1_interval, *counts)


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
    value = float(_sklearn().roc_auc_score(expected, score))
    classes = int(expected.sum()), int((~expected).sum())
    return value, functools.partial(auc_interval, value, *classes)


def _sklearn() -> Any:
    """scikit-learn's metrics, imported when one is asked for: that takes seconds, which every process would pay."""
    from sklearn import metrics  # noqa: PLC0415

    return metrics


def _error_of(name: str, power: int) -> Any:
    def calculate(data: _Data) -> _Result:
        if data.answer_type not in ("integer", "number"):
            raise _UndefinedError(f"it needs numbers, but answers are {data.answer_type}")
        unusable = int((~data.given.usable).sum())
        if unusable:
            raise _UndefinedError(f"{unusable} of {len(data.given.values)} answers are no {data.answer_type}")
        formula = getattr(_sklearn(), name)
        expected, given = data.expected.values.astype(np.float64), data.given.values.astype(np.float64)
        with np.errstate(over="ignore"):
            value = float(formula(expected, given))
            errors = np.abs(expected - given) ** power
        if not math.isfinite(value):
            raise _UndefinedError("the errors are too large for a floating-point number")

        def interval(confidence: float) -> Interval | None:
            found = mean_interval(errors, confidence) if np.isfinite(errors).all() else None
            return None if found is None else (found[0] ** (1 / power), found[1] ** (1 / power))

        return value, interval

    return calculate


_FORMULAS = {
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "roc_auc": _roc_auc,
    "mae": _error_of("mean_absolute_error", 1),
    "rmse": _error_of("root_mean_squared_error", 2),
}
