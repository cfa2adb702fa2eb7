"""Due: what is due of 1,000 candidates x 200 problems (200,000 evaluations, 2.4 million outcomes).

due_nothing       asking when nothing is due; the limit is 50 ms, whatever the matrix holds
tick              all that the sensors and the progress line ask at a look; the same limit
due_one_row       asking after a candidate came, against the same list read by hand
due_one_column    asking after a suite changed, against the same list read by hand
fill_one_column   writing what a changed suite makes due, against inserting the same rows by hand
"""

import sqlite3
from collections.abc import Callable

import sqlalchemy as sa
from digits_matrix import workspace
from measure import compare, memory, report, seconds

from ml_regress.engine.workspace import Workspace
from ml_regress.store import tables
from ml_regress.store.due import fill_due

CANDIDATES, PROBLEMS, PATTERNS = 1000, 200, 12
NOTHING_SECONDS = 0.050


def fill(made: Workspace) -> None:
    """A matrix that is measured whole, written in bulk."""
    at = "2026-06-01T00:00:00Z"
    with made.store.database.write() as connection:
        connection.execute(
            sa.insert(tables.problems),
            [
                {"id": f"p{p:03d}", "title": "p", "suite": f"suite-{p}", "frozen": "{}", "frozen_revision": 1}
                for p in range(PROBLEMS)
            ],
        )
        connection.execute(
            sa.insert(tables.candidates),
            [
                {"id": f"c{c:04d}", "digest": f"d{c}", "sha256": f"s{c}", "size": 1, "format": "joblib", "path": "x",
                 "manifest": "{}", "libraries": "{}", "created_at": at, "registered_at": at}
                for c in range(CANDIDATES)
            ],
        )  # fmt: skip
        for c in range(CANDIDATES):
            connection.execute(
                sa.insert(tables.evaluations),
                [
                    {"number": 1 + c * PROBLEMS + p, "candidate": f"c{c:04d}", "problem": f"p{p:03d}",
                     "suite": f"suite-{p}", "state": "ok", "passes": 10, "answered": 12, "errors": 0,
                     "evaluated_at": at}
                    for p in range(PROBLEMS)
                ],
            )  # fmt: skip
            connection.execute(
                sa.insert(tables.outcomes),
                [
                    {"evaluation": 1 + c * PROBLEMS + p, "pattern": f"pattern-{k:02d}", "outcome": "passed"}
                    for p in range(PROBLEMS)
                    for k in range(PATTERNS)
                ],
            )


def change_suite(made: Workspace, number: int) -> Callable[[], object]:
    """What freezing a new suite of one problem does to the work list; undone before the next run."""

    def prepare() -> None:
        with made.store.database.write() as connection:
            connection.execute(sa.delete(tables.due))
            connection.execute(
                sa.update(tables.problems).where(tables.problems.c.id == "p100").values(suite=f"changed-{number}")
            )

    def timed() -> None:
        with made.store.database.write() as connection:
            assert fill_due(connection, "suite changed", problem="p100") == CANDIDATES

    prepare()
    return timed


def insert_by_hand(path: str) -> Callable[[], object]:
    db = sqlite3.connect(path)
    with db:
        db.execute("DELETE FROM due")

    def timed() -> None:
        with db:
            names = [row[0] for row in db.execute("SELECT id FROM candidates")]
            db.executemany(
                "INSERT INTO due (candidate, problem, suite, reason) VALUES (?, 'p100', 'by hand', 'suite changed')",
                [(name,) for name in names],
            )

    return timed


def read_by_hand(path: str) -> Callable[[], object]:
    db = sqlite3.connect(path)
    return lambda: db.execute(
        "SELECT candidate, problem, suite, reason, attempts, claims, claimed_by FROM due ORDER BY problem, candidate"
    ).fetchall()


def tick(made: Workspace) -> None:
    """What is asked again and again while nothing happens."""
    store = made.store
    store.due.count()
    store.due.claims()
    store.evaluations.version()
    store.evaluations.progress()
    store.evaluations.after(CANDIDATES * PROBLEMS)
    store.problems.measured()
    store.problems.stale()


def main() -> None:
    made = workspace()
    fill(made)
    path = str(made.store.database.url.database)
    nothing = sorted(seconds(made.store.due.all) for _ in range(21))[10]
    assert made.store.due.all() == []
    report("due_nothing", nothing, NOTHING_SECONDS, 1.0)
    report("tick", sorted(seconds(lambda: tick(made)) for _ in range(11))[5], NOTHING_SECONDS, 1.0)

    numbers = iter(range(1000))
    compare("fill_one_column", lambda: change_suite(made, next(numbers)), lambda: insert_by_hand(path), bound=3.0)
    change_suite(made, 1000)()
    assert len(made.store.due.all()) == CANDIDATES
    compare("due_one_column", lambda: made.store.due.all, lambda: read_by_hand(path), bound=5.0, runs=11)
    memory("due_one_column", made.store.due.all, made.store.due.all)
    with made.store.database.write() as connection:
        connection.execute(sa.delete(tables.due))
        row = sa.select(tables.candidates).where(tables.candidates.c.id == "c0000")
        values = {**connection.execute(row).mappings().one(), "id": "new", "number": CANDIDATES + 1}
        connection.execute(sa.insert(tables.candidates).values(values))
        fill_due(connection, "new candidate", candidate="new")
        connection.execute(sa.delete(tables.due).where(tables.due.c.candidate != "new"))
    assert len(made.store.due.all()) == PROBLEMS
    compare("due_one_row", lambda: made.store.due.all, lambda: read_by_hand(path), bound=5.0, runs=11)
    made.store.close()


if __name__ == "__main__":
    main()
