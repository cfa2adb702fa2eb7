"""The work list: which cells are due, who claimed them, how often they crashed.

A row is written in the transaction that makes a cell due and removed in the one that commits its
evaluation, so that asking for what is due costs what changed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ml_regress.core.evaluation import ERROR
from ml_regress.store import tables
from ml_regress.store.database import Database, now
from ml_regress.store.log import note

Cell = tuple[str, str]
MAX_ATTEMPTS = 3
OPEN = ("open", "watched")
APPENDED = "predictions appended"


@dataclass(frozen=True)
class DueCell:
    """A cell to be measured on a suite; `attempts` counts the runs that crashed on it.

    `claims` counts how often it was taken.
    """

    candidate: str
    problem: str
    suite: str
    reason: str
    attempts: int
    claims: int
    claimed_by: str | None

    @property
    def cell(self) -> Cell:
        return (self.candidate, self.problem)


@dataclass(frozen=True)
class Claim:
    """The cells that one run (or one command) holds; `seen_at` is its last sign of life."""

    name: str
    seen_at: str
    cells: int


def upsert(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, of this connection's database."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def _wanted() -> sa.Subquery:
    """Every cell that should have an evaluation: active candidates x what is measured."""
    problem, bench, candidate = tables.problems.c, tables.benchmarks.c, tables.candidates.c
    dimension = sa.union_all(
        sa.select(problem.id, problem.suite).where(problem.state.in_(OPEN), problem.suite.is_not(None)),
        sa.select(bench.id, bench.suite).where(bench.state.in_(OPEN)),
    ).subquery("dimension")
    return (
        sa.select(candidate.id.label("candidate"), dimension.c.id.label("problem"), dimension.c.suite.label("suite"))
        .select_from(tables.candidates.join(dimension, sa.true()))
        .where(candidate.state == "active")
        .subquery("wanted")
    )


def fill_due(
    connection: sa.Connection, reason: str, *, problem: str | None = None, candidate: str | None = None
) -> int:
    """Make the list right for one problem, one candidate, or all; returns the cells that were added.

    A cell whose suite changed while a run holds it keeps its claim: that run commits the suite it
    read and gives the cell back.
    """
    due, done, wanted = tables.due.c, tables.evaluations.c, _wanted()
    here = []
    if problem is not None:
        here.append(("problem", problem))
    if candidate is not None:
        here.append(("candidate", candidate))
    still = sa.exists().where(wanted.c.candidate == due.candidate, wanted.c.problem == due.problem)
    connection.execute(sa.delete(tables.due).where(*(due[name] == value for name, value in here), ~still))
    measured = sa.exists().where(
        done.candidate == wanted.c.candidate, done.problem == wanted.c.problem, done.suite == wanted.c.suite
    )
    # A suite that went back to one that was measured before owes nothing any more.
    settled = sa.exists().where(
        wanted.c.candidate == due.candidate,
        wanted.c.problem == due.problem,
        wanted.c.suite != due.suite,
        measured,
    )
    connection.execute(sa.delete(tables.due).where(*(due[name] == value for name, value in here), settled))
    listed = sa.exists().where(
        due.candidate == wanted.c.candidate, due.problem == wanted.c.problem, due.suite == wanted.c.suite
    )
    missing = sa.select(wanted.c.candidate, wanted.c.problem, wanted.c.suite, sa.literal(reason), sa.literal(0)).where(
        *(wanted.c[name] == value for name, value in here), ~measured, ~listed
    )
    statement = upsert(connection, tables.due).from_select(
        ["candidate", "problem", "suite", "reason", "attempts"], missing
    )
    added = statement.on_conflict_do_update(
        index_elements=["candidate", "problem"],
        set_={name: statement.excluded[name] for name in ("suite", "reason", "attempts")},
    )
    return int(connection.execute(added).rowcount)


def _selected(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[DueCell]:
    """Due cells by problem and candidate; sorted here, for databases differ in how they order texts."""
    query = sa.select(*(tables.due.c[field.name] for field in fields(DueCell))).where(*where)
    return sorted((DueCell(*row) for row in connection.execute(query)), key=lambda cell: (cell.problem, cell.candidate))


class DueList:
    """Claims and releases; the list itself is filled by the transactions that change the matrix."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[DueCell]:
        """Every due cell, claimed or not, by problem and candidate."""
        with self._database.read() as connection:
            return _selected(connection)

    def count(self) -> int:
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(tables.due)).scalar_one())

    def claims(self) -> list[Claim]:
        """Who holds cells, when it was last heard of, and how many."""
        columns = tables.due.c
        query = (
            sa.select(columns.claimed_by, sa.func.max(columns.claimed_at), sa.func.count())
            .where(columns.claimed_by.is_not(None))
            .group_by(columns.claimed_by)
            .order_by(columns.claimed_by)
        )
        with self._database.read() as connection:
            return [Claim(*row) for row in connection.execute(query)]

    def claim(self, cells: Iterable[Cell], claim: str) -> list[DueCell]:
        """Take the cells that nobody holds (or that this claim holds already); returns those it has."""
        columns, wanted = tables.due.c, set(cells)
        with self._database.write() as connection:
            for chunk in _chunks(sorted(wanted)):
                connection.execute(
                    sa.update(tables.due)
                    .where(sa.tuple_(columns.candidate, columns.problem).in_(chunk), columns.claimed_by.is_(None))
                    .values(claimed_by=claim, claimed_at=now(), claims=columns.claims + 1)
                )
            held = _selected(connection, columns.claimed_by == claim)
        return [cell for cell in held if cell.cell in wanted]

    def keep(self, claim: str, at: str) -> None:
        """Note that what holds these cells was at work at this time (ISO, UTC), whatever was noted before."""
        with self._database.write() as connection:
            connection.execute(sa.update(tables.due).where(tables.due.c.claimed_by == claim).values(claimed_at=at))

    def release(self, claim: str, *, crashed: bool) -> list[Cell]:
        """Give back what a claim still holds; a cell that crashed MAX_ATTEMPTS times rests as error.

        Returns the cells that rest now.
        """
        columns = tables.due.c
        with self._database.write() as connection:
            connection.execute(
                sa.update(tables.due)
                .where(columns.claimed_by == claim)
                .values(claimed_by=None, claimed_at=None, attempts=columns.attempts + int(crashed))
            )
            tired = connection.execute(
                sa.select(columns.candidate, columns.problem, columns.suite).where(columns.attempts >= MAX_ATTEMPTS)
            ).all()
            for row in tired:
                self._rest(connection, *row, claim=claim)
            return [(row.candidate, row.problem) for row in tired]

    def _rest(self, connection: sa.Connection, candidate: str, problem: str, suite: str, *, claim: str) -> None:
        reason = (
            f"the run crashed {MAX_ATTEMPTS} times while it measured this cell (last: {claim}); it is tried again when "
            "something about it changes, or by `ml-regress evaluate --again-errors`"
        )
        done = tables.evaluations.c
        here = (done.candidate == candidate, done.problem == problem, done.suite == suite)
        if connection.execute(sa.select(done.number).where(*here)).first() is None:
            patterns = connection.execute(
                sa.select(tables.suites.c.patterns).where(
                    tables.suites.c.problem == problem, tables.suites.c.digest == suite
                )
            ).scalar_one()
            connection.execute(
                sa.insert(tables.evaluations).values(
                    candidate=candidate,
                    problem=problem,
                    suite=suite,
                    state=ERROR,
                    reason=reason,
                    answered=0,
                    errors=patterns,
                    run=claim,
                    evaluated_at=now(),
                )
            )
        columns = tables.due.c
        connection.execute(sa.delete(tables.due).where(columns.candidate == candidate, columns.problem == problem))
        note(connection, "reconcile", "rest", f"{candidate} on {problem}", reason)

    def request(self, cells: Iterable[Cell], reason: str) -> list[Cell]:
        """Make cells due because somebody asks, also where they rest as error or were measured.

        Returns those that belong to the matrix.
        """
        asked, wanted = sorted(set(cells)), _wanted()
        accepted: list[Cell] = []
        with self._database.write() as connection:
            for chunk in _chunks(asked):
                rows = connection.execute(
                    sa.select(wanted).where(sa.tuple_(wanted.c.candidate, wanted.c.problem).in_(chunk))
                ).all()
                accepted.extend((row.candidate, row.problem) for row in rows)
                if rows:
                    values = [{**row._mapping, "reason": reason, "attempts": 0} for row in rows]
                    connection.execute(upsert(connection, tables.due).on_conflict_do_nothing(), values)
        return accepted

    def audit(self) -> int:
        """Compare every cell with every digest and add what is missing; returns how many were."""
        with self._database.write() as connection:
            added = fill_due(connection, "found by the audit")
            if added:
                note(connection, "audit", "refill", "due", f"{added} cells were missing")
            return added

    def reasons(self) -> dict[str, int]:
        """How many cells are due for which reason."""
        return dict(Counter(cell.reason for cell in self.all()))


def _chunks(cells: Sequence[Cell], size: int = 5000) -> Iterable[list[Cell]]:
    for start in range(0, len(cells), size):
        yield list(cells[start : start + size])
