"""Column: one new pattern x 200 candidates.

Own: from the due cells to committed outcomes: each candidate is opened, predicts one input, and is
committed in a transaction of its own. Limit, by hand: open each artefact, predict the row with its
scores, insert prediction, evaluation and outcome, and commit, a candidate at a time. The process for
models works beside the one that scores and commits: with one free core alone, their times add up.
"""

import json
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
from digits_matrix import Questions, fitted, import_questions, questions, register, workspace
from measure import compare, memory

from ml_regress.engine.evaluate import evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost

CANDIDATES, DISTINCT, RUNS = 200, 20, 5
BOUND = 2.0
TABLES = """
CREATE TABLE prediction(candidate TEXT, digest TEXT, draw INTEGER, answer TEXT, outputs TEXT, error TEXT,
  environment TEXT, made_at TEXT, PRIMARY KEY(candidate, digest, draw));
CREATE TABLE evaluation(number INTEGER PRIMARY KEY, candidate TEXT, problem TEXT, suite TEXT, passes INTEGER,
  answered INTEGER, rate FLOAT);
CREATE TABLE outcome(evaluation INTEGER, pattern TEXT, outcome TEXT, reason TEXT, PRIMARY KEY(evaluation, pattern));
"""


def by_hand(db: sqlite3.Connection, artefacts: list[Path], image: list[float], expected: int, draw: int) -> None:
    for number, artefact in enumerate(artefacts):
        model = joblib.load(artefact)
        row = np.array([image])
        answer, scores = int(model.predict(row)[0]), model.predict_proba(row)[0].tolist()
        outputs = json.dumps({f"score:{label}": score for label, score in zip(model.classes_, scores, strict=True)})
        key = draw * CANDIDATES + number
        with db:
            made = (f"c{number}", f"digest-{draw}", 0, str(answer), outputs, None, "env", "2026-06-01")
            db.execute("INSERT INTO prediction VALUES (?,?,?,?,?,?,?,?)", made)
            passed = answer == expected
            cell = (key, f"c{number}", "problem", f"suite-{draw}", int(passed), 1, float(passed))
            db.execute("INSERT INTO evaluation VALUES (?,?,?,?,?,?,?)", cell)
            db.execute("INSERT INTO outcome VALUES (?,?,?,?)", (key, "pattern", "passed" if passed else "failed", None))


def column_data(made: Workspace) -> object:
    """What a column is made of: its cells, the candidates, their predictions of the pattern, the evaluations."""
    (problem, *_) = made.store.problems.measured()
    (suite,) = made.store.problems.suites([(problem.id, problem.suite)]).values()
    candidates = made.store.candidates.all()
    cells = [(candidate.id, problem.id) for candidate in candidates]
    digests = [pattern.input_digest for pattern in suite.patterns]
    predictions = made.store.evaluations.predictions_of((candidate.id for candidate in candidates), digests)
    return cells, candidates, predictions, made.store.evaluations.current(cells)


def main() -> None:
    made = workspace()
    models = [fitted(seed) for seed in range(DISTINCT)]
    artefacts = [register(made, f"c{number}", models[number % DISTINCT]) for number in range(CANDIDATES)]
    db = sqlite3.connect(Path(tempfile.mkdtemp()) / "limit.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.executescript(TABLES)
    # Each run brings one problem with one pattern that nobody has seen.
    asked, numbers = questions(2 * RUNS + 3, 1), iter(range(1000))
    with PredictorHost() as host:

        def own() -> Callable[[], object]:
            at = next(numbers)
            one = Questions(asked.images[at : at + 1], asked.expected[at : at + 1], [f"new-{at}"], ["pattern"])
            import_questions(made, one)
            cells = [due.cell for due in made.store.due.all()]
            assert len(cells) == CANDIDATES
            return lambda: list(evaluate(made, cells, claim=f"run-{at}", host=host))

        def limit() -> Callable[[], object]:
            at = next(numbers)
            return lambda: by_hand(db, artefacts, asked.images[at].tolist(), int(asked.expected[at]), at)

        own()()
        limit()()
        compare("column_sqlite", own, limit, bound=BOUND, runs=RUNS)
        memory("column_sqlite", own(), lambda: column_data(made))


if __name__ == "__main__":
    main()
