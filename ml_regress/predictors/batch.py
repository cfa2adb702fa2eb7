"""One opening of a candidate and all that is predicted with it."""

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, NotPermitted, PredictionFailed, shortened
from ml_regress.predictors import versions
from ml_regress.predictors.columns import arrange
from ml_regress.predictors.noticed import distinct, noticed
from ml_regress.predictors.opening import REASON_LENGTH, open_predictor, saved_versions
from ml_regress.predictors.predictor import Policy, Predictor

MISSING = "the answer is missing (NaN)"


@dataclass(frozen=True)
class Batch:
    """What a predictor gave for one frame; the lists have one item a row.

    `answers` are raw JSON scalars, `outputs` maps `score:<class>` to numbers (None where the model
    offers no scores; a score that is not finite is left out), `errors` says why an answer is none.
    `dropped` are columns that the predictor does not take. Seconds of predicting are the frame's
    share where several frames were predicted in one call.
    """

    answers: list[Any]
    outputs: list[dict[str, float]] | None
    errors: list[str | None]
    dropped: tuple[str, ...]
    warnings: tuple[str, ...]
    environment: dict[str, str]
    features: tuple[str, ...] | None
    seconds_open: float
    seconds_predict: float


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


def serve(candidate: Candidate, frames: Sequence[pd.DataFrame], policy: Policy) -> Iterator[Reply]:
    """Opens the candidate once and predicts each frame; frames of the same columns in one call."""
    started = time.perf_counter()
    try:
        predictor = open_predictor(candidate, policy)
    except (CannotOpen, NotPermitted) as error:
        yield Refused(error)
        return
    seconds_open = time.perf_counter() - started
    yield Opened()
    groups: dict[Any, list[_Arranged]] = {}
    for position, frame in enumerate(frames):
        try:
            arranged, dropped = arrange(frame.reset_index(drop=True), predictor.features, candidate.manifest.defaults)
        except PredictionFailed as error:
            yield Answered(position, error)
            continue
        # Frames that differ in a type stay apart: joined, a column of whole numbers could become floats.
        kind = tuple(zip(arranged.columns, arranged.dtypes.astype(str), strict=True))
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
    predictions = pd.DataFrame({"answer": []})
    if len(frame):  # most models refuse an empty frame
        try:
            with noticed() as texts:
                predictions = predictor.predict(frame)
        except PredictionFailed:
            raise
        except (Exception, SystemExit) as error:  # a model may raise anything
            raise PredictionFailed(_reason(candidate, error)) from error
    answers = predictions["answer"].tolist()
    return Batch(
        answers=answers,
        outputs=_outputs(predictions.drop(columns="answer")),
        errors=[MISSING if answer is None else None for answer in answers],
        dropped=(),
        warnings=tuple(distinct(iter([*predictor.warnings, *texts]))),
        environment=versions.environment(),
        features=predictor.features,
        seconds_open=0.0,
        seconds_predict=time.perf_counter() - started,
    )


def _outputs(scores: pd.DataFrame) -> list[dict[str, float]] | None:
    if scores.columns.empty:
        return None
    # NaN and infinity have no JSON text; x - x is 0 for the others alone.
    return [
        {str(name): score for name, score in row.items() if score - score == 0} for row in scores.to_dict("records")
    ]


def _reason(candidate: Candidate, error: BaseException) -> str:
    """Type, message and place of what a model raised; the versions too where they differ."""
    reason = shortened(f"{type(error).__name__}: {error}", REASON_LENGTH)
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        last = frames[-1]
        reason += f" (in {Path(last.filename).name}, line {last.lineno}, {last.name}: {last.line})"
    saved = saved_versions(candidate)
    return f"{versions.described(saved)}: {reason}" if versions.differs(saved) else reason
