"""Facts: what verdicts and comparisons look at, counted by the database as far as it can."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from ml_regress.core.comparison import Pairs, Special
from ml_regress.core.evaluation import Measure
from ml_regress.errors import NotFound
from ml_regress.store import tables
from ml_regress.store.database import Database, plain_rows
from ml_regress.store.due import OPEN
from ml_regress.store.evaluations import measured_suites

_CHUNK = 2_000


class CellRow(NamedTuple):
    """The evaluation of a cell on its current suite, as far as a verdict looks at it."""

    number: int
    candidate: str
    problem: str
    suite: str
    state: str
    reason: str | None
    passes: int | None
    answered: int
    errors: int
    measures: str
    environments: str
    evaluated_at: str

    @property
    def metric(self) -> Measure | None:
        """The headline measure."""
        found = json.loads(self.measures)
        return Measure(**found[0]) if found else None


# Candidate, problem, pattern, outcome before and after (None where it is gone).
Moved = tuple[str, str, str, str, str | None]


@dataclass(frozen=True)
class Unsettled:
    """Problems that should be judged and cannot be, by id: changed and not validated yet, or left without patterns."""

    changed: tuple[str, ...]
    empty: tuple[str, ...]


class FactTable:
    """Reads what was measured, without the patterns themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cells(self, candidates: Sequence[str] | None = None) -> list[CellRow]:
        """The measured cells of problems on current suites, of all active candidates or of these."""
        columns, current = tables.evaluations.c, measured_suites()
        query = sa.select(*(columns[name] for name in CellRow._fields)).join(
            current, sa.and_(current.c.id == columns.problem, current.c.suite == columns.suite)
        )
        with self._database.read() as connection:
            return list(map(CellRow._make, plain_rows(connection, _of(query, columns.candidate, candidates))))

    def moved(self, baseline: str, candidates: Sequence[str] | None = None) -> Sequence[Moved]:
        """Every pattern that moved against `baseline` on the current suites, in all candidates or in these."""
        mine, theirs, current = tables.evaluations.alias("mine"), tables.evaluations.alias("theirs"), measured_suites()
        after, before = tables.outcomes.alias("after"), tables.outcomes.alias("before")
        query = (
            sa.select(mine.c.candidate, mine.c.problem, before.c.pattern, before.c.outcome, after.c.outcome)
            .select_from(current)
            .join(theirs, sa.and_(theirs.c.problem == current.c.id, theirs.c.suite == current.c.suite))
            .join(mine, sa.and_(mine.c.problem == theirs.c.problem, mine.c.suite == theirs.c.suite))
            .join(before, before.c.evaluation == theirs.c.number)
            .outerjoin(after, sa.and_(after.c.evaluation == mine.c.number, after.c.pattern == before.c.pattern))
            .where(
                theirs.c.candidate == baseline,
                mine.c.candidate != baseline,
                sa.or_(after.c.outcome.is_(None), after.c.outcome != before.c.outcome),
            )
        )
        with self._database.read() as connection:
            return plain_rows(connection, _of(query, mine.c.candidate, candidates))

    def counted(self, candidates: Sequence[str] | None = None) -> dict[int, int]:
        """How many outcomes each evaluation has, by its number, of all candidates or of these."""
        columns, outcome = tables.evaluations.c, tables.outcomes.c
        query = sa.select(outcome.evaluation, sa.func.count()).group_by(outcome.evaluation)
        if candidates is not None:
            mine = sa.select(columns.number).where(columns.candidate.in_(list(candidates)))
            query = query.where(outcome.evaluation.in_(mine))
        with self._database.read() as connection:
            return dict(plain_rows(connection, query))

    def not_passed(
        self, patterns: Iterable[tuple[str, str]], candidates: Sequence[str] | None = None
    ) -> list[tuple[str, str, str, str]]:
        """(candidate, problem, pattern, outcome) of those of these (problem, pattern) that did not pass."""
        columns, outcome, current = tables.evaluations.c, tables.outcomes.c, measured_suites()
        wanted, found = sorted(set(patterns)), list[tuple[str, str, str, str]]()
        query = (
            sa.select(columns.candidate, columns.problem, outcome.pattern, outcome.outcome)
            .join(current, sa.and_(current.c.id == columns.problem, current.c.suite == columns.suite))
            .join(tables.outcomes, outcome.evaluation == columns.number)
            .where(outcome.outcome != "passed")
        )
        with self._database.read() as connection:
            for start in range(0, len(wanted), _CHUNK):
                some = sa.tuple_(columns.problem, outcome.pattern).in_(wanted[start : start + _CHUNK])
                rows = connection.execute(_of(query.where(some), columns.candidate, candidates))
                found.extend(tuple(row) for row in rows)
        return found

    def pairs(self, before: Iterable[int], after: Iterable[int]) -> list[Pairs]:
        """The outcomes of two candidates' evaluations side by side: for each problem, which patterns went which way."""
        one, two = tables.evaluations.alias("one"), tables.evaluations.alias("two")
        first, second = tables.outcomes.alias("first"), tables.outcomes.alias("second")
        groups = (one.c.problem, first.c.outcome, second.c.outcome)
        with self._database.read() as connection:
            query = (
                sa.select(*groups, _listed(connection, first.c.pattern))
                .select_from(one)
                .join(two, two.c.problem == one.c.problem)
                .join(first, first.c.evaluation == one.c.number)
                .join(second, sa.and_(second.c.evaluation == two.c.number, second.c.pattern == first.c.pattern))
                .where(one.c.number.in_(list(before)), two.c.number.in_(list(after)))
                .group_by(*groups)
            )
            rows = plain_rows(connection, query)
        return [Pairs(problem, old, new, tuple(json.loads(found))) for problem, old, new, found in rows]

    def special(self) -> dict[str, Special]:
        """What is special of patterns, by problem; retired ones too, which may join a family."""
        columns = tables.patterns.c
        asked = (columns.id, columns.twin, columns.parent, columns.selected_on, columns.canary)
        some = sa.or_(columns.twin.is_not(None), columns.parent.is_not(None), columns.selected_on != "", columns.canary)
        with self._database.read() as connection:
            query = sa.select(columns.problem, *(_listed(connection, column) for column in asked))
            query = query.where(some).group_by(columns.problem)
            rows = plain_rows(connection, query)
        return {problem: _special(*map(json.loads, listed)) for problem, *listed in rows}

    def canaries(self, suites: Mapping[str, str]) -> tuple[dict[str, list[str]], dict[str, int]]:
        """The canaries, and how many patterns there are, of the suites with these digests, by problem."""
        columns = tables.suites.c
        query = sa.select(columns.problem, columns.digest, columns.content, columns.patterns).where(
            columns.kind == "problem", columns.problem.in_(list(suites)), columns.digest.in_(list(suites.values()))
        )
        canaries, sizes = dict[str, list[str]](), dict[str, int]()
        with self._database.read() as connection:
            for problem, digest, content, patterns in connection.execute(query):
                if suites[problem] == digest:
                    sizes[problem] = patterns
                    canaries[problem] = [each["id"] for each in json.loads(content)["patterns"] if each["canary"]]
        return canaries, sizes

    def content(self, problem: str, suite: str, patterns: Collection[str] | None = None) -> dict[str, Any]:
        """What a suite froze (core.pattern.freeze), of all patterns or of these; raises NotFound."""
        columns = tables.suites.c
        query = sa.select(columns.content).where(columns.problem == problem, columns.digest == suite)
        with self._database.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise NotFound(f"no suite {suite!r} of the problem {problem!r} in the store")
        content = dict(json.loads(found))
        if patterns is not None:
            kept = [
                (pattern, digest)
                for pattern, digest in zip(content["patterns"], content["input_digests"], strict=True)
                if pattern["id"] in patterns
            ]
            content["patterns"], content["input_digests"] = ([each[side] for each in kept] for side in (0, 1))
        return content

    def unsettled(self) -> Unsettled:
        """Open and watched problems that changed since they were validated, and those left without a pattern."""
        problem, suite, pattern = tables.problems.c, tables.suites.c, tables.patterns.c
        is_open = problem.state.in_(OPEN)
        proposed = sa.exists().where(pattern.problem == problem.id, pattern.status == "proposed")
        changed = sa.select(problem.id).where(is_open, problem.revision != problem.frozen_revision)
        had = sa.exists().where(suite.problem == problem.id, suite.kind == "problem", suite.patterns > 0)
        retired = sa.exists().where(pattern.problem == problem.id, pattern.status == "retired")
        # One that has nothing but proposed patterns waits for a person to accept them.
        once = sa.or_(had, retired, sa.not_(proposed))
        empty = sa.select(problem.id).where(is_open, problem.suite.is_(None), once)
        with self._database.read() as connection:
            return Unsettled(*(tuple(sorted(connection.execute(query).scalars())) for query in (changed, empty)))

    def latest(self, candidate: str) -> dict[str, CellRow]:
        """The newest measured evaluation of each problem that a candidate has, on whatever suite."""
        columns = tables.evaluations.c
        query = (
            sa.select(*(columns[name] for name in CellRow._fields))
            .where(columns.candidate == candidate, columns.state == "ok")
            .order_by(columns.number)
        )
        with self._database.read() as connection:
            return {row.problem: row for row in (CellRow(*each) for each in connection.execute(query))}

    def due(self, candidates: Sequence[str] | None = None) -> dict[tuple[str, str], str]:
        """Why cells are due, by cell."""
        columns = tables.due.c
        query = sa.select(columns.candidate, columns.problem, columns.reason)
        if candidates is not None:
            query = query.where(columns.candidate.in_(list(candidates)))
        with self._database.read() as connection:
            return {(row.candidate, row.problem): row.reason for row in connection.execute(query)}


def _special(
    names: list[str], twins: list[str | None], parents: list[str | None], chosen: list[str], canaries: list[int]
) -> Special:
    return Special(
        {name: twin for name, twin in zip(names, twins, strict=True) if twin is not None},
        {name: parent for name, parent in zip(names, parents, strict=True) if parent is not None},
        {name: tuple(failed.split()) for name, failed in zip(names, chosen, strict=True) if failed},
        frozenset(name for name, canary in zip(names, canaries, strict=True) if canary),
    )


def _listed(connection: sa.Connection, column: "sa.ColumnElement[Any]") -> "sa.ColumnElement[str]":
    """A column of a group as one JSON text: one row a pattern costs more than to join them all."""
    together = sa.func.json_group_array if connection.dialect.name == "sqlite" else sa.func.json_agg
    return sa.cast(together(column), sa.Text)


def _of(query: Any, column: "sa.ColumnElement[str]", candidates: Sequence[str] | None) -> Any:
    if candidates is not None:
        return query.where(column.in_(list(candidates)))
    active = sa.select(tables.candidates.c.id).where(tables.candidates.c.state == "active")
    return query.where(column.in_(active))
