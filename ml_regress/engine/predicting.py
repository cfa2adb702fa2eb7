"""Predicting: what candidates did not answer yet is asked, each in one opening."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any

import pandas as pd

from ml_regress.core.answer_map import mapped_answers, mapped_outputs
from ml_regress.core.candidate import Candidate
from ml_regress.core.inputs import InputTypes
from ml_regress.core.prediction import Prediction
from ml_regress.engine.claimed import Asked, Claimed
from ml_regress.engine.recorded import NO_PREDICTION
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError
from ml_regress.predictors.batch import Batch
from ml_regress.predictors.host import PredictorHost

NO_INPUTS = "the pattern has no inputs, and this candidate is not a table of recorded predictions"


@dataclass(frozen=True)
class Inputs:
    """Inputs of the same columns, with their digests."""

    types: InputTypes
    digests: list[str] = field(default_factory=list)
    rows: list[Mapping[str, Any]] = field(default_factory=list, compare=False)  # their digests stand for them


@dataclass(frozen=True)
class Questions:
    """What a candidate is asked: inputs, those of the same columns together, and benchmarks by name.

    `failed` gives the reason of what it cannot be asked, by input digest.
    """

    inputs: tuple[Inputs, ...]
    benchmarks: tuple[str, ...]
    failed: Mapping[str, str]


@dataclass
class Answers:
    """What one opening of a candidate gave.

    `made` holds predictions by input digest, `failed` the reason of each input that was not
    predicted, `benchmarks` a batch or a reason by benchmark. `environment` is where it was made,
    with the candidate's features and warnings; None where nothing was.
    """

    made: dict[str, Prediction] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    benchmarks: dict[str, Batch | str] = field(default_factory=dict)
    environment: dict[str, Any] | None = None
    opened: int = 0
    rows: int = 0

    def as_meant(self, answer_map: Mapping[str, str]) -> "Answers":
        """These answers with what benchmarks were answered as the candidate's answer map means it."""
        if not answer_map:
            return self
        meant = {
            name: result
            if isinstance(result, str)
            else replace(
                result,
                answers=mapped_answers(answer_map, result.answers),
                outputs=None if result.outputs is None else mapped_outputs(answer_map, result.outputs),
            )
            for name, result in self.benchmarks.items()
        }
        return replace(self, benchmarks=meant)

    def note(self, batch: Batch) -> None:
        """Keep what a batch says of where it was made: it stands beside every number that comes of it."""
        known = self.environment or {"warnings": []}
        features = None if batch.features is None else list(batch.features)
        warnings = list(dict.fromkeys([*known["warnings"], *batch.warnings]))
        self.environment = {**batch.environment, "features": features, "warnings": warnings}


def questions(
    candidate: Candidate, asked: Iterable[Asked], benchmarks: Iterable[str], have: Iterable[str]
) -> Questions:
    """What a candidate is asked of suites and benchmarks, without what it answered already (`have`)."""
    groups: dict[Any, Inputs] = {}
    failed: dict[str, str] = {}
    seen = set(have)
    for each in asked:
        group: Inputs | None = None
        for pattern in each.suite.patterns:
            digest = pattern.input_digest
            if digest in seen:
                continue
            seen.add(digest)
            if candidate.recorded or pattern.inputs is None:
                failed[digest] = NO_PREDICTION if candidate.recorded else NO_INPUTS
                continue
            if group is None:
                group = groups.setdefault(each.types.columns, Inputs(each.types))
            group.digests.append(digest)
            group.rows.append(pattern.inputs)
    return Questions(tuple(groups.values()), tuple(benchmarks), failed)


def ask(
    workspace: Workspace, host: PredictorHost, claimed: Claimed, asked: Sequence[tuple[Candidate, Questions]]
) -> Generator[Answers]:
    """The answers of each candidate, in order; those with the same questions are asked in one go.

    A candidate is opened once for all its questions, and not at all where there are none. Whatever
    goes wrong with it is a reason in its answers.
    """
    for given, group in groupby(asked, key=itemgetter(1)):
        candidates = [candidate for candidate, _ in group]
        if not given.inputs and not given.benchmarks:
            yield from (Answers(failed=dict(given.failed)) for _ in candidates)
            continue
        frames = [each.types.frame(each.rows) for each in given.inputs]
        frames += [claimed.benchmark(name).inputs for name in given.benchmarks]
        for results, opened in _served(workspace, host, candidates, frames):
            yield _answers(given, results, opened)


def _served(
    workspace: Workspace, host: PredictorHost, candidates: Sequence[Candidate], frames: Sequence[pd.DataFrame]
) -> Iterator[tuple[Sequence[Batch | MlRegressError], int]]:
    """The result of each frame, and how often the candidate was opened, by candidate."""
    left = [workspace.located(candidate) for candidate in candidates]
    while left:
        try:
            for served in host.predict_each(left, frames, workspace.policy):
                left = left[1:]
                if served.refused is None:
                    yield served.results, 1
                else:
                    yield [served.refused] * len(frames), 0
        except MlRegressError as error:  # the process did not start for this one
            left = left[1:]
            yield [error] * len(frames), 0


def _answers(given: Questions, results: Sequence[Batch | MlRegressError], opened: int) -> Answers:
    answers = Answers(failed=dict(given.failed), opened=opened)
    for inputs, result in zip(given.inputs, results, strict=False):
        if isinstance(result, MlRegressError):
            answers.failed.update(dict.fromkeys(inputs.digests, str(result)))
            continue
        answers.note(result)
        outputs: Iterable[dict[str, Any] | None] = result.outputs or repeat(None, len(inputs.digests))
        made = map(Prediction, result.answers, outputs, result.errors)
        answers.made.update(zip(inputs.digests, made, strict=True))
    for name, result in zip(given.benchmarks, results[len(given.inputs) :], strict=True):
        if isinstance(result, MlRegressError):
            answers.benchmarks[name] = str(result)
            continue
        answers.note(result)
        answers.rows += len(result.answers)
        answers.benchmarks[name] = result
    return answers


def environment_warnings(environment: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Warnings of an environment for a cell whose problem has these columns."""
    found = list(environment.get("warnings", ()))
    features = environment.get("features")
    if features is not None:
        known = set(features)
        dropped = [column for column in columns if column not in known]
        if dropped:
            found.append(f"columns the candidate does not use were dropped: {', '.join(dropped)}")
    return found
