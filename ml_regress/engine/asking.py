"""What a candidate says to kept rows: asked once, and kept in the archive beside them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ml_regress.core.answer_map import SCORE, mapped_answers, mapped_outputs
from ml_regress.core.answers import typed_answer
from ml_regress.core.candidate import Candidate
from ml_regress.core.digest import digest_of
from ml_regress.core.inputs import InputTypes
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.core.sampling import sample_of
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import CannotOpen, NotFound, PredictionFailed
from ml_regress.intake.kept import Kept
from ml_regress.intake.kept_columns import one_array
from ml_regress.intake.kept_writer import KeptWriter
from ml_regress.predictors.host import PredictorHost

# Rows beyond which more answers no longer change what is said of them.
SAMPLE = 20_000
SEED = 0
# Rows that are handed over at once, each time under the candidate's whole time limit.
PIECE = 20_000
# Raised when the same candidate would give other answers to the same rows.
VERSION = "1"
_TYPES = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "text": pa.string()}


@dataclass(frozen=True, eq=False)
class Answers:
    """What was said to each of some rows: typed answers (None where there is none) and scores by "score:<class>"."""

    candidate: str
    answers: Sequence[Any]
    scores: Mapping[str, np.ndarray]


def answers_of(
    workspace: Workspace,
    candidate: Candidate,
    kept: Kept,
    rows: "Sequence[int] | np.ndarray",
    *,
    types: InputTypes,
    answer_type: str,
    host: PredictorHost | None = None,
) -> Answers:
    """Ask a candidate about rows of kept rows, in pieces and from one opening; its answer map is applied.

    `types` are the inputs that it is handed. Raises CannotOpen (a table of recorded answers, too), NotPermitted or
    PredictionFailed with the candidate's own words.
    """
    if candidate.recorded:
        raise CannotOpen(f"candidate {candidate.id} is a table of recorded answers, and cannot be asked about others")
    pieces = [np.asarray(rows[start : start + PIECE]) for start in range(0, len(rows), PIECE)]
    frames = [kept.frame(types.names, piece, types) for piece in pieces]
    found: list[Any] = []
    outputs: list[Mapping[str, Any]] = []
    with PredictorHost() if host is None else _shared(host) as asked:
        located = workspace.located(candidate)
        for served in asked.predict_each([located], frames, workspace.policy, list(range(len(frames)))):
            if served.refused is not None:
                raise served.refused
            for result in served.results:
                if isinstance(result, PredictionFailed):
                    raise result
                found += result.answers
                outputs.extend(result.outputs or ({} for _ in result.answers))
    mapping = candidate.manifest.answer_map
    typed = [typed_answer(answer_type, raw) for raw in mapped_answers(mapping, found)]
    return Answers(candidate.id, typed, _scores(mapped_outputs(mapping, outputs)))


def kept_answers(
    workspace: Workspace,
    candidate: Candidate,
    kept: Kept,
    digest: str,
    *,
    types: InputTypes,
    answer_type: str,
    labelled: bool = False,
    host: PredictorHost | None = None,
) -> tuple[str, Kept]:
    """The candidate's answers to a sample of kept rows (named by `digest`), as kept rows of their own and their digest.

    They hold scores, @prediction and, where the rows have it, @label. The sample is of at most SAMPLE rows, with
    `labelled` of those that have a label. They are asked once a candidate. Raises as answers_of does.
    """
    asked = list(types.as_dict().items())
    name = digest_of([VERSION, digest, candidate.digest, asked, answer_type, SAMPLE, SEED, labelled])
    try:
        return name, Kept(workspace.archive.rows(name))
    except NotFound:
        pass
    places = np.arange(kept.rows)
    if labelled:
        places = np.flatnonzero(kept.column(LABEL).is_valid().to_numpy())
    rows = places[sample_of(len(places), SAMPLE, SEED)]
    said = answers_of(workspace, candidate, kept, rows, types=types, answer_type=answer_type, host=host)
    with workspace.archive.staging() as folder:
        written = folder / "answers.parquet"
        _write(said, kept, rows, answer_type, written)
        return name, Kept(workspace.archive.keep_rows(written, name))


def _write(said: Answers, kept: Kept, rows: np.ndarray, answer_type: str, target: Path) -> None:
    kind = _TYPES[answer_type]
    columns = {name: pa.array(values, pa.float64()) for name, values in said.scores.items()}
    columns[PREDICTION] = pa.array(list(said.answers), kind)
    if LABEL in kept.names:
        columns[LABEL] = one_array(kept.column(LABEL, rows))
    types = {name: values.type for name, values in columns.items()}
    with KeptWriter(target, types, kept.schema_digest) as writer:
        writer.write(columns)


def _scores(outputs: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Scores as one array a class, NaN where a row has none."""
    names = dict.fromkeys(name for given in outputs for name in given if name.startswith(SCORE))
    found = {}
    for name in names:
        values = [_number(given.get(name)) for given in outputs]
        found[name] = np.array(values, dtype=np.float64)
    return found


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else np.nan


@contextmanager
def _shared(host: PredictorHost) -> Iterator[PredictorHost]:
    """Somebody else's host, which goes on after the block."""
    yield host
