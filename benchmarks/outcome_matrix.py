"""A store full of outcomes, written in bulk: what comparisons and verdicts read, without models and predictions."""

import json
from collections.abc import Iterator

import numpy as np
import sqlalchemy as sa
from digits_matrix import workspace

from ml_regress.core.candidate import Manifest
from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern, freeze
from ml_regress.core.problem import Problem, Requirement
from ml_regress.engine.workspace import Workspace
from ml_regress.store import tables
from ml_regress.store.database import insert_rows
from ml_regress.store.rows import dump, pattern_row, problem_row

AT = "2026-06-01T00:00:00.000Z"
WORDS = np.array(["passed", "failed", "error"])
# Each 12th pattern is a canary, each 6th has a twin, one of 50 was chosen on the failures of the first candidate.
CANARY, TWIN, CHOSEN = 12, 6, 50


def filled(candidates: int, problems: int, patterns: int, *, seed: int = 0) -> Workspace:
    """Candidates c0000, c0001 ... measured on problems p000 ... ; c0000 is in production.

    Nine of ten patterns pass, a few have errors; a third of the problems ask for passes, a third for a bound on the
    rate, a third allow so many regressions.
    """
    made, draw = workspace(), np.random.default_rng(seed)
    with made.store.database.write() as connection:
        suites = dict[str, str]()
        for name, problem, given in _problems(problems, patterns):
            suite = freeze(problem.measured_content(), name, given, "")
            suites[name] = suite.digest
            row = {**problem_row(problem), "suite": suite.digest, "frozen": dump(problem_row(problem))}
            connection.execute(sa.insert(tables.problems).values(row))
            rows = [tuple(pattern_row(pattern).values()) for pattern in given]
            insert_rows(connection, tables.patterns, list(pattern_row(given[0])), rows)
            connection.execute(
                sa.insert(tables.suites).values(problem=name, digest=suite.digest, kind="problem",
                                                content=dump(suite.content), patterns=patterns, frozen_at=AT)
            )  # fmt: skip
        # Rows of patterns raise the revision, as they should.
        connection.execute(sa.update(tables.problems).values(frozen_revision=tables.problems.c.revision))
        numbers = iter(range(1, candidates * problems + 1))
        for place in range(candidates):
            name = f"c{place:04d}"
            connection.execute(
                sa.insert(tables.candidates).values(
                    id=name, digest=f"digest-{name}", sha256="s", size=1, format="recorded", path="x",
                    manifest=dump(Manifest(AT, "recorded", "x").as_dict()), libraries="{}",
                    created_at=f"2026-06-01T00:{place // 60:02d}:{place % 60:02d}Z", registered_at=AT,
                )
            )  # fmt: skip
            drawn = draw.choice(3, size=(problems, patterns), p=[0.9, 0.0999, 0.0001])
            _measured(connection, name, suites, drawn, numbers)
        connection.execute(
            sa.insert(tables.aliases).values(alias="production", candidate="c0000", at=AT, actor="benchmark")
        )
    return made


def _problems(count: int, patterns: int) -> Iterator[tuple[str, Problem, list[Pattern]]]:
    types = parse_input_types({"x": "number"})
    asked = (
        Requirement(at_least=patterns * 3 // 4),
        Requirement(metric_at_least=0.5, max_regressions=patterns),
        Requirement(max_regressions=patterns // 10),
    )
    for place in range(count):
        name = f"p{place:03d}"
        problem = Problem(name, f"Problem {place}", types, requirement=asked[place % 3])
        yield name, problem, [_pattern(name, number) for number in range(patterns)]


def _pattern(problem: str, number: int) -> Pattern:
    other = number + 1 if number % TWIN == 0 else number - 1
    return Pattern(
        problem,
        f"pattern-{number:04d}",
        {"x": float(number)},
        Expectation("equals", "yes"),
        canary=number % CANARY == 0,
        twin=f"pattern-{other:04d}" if number % TWIN in (0, 1) else None,
        selected_on=("c0000",) if number % CHOSEN == 1 else (),
    )


def _measured(
    connection: sa.Connection, candidate: str, suites: dict[str, str], drawn: np.ndarray, numbers: Iterator[int]
) -> None:
    columns = ("number", "candidate", "problem", "suite", "state", "passes", "answered", "errors", "measures",
               "evaluated_at")  # fmt: skip
    rows, outcomes = [], []
    for (problem, suite), found in zip(suites.items(), drawn, strict=True):
        number, passes, errors = next(numbers), int((found == 0).sum()), int((found == 2).sum())
        answered = len(found) - errors
        measures = json.dumps([{"name": "pass_rate", "value": passes / answered}])
        state = "error" if errors else "ok"
        rows.append((number, candidate, problem, suite, state, passes, answered, errors, measures, AT))
        outcomes += [(number, f"pattern-{at:04d}", word) for at, word in enumerate(WORDS[found].tolist())]
    insert_rows(connection, tables.evaluations, columns, rows)
    insert_rows(connection, tables.outcomes, ("evaluation", "pattern", "outcome"), outcomes)
