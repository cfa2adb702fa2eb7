"""Predictions, evaluations and outcomes in the store."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from ml_regress.core.digest import digest_of_text
from ml_regress.core.draws import DrawsMade
from ml_regress.core.evaluation import Evaluation
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.store import tables
from ml_regress.store.committing import (
    environment_digest,
    keep_evaluations,
    keep_predictions,
    take_off_the_list,
)
from ml_regress.store.database import Database
from ml_regress.store.draws import (
    DRAWN_AGAIN,
    Held,
    Superseded,
    held_draws,
    keep_draws,
    reliabilities_of,
    superseded_of,
)
from ml_regress.store.due import OPEN, Cell, DueList
from ml_regress.store.problems import Measured, measured
from ml_regress.store.rows import evaluation_from_row

__all__ = ["EvaluationTable", "Held", "MatrixCounts", "Stored", "Superseded", "environment_digest"]
_CHUNK = 10_000


@dataclass(frozen=True)
class Stored:
    """An evaluation with its number, which grows with every commit."""

    number: int
    evaluation: Evaluation


@dataclass(frozen=True)
class MatrixCounts:
    """The cells of the matrix by what is known of them; `due` ones have no evaluation of the current suite."""

    cells: int
    ok: int
    error: int
    not_applicable: int

    @property
    def due(self) -> int:
        return self.cells - self.ok - self.error - self.not_applicable


class EvaluationTable:
    """What was measured."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def predictions(self, candidate: str, input_digests: Iterable[str]) -> dict[str, Prediction]:
        """Stored predictions of a candidate, of the first draw, by input digest."""
        return self.predictions_of([candidate], input_digests).get(candidate, {})

    def predictions_of(
        self, candidates: Iterable[str], input_digests: Iterable[str]
    ) -> dict[str, dict[str, Prediction]]:
        """Stored predictions of the first draw, by candidate and input digest; one without any is left out."""
        with self._database.read() as connection:
            found = held_draws(connection, candidates, input_digests, further=False)
        return {candidate: held.first for candidate, held in found.items()}

    def draws_of(self, candidates: Iterable[str], input_digests: Iterable[str]) -> dict[str, Held]:
        """Stored predictions of all draws, by candidate; one without any is left out."""
        with self._database.read() as connection:
            return held_draws(connection, candidates, input_digests, further=True)

    def commit(
        self,
        candidate: str,
        evaluations: Sequence[Evaluation],
        *,
        predictions: Predictions,
        environment: Mapping[str, Any] | None,
        claim: str,
        draws: DrawsMade | None = None,
    ) -> tuple[Evaluation, ...]:
        """Store all that one candidate's measurement gave, and take its cells off the list, in one transaction.

        `predictions` are the new ones of the first draw, and `draws` has all further ones. What is stored already
        stays: a measurement that was done twice changes nothing, but an error gives way to an answer, and fewer draws
        to more. Cells whose inputs were drawn by somebody else meanwhile are due again, to be scored over all draws.
        Returns the evaluations that are stored now.
        """
        drawn = draws or DrawsMade()
        with self._database.write() as connection:
            if predictions:
                keep_predictions(connection, candidate, predictions, environment or {})
            late = bool(drawn.predictions) and keep_draws(connection, candidate, drawn, environment or {})
            stored = keep_evaluations(connection, candidate, evaluations, claim, drawn.reliabilities)
            take_off_the_list(connection, candidate, evaluations, claim)
            if late:
                DueList(self._database).request(((candidate, name) for name in drawn.problems), DRAWN_AGAIN)
        return stored

    def current(self, cells: Iterable[Cell] | None = None) -> dict[Cell, Stored]:
        """The evaluation of each cell on its current suite, where there is one."""
        wanted = None if cells is None else set(cells)
        with self._database.read() as connection:
            dimension = measured(connection)
            rows = _current_rows(connection, dimension, wanted)
        return {
            (row["candidate"], row["problem"]): Stored(row["number"], evaluation_from_row(row))
            for row in rows
            if wanted is None or (row["candidate"], row["problem"]) in wanted
        }

    def after(self, number: int, *, limit: int = 1000) -> list[Stored]:
        """Evaluations that were committed after the one with this number, oldest first."""
        columns = tables.evaluations.c
        query = sa.select(tables.evaluations).where(columns.number > number).order_by(columns.number).limit(limit)
        with self._database.read() as connection:
            return [Stored(row["number"], evaluation_from_row(row)) for row in connection.execute(query).mappings()]

    def latest(self, limit: int = 1000) -> list[Evaluation]:
        """The evaluations that were committed last, newest first."""
        query = sa.select(tables.evaluations).order_by(tables.evaluations.c.number.desc()).limit(limit)
        with self._database.read() as connection:
            return [evaluation_from_row(row) for row in connection.execute(query).mappings()]

    def outcomes(self, numbers: Iterable[int]) -> pd.DataFrame:
        """Outcomes of evaluations: evaluation, pattern, outcome, reason."""
        wanted, columns = sorted(set(numbers)), tables.outcomes.c
        rows: list[Any] = []
        with self._database.read() as connection:
            for start in range(0, len(wanted), _CHUNK):
                query = sa.select(tables.outcomes).where(columns.evaluation.in_(wanted[start : start + _CHUNK]))
                rows.extend(map(tuple, connection.execute(query)))  # pandas takes its time with SQLAlchemy's rows
        return pd.DataFrame(rows, columns=["evaluation", "pattern", "outcome", "reason"], dtype=object)

    def reliabilities(self, numbers: Iterable[int]) -> dict[int, dict[str, tuple[int, int]]]:
        """Draws that passed and all draws, by evaluation and pattern, of patterns with more than one draw."""
        with self._database.read() as connection:
            return reliabilities_of(connection, numbers)

    def superseded(self, candidate: str, problem: str) -> list[Superseded]:
        """What was measured of a cell before, and measured anew on the same suite, newest first."""
        with self._database.read() as connection:
            return superseded_of(connection, candidate, problem)

    def environment(self, digest: str) -> dict[str, Any]:
        """What an environment's digest stands for; empty where it is unknown."""
        query = sa.select(tables.environments.c.content).where(tables.environments.c.digest == digest)
        with self._database.read() as connection:
            content = connection.execute(query).scalar_one_or_none()
        return {} if content is None else dict(json.loads(content))

    def progress(self) -> tuple[int, int]:
        """How many cells of the matrix are not on the list of due ones, and all; cheap, whatever the matrix holds."""
        with self._database.read() as connection:
            cells = _cells(connection)
            due = connection.execute(sa.select(sa.func.count()).select_from(tables.due)).scalar_one()
        return cells - due, cells

    def counts(self) -> MatrixCounts:
        """How much of the matrix is measured; this looks at every cell."""
        with self._database.read() as connection:
            cells, states = _cells(connection), _state_counts(connection)
        return MatrixCounts(
            cells=cells,
            ok=states.get("ok", 0),
            error=states.get("error", 0),
            not_applicable=states.get("not applicable", 0),
        )

    def version(self) -> str:
        """A text that changes whenever the matrix, its names or production change."""
        problem, bench, candidate = tables.problems.c, tables.benchmarks.c, tables.candidates.c
        with self._database.read() as connection:
            parts: list[Any] = [
                connection.execute(
                    sa.select(sa.func.max(tables.evaluations.c.number), sa.func.count()).select_from(tables.evaluations)
                ).one(),
                connection.execute(sa.select(sa.func.max(tables.aliases.c.number))).one(),
                connection.execute(sa.select(problem.id, problem.state, problem.frozen).order_by(problem.id)).all(),
                connection.execute(sa.select(problem.id, problem.frozen_revision).order_by(problem.id)).all(),
                connection.execute(
                    sa.select(bench.id, bench.state, bench.definition, bench.suite).order_by(bench.id)
                ).all(),
                connection.execute(
                    sa.select(candidate.id, candidate.state, candidate.manifest).order_by(candidate.id)
                ).all(),
            ]
        return digest_of_text(repr(parts))[:16]


def measured_suites() -> sa.Subquery:
    problem, bench = tables.problems.c, tables.benchmarks.c
    return sa.union_all(
        sa.select(problem.id, problem.suite).where(problem.state.in_(OPEN)),
        sa.select(bench.id, bench.suite).where(bench.state.in_(OPEN)),
    ).subquery("dimension")


def _current_rows(
    connection: sa.Connection, dimension: Sequence[Measured], wanted: set[Cell] | None
) -> Sequence[Mapping[str, Any]]:
    columns, current = tables.evaluations.c, measured_suites()
    query = (
        sa.select(tables.evaluations)
        .join(current, sa.and_(current.c.id == columns.problem, current.c.suite == columns.suite))
        .order_by(columns.candidate, columns.problem)
    )
    if wanted is not None:
        query = query.where(
            columns.candidate.in_(sorted({candidate for candidate, _ in wanted})),
            columns.problem.in_(sorted({problem for _, problem in wanted} & {entry.id for entry in dimension})),
        )
    return connection.execute(query).mappings().all()  # type: ignore[return-value]


def _cells(connection: sa.Connection) -> int:
    active = sa.select(sa.func.count()).select_from(tables.candidates).where(tables.candidates.c.state == "active")
    return int(connection.execute(active).scalar_one()) * len(measured(connection))


def _state_counts(connection: sa.Connection) -> dict[str, int]:
    columns, current = tables.evaluations.c, measured_suites()
    query = (
        sa.select(columns.state, sa.func.count())
        .join(current, sa.and_(current.c.id == columns.problem, current.c.suite == columns.suite))
        .join(tables.candidates, tables.candidates.c.id == columns.candidate)
        .where(tables.candidates.c.state == "active")
        .group_by(columns.state)
    )
    return {row[0]: row[1] for row in connection.execute(query)}
