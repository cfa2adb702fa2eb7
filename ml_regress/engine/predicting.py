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
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.engine.claimed import Asked, Claimed
from ml_regress.engine.recorded import NO_PREDICTION
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError
from ml_regress.predictors.batch import Batch
from ml_regress.predictors.host import EndedError, PredictorHost

NO_INPUTS = "the pattern has no inputs, and this candidate is not a table of recorded predictions"

NOTHING_TO_DRAW = "no further draw was made: none of the patterns has inputs"


@dataclass(frozen=True)
class Inputs:
    """Inputs of the same columns, with their digests."""

    types: InputTypes
    digests: list[str] = field(default_factory=list)
    rows: list[Mapping[str, Any]] = field(default_factory=list, compare=False)  # their digests stand for them


@dataclass(frozen=True)
class Questions:
    """What a candidate is asked: inputs, those of the same columns together, and benchmarks by name.

    `failed` gives the reason of what it cannot be asked, by input digest. `again` is asked so many
    times more (`draws`); `answered` are those of it that were answered before.
    """

    inputs: tuple[Inputs, ...]
    benchmarks: tuple[str, ...]
    failed: Mapping[str, str]
    again: tuple[Inputs, ...] = ()
    draws: int = 0
    answered: frozenset[str] = frozenset()


@dataclass
class Answers:
    """What one opening of a candidate gave.

    `made` holds predictions by input digest, `failed` the reason of each input that was not
    predicted, `benchmarks` a batch or a reason by benchmark. `drawn` are further draws by input digest,
    in order; `undrawn` says why some were not made. `environment` is where it was made, with the
    candidate's features and warnings; None where nothing was.
    """

    made: dict[str, Prediction] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    benchmarks: dict[str, Batch | str] = field(default_factory=dict)
    drawn: dict[str, list[Prediction]] = field(default_factory=dict)
    undrawn: str | None = None
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
    candidate: Candidate, asked: Sequence[Asked], benchmarks: Iterable[str], have: Predictions, draws: int = 0
) -> Questions:
    """What a candidate is asked of suites and benchmarks, without what it answered already (`have`).

    All that the suites ask is asked `draws` times more.
    """
    fresh, failed = _inputs(candidate, asked, have)
    found = Questions(fresh, tuple(benchmarks), failed)
    if not draws or not asked or candidate.recorded:
        return found
    answered = frozenset(digest for digest, made in have.items() if made.error is None)
    return replace(found, again=_inputs(candidate, asked, ())[0], draws=draws, answered=answered)


def _inputs(
    candidate: Candidate, asked: Iterable[Asked], have: Iterable[str]
) -> tuple[tuple[Inputs, ...], dict[str, str]]:
    """The inputs that suites ask without these, and the reason of each that the candidate cannot be asked."""
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
    return tuple(groups.values()), failed


def ask(
    workspace: Workspace, host: PredictorHost, claimed: Claimed, asked: Sequence[tuple[Candidate, Questions]]
) -> Generator[Answers]:
    """The answers of each candidate, in order; those with the same questions are asked in one go.

    A candidate is opened once for all its questions, and not at all where there are none. Whatever
    goes wrong with it is a reason in its answers.
    """
    for given, group in groupby(asked, key=itemgetter(1)):
        candidates = [candidate for candidate, _ in group]
        if not given.inputs and not given.benchmarks and not given.again:
            undrawn = NOTHING_TO_DRAW if given.draws else None
            yield from (Answers(failed=dict(given.failed), undrawn=undrawn) for _ in candidates)
            continue
        frames = [each.types.frame(each.rows) for each in given.inputs]
        frames += [claimed.benchmark(name).inputs for name in given.benchmarks]
        passes = [0] * len(frames)
        again = [each.types.frame(each.rows) for each in given.again]
        for turn in range(given.draws):
            frames += again
            passes += [turn + 1] * len(again)
        for results, opened in _served(workspace, host, candidates, frames, passes):
            yield _answers(given, results, opened)


def _served(
    workspace: Workspace,
    host: PredictorHost,
    candidates: Sequence[Candidate],
    frames: Sequence[pd.DataFrame],
    passes: Sequence[int],
) -> Iterator[tuple[Sequence[Batch | MlRegressError], int]]:
    """The result of each frame, and how often the candidate was opened, by candidate."""
    left = [workspace.located(candidate) for candidate in candidates]
    while left:
        try:
            for served in host.predict_each(left, frames, workspace.policy, passes):
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
        answers.made.update(_predictions(inputs, result))
    once = len(given.inputs) + len(given.benchmarks)
    for name, result in zip(given.benchmarks, results[len(given.inputs) : once], strict=True):
        if isinstance(result, MlRegressError):
            answers.benchmarks[name] = str(result)
            continue
        answers.note(result)
        answers.rows += len(result.answers)
        answers.benchmarks[name] = result
    if given.draws:
        _note_draws(answers, given, results[:once], results[once:])
    return answers


def _note_draws(
    answers: Answers,
    given: Questions,
    before: Sequence[Batch | MlRegressError],
    results: Sequence[Batch | MlRegressError],
) -> None:
    """Keep the further draws of an opening: `results` are those of each pass, one after the other.

    A pass that the candidate broke off is a draw that ended in an error, and those after it were not made. An input
    that was never answered, now or before, has no draw: what is wrong there is to be mended, and does not vary.
    """
    if not given.again:
        answers.undrawn = NOTHING_TO_DRAW
        return
    refused = next((each for each in before if isinstance(each, EndedError)), None)
    if refused is not None or not answers.opened:
        answers.undrawn = f"no further draw was made: {refused or [*before, *results][0]}"
        return
    answered = given.answered | {digest for digest, made in answers.made.items() if made.error is None}
    drawn: dict[str, list[Prediction]] = {}
    for turn in range(given.draws):
        part = results[turn * len(given.again) : (turn + 1) * len(given.again)]
        for inputs, result in zip(given.again, part, strict=True):
            made = _predictions(inputs, result)
            if isinstance(result, Batch):
                answers.note(result)
                answered |= {digest for digest, each in made if each.error is None}
            for digest, each in made:
                drawn.setdefault(digest, []).append(each)
        ended = next((each for each in part if isinstance(each, EndedError)), None)
        if ended is not None and turn + 1 < given.draws:
            left = given.draws - turn - 1
            answers.undrawn = f"{left} of {given.draws} further draws were not made: {ended}"
            break
    silent = [digest for digest in drawn if digest not in answered]
    if silent:
        reason = drawn[silent[0]][0].error
        answers.undrawn = f"{len(silent)} of {len(drawn)} inputs were never answered and are not drawn: {reason}"
    answers.drawn = {digest: each for digest, each in drawn.items() if digest in answered}


def _predictions(inputs: Inputs, result: Batch | MlRegressError) -> list[tuple[str, Prediction]]:
    """What was said to each input, by its digest."""
    if isinstance(result, MlRegressError):
        return [(digest, Prediction(error=str(result))) for digest in inputs.digests]
    outputs: Iterable[dict[str, Any] | None] = result.outputs or repeat(None, len(inputs.digests))
    return list(zip(inputs.digests, map(Prediction, result.answers, outputs, result.errors), strict=True))


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
