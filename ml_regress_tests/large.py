"""A store of many cells, written in bulk: what 300 problems x 300 candidates look like after years of use."""

from typing import Any

import sqlalchemy as sa

from ml_regress.core.evaluation import Evaluation, Measure
from ml_regress.core.pattern import freeze
from ml_regress.store import Store, tables
from ml_regress.store.rows import evaluation_row
from ml_regress_tests.scenario import import_muffins, muffin_pattern, muffin_problem, registered


def problem_name(number: int) -> str:
    return f"problem-{number:03d}"


def candidate_name(number: int) -> str:
    return f"model-{number:03d}"


def fill(store: Store, candidates: int, problems: int, patterns: int) -> None:
    """Every cell measured, every candidate failing one pattern of each problem, another one each time."""
    suites = {}
    for number in range(problems):
        name = problem_name(number)
        given = [
            muffin_pattern(f"p{each:02d}", problem=name, inputs={"ears": float(number), "crumbs": float(each)})
            for each in range(patterns)
        ]
        suites[name] = freeze(muffin_problem(name).measured_content(), name, given, "")
        import_muffins(store, given, muffin_problem(name))
    for number in range(candidates):
        store.candidates.register(
            registered(candidate_name(number), f"2026-01-01T{number // 60:02d}:{number % 60:02d}:00Z")
        )
    measures = (Measure("pass_rate", (patterns - 1) / patterns, None, 0.5, 1.0),)
    rows: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for candidate in range(candidates):
        for place, (name, suite) in enumerate(suites.items()):
            item = Evaluation(
                candidate_name(candidate), name, suite.digest, "ok", passes=patterns - 1, answered=patterns,
                measures=measures, run="command:elsewhere:1:0", evaluated_at="2026-06-01T00:00:00Z",
            )  # fmt: skip
            rows.append({**evaluation_row(item), "number": len(rows) + 1})
            failed = (candidate // 40 + place) % patterns
            outcomes += [
                {
                    "evaluation": len(rows),
                    "pattern": f"p{each:02d}",
                    "outcome": "failed" if each == failed else "passed",
                    "reason": None,
                }
                for each in range(patterns)
            ]
    predictions = [
        {"candidate": candidate_name(candidate), "input_digest": pattern.input_digest, "answer": '"muffin"',
         "environment": "e", "made_at": "2026-06-01T00:00:00Z", "draw": 0}
        for candidate in range(candidates)
        for suite in suites.values()
        for pattern in suite.patterns
    ]  # fmt: skip
    with store.database.write() as connection:
        for table, values in (
            (tables.evaluations, rows),
            (tables.outcomes, outcomes),
            (tables.predictions, predictions),
        ):
            for start in range(0, len(values), 20_000):
                connection.execute(sa.insert(table), values[start : start + 20_000])
        connection.execute(sa.delete(tables.due))
