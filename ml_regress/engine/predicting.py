"""Predicting: what a candidate did not answer yet is asked in one opening."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.core.inputs import InputTypes
from ml_regress.core.pattern import Suite
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError
from ml_regress.predictors.batch import Batch
from ml_regress.predictors.host import PredictorHost

NO_INPUTS = "the pattern has no inputs, and this candidate is not a table of recorded predictions"
Made = tuple[Any, dict[str, float] | None, str | None]


@dataclass
class Answers:
    """What one opening of a candidate gave.

    `made` holds answer (raw), outputs and error by input digest, `failed` the reason of each input
    that was not predicted, `benchmarks` a batch or a reason by benchmark. `environment` is where it
    was made, with the candidate's features and warnings; None where nothing was.
    """

    made: dict[str, Made] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    benchmarks: dict[str, Batch | str] = field(default_factory=dict)
    environment: dict[str, Any] | None = None
    opened: int = 0
    rows: int = 0

    def frame(self) -> pd.DataFrame:
        """The predictions that were made, by input digest: answer, outputs, error."""
        columns = {
            name: pd.Series([made[place] for made in self.made.values()], dtype=object)
            for place, name in enumerate(("answer", "outputs", "error"))
        }
        return pd.DataFrame(columns).set_axis(pd.Index(list(self.made), dtype=object))

    def note(self, batch: Batch) -> None:
        """Keep what a batch says of where it was made: it stands beside every number that comes of it."""
        known = self.environment or {"warnings": []}
        features = None if batch.features is None else list(batch.features)
        warnings = list(dict.fromkeys([*known["warnings"], *batch.warnings]))
        self.environment = {**batch.environment, "features": features, "warnings": warnings}


@dataclass(frozen=True)
class _Inputs:
    """Inputs of the same columns, with their digests."""

    digests: list[str] = field(default_factory=list)
    rows: list[Mapping[str, Any]] = field(default_factory=list)


def ask(
    workspace: Workspace,
    host: PredictorHost,
    candidate: Candidate,
    *,
    suites: Sequence[tuple[Suite, InputTypes]],
    benchmarks: Mapping[str, pd.DataFrame],
    have: set[str],
) -> Answers:
    """Open the candidate once for all inputs it has not answered (`have`) and for all benchmarks.

    Where nothing is missing it is not opened. Whatever goes wrong with it is a reason in the answers.
    """
    answers = Answers()
    groups = _missing(suites, have, answers)
    frames = [types.frame(inputs.rows) for types, inputs in groups]
    frames += benchmarks.values()
    if not frames:
        return answers
    results, answers.opened = _predict(workspace, host, candidate, frames)
    for (_, inputs), result in zip(groups, results, strict=False):
        _take(inputs.digests, result, answers)
    for name, result in zip(benchmarks, results[len(groups) :], strict=True):
        if isinstance(result, Batch):
            answers.note(result)
            answers.rows += len(benchmarks[name])
            answers.benchmarks[name] = result
        else:
            answers.benchmarks[name] = str(result)
    return answers


def _missing(
    suites: Sequence[tuple[Suite, InputTypes]], have: set[str], answers: Answers
) -> list[tuple[InputTypes, _Inputs]]:
    """The distinct inputs without a prediction: one group for all problems with the same columns."""
    groups: dict[Any, tuple[InputTypes, _Inputs]] = {}
    seen = set(have)
    for suite, types in suites:
        group: _Inputs | None = None
        for pattern in suite.patterns:
            if pattern.input_digest in seen:
                continue
            seen.add(pattern.input_digest)
            if pattern.inputs is None:
                answers.failed[pattern.input_digest] = NO_INPUTS
                continue
            if group is None:
                _, group = groups.setdefault(types.columns, (types, _Inputs()))
            group.digests.append(pattern.input_digest)
            group.rows.append(pattern.inputs)
    return list(groups.values())


def _predict(
    workspace: Workspace, host: PredictorHost, candidate: Candidate, frames: Sequence[pd.DataFrame]
) -> tuple[Sequence[Batch | MlRegressError], int]:
    """The result of each frame, and how often the candidate was opened."""
    before = host.opened
    try:
        results: Sequence[Batch | MlRegressError] = host.predict_many(
            workspace.located(candidate), frames, workspace.policy
        )
    except MlRegressError as error:  # it could not be opened, was not permitted, or its process ended
        results = [error] * len(frames)
    return results, host.opened - before


def _take(digests: Sequence[str], result: Batch | MlRegressError, answers: Answers) -> None:
    if isinstance(result, MlRegressError):
        answers.failed.update(dict.fromkeys(digests, str(result)))
        return
    answers.note(result)
    outputs: Sequence[dict[str, float] | None] = result.outputs or [None] * len(digests)
    for digest, answer, output, error in zip(digests, result.answers, outputs, result.errors, strict=True):
        answers.made[digest] = (answer, output, error)
