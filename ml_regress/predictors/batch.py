"""One opening of a candidate and all that is predicted with it."""

import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ml_regress.core.answers import storable
from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, NotPermitted, PredictionFailed, shortened
from ml_regress.predictors import versions
from ml_regress.predictors.columns import arrange
from ml_regress.predictors.model import ANSWER
from ml_regress.predictors.noticed import distinct, noticed
from ml_regress.predictors.opening import REASON_LENGTH, open_predictor, saved_versions
from ml_regress.predictors.predictor import Policy, Predictor
from ml_regress.predictors.python_ import forget_modules

MISSING = "the answer is missing (NaN)"


@dataclass(frozen=True)
class Batch:
    """What a predictor gave for one frame; the lists have one item a row.

    `answers` are raw JSON scalars, `outputs` maps `score:<class>` and other names to JSON scalars (None
    where the model offers none; one that is not finite is left out), `errors` says why an answer is none.
    `dropped` are columns that the predictor does not take. Seconds of predicting are the frame's
    share where several frames were predicted in one call.
    """

    answers: list[Any]
    outputs: list[dict[str, Any]] | None
    errors: list[str | None]
    dropped: tuple[str, ...]
    warnings: tuple[str, ...]
    environment: dict[str, str]
    features: tuple[str, ...] | None
    seconds_open: float
    seconds_predict: float


@dataclass(frozen=True)
class Begun:
    """The child works on the next candidate since this time (of time.monotonic, which all processes share)."""

    at: float


@dataclass(frozen=True)
class Refused:
    """The candidate did not open."""

    error: CannotOpen | NotPermitted


@dataclass(frozen=True)
class Opened:
    """The candidate is open; predictions follow."""


@dataclass(frozen=True)
class Answered:
    """The frame at `position` has its batch, or the error that is its alone."""

    position: int
    batch: Batch | PredictionFailed


Reply = Refused | Opened | Answered


@dataclass(frozen=True)
class _Arranged:
    position: int
    frame: pd.DataFrame
    dropped: tuple[str, ...]


def serve(
    candidate: Candidate, frames: Sequence[pd.DataFrame], policy: Policy, passes: Sequence[int] | None = None
) -> Iterator[Reply]:
    """Opens the candidate once and predicts each frame; frames of the same columns and pass in one call.

    `passes` has the pass of each frame, in order; without it there is one.
    """
    try:
        yield from _serve(candidate, frames, policy, passes or [0] * len(frames))
    finally:
        forget_modules(Path(candidate.path))


def _serve(
    candidate: Candidate, frames: Sequence[pd.DataFrame], policy: Policy, passes: Sequence[int]
) -> Iterator[Reply]:
    started = time.perf_counter()
    try:
        predictor = open_predictor(candidate, policy)
    except (CannotOpen, NotPermitted) as error:
        yield Refused(error)
        return
    seconds_open = time.perf_counter() - started
    yield Opened()
    groups: dict[Any, list[_Arranged]] = {}
    for position, (frame, turn) in enumerate(zip(frames, passes, strict=True)):
        try:
            arranged, dropped = arrange(frame.reset_index(drop=True), predictor.features, candidate.manifest.defaults)
        except PredictionFailed as error:
            yield Answered(position, error)
            continue
        # Frames that differ in a type stay apart: joined, a column of whole numbers could become floats.
        kind = (turn, tuple(arranged.columns), tuple(arranged.dtypes))
        groups.setdefault(kind, []).append(_Arranged(position, arranged, dropped))
    for group in groups.values():
        for position, result in _predict_group(predictor, candidate, group):
            timed = replace(result, seconds_open=seconds_open) if isinstance(result, Batch) else result
            yield Answered(position, timed)


def _predict_group(
    predictor: Predictor, candidate: Candidate, group: Sequence[_Arranged]
) -> Iterator[tuple[int, Batch | PredictionFailed]]:
    joined = group[0].frame
    if len(group) > 1:
        joined = pd.concat([item.frame for item in group], ignore_index=True)
    try:
        whole = _predict(predictor, candidate, joined)
    except PredictionFailed as error:
        if len(group) == 1:
            yield group[0].position, error
            return
        for item in group:  # each alone: the fault of one is no error of the others
            yield from _predict_group(predictor, candidate, [item])
        return
    start = 0
    for item in group:
        end = start + len(item.frame)
        share = (end - start) / len(joined) if len(joined) else 0.0
        yield (
            item.position,
            replace(
                whole,
                answers=whole.answers[start:end],
                outputs=None if whole.outputs is None else whole.outputs[start:end],
                errors=whole.errors[start:end],
                dropped=item.dropped,
                seconds_predict=whole.seconds_predict * share,
            ),
        )
        start = end


def _predict(predictor: Predictor, candidate: Candidate, frame: pd.DataFrame) -> Batch:
    started = time.perf_counter()
    texts: list[str] = []
    answers: list[Any] = []
    outputs: list[dict[str, Any]] | None = None
    if len(frame):  # most models refuse an empty frame
        try:
            with noticed() as texts:
                predictions = predictor.predict(frame)
        except PredictionFailed:
            raise
        except (Exception, SystemExit) as error:  # a model may raise anything
            raise PredictionFailed(_reason(candidate, error)) from error
        answers = predictions.pop(ANSWER)
        outputs = _outputs(predictions)
    return Batch(
        answers=answers,
        outputs=outputs,
        errors=[MISSING if answer is None else None for answer in answers],
        dropped=(),
        warnings=tuple(distinct(iter([*predictor.warnings, *texts]))),
        environment=versions.environment(),
        features=predictor.features,
        seconds_open=0.0,
        seconds_predict=time.perf_counter() - started,
    )


def _outputs(given: Mapping[str, list[Any]]) -> list[dict[str, Any]] | None:
    """The outputs beside the answer, a mapping a row; what is missing or not finite is left out."""
    if not given:
        return None
    rows = [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
    if any(None in column for column in given.values()):
        return [{name: value for name, value in row.items() if value is not None} for row in rows]
    return rows


def _reason(candidate: Candidate, error: BaseException) -> str:
    """Type, message and place of what a model raised; the versions too where they differ."""
    reason = shortened(f"{type(error).__name__}: {error}", REASON_LENGTH)
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        last = frames[-1]
        reason += f" (in {Path(last.filename).name}, line {last.lineno}, {last.name}: {last.line})"
    return storable(": ".join([*versions.differences(saved_versions(candidate)), reason]))
