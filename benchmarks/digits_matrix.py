"""What row.py and column.py measure: noisy digits, and candidates that were fitted on digits."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ml_regress.core.candidate import Candidate, Manifest
from ml_regress.core.digest import digest_of_bytes
from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern, freeze
from ml_regress.core.problem import Problem
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings

INPUTS = parse_input_types({"image": "image(8, 8, pixel_{row}_{column}, 0..16)"})


@dataclass(frozen=True)
class Questions:
    """`images` (n, 64), `expected` (n,), and the names of the problem and pattern of each row."""

    images: np.ndarray
    expected: np.ndarray
    problems: list[str]
    patterns: list[str]


def questions(problems: int, patterns: int, seed: int = 7) -> Questions:
    """Noisy digits, `patterns` for each of `problems`."""
    rng = np.random.default_rng(seed)
    images, digits = load_digits(return_X_y=True)
    pick = rng.integers(0, len(images), problems * patterns)
    noisy = np.clip(images[pick] + rng.integers(-2, 3, (len(pick), 64)), 0, 16)
    names = [f"problem-{number:03d}" for number in range(problems) for _ in range(patterns)]
    return Questions(noisy, digits[pick], names, [f"pattern-{number:02d}" for number in range(patterns)] * problems)


def fitted(seed: int) -> object:
    """A logistic regression on 1,200 of the digits."""
    images, digits = load_digits(return_X_y=True)
    pick = np.random.default_rng(seed).choice(len(images), 1200, replace=False)
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(images[pick], digits[pick])


def workspace(url: str | None = None) -> Workspace:
    """An empty workspace in a temporary folder, on SQLite or on the database of a URL."""
    folder = Path(tempfile.mkdtemp(prefix="ml-regress-bench-"))
    (folder / "ml_regress.yaml").write_text("name: bench\nallow_formats: [joblib]\n")
    return Workspace.open(Settings.load(folder, {} if url is None else {"ML_REGRESS_DATABASE_URL": url}))


def import_questions(made: Workspace, asked: Questions) -> None:
    """Store the questions as problems and freeze them."""
    rows: dict[str, list[Pattern]] = {}
    for image, expected, problem, pattern in zip(
        asked.images.tolist(), asked.expected.tolist(), asked.problems, asked.patterns, strict=True
    ):
        inputs = dict(zip(INPUTS.names, image, strict=True))
        rows.setdefault(problem, []).append(Pattern(problem, pattern, inputs, Expectation("equals", expected)))
    for name, patterns in rows.items():
        problem = Problem(name, name, INPUTS, answer_type="integer")
        made.store.problems.import_problem(problem, patterns, source=name)
        (stale,) = made.store.problems.stale()
        made.store.problems.freeze(problem, freeze(problem.measured_content(), name, patterns, ""), stale.revision)


def register(made: Workspace, name: str, model: object) -> Path:
    """Save a model as a joblib candidate and register it; returns the artefact."""
    folder = made.settings.workspace / "candidates" / name
    folder.mkdir(parents=True)
    artefact = folder / "model.joblib"
    joblib.dump(model, artefact)
    data = artefact.read_bytes()
    manifest = Manifest("2026-06-01T00:00:00+00:00", "joblib", artefact.name)
    made.store.candidates.register(
        Candidate(name, manifest, f"candidates/{name}", digest_of_bytes(data), len(data), {})
    )
    return artefact


def raw_inputs(asked: Questions) -> list[str]:
    """The inputs as a raw engine would keep them: one JSON text a row."""
    return [json.dumps(image) for image in asked.images.tolist()]
