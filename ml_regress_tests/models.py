"""Tiny models with speaking names, which tests save as joblib candidates.

They write a line into a log on each opening and each prediction, so that a test can count both.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from ml_regress.core.candidate import Candidate, Manifest
from ml_regress.core.digest import digest_of_bytes
from ml_regress.predictors.formats import saved_libraries


class ConstantModel:
    """Gives every input the same answer, and writes `open` and `predict N` into its log."""

    def __init__(self, answer: Any = "muffin", log: Path | None = None) -> None:
        self.answer = answer
        self.log = None if log is None else str(log)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.note("open")
        self.opened()

    def opened(self) -> None:
        """What a subclass does when it is opened."""

    def note(self, line: str) -> None:
        if self.log is not None:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def predict(self, inputs: Any) -> Any:
        self.note(f"predict {len(inputs)}")
        return self.answers(inputs)

    def answers(self, inputs: Any) -> Any:
        return [self.answer] * len(inputs)


class ThresholdModel(ConstantModel):
    """1 where the sum of an input is above its answer, else 0, with scores."""

    classes_ = np.array([0, 1])

    def answers(self, inputs: pd.DataFrame) -> Any:
        return (inputs.sum(axis=1) > self.answer).astype(int).to_numpy()

    def predict_proba(self, inputs: pd.DataFrame) -> Any:
        above = self.answers(inputs).astype(float)
        return np.column_stack([1 - above, above])


class EchoModel(ConstantModel):
    """Answers with the first column it is given, whatever its name."""

    def answers(self, inputs: pd.DataFrame) -> Any:
        return inputs.iloc[:, 0].to_numpy()


class ColumnsModel(ConstantModel):
    """Answers with the names of the columns it is given."""

    def answers(self, inputs: pd.DataFrame) -> Any:
        return [" ".join(inputs.columns)] * len(inputs)


class OverwritingModel(ConstantModel):
    """Answers with the first column, after it has added its answer to every input in place."""

    def answers(self, inputs: pd.DataFrame) -> Any:
        inputs += self.answer
        return inputs.iloc[:, 0].tolist()


class FailingModel(ConstantModel):
    """Raises where any input is negative; its answer is the message."""

    def answers(self, inputs: pd.DataFrame) -> Any:
        if (inputs.to_numpy() < 0).any():
            raise ValueError(self.answer)
        return [self.answer] * len(inputs)


class SlowModel(ConstantModel):
    """Sleeps `answer` seconds before it answers."""

    def answers(self, inputs: Any) -> Any:
        time.sleep(self.answer)
        return [self.answer] * len(inputs)


class SlowToOpenModel(ConstantModel):
    """Sleeps `answer` seconds when it is opened."""

    def opened(self) -> None:
        time.sleep(self.answer)


class ShortModel(ConstantModel):
    """Leaves out the last answer."""

    def answers(self, inputs: Any) -> Any:
        return [self.answer] * (len(inputs) - 1)


class MissingModel(ConstantModel):
    """Its first answer is NaN."""

    def answers(self, inputs: Any) -> Any:
        return np.array([np.nan] + [float(self.answer)] * (len(inputs) - 1))


class ExitingModel(ConstantModel):
    """Ends its process with its answer as exit code."""

    def answers(self, inputs: Any) -> Any:
        os._exit(self.answer)


class CrashingModel(ConstantModel):
    """Ends its process as a fault in native code would."""

    def answers(self, inputs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(10)


class QuittingModel(ConstantModel):
    """Calls sys.exit when it is opened."""

    def opened(self) -> None:
        sys.exit("no licence")


class PrintingModel(ConstantModel):
    """Prints before it answers."""

    def answers(self, inputs: Any) -> Any:
        print("hello from a model")
        return [self.answer] * len(inputs)


class UnsureModel(ConstantModel):
    """Offers predict_proba, and raises when it is called."""

    classes_ = ("a", "b")

    def predict_proba(self, inputs: Any) -> Any:
        raise NotImplementedError


class TurnsModel(ConstantModel):
    """Gives the next of its answers to every input, one a call; raises an exception, and ends its process at None."""

    def answers(self, inputs: Any) -> Any:
        calls = Path(str(self.log)).read_text().splitlines()
        said = self.answer[(sum(line.startswith("predict") for line in calls) - 1) % len(self.answer)]
        if isinstance(said, Exception):
            raise said
        if said is None:
            os._exit(3)
        return [said] * len(inputs)


class TableModel(ConstantModel):
    """Answers two values an input."""

    def answers(self, inputs: Any) -> Any:
        return np.zeros((len(inputs), 2))


def save_model(folder: Path, model: Any, name: str = "model.joblib") -> Path:
    """The model as a joblib artefact in a folder that is made for it."""
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / name)
    return folder / name


def as_candidate(artefact: Path, form: str = "joblib", **manifest: Any) -> Candidate:
    """A candidate over an artefact, as the registry would have read it."""
    data, folder = artefact.read_bytes(), artefact.parent
    given = Manifest("2026-06-01T00:00:00+00:00", form, artefact.name, **manifest)
    saved = saved_libraries(form, artefact)
    return Candidate(folder.name, given, str(folder), digest_of_bytes(data), len(data), saved)


def joblib_candidate(folder: Path, model: Any, **manifest: Any) -> Candidate:
    """A saved candidate of a model above; the folder's name is its id."""
    return as_candidate(save_model(folder, model), **manifest)


def write_manifest(folder: Path, **keys: Any) -> Path:
    """A candidate.yaml beside the artefact; lists and mappings as JSON, which is YAML."""
    import json

    given: Mapping[str, Any] = {"created_at": "2026-06-01T09:00:00Z", **keys}
    path = folder / "candidate.yaml"
    path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in given.items()))
    return path
