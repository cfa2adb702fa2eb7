"""What was measured before, and what the candidates made of each pattern."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ml_regress.core.evaluation import FAILED, PASSED, Evaluation, Outcome
from ml_regress.core.pattern_value import PatternValue
from ml_regress.store import tables
from ml_regress.store.database import Database
from ml_regress.store.due import OPEN
from ml_regress.store.evaluations import Stored
from ml_regress.store.rows import evaluation_from_row


class HistoryTable:
    """Reads evaluations that are not the current ones, and counts over candidates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stored(self, candidate: str, problem: str, suite: str) -> Stored | None:
        """The evaluation of a cell on a suite, with its outcomes."""
        columns = tables.evaluations.c
        query = sa.select(tables.evaluations).where(
            columns.candidate == candidate, columns.problem == problem, columns.suite == suite
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
            return None if row is None else _with_outcomes(connection, row)

    def previous(self, candidate: str, problem: str, suite: str = "") -> Stored | None:
        """The newest evaluation of a cell that is not the one on this suite: one on another suite, or a superseded one.

        Those that gave no number (nothing was answered, or not applicable) are stepped over.
        """
        columns, past = tables.evaluations.c, tables.superseded.c
        kept = (
            sa.select(tables.evaluations)
            .where(
                columns.candidate == candidate,
                columns.problem == problem,
                columns.suite != suite,
                columns.answered > 0,
            )
            .order_by(columns.number.desc())
            .limit(1)
        )
        gone = sa.select(past.evaluation, past.outcomes).where(past.candidate == candidate, past.problem == problem)
        with self._database.read() as connection:
            row = connection.execute(kept).mappings().one_or_none()
            found = [] if row is None else [_with_outcomes(connection, row)]
            superseded = [(json.loads(each), outcomes) for each, outcomes in connection.execute(gone)]
        for content, outcomes in superseded:
            if content["answered"] > 0:
                made = replace(evaluation_from_row(content), outcomes=_outcomes(json.loads(outcomes)))
                found.append(Stored(content["number"], made))
        return max(found, key=lambda each: each.number, default=None)

    def pattern_values(self, problem: str | None = None) -> dict[tuple[str, str], PatternValue]:
        """The value of each pattern of the current suites (of open and watched problems, or of one), by both ids.

        Active candidates count; a pattern that none of them was measured on is left out.
        """
        columns, outcome, current = tables.evaluations.c, tables.outcomes.c, tables.problems.c

        def count(name: str) -> sa.ColumnElement[int]:
            return sa.func.sum(sa.case((outcome.outcome == name, 1), else_=0))

        query = (
            sa.select(columns.problem, outcome.pattern, count(PASSED), count(FAILED))
            .join(tables.problems, sa.and_(current.id == columns.problem, current.suite == columns.suite))
            .join(tables.candidates, tables.candidates.c.id == columns.candidate)
            .join(tables.outcomes, outcome.evaluation == columns.number)
            .where(tables.candidates.c.state == "active")
            .group_by(columns.problem, outcome.pattern)
        )
        query = query.where(current.state.in_(OPEN) if problem is None else columns.problem == problem)
        with self._database.read() as connection:
            return {
                (name, pattern): PatternValue(int(passed), int(failed))
                for name, pattern, passed, failed in connection.execute(query)
            }


def _with_outcomes(connection: sa.Connection, row: Mapping[Any, Any]) -> Stored:
    columns = tables.outcomes.c
    query = sa.select(columns.pattern, columns.outcome, columns.reason).where(columns.evaluation == row["number"])
    evaluation: Evaluation = evaluation_from_row(row)
    return Stored(row["number"], replace(evaluation, outcomes=_outcomes(connection.execute(query))))


def _outcomes(rows: Any) -> tuple[Outcome, ...]:
    return tuple(sorted(Outcome(*row) for row in rows))
