"""What candidates answer to rows of a batch, brought to the type of its answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.answer_map import mapped_answers, mapped_outputs
from ml_regress.core.answers import typed_answer
from ml_regress.core.candidate import Candidate
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import MlRegressError, PredictionFailed
from ml_regress.intake.kept import Kept
from ml_regress.predictors.host import Batch, PredictorHost

NEWEST = 3


@dataclass(frozen=True)
class Said:
    """The answers of one candidate, typed (None where it gave none), and its outputs (`score:<class>`), one a row."""

    candidate: str
    answers: Sequence[Any]
    outputs: Sequence[Mapping[str, Any] | None]

    def part(self, rows: slice) -> "Said":
        """What it says to some of the rows."""
        return Said(self.candidate, self.answers[rows], self.outputs[rows])


def newest_candidates(workspace: Workspace) -> list[Candidate]:
    """The newest active candidates that can be asked (a table of recorded answers cannot), in their order."""
    active = [each for each in workspace.store.candidates.all() if not each.recorded]
    return active[-NEWEST:]


def ask(
    workspace: Workspace, candidates: Sequence[Candidate], frames: Sequence[pd.DataFrame], answer_type: str
) -> tuple[list[Said], list[str]]:
    """What each candidate says to the rows of these frames, one after the other, and a note on each that could not
    be asked. A candidate is opened once.
    """
    said, notes = list[Said](), list[str]()
    frames = [frame for frame in frames if len(frame)]
    if not candidates or not frames:
        return said, notes
    with PredictorHost() as host:
        for candidate in map(workspace.located, candidates):
            try:
                answered = _answered(host.predict_many(candidate, frames, workspace.policy))
            except MlRegressError as error:
                notes.append(f"{candidate.id} could not be asked: {error}")
                continue
            raw = [answer for each in answered for answer in each.answers]
            outputs = list[Any]()
            for each in answered:
                outputs += list[Any](each.outputs or []) or [None] * len(each.answers)
            mapping = candidate.manifest.answer_map
            answers = [typed_answer(answer_type, answer) for answer in mapped_answers(mapping, raw)]
            said.append(Said(candidate.id, answers, mapped_outputs(mapping, outputs)))
    return said, notes


def _answered(results: Sequence[Batch | PredictionFailed]) -> list[Batch]:
    """The answers to all frames; raises what one of them failed with."""
    answered = list[Batch]()
    for each in results:
        if isinstance(each, PredictionFailed):
            raise each
        answered.append(each)
    return answered


def tolerance_of(kept: Kept, said: Sequence[Said]) -> float:
    """How far two numbers may be apart and still be the same answer, with three digits: a tenth of the spread of the
    labels, else of the answers that came with them, else of what the candidates say.

    The spread is that of a normal distribution with these quartiles; the standard deviation where they are one.
    """
    values = np.array([], dtype=float)
    for name in (LABEL, PREDICTION):
        if not len(values) and name in kept.names:
            values = np.array([each for each in kept.column(name).to_pylist() if each is not None], dtype=float)
            values = values[np.isfinite(values)]
    if not len(values):
        values = np.array([answer for each in said for answer in each.answers if answer is not None], dtype=float)
    if not len(values):
        return 0.0
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    spread = (high - low) / 1.349 or values.std()
    return float(f"{max(spread / 10, abs(middle) * 1e-9):.3g}")


def majority(answers: Sequence[Any], answer_type: str) -> Any:
    """What more than half of at least two answers say; of numbers their median. None where there is no such answer."""
    there = [answer for answer in answers if answer is not None]
    if len(there) < 2:
        return None
    if answer_type == "number":
        return float(np.median(there))
    answer, times = Counter(there).most_common(1)[0]
    return answer if times * 2 > len(there) else None
